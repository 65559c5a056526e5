import { execFileSync } from "node:child_process";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import type { MigrationTaskInputs, TableEtl } from "../../provider/contract/types.js";
import { killProcess } from "../support/kill.js";
import { type PostgresServer, startPostgres } from "../support/postgres.js";
import { digest, failed, until } from "../support/rowRules.js";
import { createTestTask, discard, type TestTask } from "../support/task.js";
import { readValidation } from "../support/validation.js";

let source: PostgresServer;
let target: PostgresServer;
let task: TestTask;
beforeAll(async () => {
  [source, target] = await Promise.all([
    startPostgres({ major: 17, settings: { fsync: "off" } }),
    startPostgres({ major: 17, settings: { fsync: "off", wal_compression: "off" } }),
  ]);
});
afterAll(() => Promise.all([source.remove(), target.remove()]));
beforeEach(async () => {
  task = await createTestTask(source, target);
});
afterEach(() => discard(task));

const live = { migrationTypes: ["schema", "full", "incremental"] as const };
const objects = [{ schema: "public" }];
const person = (rules: Omit<TableEtl, "schema" | "table">): TableEtl => ({ schema: "public", table: "person", ...rules });

/** Waits until the target has what the source's own SELECT gives. */
const same = (expected: string, found = "SELECT * FROM person") =>
  until(async () => [await digest(task.source, expected), await digest(task.target, found).catch(() => undefined)]);

it("come in and go with all their values, large ones that the change left out among them, as `drop` turns true and false", async () => {
  await task.source.run(`
    CREATE TABLE person (id integer PRIMARY KEY, state text, body text, note text);
    CREATE TABLE bag (state text, body text);
    ALTER TABLE person ALTER body SET STORAGE EXTERNAL, ALTER note SET STORAGE EXTERNAL;
    ALTER TABLE bag ALTER body SET STORAGE EXTERNAL;
    INSERT INTO person SELECT g, CASE WHEN g % 2 = 0 THEN 'gone' END, repeat(md5(g::text), 100), repeat(md5('n' || g), 100) FROM generate_series(1, 500) g;
    INSERT INTO bag SELECT state, body FROM person`);
  await task.up({
    ...live,
    objects,
    etl: [
      person({
        drop: "state = 'gone'",
        mask: [{ column: "body", method: "sha256" }],
        derive: [{ column: "size", expression: "length(body)", type: "integer" }],
      }),
      { schema: "public", table: "bag", drop: "state = 'gone'", mask: [{ column: "body", method: "keep", keepFirst: 3 }] },
    ],
  });
  const people =
    "SELECT id, state, encode(sha256(convert_to(body, 'UTF8')), 'hex') AS body, note, length(body) AS size FROM person WHERE (state = 'gone') IS NOT TRUE";
  const bag =
    "SELECT state, CASE WHEN length(body) > 3 THEN left(body, 3) || repeat('*', length(body) - 3) ELSE repeat('*', length(body)) END FROM bag WHERE (state = 'gone') IS NOT TRUE";
  const both = async () => {
    await same(people);
    await same(bag, "SELECT * FROM bag");
  };
  await both();
  await task.source.run(`
    UPDATE person SET state = CASE WHEN state = 'gone' THEN 'back' ELSE 'gone' END WHERE id <= 250;
    UPDATE bag SET state = CASE WHEN state = 'gone' THEN 'back' ELSE 'gone' END WHERE body < '8';
    UPDATE person SET state = 'other' WHERE id % 10 = 1;
    UPDATE person SET id = id + 1000 WHERE id % 7 = 0;
    UPDATE person SET note = NULL WHERE id % 3 = 0; UPDATE person SET body = repeat('x', 3000) WHERE id % 5 = 0;
    UPDATE bag SET state = 'x'; DELETE FROM bag WHERE body < '4'; DELETE FROM person WHERE id % 11 = 0`);
  await both();
  await task.source.run("TRUNCATE bag; INSERT INTO bag VALUES ('gone', 'abcdef'), ('x', 'ab'), ('y', NULL), ('y', NULL)");
  await both();
  await task.destroy();
  expect(await task.leftovers()).toEqual([]);
});

