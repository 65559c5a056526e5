import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type AnalyticdbStandIn, startAnalyticdb } from "../support/analyticdb/standIn.js";
import { type PolardbStandIn, startPolardbStandIn } from "../support/polardbO/standIn.js";
import { type PostgresServer, startPostgres } from "../support/postgres.js";
import { createTestTask, discard, type TestTask } from "../support/task.js";
import { readValidation } from "../support/validation.js";
import { EDGE_TYPES, EDGE_TYPES_SCHEMA } from "./edgeValues.js";

const live = { migrationTypes: ["schema", "full", "incremental"] as const };
const full = { dataValidation: { mode: "full" } as const };

let task: TestTask | undefined;
afterEach(async () => {
  if (task) await discard(task);
  task = undefined;
});

/** Tables that are not plainly equal, with what was found. */
async function notEqual() {
  const tables = task ? ((await readValidation(task))?.tables ?? []) : [];
  return {
    compared: tables.length,
    others: tables
      .filter(({ state, columnsLeftOut }) => state !== "equal" || columnsLeftOut.length > 0)
      .map(({ source, state, reason, differences, columnsLeftOut }) => ({
        name: source.name,
        state,
        reason,
        differences,
        columnsLeftOut,
      }))
      .sort((a, b) => a.name.localeCompare(b.name)),
  };
}

describe.each([
  { from: 10, to: 17 },
  { from: 17, to: 18 },
] as const)("values at the edge of every built-in type, $from to $to", ({ from, to }) => {
  const known = EDGE_TYPES.filter(({ since }) => (since ?? 0) <= from).map((edge, index) => ({
    ...edge,
    table: `edge.t${String(index).padStart(2, "0")}`,
  }));
  let source: PostgresServer;
  let target: PostgresServer;
  beforeAll(async () => {
    [source, target] = await Promise.all([
      startPostgres({ major: from, settings: { fsync: "off" } }),
      startPostgres({ major: to, settings: { fsync: "off" } }),
    ]);
  });
  afterAll(() => Promise.all([source.remove(), target.remove()]));

  it("compare equal after a migration, in tables with a key and in one without, and as keys", async () => {
    task = await createTestTask(source, target);
    const rows = ({ values }: (typeof known)[number], first: number) =>
      [...values, "NULL"].map((value, at) => `(${first + at}, ${value})`).join(", ");
    await task.source.run(
      `${EDGE_TYPES_SCHEMA}; ${known
        .map(
          (edge) =>
            `CREATE TABLE ${edge.table} (id integer PRIMARY KEY, v ${edge.type}); INSERT INTO ${edge.table} VALUES ${rows(edge, 1)}`,
        )
        .join(";")};
       CREATE TABLE bag (j json, p point, x xml, f double precision, r real, t timestamptz);
       INSERT INTO bag SELECT '{"a": 1}', '(1,2)', '<a/>', g / 3.0, g / 7.0, '2024-01-01'::timestamptz + g * interval '1.000001 s' FROM generate_series(1, 50) g;
       INSERT INTO bag (f) VALUES (float8 'Infinity' - float8 'Infinity'), ('-0'), ('0');
       CREATE TABLE by_text (k text, c char(5), d date, n numeric(8,3), PRIMARY KEY (k, c, d, n));
       INSERT INTO by_text SELECT 'k' || g % 10, 'c' || g, '2024-01-01'::date + g, g / 3.0 FROM generate_series(1, 300) g`,
    );
    await task.up({ ...live, ...full });
    expect((await notEqual()).others).toEqual([]);
    // And what came through the stream.
    for (const edge of known) await task.source.run(`INSERT INTO ${edge.table} VALUES ${rows(edge, 1000)}`);
    await task.source.run("INSERT INTO bag (f, r) VALUES (0.1, 0.1), (1e-300, 'NaN'); DELETE FROM by_text WHERE k = 'k3'");
    const outputs = await task.up({ ...live, dataValidation: { mode: "full", triggers: { at: "2" } } });
    const found = await notEqual();
    expect(found.others).toEqual([]);
    expect(found.compared).toBe(known.length + 2);
    expect(outputs.errors).toEqual([]);
  });

  it("are found when they differ in a float's last digit", async () => {
    task = await createTestTask(source, target);
    await task.source.run(`
      CREATE TABLE floats (id integer PRIMARY KEY, d double precision, r real, p point, a double precision[]);
      INSERT INTO floats SELECT g, 0.1, 0.1, '(0.1,0.2)', ARRAY[0.1, 0.2] FROM generate_series(1, 9) g`);
    await task.up(live);
    await task.target.run(`
      UPDATE floats SET d = 0.10000000000000002 WHERE id = 1; UPDATE floats SET r = 0.100000009 WHERE id = 2;
      UPDATE floats SET p = '(0.1,0.20000000000000004)' WHERE id = 3; UPDATE floats SET a = ARRAY[0.10000000000000002, 0.2] WHERE id = 4`);
    await task.up({ ...live, ...full });
    expect((await notEqual()).others).toMatchObject([
      { name: "floats", differences: [1, 2, 3, 4].map((id) => ({ row: `id = ${id}`, kind: "changed" })) },
    ]);
  });
});

