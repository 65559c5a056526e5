import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { MigrationTaskInputs } from "../../provider/contract/types.js";
import { type Comparison, compareDatabases } from "../support/compareTables.js";
import { killProcess } from "../support/kill.js";
import { type PolardbStandIn, startPolardbStandIn } from "../support/polardbO/standIn.js";
import { type PostgresServer, startPostgres } from "../support/postgres.js";
import { createTestTask, discard, type TestTask } from "../support/task.js";
import { startWriters } from "../support/writers.js";

const live = {
  migrationTypes: ["schema", "full", "incremental"] as ("schema" | "full" | "incremental")[],
  // What the target refuses for good should fail the test, not hold it up.
  retry: { connectionMinutes: 10, otherMinutes: 1 },
};

const POSTGRES_OBJECTS = `
  CREATE SCHEMA app;
  CREATE TYPE app.mood AS ENUM ('fine', 'poor');
  CREATE TABLE app.account (
    id bigint PRIMARY KEY, name text NOT NULL, balance numeric(20,4), active boolean, seen timestamptz, mood app.mood, detail jsonb, body text);
  ALTER TABLE app.account ALTER body SET STORAGE EXTERNAL;
  CREATE INDEX ON app.account (balance, seen);
  CREATE TABLE app.line (id integer PRIMARY KEY, amount double precision, day date, raw bytea, net inet, level integer CHECK (level = level));
  CREATE TABLE app.bag (kind text, value integer);
  CREATE VIEW app.levels AS SELECT level, count(*) AS rows FROM app.line GROUP BY level;
  INSERT INTO app.account (id, name, balance, body) SELECT g, 'n' || g, g / 3.0, repeat(md5(g::text), 80) FROM generate_series(1, 5000) g;
  INSERT INTO app.line (id, amount, day) SELECT g, g * 0.1, '2020-01-01'::date + g FROM generate_series(1, 5000) g;
  INSERT INTO app.bag SELECT 'k' || g % 10, g % 100 FROM generate_series(1, 500) g; ANALYZE`;

const ORACLE_OBJECTS = `
  CREATE SCHEMA app; CREATE SCHEMA web;
  CREATE TABLE app.account (
    id bigint PRIMARY KEY, name varchar2(200), balance numeric(20,4), seen timestamp(0), photo bytea, body clob DEFAULT 'none'::clob);
  CREATE TABLE app.line (id bigint PRIMARY KEY, amount double precision, day timestamp(0));
  CREATE TABLE app.bag (kind varchar(20), value integer);
  CREATE TABLE app.owner (id number(12) PRIMARY KEY, name varchar2(20) UNIQUE);
  CREATE TABLE app.price (
    id number(12) PRIMARY KEY, owner number(12) REFERENCES app.owner, amount number(12,3), label varchar2(40) NOT NULL, detail clob, scan blob);
  CREATE SEQUENCE app.ids START WITH 100;
  CREATE VIEW app.rich AS SELECT name FROM app.account WHERE balance > 1000::numeric;
  INSERT INTO app.account (id, name, balance, body)
    SELECT g, ('n' || g)::varchar, g / 3.0, repeat(md5(g::text), 80)::text FROM generate_series(1, 3000) g;
  INSERT INTO app.line (id, amount) SELECT g, g * 0.1 FROM generate_series(1, 3000) g;
  INSERT INTO app.bag SELECT 'k' || g % 10, g % 100 FROM generate_series(1, 500) g;
  INSERT INTO app.owner SELECT g::numeric, ('o' || g)::varchar FROM generate_series(1, 20) g;
  INSERT INTO app.price SELECT g::numeric, (1 + g % 20)::numeric, (g / 7.0)::numeric, ('p' || g)::varchar, repeat(md5(g::text), 20)::text,
    decode(md5(g::text), 'hex') FROM generate_series(1, 2000) g; ANALYZE`;

/** One transaction of a writer of Oracle's types; `round` makes it another each time. */
const oracleWrites = (round: number) => `
  BEGIN;
  INSERT INTO app.price VALUES (${10_000 + round}::numeric, ${1 + (round % 20)}::numeric, ${round} / 3.0, 'w\\\t${round}', NULL, '\\x00ff');
  UPDATE app.price SET amount = amount::numeric + 0.125, label = 'u${round}' WHERE id::numeric % 50 = ${round % 50};
  UPDATE app.price SET id = id::numeric + 1000000 WHERE id::numeric = ${round};
  DELETE FROM app.price WHERE id::numeric = ${round * 2};
  COMMIT`;

