import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { formatLsn } from "../../../../provider/databases/postgres/lsn.js";
import { slotStatus } from "../../../../provider/databases/postgres/replication/slotStatus.js";
import { ErrorCode } from "../../../../provider/engine/errors.js";
import { type PostgresServer, startPostgres } from "../../../support/postgres.js";
import { Flow } from "./flow.js";

describe("following changes", () => {
  let source: PostgresServer;
  let target: PostgresServer;
  let number = 0;
  beforeAll(async () => {
    [source, target] = await Promise.all([startPostgres({ major: 15 }), startPostgres({ major: 17 })]);
  });
  afterAll(async () => {
    await Promise.all([source?.remove(), target?.remove()]);
  });

  async function flowOf(tables: string, rows?: string, onTarget?: string): Promise<Flow> {
    const flow = new Flow(source, target, `flow_${++number}`);
    await flow.prepare(tables, rows, onTarget);
    return flow;
  }
  async function bothEqual(flow: Flow): Promise<void> {
    expect(await flow.contents("target")).toEqual(await flow.contents("source"));
  }

  it("applies a transaction larger than a batch in parts, and all of it or nothing", async () => {
    const flow = await flowOf("CREATE TABLE t (id int PRIMARY KEY, v text)");
    await source.query(
      `BEGIN; INSERT INTO t SELECT g, repeat('x', 200) FROM generate_series(1, 60000) g; UPDATE t SET v = 'y' WHERE id % 3 = 0;
       TRUNCATE t; INSERT INTO t SELECT g, repeat('z', 200) FROM generate_series(1, 60000) g; DELETE FROM t WHERE id % 2 = 0; COMMIT`,
      [],
      flow.name,
    );
    await flow.follow({ limits: { batchRows: 1000, batchBytes: 1 << 18, partBytes: 1 << 20 } });
    await bothEqual(flow);
    const { rows } = await target.query("SELECT applied FROM godwit.checkpoint", [], flow.name);
    expect(rows[0]).toEqual({ applied: 1 });
  });

  it("moves values of 50 MB, tables of 1,600 columns, and names of every kind", async () => {
    const wide = Array.from(
      { length: 1600 },
      (_, index) => `"Col ""${index}" ${index === 0 ? "int PRIMARY KEY" : index % 2 ? "int" : "boolean"}`,
    );
    const long = `Ü"${"x".repeat(60)}`;
    const flow = await flowOf(
      `CREATE TABLE large (id int PRIMARY KEY, v text, n int); CREATE TABLE wide (${wide.join(", ")});
       CREATE TABLE "${long.replace('"', '""')}" ("Ключ" int PRIMARY KEY, "select" text)`,
    );
    await source.query(
      `INSERT INTO large SELECT 1, string_agg(md5(g::text), ''), 1 FROM generate_series(1, 1600000) g;
       INSERT INTO wide ("Col ""0", "Col ""1", "Col ""1599") VALUES (1, 2, 3), (2, NULL, 4); UPDATE wide SET "Col ""800" = true;
       INSERT INTO "${long.replace('"', '""')}" VALUES (1, 'a'); UPDATE "${long.replace('"', '""')}" SET "Ключ" = 2`,
      [],
      flow.name,
    );
    await source.query("UPDATE large SET n = 2", [], flow.name);
    await flow.follow();
    await bothEqual(flow);
  });

  it("keeps an unchanged TOAST value when the key changes too", async () => {
    const flow = await flowOf(
      "CREATE TABLE t (id int PRIMARY KEY, n int, v text); ALTER TABLE t ALTER v SET STORAGE EXTERNAL",
      "INSERT INTO t SELECT g, 0, repeat(g::text, 4000) FROM generate_series(1, 5) g",
    );
    await source.query(
      "UPDATE t SET n = 1; UPDATE t SET id = id + 10 WHERE id < 3; UPDATE t SET n = 2 WHERE id = 11",
      [],
      flow.name,
    );
    await flow.follow();
    await bothEqual(flow);
  });

  it("swaps unique values, which only the order of the source allows", async () => {
    const flow = await flowOf(
      "CREATE TABLE t (id int PRIMARY KEY, u int UNIQUE)",
      "INSERT INTO t SELECT g, g FROM generate_series(1, 4) g",
    );
    await source.query(
      "UPDATE t SET u = -1 WHERE id = 1; UPDATE t SET u = 1 WHERE id = 2; UPDATE t SET u = 2 WHERE id = 1",
      [],
      flow.name,
    );
    await source.query("INSERT INTO t VALUES (9, 9)", [], flow.name);
    await flow.follow();
    await bothEqual(flow);
  });

  it("writes identity columns that are GENERATED ALWAYS, in the key and outside of it", async () => {
    const flow = await flowOf(
      `CREATE TABLE a (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, v text);
       CREATE TABLE b (k int PRIMARY KEY, n int GENERATED ALWAYS AS IDENTITY, v text); ALTER TABLE b ALTER v SET STORAGE EXTERNAL`,
      "INSERT INTO b (k, v) SELECT g, repeat('b', 4000) FROM generate_series(1, 3) g",
    );
    await source.query(
      `INSERT INTO a (v) VALUES ('x'), ('y'); UPDATE a SET id = DEFAULT WHERE v = 'x'; UPDATE b SET n = DEFAULT WHERE k = 1;
       UPDATE b SET v = 'short' WHERE k = 2; INSERT INTO b (k, v) VALUES (4, 'z'); UPDATE b SET v = 'zz' WHERE k = 4; UPDATE b SET k = 30 WHERE k = 3`,
      [],
      flow.name,
    );
    await flow.follow();
    await bothEqual(flow);
  });

  it("converts values where the target's type is another, and follows renamed tables and columns", async () => {
    const flow = await flowOf(
      "CREATE TABLE t (id int PRIMARY KEY, n int, v text, gone int, d date)",
      "SELECT 1",
      "CREATE SCHEMA other; CREATE TABLE other.u (key bigint PRIMARY KEY, n text, v varchar(10), d timestamp)",
    );
    const [table] = flow.tables;
    if (!table) throw new Error("no table");
    const renamed = {
      ...table,
      leftOut: ["gone"],
      target: { schema: "other", name: "u" },
      columns: table.columns
        .filter(({ source: name }) => name !== "gone")
        .map((column) => (column.source === "id" ? { ...column, target: "key" } : column)),
    };
    flow.tables = [renamed];
    await source.query(
      "INSERT INTO t SELECT g, g * 2, 'v' || g, 7, '2024-01-01' FROM generate_series(1, 5) g; UPDATE t SET n = 0 WHERE id = 2; DELETE FROM t WHERE id = 3; UPDATE t SET id = 6 WHERE id = 4",
      [],
      flow.name,
    );
    await flow.follow();
    const { rows } = await target.query("SELECT key::int, n, v, d::text FROM other.u ORDER BY key", [], flow.name);
    expect(rows).toEqual([
      { key: 1, n: "2", v: "v1", d: "2024-01-01 00:00:00" },
      { key: 2, n: "0", v: "v2", d: "2024-01-01 00:00:00" },
      { key: 5, n: "10", v: "v5", d: "2024-01-01 00:00:00" },
      { key: 6, n: "8", v: "v4", d: "2024-01-01 00:00:00" },
    ]);
  });

  it("names the table, the key and the position of a change that the target rejects, having applied all before it", async () => {
    const flow = await flowOf(
      "CREATE TABLE t (id int PRIMARY KEY, v int)",
      "SELECT 1",
      "CREATE TABLE t (id int PRIMARY KEY, v int CHECK (v < 100))",
    );
    for (const v of [1, 2, 300, 4]) await source.query(`INSERT INTO t VALUES (${v}, ${v})`, [], flow.name);
    await expect(flow.follow()).rejects.toMatchObject({
      code: ErrorCode.ChangeRejected,
      object: "public.t (id)=(300)",
      message: expect.stringContaining("t_v_check"),
    });
    const { rows } = await target.query("SELECT id FROM t ORDER BY id", [], flow.name);
    expect(rows).toEqual([{ id: 1 }, { id: 2 }]);
    await target.query("ALTER TABLE t DROP CONSTRAINT t_v_check", [], flow.name);
    await flow.follow();
    await bothEqual(flow);
  });

  it("stops at a row that the target does not have, unless told to overwrite", async () => {
    const flow = await flowOf(
      "CREATE TABLE t (id int PRIMARY KEY, v int); CREATE TABLE k (a int)",
      "INSERT INTO t SELECT g, g FROM generate_series(1, 3) g; INSERT INTO k VALUES (1)",
    );
    await target.query("DELETE FROM t WHERE id = 2; DELETE FROM k; INSERT INTO t VALUES (9, 0)", [], flow.name);
    await source.query("UPDATE t SET v = 20 WHERE id = 2; DELETE FROM k; INSERT INTO t VALUES (9, 9)", [], flow.name);
    await expect(flow.follow()).rejects.toMatchObject({ code: ErrorCode.RowMissing, object: "public.t (id)=(2)" });
    await flow.follow({ overwrite: true });
    await bothEqual(flow);
  });

  it("passes over what a table's load has seen, and operations that were not asked for", async () => {
    const flow = await flowOf("CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE u (id int PRIMARY KEY)");
    await source.query("INSERT INTO t VALUES (1)", [], flow.name);
    const loaded = await flow.end();
    await target.query("INSERT INTO t VALUES (1)", [], flow.name);
    await source.query("INSERT INTO t VALUES (2); INSERT INTO u VALUES (1)", [], flow.name);
    await source.query("DELETE FROM u; TRUNCATE u", [], flow.name);
    const tables = flow.tables.map((table) =>
      table.source.name === "t"
        ? { table, loadPosition: loaded }
        : { table: { ...table, operations: { ...table.operations, delete: false, truncate: false } }, loadPosition: undefined },
    );
    await flow.follow({ tables });
    const { rows } = await target.query(
      "SELECT (SELECT count(*)::int FROM t) AS t, (SELECT count(*)::int FROM u) AS u",
      [],
      flow.name,
    );
    expect(rows).toEqual([{ t: 2, u: 1 }]);
  });

  it("writes nothing once another worker took over", async () => {
    const flow = await flowOf("CREATE TABLE t (id int PRIMARY KEY)");
    await target.query(
      "CREATE FUNCTION fence() RETURNS void LANGUAGE plpgsql AS $$ BEGIN RAISE 'fenced' USING ERRCODE = 'GW001'; END $$",
      [],
      flow.name,
    );
    await source.query("INSERT INTO t VALUES (1)", [], flow.name);
    await expect(flow.follow({ checkpoint: () => "SELECT public.fence()" })).rejects.toMatchObject({
      code: ErrorCode.WorkerFenced,
    });
    const { rows } = await target.query("SELECT count(*)::int AS count FROM t", [], flow.name);
    expect(rows).toEqual([{ count: 0 }]);
  });

  it("names a column that was dropped or retyped at the source", async () => {
    const flow = await flowOf("CREATE TABLE t (id int PRIMARY KEY, v int); CREATE TABLE u (id int PRIMARY KEY, v int)");
    await source.query("ALTER TABLE t DROP v; INSERT INTO t VALUES (1)", [], flow.name);
    await expect(flow.follow()).rejects.toMatchObject({
      code: ErrorCode.StructureChanged,
      message: expect.stringContaining('"v"'),
    });
    flow.tables = flow.tables.filter(({ source: { name } }) => name === "u");
    await source.query("ALTER TABLE u ALTER v TYPE text; INSERT INTO u VALUES (1, 'x')", [], flow.name);
    await expect(flow.follow()).rejects.toMatchObject({ code: ErrorCode.StructureChanged, object: "public.u" });
  });

  it("lets an idle source forget its WAL, with nothing written to the target", async () => {
    const flow = await flowOf("CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE other (id int)");
    flow.tables = flow.tables.filter(({ source: { name } }) => name === "t");
    await source.query(`ALTER PUBLICATION "${flow.name}" DROP TABLE other`, [], flow.name);
    await source.query("INSERT INTO other SELECT generate_series(1, 10000)", [], flow.name);
    const end = await flow.end();
    await flow.follow();
    const client = await flow.connect("source", "look");
    const status = await slotStatus(client, flow.name);
    await client.end();
    if (status.state !== "ok") throw new Error(status.state);
    expect(formatLsn(status.confirmedFlushLsn) >= formatLsn(end)).toBe(true);
    expect(await flow.checkpoint()).toBe(0n);
  });

  it("fires no trigger of the target, and does without the right to quiet them", async () => {
    const flow = await flowOf(
      "CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (id int PRIMARY KEY, p int REFERENCES p ON UPDATE CASCADE ON DELETE CASCADE)",
      "INSERT INTO p SELECT generate_series(1, 4); INSERT INTO c SELECT g, g FROM generate_series(1, 4) g",
    );
    await target.query(
      "CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'fired'; END $$; CREATE TRIGGER t BEFORE INSERT ON c FOR EACH ROW EXECUTE FUNCTION no()",
      [],
      flow.name,
    );
    const changes = "UPDATE p SET id = 10 * id WHERE id < 3; DELETE FROM p WHERE id = 3; INSERT INTO p VALUES (5)";
    await source.query(`BEGIN; ${changes}; INSERT INTO c VALUES (5, 5); COMMIT`, [], flow.name);
    await flow.follow();
    await bothEqual(flow);
    await target.query("DROP TRIGGER t ON c", [], flow.name);
    await source.query(
      "BEGIN; UPDATE p SET id = 200 WHERE id = 20; INSERT INTO p VALUES (7); INSERT INTO c VALUES (7, 7); DELETE FROM p WHERE id = 4; COMMIT",
      [],
      flow.name,
    );
    await flow.follow({ quiet: false });
    await bothEqual(flow);
  });
});