describe("databases of different encodings", () => {
  let source: PostgresServer;
  let target: PostgresServer;
  beforeAll(async () => {
    [source, target] = await Promise.all([
      startPostgres({ major: 14, settings: { fsync: "off" } }),
      startPostgres({ major: 17, settings: { fsync: "off" } }),
    ]);
  });
  afterAll(() => Promise.all([source.remove(), target.remove()]));

  it("compare equal by what the texts say", async () => {
    task = await createTestTask(source, target);
    const name = `${task.source.name}_latin`;
    await source.query(`CREATE DATABASE ${name} ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0`);
    const run = (sql: string) => source.query(sql, undefined, name);
    await run("CREATE TABLE word (w text PRIMARY KEY, n int); INSERT INTO word VALUES ('Ärger', 1), ('ça', 2), ('plain', 3)");
    await run("CREATE TABLE bag (w text); INSERT INTO bag VALUES ('ü'), ('ü'), (NULL)");
    await task.up({ ...live, ...full, source: source.endpoint(name) });
    expect(await notEqual()).toEqual({ compared: 2, others: [] });
    await task.target.run("UPDATE word SET n = 4 WHERE w = 'ça'");
    await task.up({ ...live, source: source.endpoint(name), dataValidation: { mode: "full", triggers: { at: "2" } } });
    expect((await notEqual()).others).toMatchObject([{ name: "word", differences: [{ row: "w = ça", kind: "changed" }] }]);
  });
});

const FAMILY = `
  CREATE SCHEMA app;
  CREATE TABLE app.item (id bigint PRIMARY KEY, v text, w varchar(10), c char(4), n numeric, m numeric(9,2), d date, at timestamp, j jsonb, b bytea, f real);
  INSERT INTO app.item SELECT g, CASE g % 3 WHEN 0 THEN '' WHEN 1 THEN 'v' || g END, '', 'ab', g / 3.0, g, '2024-02-29'::date - g, '2024-02-29 12:34:56.789'::timestamp + g * interval '1 h',
    '{"a": [1, 2.50]}', decode('00ff', 'hex'), g / 7.0 FROM generate_series(1, 2000) g;
  CREATE TABLE app.bag (kind text, n int, x double precision);
  INSERT INTO app.bag SELECT CASE WHEN g % 2 = 0 THEN '' ELSE 'k' END, g % 5, g / 11.0 FROM generate_series(1, 500) g;
  ANALYZE`;

