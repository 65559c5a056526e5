import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type PostgresServer, startPostgres } from "../support/postgres.js";
import { createTestTask, discard, type TestTask } from "../support/task.js";
import { EDGE_TYPES, EDGE_TYPES_SCHEMA } from "./edgeValues.js";

const live = { migrationTypes: ["schema", "full", "incremental"] as const };

/** What carries numbers of its own server; one such column and the whole stream goes as text. */
const LOCAL = /^(edge\.(mood\[\]|point3|nested)|reg)/;

describe.each([
  { from: 17, to: 18, how: "binary stream", types: EDGE_TYPES.filter(({ type }) => !LOCAL.test(type)) },
  { from: 17, to: 18, how: "text stream, for types that have no portable binary form", types: EDGE_TYPES },
  { from: 10, to: 14, how: "text stream, as the source is old", types: EDGE_TYPES },
] as const)("values at the edge of every built-in type, $from to $to ($how)", ({ from, to, types }) => {
  const known = types.filter(({ since }) => (since ?? 0) <= from).map((edge, index) => ({ ...edge, table: `edge.t${index}` }));
  /** One table a type: its load is by binary or text as the type has it. */
  const tables = () => known.map(({ type, table }) => `CREATE TABLE ${table} (id integer PRIMARY KEY, v ${type})`).join(";");
  /** Rows from `first` on: every value of every type, and NULL. */
  const rows = (first: number) =>
    known
      .map(
        ({ values, table }) =>
          `INSERT INTO ${table} (id, v) VALUES ${[...values, "NULL"].map((value, at) => `(${first + at}, ${value})`).join(", ")}`,
      )
      .join(";");
  /** Each row takes the next row's value, and one row in three goes: updates and deletes with every value on either side. */
  const changes = () =>
    known
      .map(
        ({ table }) =>
          `UPDATE ${table} SET v = (SELECT v FROM ${table} o WHERE o.id > t.id ORDER BY o.id LIMIT 1) FROM ${table} t WHERE t.id = ${table}.id; DELETE FROM ${table} WHERE id % 3 = 0`,
      )
      .join(";");
  let source: PostgresServer;
  let target: PostgresServer;
  let task: TestTask;
  beforeAll(async () => {
    [source, target] = await Promise.all([
      startPostgres({ major: from, settings: { fsync: "off" } }),
      startPostgres({ major: to, settings: { fsync: "off" } }),
    ]);
  });
  afterAll(() => Promise.all([source.remove(), target.remove()]));
  afterEach(() => discard(task));

  it("arrive as they are, loaded and as changes", async () => {
    task = await createTestTask(source, target);
    await task.source.run(`${EDGE_TYPES_SCHEMA}; ${tables()}; ${rows(1)}`);
    await task.up(live);
    const loaded = await task.compare();
    expect(loaded.differences).toEqual([]);
    expect(loaded.tables).toBeGreaterThan(50);
    await task.source.run(rows(1000));
    await task.source.run(changes());
    expect((await task.settle()).differences).toEqual([]);
    expect((await task.refresh())?.errors).toEqual([]);
  });

  it("arrive from tables without a key, where whole rows are compared, and beside generated columns", async () => {
    task = await createTestTask(source, target);
    const generated = from >= 12 ? ", double_k integer GENERATED ALWAYS AS (k * 2) STORED" : "";
    await task.source.run(
      `CREATE TABLE bag (k integer, j json, p point, x xml, t text, f double precision${generated});
       INSERT INTO bag SELECT g % 3, '{"a": 1}', '(1,2)', '<a/>', NULL, 'NaN' FROM generate_series(1, 9) g`,
    );
    await task.up(live);
    await task.source.run(
      `DELETE FROM bag WHERE ctid = (SELECT min(ctid) FROM bag);
       UPDATE bag SET j = '{"a":1}' WHERE ctid = (SELECT max(ctid) FROM bag);
       INSERT INTO bag (k, f) VALUES (7, '-0'), (7, '0'), (7, '-0'); UPDATE bag SET k = 8 WHERE ctid = (SELECT max(ctid) FROM bag)`,
    );
    expect((await task.settle()).differences).toEqual([]);
  });
});

describe("names", () => {
  let source: PostgresServer;
  let target: PostgresServer;
  let task: TestTask;
  beforeAll(async () => {
    [source, target] = await Promise.all([
      startPostgres({ major: 15, settings: { fsync: "off" } }),
      startPostgres({ major: 17, settings: { fsync: "off" } }),
    ]);
  });
  afterAll(() => Promise.all([source.remove(), target.remove()]));
  afterEach(() => discard(task));

  const NAMES = [
    "select",
    "With Space",
    'qu"ote',
    "it's",
    "Ünï çödé",
    "日本",
    "a.b",
    "x".repeat(63),
    "$dollar$",
    "back\\slash",
    "%s -- no /* comment",
  ];

  it("with quotes, capitals, spaces, 63 bytes and non-Latin letters are kept, in schemas, tables and columns", async () => {
    task = await createTestTask(source, target);
    const quoted = (name: string) => `"${name.replaceAll('"', '""')}"`;
    for (const name of NAMES) {
      const table = `${quoted(name)}.${quoted(name)}`;
      await task.source.run(
        `CREATE SCHEMA ${quoted(name)}; CREATE TABLE ${table} (${quoted(name)} integer PRIMARY KEY, v text); INSERT INTO ${table} VALUES (1, 'one'), (2, 'two')`,
      );
    }
    await task.up(live);
    for (const name of NAMES) {
      const table = `${quoted(name)}.${quoted(name)}`;
      await task.source.run(
        `UPDATE ${table} SET v = 'uno' WHERE ${quoted(name)} = 1; DELETE FROM ${table} WHERE ${quoted(name)} = 2; INSERT INTO ${table} VALUES (3)`,
      );
    }
    const settled = await task.settle();
    expect(settled.differences).toEqual([]);
    expect(settled.tables).toBe(NAMES.length);
    await task.destroy();
    expect(await task.leftovers()).toEqual([]);
  });

  it("are renamed on the way: schema, table and column, in the load and in the stream", async () => {
    task = await createTestTask(source, target);
    await task.source.run(
      `CREATE SCHEMA app; CREATE TABLE app.item (id integer PRIMARY KEY, title text, secret text); CREATE INDEX ON app.item (title);
       INSERT INTO app.item VALUES (1, 'one', 's')`,
    );
    await task.up({
      ...live,
      objects: [
        {
          schema: "app",
          rename: "shop",
          tables: [{ name: "item", rename: "Article", columns: [{ name: "title", rename: "Name" }], excludeColumns: ["secret"] }],
        },
      ],
    });
    await task.source.run("INSERT INTO app.item VALUES (2, 'two', 't'); UPDATE app.item SET title = 'uno' WHERE id = 1");
    const read = () => task.target.rows('SELECT * FROM shop."Article" ORDER BY id');
    await expect.poll(read, { timeout: 60_000 }).toEqual([
      { id: 1, Name: "uno" },
      { id: 2, Name: "two" },
    ]);
  });
});