const ORACLE_STATEMENTS = [
  `CREATE OR REPLACE TYPE "app"."place" AS OBJECT (street varchar2(40), MEMBER FUNCTION line RETURN VARCHAR2);`,
  `CREATE OR REPLACE TYPE BODY "app"."place" AS MEMBER FUNCTION line RETURN VARCHAR2 IS BEGIN RETURN street; END; END;`,
  `CREATE OR REPLACE PACKAGE "app"."bank" IS\n  PROCEDURE pay(who price.id%TYPE);\nEND bank;`,
  `CREATE OR REPLACE PACKAGE BODY "app"."bank" IS\n  PROCEDURE pay(who price.id%TYPE) IS\n  BEGIN\n    UPDATE price SET amount = 0;\n  END;\nEND bank;`,
  `CREATE OR REPLACE SYNONYM "web"."owners" FOR "app"."owner"`,
  `CREATE OR REPLACE SYNONYM "public"."bank" FOR "app"."bank"`,
];

const WRITTEN = [
  { schema: "app", name: "account", key: "id" },
  { schema: "app", name: "line", key: "id" },
  { schema: "app", name: "bag", operations: { insert: 2, update: 1, delete: 1, keyChange: 0 } },
];

let task: TestTask | undefined;
afterEach(async () => {
  if (task) await discard(task);
  task = undefined;
});

const config = (server: PostgresServer, database: string) => ({
  host: server.host,
  port: server.port,
  user: server.username,
  password: server.password,
  database,
});

/** The user's schemas only: the stand-in's own tables are in schemas of PostgreSQL's, which is no user of them. */
async function settled(from: PostgresServer, to: PostgresServer, database: string, seconds = 90): Promise<Comparison> {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const compared = await compareDatabases(config(from, database), config(to, database), { schemas: ["app"] });
    if (compared.differences.length === 0 || Date.now() > end) return compared;
    await sleep(500);
  }
}

const ends = (given: { source?: unknown; target?: unknown }) => given as Partial<MigrationTaskInputs>;

const leftovers = async (of: TestTask) =>
  (await of.leftovers()).filter(({ kind, name }) => !(kind === "event trigger" && name.startsWith("stand_in")));

describe.each([{ release: "2.0" }, { release: "1.0" }] as const)(
  "PostgreSQL to PolarDB O $release (a stand-in)",
  ({ release }) => {
    let source: PostgresServer;
    let target: PolardbStandIn;
    beforeAll(async () => {
      [source, target] = await Promise.all([
        startPostgres({ major: 15, settings: { fsync: "off" } }),
        startPolardbStandIn({ release }),
      ]);
    });
    afterAll(() => Promise.all([source.remove(), target.remove()]));

    it("moves a database that is being written to while its worker is killed, and leaves nothing behind", async () => {
      task = await createTestTask(source, target.server);
      const { name } = task.source;
      await task.source.run(POSTGRES_OBJECTS);
      const writers = await startWriters(config(source, name), { tables: WRITTEN, writers: 2, changesPerSecond: 400 });
      // The writers write '' as well, and the stand-in takes it as PostgreSQL does.
      const ignorePrechecks = ["emptyStringsNotNull"];
      const up = task.up({ ...live, ignorePrechecks, ...ends({ target: target.endpoint(name) }) });
      let failed = false;
      up.catch(() => {
        failed = true;
      });
      let kills = 0;
      for (let waited = 0; kills < 3 && waited < 60 && !failed; waited++) {
        await sleep(1500);
        if (await killProcess(task.home, "worker")) kills++;
      }
      const outputs = await up;
      expect(kills).toBe(3);
      await writers.stop();
      const compared = await settled(source, target.server, name);
      expect(compared.differences).toEqual([]);
      expect(compared.tables).toBe(3);
      expect(outputs.skippedObjects?.filter(({ kind }) => kind === "columnType")).toEqual([]);
      const columns = await task.target.rows<{ type: string }>(
        "SELECT format_type(atttypid, atttypmod) AS type FROM pg_attribute WHERE attrelid = 'app.line'::regclass AND attname = 'day'",
      );
      // 1.0 would have made it a timestamp(0): the session says that it should not.
      expect(columns).toEqual([{ type: "date" }]);
      expect(await task.target.rows("SELECT * FROM app.levels ORDER BY 1")).toEqual(
        await task.source.rows("SELECT * FROM app.levels ORDER BY 1"),
      );
      expect((await task.refresh())?.errors).toEqual([]);
      await task.destroy();
      expect(await leftovers(task)).toEqual([]);
    });

    it("stops before anything is made when a NOT NULL column holds '', and goes on once the user accepts it", async () => {
      task = await createTestTask(source, target.server);
      const { name } = task.source;
      await task.source.run(
        "CREATE SCHEMA app; CREATE TABLE app.t (id int PRIMARY KEY, v text NOT NULL); INSERT INTO app.t VALUES (1, ''), (2, 'x')",
      );
      const inputs = { migrationTypes: ["schema", "full"] as ("schema" | "full")[], ...ends({ target: target.endpoint(name) }) };
      await expect(task.up(inputs)).rejects.toThrow(/GW1201.*app\.t\.v: 1 row, with key \(1\)/s);
      expect(await task.target.rows("SELECT FROM pg_namespace WHERE nspname = 'app'")).toEqual([]);
      const outputs = await task.up({ ...inputs, ignorePrechecks: ["emptyStringsNotNull"] });
      expect(outputs.state).toBe("completed");
    });
  },
);