it("go on under a renamed column and in another type; a column that an expression names must stay", async () => {
  await task.source.run(`
    CREATE TABLE person (id integer PRIMARY KEY, name varchar(40), born date, spare integer);
    INSERT INTO person SELECT g, 'person ' || g, '1980-01-01'::date + g, g FROM generate_series(1, 300) g`);
  const rules = (name: string) =>
    person({
      mask: [{ column: name, method: "keep", keepFirst: 1 }],
      derive: [{ column: "year", expression: `extract(year FROM born) + length(${name})`, type: "integer" }],
    });
  await task.up({ ...live, objects, etl: [rules("name")] });
  const expected = (name: string) =>
    `SELECT id, left(${name}, 1) || repeat('*', length(${name}) - 1) AS ${name}, born, spare, (extract(year FROM born) + length(${name}))::integer AS year FROM person`;
  await task.source.run(`
    BEGIN; INSERT INTO person VALUES (1001, 'before', '2000-01-01'); ALTER TABLE person RENAME name TO title;
    INSERT INTO person VALUES (1002, 'after', '2001-01-01'); UPDATE person SET title = title || ' II' WHERE id < 50; COMMIT;
    ALTER TABLE person RENAME born TO birthday; UPDATE person SET birthday = birthday + 400 WHERE id > 200`);
  const found = (name: string) => `SELECT id, ${name}, birthday AS born, spare, year FROM person`;
  const present = (name: string) =>
    expected(name)
      .replaceAll(/\bborn\b/g, "birthday")
      .replace("birthday, spare", "birthday AS born, spare");
  await same(present("title"), found("title"));
  await killProcess(task.home, "worker");
  await task.source.run(`
    ALTER TABLE person ALTER title TYPE text; INSERT INTO person VALUES (2001, repeat('long ', 20), '1999-09-09');
    UPDATE person SET title = title || '!' WHERE id % 2 = 0; ALTER TABLE person ADD COLUMN late integer; UPDATE person SET late = 1 WHERE id = 3;
    ALTER TABLE person DROP COLUMN late`);
  await same(present("title"), found("title"));
  // The program may call them by their new names.
  await task.up({
    ...live,
    objects,
    etl: [
      {
        ...rules("title"),
        derive: [{ column: "year", expression: "extract(year FROM birthday) + length(title)", type: "integer" }],
      },
    ],
  });
  await task.source.run("INSERT INTO person VALUES (3001, 'newest', '1990-01-01')");
  await same(present("title"), found("title"));
  await task.source.run("ALTER TABLE person DROP COLUMN birthday; UPDATE person SET title = 'x' WHERE id = 1");
  await failed(task, "GW1502");
  await task.destroy();
  expect(await task.leftovers()).toEqual([]);
});

it("stop rather than come unmasked: a partition, a child, a new table of that name, a key of a masked column, a source column of a derived name", async () => {
  const stops = async (make: string, change: string, etl: readonly TableEtl[], again?: () => Promise<void>) => {
    task = await createTestTask(source, target);
    await task.source.run(make);
    await task.up({ ...live, objects, etl });
    await task.source.run(change);
    await failed(task, "GW1502");
    const clear = await task.target.rows("SELECT tableoid::regclass AS t, * FROM person WHERE what LIKE '%CLEAR%'");
    expect(clear).toEqual([]);
    await again?.();
    await discard(task);
  };
  const masked = [person({ mask: [{ column: "what", method: "md5" }] })];
  const parted = `CREATE TABLE person (id integer, what text) PARTITION BY RANGE (id); CREATE TABLE p1 PARTITION OF person FOR VALUES FROM (1) TO (100);
    CREATE TABLE p2 PARTITION OF person FOR VALUES FROM (100) TO (200) PARTITION BY RANGE (id); INSERT INTO person VALUES (1, 'CLEAR')`;
  await stops(
    parted,
    "CREATE TABLE p3 PARTITION OF person FOR VALUES FROM (300) TO (400); INSERT INTO person VALUES (301, 'CLEAR')",
    masked,
  );
  await stops(
    parted,
    "ALTER TABLE p2 RENAME TO pp2; CREATE TABLE p21 PARTITION OF pp2 FOR VALUES FROM (100) TO (150); INSERT INTO person VALUES (101, 'CLEAR')",
    masked,
  );
  const plain = "CREATE TABLE person (id integer PRIMARY KEY, what text); INSERT INTO person VALUES (1, 'CLEAR')";
  await stops(plain, "CREATE TABLE child () INHERITS (person); INSERT INTO child VALUES (2, 'CLEAR')", masked);
  await stops(
    plain,
    "DROP TABLE person; CREATE TABLE person (id integer PRIMARY KEY, what text); INSERT INTO person VALUES (2, 'CLEAR')",
    masked,
  );
  await stops(
    plain,
    "ALTER TABLE person DROP CONSTRAINT person_pkey, ADD PRIMARY KEY (what); INSERT INTO person VALUES (2, 'CLEAR2')",
    masked,
  );
  await stops(plain, "ALTER TABLE person ADD COLUMN n integer; INSERT INTO person VALUES (2, 'CLEAR', 3)", [
    person({ mask: [{ column: "what", method: "md5" }], derive: [{ column: "n", expression: "length(what)", type: "integer" }] }),
  ]);
  await stops(
    plain,
    "ALTER TABLE person DROP COLUMN what; ALTER TABLE person ADD what text; INSERT INTO person VALUES (2, 'CLEAR')",
    [person({ mask: [{ column: "what", method: "constant", value: "x" }] })],
    async () => {
      await task.up({ ...live, objects, etl: [person({ mask: [{ column: "what", method: "constant", value: "x" }] })] });
      await task.source.run("INSERT INTO person VALUES (3, 'CLEAR')");
      await until(async () => [
        [
          { id: 2, what: "x" },
          { id: 3, what: "x" },
        ],
        await task.target.rows("SELECT id, what FROM person WHERE id > 1 ORDER BY id").catch(() => []),
      ]);
    },
  );
});

