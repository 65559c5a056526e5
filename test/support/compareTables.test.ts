import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { compareDatabases } from "./compareTables.js";
import { listLeftovers } from "./leftovers.js";
import { type PostgresServer, startPostgres } from "./postgres.js";
import { startWriters } from "./writers.js";

const FAST = { fsync: "off" };

describe("comparing tables of servers before and after PostgreSQL 12", () => {
  const TABLES = `
    CREATE SCHEMA "Odd ""Names""";
    CREATE TYPE point3 AS (x float8, y float8, z text);
    CREATE DOMAIN weight AS float4;
    CREATE TABLE floats (a float8, b float4, c float8[], d point, e weight, f point3);
    INSERT INTO floats VALUES (0.1, 0.1, '{0.1,NULL,NaN}', '(0.1,0.3)', 0.7, '(0.1,0.2,"a,b")'), ('NaN', '-Infinity', '{}', NULL, -0.0, NULL);
    CREATE TABLE "Odd ""Names"""."select" ("Ä b" text, "NULL" text);
    INSERT INTO "Odd ""Names"""."select" VALUES (NULL, 'NULL'), ('NULL', NULL), ('', E'tab\\tquote"\\\\'), ('x', 'y'), ('x', 'y');
    CREATE TABLE empty_handed ();
    INSERT INTO empty_handed DEFAULT VALUES;
    INSERT INTO empty_handed DEFAULT VALUES;
    CREATE TABLE moments (t timestamptz, i interval, m money, b bytea, j jsonb, n numeric);
    INSERT INTO moments VALUES ('infinity', '1 mon -1 day 00:00:01.5', 12.5, '\\xdeadbeef', '{"b":1,"a":[null]}', 'NaN'), (now(), NULL, -1, '', 'null', 1e-20);
    DO $$ BEGIN
      EXECUTE (SELECT 'CREATE TABLE wide (id int, ' || string_agg('c' || n || ' int DEFAULT ' || n, ',') || ')' FROM generate_series(1, 1599) n);
    END $$;
    INSERT INTO wide VALUES (1);`;
  let old: PostgresServer;
  let recent: PostgresServer;

  beforeAll(async () => {
    [old, recent] = await Promise.all([
      startPostgres({ major: 10, settings: FAST }),
      startPostgres({ major: 17, settings: FAST }),
    ]);
    await old.query(TABLES);
    await recent.query(TABLES);
    await recent.query("UPDATE moments SET t = $1 WHERE t <> 'infinity'", [
      (await old.query<{ t: string }>("SELECT t::text FROM moments WHERE t <> 'infinity'")).rows[0]?.t,
    ]);
  });

  afterAll(() => Promise.all([old?.remove(), recent?.remove()]));

  const compare = () => compareDatabases(old.clientConfig(), recent.clientConfig());

  it("finds equal what is equal", async () => {
    expect(await compare()).toEqual({ tables: 5, rows: 12n, differences: [] });
  });

  it.each([
    [
      "a float's last bit",
      "UPDATE floats SET a = 0.1::float8 + 1.4e-17 WHERE a < 1",
      "UPDATE floats SET a = 0.1 WHERE a < 1",
      "public.floats",
    ],
    [
      "NULL and 'NULL' exchanged",
      `UPDATE "Odd ""Names""".select SET "NULL" = 'NULL' WHERE "Ä b" = 'NULL'`,
      `UPDATE "Odd ""Names""".select SET "NULL" = NULL WHERE "Ä b" = 'NULL'`,
      'Odd "Names".select',
    ],
    [
      "one of two equal rows missing",
      `DELETE FROM "Odd ""Names""".select WHERE ctid = (SELECT max(ctid::text)::tid FROM "Odd ""Names""".select WHERE "Ä b" = 'x')`,
      `INSERT INTO "Odd ""Names""".select VALUES ('x', 'y')`,
      'Odd "Names".select',
    ],
    [
      "a row of a table without columns",
      "INSERT INTO empty_handed DEFAULT VALUES",
      "DELETE FROM empty_handed WHERE ctid = (SELECT max(ctid::text)::tid FROM empty_handed)",
      "public.empty_handed",
    ],
    ["one of 1,600 columns", "UPDATE wide SET c1500 = 0", "UPDATE wide SET c1500 = 1500", "public.wide"],
    ["a table only in the target", "CREATE TABLE stray (id int)", "DROP TABLE stray", "public.stray"],
  ])("shows %s", async (_, spoil, mend, table) => {
    await recent.query(spoil);
    const { differences } = await compare();
    await recent.query(mend);
    expect(differences.map((difference) => difference.table)).toEqual([table]);
    expect((await compare()).differences).toEqual([]);
  });

  it("shows rows of both sides and follows renamed tables and columns", async () => {
    await recent.query("CREATE SCHEMA moved; CREATE TABLE moved.things (x float8, b float4, c float8[], d point, e weight)");
    await recent.query("INSERT INTO moved.things SELECT a, b, c, d, e FROM floats");
    const mapping = () => ({ schema: "moved", name: "things", columns: { a: "x" }, excludeColumns: ["f"] });
    const options = { tables: [{ schema: "public", name: "floats" }], mapping };
    expect((await compareDatabases(old.clientConfig(), recent.clientConfig(), options)).differences).toEqual([]);
    await recent.query("UPDATE moved.things SET d = '(1,2)' WHERE d IS NULL");
    const { differences } = await compareDatabases(old.clientConfig(), recent.clientConfig(), options);
    expect(differences).toMatchObject([{ table: "public.floats", what: "same number of rows, other values" }]);
    expect([differences[0]?.onlyInSource?.length, differences[0]?.onlyInTarget?.length]).toEqual([1, 1]);
    await recent.query("DROP SCHEMA moved CASCADE");
  });
});