describe.each([{ release: "1.0" }, { release: "2.0" }] as const)(
  "PostgreSQL to a PolarDB O $release (a stand-in) whose DATE cannot be kept",
  ({ release }) => {
    let source: PostgresServer;
    let target: PolardbStandIn;
    beforeAll(async () => {
      [source, target] = await Promise.all([
        startPostgres({ major: 17, settings: { fsync: "off" } }),
        startPolardbStandIn({ release, says: { polar_comp_redwood_date: ["on", "sighup"] } }),
      ]);
    });
    afterAll(() => Promise.all([source.remove(), target.remove()]));

    it("makes dates timestamps without a fraction, loaded and as changes, and says so", async () => {
      task = await createTestTask(source, target.server);
      const { name } = task.source;
      await task.source.run(
        `CREATE SCHEMA app; CREATE TABLE app.t (id int PRIMARY KEY, d date, ds date[]);
       INSERT INTO app.t VALUES (1, '2024-02-29', '{2020-01-01,NULL}'), (2, 'infinity', NULL), (3, NULL, '{}'), (4, '0044-03-15 BC', NULL)`,
      );
      const outputs = await task.up({ ...live, ...ends({ target: target.endpoint(name) }) });
      await task.source.run(
        "UPDATE app.t SET d = '1999-12-31' WHERE id = 1; INSERT INTO app.t VALUES (5, '1970-01-01', '{1969-07-20}')",
      );
      expect(outputs.skippedObjects).toContainEqual({
        kind: "columnType",
        name: "app.t.d",
        reason: "date is timestamp(0) without time zone on the target",
      });
      const read = "SELECT id, d::text, ds::text FROM (SELECT id, d::date AS d, ds::date[] AS ds FROM app.t) t ORDER BY id";
      const wanted = await task.source.rows(read);
      await expect.poll(() => task?.target.rows(read), { timeout: 60_000 }).toEqual(wanted);
      expect(wanted).toHaveLength(5);
      await task.source.run("ALTER TABLE app.t ADD COLUMN later date; INSERT INTO app.t VALUES (6, NULL, NULL, '2031-01-01')");
      const later = () => task?.target.rows("SELECT later::date::text AS later FROM app.t WHERE id = 6").catch(() => []);
      await expect.poll(later, { timeout: 60_000 }).toEqual([{ later: "2031-01-01" }]);
      const types = await task.target.rows<{ type: string }>(
        "SELECT format_type(atttypid, atttypmod) AS type FROM pg_attribute WHERE attrelid = 'app.t'::regclass AND attname IN ('d', 'later')",
      );
      expect(types.map(({ type }) => type)).toEqual(["d", "later"].map(() => "timestamp(0) without time zone"));
    });
  },
);