it("leave no trace of a masked value: not in the target's files, the store, the logs, the state, nor in what is said of a row that fails", async () => {
  await task.source.run(`
    CREATE TABLE person (id integer PRIMARY KEY, name text, code text, UNIQUE (name));
    CREATE TABLE bag (name text, n integer);
    INSERT INTO person SELECT g, 'CLEARNAME' || g, g::text FROM generate_series(1, 200) g;
    INSERT INTO bag SELECT 'CLEARBAG' || g, g FROM generate_series(1, 200) g`);
  await task.up({
    ...live,
    objects,
    dataValidation: { mode: "full" },
    retry: { connectionMinutes: 10, otherMinutes: 1 },
    etl: [
      person({
        mask: [
          { column: "name", method: "md5" },
          { column: "code", method: "keep" },
        ],
        derive: [{ column: "number", expression: "code::integer", type: "integer" }],
      }),
      { schema: "public", table: "bag", mask: [{ column: "name", method: "keep", keepFirst: 1, keepLast: 1 }] },
    ],
  });
  const expected = "SELECT id, md5(name) AS name, repeat('*', length(code)) AS code, code::integer AS number FROM person";
  await task.source.run(`
    UPDATE person SET name = name || 'B'; UPDATE person SET id = id + 1000 WHERE id % 3 = 0; DELETE FROM person WHERE id % 5 = 0;
    UPDATE bag SET n = n + 1; UPDATE bag SET name = name || 'C' WHERE n % 2 = 0; DELETE FROM bag WHERE n % 7 = 0`);
  await same(expected);
  // Someone changes rows at the target: what is said of them is said of masked ones.
  await task.target.run(
    "UPDATE bag SET n = 9999 WHERE n = 12; DELETE FROM person WHERE id = 1; UPDATE person SET number = 5 WHERE id = 2",
  );
  const outputs = await task.up({
    ...live,
    objects,
    dataValidation: { mode: "full", triggers: { at: "2" } },
    retry: { connectionMinutes: 10, otherMinutes: 1 },
    etl: outputsEtl(),
  });
  expect(outputs.errors).toMatchObject([{ code: "GW2201" }]);
  expect(JSON.stringify(await readValidation(task))).toMatch(/C\*+/);
  await task.target.run(`INSERT INTO person VALUES (5001, md5('CLEARNAMETWICE'))`);
  // The target refuses the one, the source can't compute the other: both messages would quote a value.
  await task.source.run("INSERT INTO person VALUES (5001, 'CLEARNAMETWICE', 'CLEARCODE')");
  await failed(task, "GW1507");
  const said = JSON.stringify(task.outputs?.errors);
  expect(said).toMatch(/a text is no value of its type \(SQLSTATE 22P02/);
  await target.query("CHECKPOINT");
  const grep = (...places: string[]) => {
    try {
      return execFileSync("grep", ["-rlaE", "CLEAR(NAME|BAG|CODE)[0-9A-Z]", ...places], { encoding: "utf8" });
    } catch (cause) {
      if ((cause as { status?: number }).status === 1) return "";
      throw cause;
    }
  };
  expect(grep(source.dataDirectory)).not.toBe("");
  // What the test itself wrote at the target was written in the server's words.
  expect(grep(target.dataDirectory, task.home)).toBe("");
  expect(`${said}${task.lines.join("\n")}${JSON.stringify(task.outputs)}`).not.toMatch(/CLEAR/);

  function outputsEtl() {
    return task.outputs?.etl ?? [];
  }
});

it("are compared as expressions: equal in both modes, a row changed at the target is named", async () => {
  await task.source.run(`
    CREATE TABLE person (id integer PRIMARY KEY, name text, price numeric(10, 2), ratio double precision);
    CREATE TABLE bag (name text);
    INSERT INTO person SELECT g, 'name ' || g, g / 7.0, g / 3.0 FROM generate_series(1, 2000) g;
    INSERT INTO bag SELECT 'n' || g % 10 FROM generate_series(1, 100) g`);
  const inputs = (at: string, mode: "full" | "checksums"): Pick<MigrationTaskInputs, "objects" | "dataValidation" | "etl"> => ({
    objects,
    dataValidation: { mode, triggers: { at } },
    etl: [
      person({
        mask: [{ column: "name", method: "md5" }],
        derive: [
          { column: "price", expression: "price / 3" },
          { column: "half", expression: "ratio / 2", type: "double precision" },
          { column: "short", expression: "price / 7", type: "numeric(8, 3)" },
        ],
      }),
      { schema: "public", table: "bag", mask: [{ column: "name", method: "constant", value: "all" }] },
    ],
  });
  const states = async () => (await readValidation(task))?.tables.map(({ source: { name }, state }) => [name, state]).sort();
  for (const mode of ["full", "checksums"] as const) {
    await task.up({ ...live, ...inputs(mode, mode) });
    expect(await states()).toEqual([
      ["bag", "equal"],
      ["person", "equal"],
    ]);
  }
  await task.target.run("UPDATE person SET name = 'name 5' WHERE id = 5; UPDATE person SET half = 99 WHERE id = 6");
  expect((await task.up({ ...live, ...inputs("again", "full") })).errors).toMatchObject([{ code: "GW2201" }]);
  expect((await readValidation(task))?.tables.find(({ source: { name } }) => name === "person")?.differences).toEqual([
    { row: "id = 5", kind: "changed" },
    { row: "id = 6", kind: "changed" },
  ]);
  await task.destroy();
  // And what only loads, as of its own snapshot.
  await task.target.run("DROP TABLE person, bag");
  const loaded = await task.up({ migrationTypes: ["schema", "full"], ...inputs("load", "full") });
  expect(loaded).toMatchObject({ state: "completed", errors: [] });
});

it("may be made of a column that does not move, and are called as the program and the capitalization have it", async () => {
  await task.source.run(`
    CREATE TABLE person (id integer PRIMARY KEY, secret text, "Mixed" text);
    INSERT INTO person SELECT g, 's' || g, 'm' || g FROM generate_series(1, 100) g`);
  await task.up({
    ...live,
    capitalization: "lower",
    objects: [
      {
        schema: "public",
        tables: [{ name: "person", excludeColumns: ["secret"], columns: [{ name: "Digest", rename: "digest_of_secret" }] }],
      },
    ],
    etl: [
      person({
        derive: [
          { column: "Digest", expression: "md5(secret)", type: "text" },
          { column: "Other", expression: "1", type: "smallint" },
        ],
      }),
    ],
  });
  const expected = `SELECT id, "Mixed" AS mixed, md5(secret) AS digest_of_secret, 1::smallint AS other FROM person`;
  await task.source.run(
    "UPDATE person SET secret = secret || 'x' WHERE id < 40; INSERT INTO person VALUES (500, NULL, 'n'); DELETE FROM person WHERE id = 99",
  );
  await same(expected);
  expect(
    await task.target.rows("SELECT attname FROM pg_attribute WHERE attrelid = 'person'::regclass AND attnum > 0 ORDER BY attnum"),
  ).toEqual([{ attname: "id" }, { attname: "mixed" }, { attname: "digest_of_secret" }, { attname: "other" }]);
});

it("keep their expressions while the table is migrated; a table that joins brings its own", async () => {
  await task.source.run(`
    CREATE TABLE person (id integer PRIMARY KEY, name text); INSERT INTO person VALUES (1, 'a');
    CREATE TABLE later (id integer PRIMARY KEY, name text); INSERT INTO later VALUES (1, 'a')`);
  const tables = [{ name: "person" }];
  const etl = [person({ mask: [{ column: "name", method: "md5" }] })];
  await task.up({ ...live, objects: [{ schema: "public", tables }], etl });
  for (const other of [
    [],
    [person({ mask: [{ column: "name", method: "null" }] })],
    [person({ ...etl[0], drop: "id = 5" })],
    [person({ ...etl[0], derive: [{ column: "n", expression: "1", type: "integer" }] })],
  ]) {
    await expect(task.up({ ...live, objects: [{ schema: "public", tables }], etl: other })).rejects.toThrow(
      /GW1304: `etl` of a table that is being migrated can't change/,
    );
  }
  await task.up({
    ...live,
    objects: [{ schema: "public", tables: [...tables, { name: "later" }] }],
    etl: [...etl, { schema: "public", table: "later", mask: [{ column: "name", method: "keep" }] }],
  });
  // The identity is set for the expressions, not for want of a key.
  expect(task.lines.filter((line) => /sourceTableKeys/.test(line))).toEqual([]);
  expect(task.lines.some((line) => /sourceFilteredIdentity: public\.person.*REPLICA IDENTITY FULL/.test(line))).toBe(true);
  await task.source.run("INSERT INTO later VALUES (2, 'bcd'); INSERT INTO person VALUES (2, 'bcd')");
  await same("SELECT id, repeat('*', length(name)) AS name FROM later", "SELECT * FROM later");
  await same("SELECT id, md5(name) AS name FROM person");
});

it("are refused, with nothing changed, where they can't be computed the same at any time, fit no column, or would tell rows apart", async () => {
  await task.source.run(`
    CREATE DOMAIN email AS varchar(20);
    CREATE TABLE person (id integer PRIMARY KEY, name text, short varchar(20) NOT NULL, mail email, seen timestamptz, n integer, made integer GENERATED ALWAYS AS (n * 2) STORED);
    CREATE TABLE lonely (id integer); CREATE TABLE parted (id integer, region text) PARTITION BY LIST (region);
    CREATE TABLE parted_eu PARTITION OF parted FOR VALUES IN ('eu')`);
  const refused = async (etl: readonly TableEtl[], given: object = {}) =>
    task.up({ ...live, objects, etl: [...etl], ...given }).then(
      () => "accepted",
      (cause: Error) => cause.message,
    );
  const derived = (column: string, expression: string, type?: string) =>
    refused([person({ derive: [{ column, expression, ...(type ? { type } : {}) }] })]);
  const masked = (column: string, method: "keep" | "md5" | "sha256" | "null" | "constant", value?: string) =>
    refused([person({ mask: [{ column, method, ...(value === undefined ? {} : { value }) }] })]);
  expect(await derived("n", "extract(epoch FROM now())::integer")).toMatch(
    /GW1201.*sourceRowExpressions.*person\.n: .*IMMUTABLE/s,
  );
  expect(await derived("name", "seen::text")).toMatch(/IMMUTABLE/);
  expect(await derived("name", "nome")).toMatch(/column "nome" does not exist/);
  expect(await derived("name", "(SELECT 'x')")).toMatch(/subquery/);
  expect(await derived("name", "count(*)")).toMatch(/aggregate/);
  expect(await derived("name", "person::text")).toMatch(/whole row/);
  expect(await derived("name", "1); DROP TABLE lonely; SELECT (1")).toMatch(/syntax error/);
  expect(await derived("n", "seen")).toMatch(/cannot cast type timestamp with time zone to integer/);
  expect(await derived("n", "made + 1")).toMatch(/generated column made/);
  expect(await derived("made", "1")).toMatch(/GW1304.*"made".*generated/);
  expect(await derived("id", "1")).toMatch(/GW1304.*"id".*part of the table's key/);
  expect(await derived("nam", "1")).toMatch(/GW1304.*did you mean "name"\? a new column needs `type`/);
  expect(await derived("name", "1", "text")).toMatch(/GW1304.*has it already.*leave `type` out/);
  expect(await derived("other", "1", "no_such_type")).toMatch(/GW1304.*type "no_such_type" does not exist/);
  expect(await derived("other", "1", "integer) AS x, pg_sleep(1")).toMatch(/GW1304/);
  expect(await masked("nome", "md5")).toMatch(/GW1302.*did you mean "name"/);
  expect(await masked("n", "keep")).toMatch(/person\.n: method keep is for texts, and it is a integer/);
  expect(await masked("n", "md5")).toMatch(/method md5 is for texts, bytea and uuid/);
  expect(await masked("short", "md5")).toMatch(/character varying\(20\), and method md5 needs 32 characters/);
  expect(await masked("mail", "sha256")).toMatch(/method sha256 needs 64 characters/);
  expect(await masked("short", "null")).toMatch(/it is NOT NULL/);
  expect(await masked("n", "constant", "many")).toMatch(/invalid input syntax for type integer/);
  expect(await masked("short", "constant", "x".repeat(21))).toMatch(/needs 21 characters/);
  expect(await refused([{ schema: "public", table: "persn", drop: "true" }])).toMatch(/GW1302.*did you mean public\.person\?/);
  expect(
    await refused([{ schema: "public", table: "lonely", drop: "id > 1" }], {
      objects: [{ schema: "public", exclude: ["lonely"] }],
    }),
  ).toMatch(/GW1304: `etl` names a table that does not move/);
  expect(await refused([{ schema: "public", table: "parted", derive: [{ column: "region", expression: "'x'" }] }])).toMatch(
    /parted_eu\.region chooses the partition/,
  );
  expect(
    await refused([{ schema: "public", table: "parted_eu", derive: [{ column: "x", expression: "1", type: "integer" }] }]),
  ).toMatch(/GW1304.*derive it for the partitioned table/);
  const bare = { migrationTypes: ["full", "incremental"] as const };
  await task.target.run(
    "CREATE TABLE person (id integer PRIMARY KEY, name text, short text, mail text, seen timestamptz, n integer)",
  );
  const lacking = await refused(
    [person({ derive: [{ column: "host", expression: "split_part(mail, '@', 2)", type: "text" }] })],
    {
      ...bare,
      objects: [{ schema: "public", tables: [{ name: "person" }] }],
    },
  );
  expect(lacking).toMatch(/targetColumns: public\.person: host is missing.*add the columns/s);
  expect((await task.source.rows("SELECT 1 FROM pg_class WHERE relname = 'lonely'")).length).toBe(1);
  expect(await task.leftovers()).toEqual([]);
});

it("come with the children of a table, which have its new columns; a foreign key of a masked column stays behind by name", async () => {
  await task.source.run(`
    CREATE TABLE person (id integer PRIMARY KEY, name text);
    CREATE TABLE pupil (school text, PRIMARY KEY (id)) INHERITS (person);
    CREATE TABLE word (word text PRIMARY KEY);
    CREATE TABLE said (id integer PRIMARY KEY, word text REFERENCES word, other text REFERENCES word);
    INSERT INTO person VALUES (1, 'one'); INSERT INTO pupil VALUES (2, 'two', 'x'); INSERT INTO word VALUES ('a'); INSERT INTO said VALUES (1, 'a', 'a')`);
  const outputs = await task.up({
    ...live,
    objects,
    etl: [
      person({
        mask: [{ column: "name", method: "md5" }],
        derive: [{ column: "size", expression: "length(name)", type: "integer" }],
      }),
      { schema: "public", table: "said", mask: [{ column: "word", method: "md5" }] },
    ],
  });
  expect(outputs.skippedObjects).toEqual([
    {
      kind: "foreignKey",
      name: "public.said.said_word_fkey",
      reason: "`etl` gives its column word other values than the source has",
    },
  ]);
  await task.source.run(
    "INSERT INTO pupil VALUES (3, 'three', 'y'); UPDATE pupil SET name = 'second' WHERE id = 2; INSERT INTO person VALUES (4, NULL)",
  );
  await same("SELECT id, md5(name) AS name, length(name) AS size FROM person");
  await same("SELECT id, md5(name), school, length(name) FROM pupil", "SELECT id, name, school, size FROM pupil");
});