describe("writers", () => {
  const TABLES = `
    CREATE TABLE keyed (id bigint PRIMARY KEY, label varchar(30), body text, amount numeric(8,2), at timestamptz, doc jsonb,
      raw bytea, real float8, flag bool NOT NULL, list int[], kind uuid);
    CREATE TABLE bag (a int, b text);
    ALTER TABLE bag REPLICA IDENTITY FULL;`;
  let source: PostgresServer;
  let target: PostgresServer;

  beforeAll(async () => {
    [source, target] = await Promise.all([
      startPostgres({ major: 14, settings: FAST }),
      startPostgres({ major: 17, settings: FAST }),
    ]);
    await Promise.all([source.query(TABLES), target.query(TABLES)]);
  });

  afterAll(() => Promise.all([source?.remove(), target?.remove()]));

  it("keep writing through a kill -9, and PostgreSQL's own replication of what they did compares equal", async () => {
    await source.query("CREATE PUBLICATION everything FOR ALL TABLES");
    const { host, port, username, password } = source;
    await target.query(
      `CREATE SUBSCRIPTION native CONNECTION 'host=${host} port=${port} user=${username} password=${password} dbname=postgres'
       PUBLICATION everything`,
    );
    expect((await listLeftovers(source)).map(({ kind, name }) => `${kind} ${name}`)).toEqual(
      expect.arrayContaining(["slot native", "publication everything", "replica identity f bag"]),
    );
    const writers = await startWriters(source.clientConfig(), {
      tables: [{ name: "keyed", key: "id" }, { name: "bag" }],
      maxChanges: 6000,
    });
    await expect.poll(() => writers.counts.transactions, { timeout: 60_000 }).toBeGreaterThan(20);
    await source.kill9();
    await source.start();
    const counts = await writers.done;
    expect(counts.inserts + counts.updates + counts.deletes + counts.keyChanges).toBeGreaterThanOrEqual(6000);
    for (const kind of ["inserts", "updates", "deletes", "keyChanges", "rollbacks"] as const)
      expect(counts[kind]).toBeGreaterThan(0);

    const end = (await source.query<{ lsn: string }>("SELECT pg_current_wal_lsn()::text AS lsn")).rows[0]?.lsn;
    const arrived = async () =>
      (await source.query("SELECT confirmed_flush_lsn >= $1::pg_lsn AS done FROM pg_replication_slots", [end])).rows[0]?.done;
    await expect.poll(arrived, { timeout: 60_000 }).toBe(true);
    const comparison = await compareDatabases(source.clientConfig(), target.clientConfig());
    expect(comparison.differences).toEqual([]);
    expect(comparison.rows).toBeGreaterThan(500n);

    await target.query("DROP SUBSCRIPTION native");
    await source.query("DROP PUBLICATION everything; ALTER TABLE bag REPLICA IDENTITY DEFAULT");
    await target.query("ALTER TABLE bag REPLICA IDENTITY DEFAULT");
    await expect.poll(() => listLeftovers(source)).toEqual([]);
    expect(await listLeftovers(target)).toEqual([]);
  });

  it("replay the same workload from the same seed", async () => {
    await Promise.all([source, target].map((server) => server.query("TRUNCATE keyed, bag")));
    const tables = [{ name: "keyed", key: "id" }];
    for (const server of [source, target]) {
      await (await startWriters(server.clientConfig(), { tables, writers: 1, maxChanges: 500, seed: 7 })).done;
    }
    expect((await compareDatabases(source.clientConfig(), target.clientConfig())).differences).toEqual([]);
  });
});