describe.each([
  { from: "2.0", to: "2.0" },
  { from: "1.0", to: "2.0" },
] as const)("PolarDB O $from to PolarDB O $to (stand-ins)", ({ from, to }) => {
  let source: PolardbStandIn;
  let target: PolardbStandIn;
  beforeAll(async () => {
    [source, target] = await Promise.all([startPolardbStandIn({ release: from }), startPolardbStandIn({ release: to })]);
  });
  afterAll(() => Promise.all([source.remove(), target.remove()]));

  it("moves packages, synonyms, types and tables under writers and a killed worker, and leaves nothing behind", async () => {
    task = await createTestTask(source.server, target.server);
    const { name } = task.source;
    await task.source.run(ORACLE_OBJECTS);
    await viaProxy(source, name, ORACLE_STATEMENTS);
    const writers = await startWriters(config(source.server, name), { tables: WRITTEN, writers: 2, changesPerSecond: 400 });
    const oracleWriter = startOracleWriter(task);
    const up = task.up({ ...live, ...ends({ source: source.endpoint(name), target: target.endpoint(name) }) });
    up.catch(() => undefined);
    await sleep(2500);
    await killProcess(task.home, "worker");
    const outputs = await up;
    await writers.stop();
    expect(await oracleWriter.stop()).toBeGreaterThan(10);
    const compared = await settled(source.server, target.server, name);
    expect(compared.differences).toEqual([]);
    expect(compared.tables).toBe(5);
    const made = "SELECT schema_name, name, type, text FROM sys.source_text ORDER BY 1, 2, 3";
    expect(await task.target.rows(made)).toEqual(await task.source.rows(made));
    const synonyms =
      "SELECT n.nspname, s.synname, s.synobjschema, s.synobjname FROM pg_synonym s JOIN pg_namespace n ON n.oid = s.synnamespace ORDER BY 1, 2";
    expect(await task.target.rows(synonyms)).toEqual(await task.source.rows(synonyms));
    expect(outputs.skippedObjects?.filter(({ kind }) => kind === "package" || kind === "synonym" || kind === "type")).toEqual([]);
    expect(outputs.prechecks?.find(({ item }) => item === "sourceSlotFailover")).toMatchObject({
      severity: "warning",
      passed: from === "1.0",
    });
    await task.destroy();
    expect(await leftovers(task)).toEqual([]);
  });
});

describe("PolarDB O (a stand-in) to PostgreSQL", () => {
  let source: PolardbStandIn;
  let target: PostgresServer;
  beforeAll(async () => {
    [source, target] = await Promise.all([
      startPolardbStandIn({ release: "2.0" }),
      startPostgres({ major: 17, settings: { fsync: "off" } }),
    ]);
  });
  afterAll(() => Promise.all([source.remove(), target.remove()]));

  it("moves tables in PostgreSQL's types and follows their changes, and says what stays behind", async () => {
    task = await createTestTask(source.server, target);
    const { name } = task.source;
    await task.source.run(ORACLE_OBJECTS);
    await viaProxy(source, name, ORACLE_STATEMENTS);
    const writers = await startWriters(config(source.server, name), { tables: WRITTEN, writers: 2, changesPerSecond: 400 });
    const oracleWriter = startOracleWriter(task);
    const outputs = await task.up({ ...live, ...ends({ source: source.endpoint(name) }) });
    await sleep(2000);
    await writers.stop();
    expect(await oracleWriter.stop()).toBeGreaterThan(10);
    const compared = await settled(source.server, target, name);
    expect(compared.differences).toEqual([]);
    expect(compared.tables).toBe(5);
    const types = await task.target.rows<{ type: string }>(
      "SELECT format_type(atttypid, atttypmod) AS type FROM pg_attribute WHERE attrelid = 'app.price'::regclass AND attnum > 0 ORDER BY attnum",
    );
    expect(types.map(({ type }) => type)).toEqual([
      "numeric(12,0)",
      "numeric(12,0)",
      "numeric(12,3)",
      "character varying(40)",
      "text",
      "bytea",
    ]);
    expect(outputs.skippedObjects?.map(({ kind, name: what }) => `${kind} ${what}`)).toEqual(
      expect.arrayContaining(["package app.bank", "synonym web.owners", "synonym public.bank"]),
    );
    await task.destroy();
    expect(await task.leftovers()).toEqual([]);
  });
});

/** Writes Oracle's types, which the other writers know no values of, until stopped; answers with the number of transactions. */
function startOracleWriter(of: TestTask): { stop(): Promise<number> } {
  let stopped = false;
  let round = 0;
  const done = (async () => {
    while (!stopped) {
      await of.source.run(oracleWrites(++round));
      await sleep(20);
    }
  })();
  return {
    async stop() {
      stopped = true;
      await done;
      return round;
    },
  };
}

/** Statements that only the stand-in's proxy understands. */
async function viaProxy(standIn: PolardbStandIn, database: string, statements: readonly string[]): Promise<void> {
  const { Client } = await import("pg");
  const client = new Client({ ...config(standIn.server, database), port: standIn.proxy.port });
  await client.connect();
  for (const statement of statements) await client.query(statement);
  await client.end();
}