describe.each(["1.0", "2.0"] as const)("PolarDB O %s (a stand-in)", (release) => {
  let source: PostgresServer;
  let target: PolardbStandIn;
  beforeAll(async () => {
    [source, target] = await Promise.all([
      startPostgres({ major: 17, settings: { fsync: "off" } }),
      startPolardbStandIn({ release, emptyIsNull: true }),
    ]);
  });
  afterAll(() => Promise.all([source.remove(), target.remove()]));

  it("compares equal although '' is NULL there and a date may be a timestamp; a changed row is named", async () => {
    task = await createTestTask(source, target.server);
    await task.source.run(FAMILY);
    const ends = { target: target.endpoint(task.source.name) } as object;
    await task.up({ ...live, ...full, ...ends });
    expect(await notEqual()).toEqual({ compared: 2, others: [] });
    await task.target.run("UPDATE app.item SET d = d + interval '1 day' WHERE id = 7");
    await task.up({ ...live, ...ends, dataValidation: { mode: "full", triggers: { at: "2" } } });
    expect((await notEqual()).others).toMatchObject([{ name: "item", differences: [{ row: "id = 7", kind: "changed" }] }]);
  });

  it("is a source as well, with types of its own", async () => {
    task = await createTestTask(target.server, source);
    await task.source.run(
      `CREATE SCHEMA app; CREATE TABLE app.own (id number(10) PRIMARY KEY, a varchar2(20), n number, m number(9,2), c clob, r raw, b blob);
       INSERT INTO app.own SELECT g::numeric, CASE WHEN g % 2 = 0 THEN ('a' || g)::varchar END, g / 3.0, g::numeric, 'c' || g, '\\x00ff', '\\x01' FROM generate_series(1, 300) g;
       CREATE TABLE app.bag (n number, a varchar2(5)); INSERT INTO app.bag SELECT (g % 3)::numeric, 'x' FROM generate_series(1, 30) g`,
    );
    const ends = { source: target.endpoint(task.source.name) } as object;
    await task.up({ ...live, ...full, ...ends });
    expect(await notEqual()).toEqual({ compared: 2, others: [] });
    await task.target.run("UPDATE app.own SET n = n + 1 WHERE a = 'a8'");
    await task.up({ ...live, ...ends, dataValidation: { mode: "full", triggers: { at: "2" } } });
    expect((await notEqual()).others).toMatchObject([{ name: "own", differences: [{ row: "id = 8", kind: "changed" }] }]);
  });
});

describe("PolarDB O (a stand-in) with dates of 8 bytes", () => {
  let source: PostgresServer;
  let target: PolardbStandIn;
  beforeAll(async () => {
    [source, target] = await Promise.all([
      startPostgres({ major: 17, settings: { fsync: "off" } }),
      startPolardbStandIn({ release: "2.0", longDates: true }),
    ]);
  });
  afterAll(() => Promise.all([source.remove(), target.remove()]));

  it("compares days with them", async () => {
    task = await createTestTask(source, target.server);
    await task.source.run(
      "CREATE SCHEMA app; CREATE TABLE app.t (id int PRIMARY KEY, d date); INSERT INTO app.t VALUES (1, '2024-02-29'), (2, NULL), (3, '0044-03-15 BC'), (4, '1970-01-01')",
    );
    const ends = { target: target.endpoint(task.source.name) } as object;
    await task.up({ ...live, ...full, ...ends });
    expect(await notEqual()).toEqual({ compared: 1, others: [] });
  });
});

describe.each([7, 6] as const)("AnalyticDB %i (a stand-in)", (version) => {
  let source: PostgresServer;
  let target: AnalyticdbStandIn;
  beforeAll(async () => {
    [source, target] = await Promise.all([
      startPostgres({ major: 17, settings: { fsync: "off" } }),
      startAnalyticdb({ version }),
    ]);
  });
  afterAll(() => Promise.all([source.remove(), target.remove()]));

  it("compares equal, types that are kept as text included, and asks nothing that the product would refuse", async () => {
    task = await createTestTask(source, target.server);
    await task.source.run(`${FAMILY};
      CREATE TYPE app.mood AS ENUM ('glad', 'sad'); CREATE TYPE app.pair AS (x int, t text);
      CREATE TABLE app.odd (id int PRIMARY KEY, m app.mood, ms app.mood[], p app.pair, a macaddr8, t timestamptz, x float8, i interval);
      INSERT INTO app.odd SELECT g, 'glad', '{sad,NULL}', ROW(g, 'a b'::text)::app.pair, '00:00:00:ff:fe:00:00:01', '2024-01-01', g / 3.0, g * interval '1.5 h' FROM generate_series(1, 100) g`);
    const inputs = { ...live, ...full, target: target.inputs(task.source.name) };
    const outputs = await task.up(inputs);
    expect(target.refused()).toEqual([]);
    expect(await notEqual()).toEqual({ compared: 3, others: [] });
    expect(outputs.errors).toEqual([]);
    await task.target.run(
      "UPDATE app.odd SET x = x + 1e-14 WHERE id = 7; DELETE FROM app.bag WHERE ctid = (SELECT min(ctid) FROM app.bag)",
    );
    await task.up({ ...inputs, dataValidation: { mode: "full", triggers: { at: "2" } } });
    expect((await notEqual()).others).toMatchObject([
      { name: "bag", differences: [{ kind: "missing" }] },
      { name: "odd", differences: [{ row: "id = 7", kind: "changed" }] },
    ]);
    expect(target.refused()).toEqual([]);
  });
});
