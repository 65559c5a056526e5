import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type AnalyticdbStandIn, startAnalyticdb } from "../support/analyticdb/standIn.js";
import { killProcess } from "../support/kill.js";
import { type PostgresServer, startPostgres } from "../support/postgres.js";
import { createTestTask, discard, type TestTask } from "../support/task.js";
import { startWriters } from "../support/writers.js";

const live = { migrationTypes: ["schema", "full", "incremental"] as const };

const TABLES = `
  CREATE SCHEMA shop;
  CREATE TABLE shop.customer (id bigint PRIMARY KEY, name text NOT NULL, email text UNIQUE, joined timestamptz DEFAULT now(), tags text[], detail jsonb);
  CREATE TABLE shop.sale (
    region integer NOT NULL, id bigint NOT NULL, customer bigint REFERENCES shop.customer, amount numeric(20,4), note text, receipt text,
    PRIMARY KEY (region, id), CONSTRAINT sale_amount UNIQUE (region, id, amount));
  ALTER TABLE shop.sale ALTER receipt SET STORAGE EXTERNAL;
  CREATE TABLE shop.line (id integer PRIMARY KEY, amount double precision, day date, raw bytea, net inet);
  CREATE TABLE shop.visit (at timestamptz, page text, hits integer);
  CREATE INDEX ON shop.line (day);
  CREATE VIEW shop.big AS SELECT * FROM shop.sale WHERE amount > 100;
  INSERT INTO shop.customer SELECT g, 'n' || g, 'm' || g FROM generate_series(1, 500) g;
  INSERT INTO shop.sale SELECT g % 7, g, 1 + g % 500, g / 3.0, 'note ' || g, repeat(md5(g::text), 80) FROM generate_series(1, 3000) g;
  INSERT INTO shop.line (id, amount) SELECT g, g * 0.1 FROM generate_series(1, 3000) g;
  INSERT INTO shop.visit SELECT '2024-01-01', 'p' || g % 5, g % 3 FROM generate_series(1, 300) g;
  ANALYZE`;
const WRITTEN = [
  { schema: "shop", name: "sale", key: "id", columns: ["amount", "note", "receipt"], operations: { insert: 0 } },
  { schema: "shop", name: "line", key: "id" },
  { schema: "shop", name: "visit", operations: { insert: 2, update: 1, delete: 1, keyChange: 0 } },
];

describe.each([7, 6] as const)("PostgreSQL to a stand-in for AnalyticDB %i", (version) => {
  let source: PostgresServer;
  let target: AnalyticdbStandIn;
  let task: TestTask;
  beforeAll(async () => {
    // Durable, as servers are killed: what a commit promised must be there afterwards.
    [source, target] = await Promise.all([startPostgres({ major: 17 }), startAnalyticdb({ version })]);
  });
  afterAll(() => Promise.all([source.remove(), target.remove()]));
  afterEach(async () => {
    await discard(task);
    target.forget();
  });

  const begin = async (sql: string) => {
    task = await createTestTask(source, target.server);
    await task.source.run(sql);
  };
  const up = (more: Partial<Parameters<TestTask["up"]>[0]> = {}) =>
    task.up({ ...live, target: target.inputs(task.target.name), ...more });
  const config = () => ({
    host: source.host,
    port: source.port,
    user: source.username,
    password: source.password,
    database: task.source.name,
  });

  it("moves structure, rows and changes, says how each table lies on the segments, and leaves nothing", async () => {
    await begin(TABLES);
    const outputs = await up();
    expect(target.refused()).toEqual([]);
    const storage = version === 7 ? "beam" : "appendonly=false";
    const made = new Map(target.created().map((table) => [table.name, table]));
    expect(made.get('"shop"."sale"')).toMatchObject({ storage, distributed: ["region", "id"] });
    expect(made.get('"shop"."customer"')).toMatchObject({ storage, distributed: ["id"] });
    expect(made.get('"shop"."visit"')).toMatchObject({ storage, distributed: ["at"] });
    expect(made.get("godwit.checkpoint")).toMatchObject({
      storage: version === 7 ? "heap" : "appendonly=false",
      distributed: ["task_id"],
    });
    const skipped = new Set(outputs.skippedObjects?.map(({ kind, name }) => `${kind} ${name}`));
    expect([...skipped]).toEqual(
      expect.arrayContaining(["index shop.line_day_idx", "view shop.big", "constraint shop.customer.customer_email_key"]),
    );
    expect(await task.target.rows("SELECT conname FROM pg_constraint WHERE contype = 'f'")).toEqual([
      { conname: "sale_customer_fkey" },
    ]);
    expect(outputs.prechecks?.find(({ item }) => item === "distributionChosen")).toMatchObject({
      passed: false,
      severity: "warning",
    });

    await task.source.run(`
      BEGIN;
      UPDATE shop.customer SET name = 'changed' WHERE id < 10;
      UPDATE shop.sale SET amount = -1 WHERE id = 5;
      UPDATE shop.sale SET region = 100, note = 'moved, its receipt not sent' WHERE id = 8;
      UPDATE shop.line SET id = id + 100000 WHERE id <= 20;
      DELETE FROM shop.line WHERE id BETWEEN 30 AND 40;
      DELETE FROM shop.visit WHERE ctid IN (SELECT ctid FROM shop.visit WHERE page = 'p1' LIMIT 7);
      INSERT INTO shop.visit VALUES (NULL, NULL, NULL), (NULL, NULL, NULL);
      COMMIT;
      INSERT INTO shop.customer (id, name) VALUES (9001, 'new'), (9002, 'newer');
      DELETE FROM shop.customer WHERE id = 9001`);
    expect((await task.settle()).differences).toEqual([]);
    await task.source.run("TRUNCATE shop.visit; INSERT INTO shop.visit VALUES (now(), 'after', 1)");
    const settled = await task.settle();
    expect(settled.differences).toEqual([]);
    expect(settled.tables).toBe(4);

    const again = await up();
    expect(again).toEqual(outputs);
    expect((await task.refresh())?.errors).toEqual([]);
    expect(target.refused()).toEqual([]);
    await task.destroy();
    expect(await leftovers(task)).toEqual([]);
  });

  it("keeps values whose types, defaults and identities the target lacks, and finds rows without a key by their whole content", async () => {
    await begin(`
      CREATE TYPE mood AS ENUM ('sad', 'happy'); CREATE DOMAIN email AS varchar(40) CHECK (VALUE LIKE '%@%'); CREATE TYPE pair AS (a integer, b text);
      CREATE TABLE person (
        id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, mood mood DEFAULT 'happy', moods mood[], mail email, twin pair, device macaddr8,
        double_id integer GENERATED ALWAYS AS (id * 2) STORED, state varchar(10) NOT NULL DEFAULT 'new', at timestamptz DEFAULT now(), n bigserial);
      CREATE TABLE bag (x double precision, j json, p point);
      CREATE TABLE nothing ();
      INSERT INTO nothing DEFAULT VALUES; INSERT INTO nothing DEFAULT VALUES;
      INSERT INTO bag SELECT g % 3, '{"a": 1}', '(1,2)' FROM generate_series(1, 9) g;
      INSERT INTO person (mood, moods, mail, twin, device) VALUES ('sad', '{sad,happy}', 'a@b', '(1,x)', '08:00:2b:01:02:03:04:05')`);
    const outputs = await up();
    await task.source.run(`
      INSERT INTO person (mood, moods, mail) VALUES ('happy', '{}', 'c@d'); UPDATE person SET mail = 'e@f' WHERE id = 1;
      DELETE FROM bag WHERE ctid IN (SELECT ctid FROM bag WHERE x = 1 LIMIT 2); UPDATE bag SET x = 7 WHERE x = 2; INSERT INTO bag (x) VALUES ('NaN');
      DELETE FROM nothing WHERE ctid = (SELECT min(ctid) FROM nothing)`);
    const people = () =>
      task.target.rows("SELECT id, mood::text, moods::text, mail, twin::text, device::text, state FROM person ORDER BY id");
    await expect.poll(people, { timeout: 60_000 }).toEqual([
      { id: 1, mood: "sad", moods: "{sad,happy}", mail: "e@f", twin: "(1,x)", device: "08:00:2b:01:02:03:04:05", state: "new" },
      { id: 2, mood: "happy", moods: "{}", mail: "c@d", twin: null, device: null, state: "new" },
    ]);
    const bag = () => task.target.rows("SELECT x::text, count(*)::int FROM bag GROUP BY x ORDER BY x");
    await expect.poll(bag, { timeout: 60_000 }).toEqual([
      { x: "0", count: 3 },
      { x: "1", count: 1 },
      { x: "7", count: 3 },
      { x: "NaN", count: 1 },
    ]);
    expect(await task.target.rows("SELECT count(*)::int FROM nothing")).toEqual([{ count: 1 }]);
    const made = new Map(target.created().map((table) => [table.name, table]));
    expect(made.get('"public"."bag"')?.distributed).toBe("randomly");
    const skipped = outputs.skippedObjects?.map(({ kind, name }) => `${kind} ${name}`) ?? [];
    expect(skipped).toEqual(
      expect.arrayContaining([
        "type public.person.mood",
        "type public.person.mail",
        "identity public.person.id",
        "default public.person.n",
        "type public.mood",
        "domain public.email",
        "sequence public.person_n_seq",
      ]),
    );
    const generated = await task.target.rows(
      "SELECT attname FROM pg_attribute WHERE attrelid = 'person'::regclass AND attname = 'double_id'",
    );
    expect(generated).toHaveLength(version === 7 ? 1 : 0);
    expect(skipped.includes("generatedColumn public.person.double_id")).toBe(version === 6);
    expect(skipped.includes("type public.person.device")).toBe(version === 6);
    expect(target.refused()).toEqual([]);
  });

  it("carries changes of tables, columns, keys and indexes over, and says what it passes over", async () => {
    await begin(
      "CREATE SCHEMA shop; CREATE TABLE shop.item (id integer PRIMARY KEY, name text, n integer); INSERT INTO shop.item VALUES (1, 'a', 1)",
    );
    await up();
    await task.source.run(`
      ALTER TABLE shop.item ADD COLUMN price numeric(8,2) DEFAULT 1.5;
      INSERT INTO shop.item VALUES (2, 'b', 2, 9);
      ALTER TABLE shop.item RENAME COLUMN n TO amount; ALTER TABLE shop.item ALTER amount TYPE bigint;
      UPDATE shop.item SET amount = 5000000000 WHERE id = 2;
      ALTER TABLE shop.item DROP COLUMN name;
      ALTER TABLE shop.item ADD CONSTRAINT positive CHECK (amount > 0);
      CREATE UNIQUE INDEX one_price ON shop.item (price, id); CREATE UNIQUE INDEX no_place ON shop.item (price);
      ALTER TABLE shop.item ADD CONSTRAINT known UNIQUE (id, amount), ADD CONSTRAINT unknown UNIQUE (amount);
      CREATE TYPE shop.mood AS ENUM ('sad'); CREATE INDEX ON shop.item (amount); CREATE VIEW shop.cheap AS SELECT * FROM shop.item;
      CREATE TABLE shop.made (region integer, id serial, mood shop.mood DEFAULT 'sad', PRIMARY KEY (id, region), CHECK (id > 0));
      INSERT INTO shop.made VALUES (1, 1, 'sad'), (1, 2, NULL);
      ALTER TABLE shop.made ADD COLUMN item integer REFERENCES shop.item, ADD COLUMN other numeric(8,2) REFERENCES shop.item (price);
      ALTER TABLE shop.made ADD COLUMN number serial, ADD COLUMN twice integer GENERATED ALWAYS AS (id * 2) STORED,
        ADD COLUMN at timestamptz DEFAULT clock_timestamp(), ADD CONSTRAINT moody CHECK (mood = 'sad' OR mood IS NULL);
      CREATE TABLE shop.gone (id integer); INSERT INTO shop.gone VALUES (1); DROP TABLE shop.gone;
      ALTER TABLE shop.item RENAME TO thing; INSERT INTO shop.thing VALUES (3, 3, 3)`);
    const things = () => task.target.rows("SELECT id, amount::text, price::text FROM shop.thing ORDER BY id").catch(() => []);
    await expect.poll(things, { timeout: 60_000 }).toEqual([
      { id: 1, amount: "1", price: "1.50" },
      { id: 2, amount: "5000000000", price: "9.00" },
      { id: 3, amount: "3", price: "3.00" },
    ]);
    const made = "SELECT region, id, mood::text, item, number, at::text FROM shop.made ORDER BY id";
    expect(await task.target.rows(made)).toEqual(await task.source.rows(made));
    expect(target.created().find(({ name }) => name === '"shop"."made"')).toMatchObject({
      distributed: ["id", "region"],
      ...(version === 6 ? { storage: "appendonly=false" } : {}),
    });
    if (version === 7)
      expect(
        await task.target.rows(
          "SELECT m.amname FROM pg_class c JOIN pg_am m ON m.oid = c.relam WHERE c.oid = 'shop.made'::regclass",
        ),
      ).toEqual([{ amname: "beam" }]);
    const columns = await task.target.rows(
      "SELECT attname FROM pg_attribute WHERE attrelid = 'shop.made'::regclass AND attname = 'twice'",
    );
    expect(columns).toHaveLength(version === 7 ? 1 : 0);
    // Keys that hold the distribution key go along, and what no segment could check stays behind.
    const parts = `SELECT conname AS name FROM pg_constraint WHERE conrelid IN ('shop.thing'::regclass, 'shop.made'::regclass) AND contype IN ('c', 'f')
      UNION ALL SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE i.indrelid = 'shop.thing'::regclass ORDER BY 1`;
    expect((await task.target.rows<{ name: string }>(parts)).map(({ name }) => name)).toEqual([
      "item_amount_idx",
      "item_pkey",
      "known",
      "made_item_fkey",
      "one_price",
      "positive",
    ]);
    // Said within a second or two.
    await expect
      .poll(() => task.workerLog(), { timeout: 60_000 })
      .toMatch(/it names a type of your own, and types are not moved/);
    const log = await task.workerLog();
    expect(log).toMatch(/CREATE INDEX on shop.item is not carried over: key no_place does not hold the distribution key \(id\)/);
    expect(log).toMatch(/ALTER TABLE on shop.item is not carried over: key unknown does not hold the distribution key \(id\)/);
    expect(log).toMatch(/CREATE VIEW shop.cheap is not carried over/);
    expect(log).toMatch(/\(price\) is no key of shop.item on the target/);
    expect((await task.refresh())?.errors).toEqual([]);
    expect(target.refused()).toEqual([]);
    await task.destroy();
    expect(await leftovers(task)).toEqual([]);
  });

  it("gives a table another primary key, and its distribution columns other types and no place", async () => {
    await begin(`
      CREATE TABLE a (id integer PRIMARY KEY, code text); INSERT INTO a SELECT g, 'c' || g FROM generate_series(1, 50) g;
      CREATE TABLE b (region integer, id integer, v text, PRIMARY KEY (region, id)); INSERT INTO b SELECT g % 3, g, 'v' FROM generate_series(1, 50) g;
      CREATE TABLE c (code text, x integer); INSERT INTO c SELECT 'c' || g, g FROM generate_series(1, 50) g`);
    await up();
    await task.source.run(`
      ALTER TABLE a ALTER id TYPE bigint; UPDATE a SET code = 'wide' WHERE id = 1; INSERT INTO a VALUES (5000000000, 'far');
      ALTER TABLE a ALTER id TYPE text; UPDATE a SET code = 'text' WHERE id = '2'; INSERT INTO a VALUES ('x', 'y');
      ALTER TABLE b DROP COLUMN region; ALTER TABLE b ADD PRIMARY KEY (id); UPDATE b SET v = 'w' WHERE id < 10; DELETE FROM b WHERE id = 20;
      ALTER TABLE c ADD CONSTRAINT by_x PRIMARY KEY (x); UPDATE c SET code = NULL WHERE x = 3; DELETE FROM c WHERE x = 4; INSERT INTO c VALUES ('c', 100)`);
    await expect.poll(async () => (await task.settle(5)).differences, { timeout: 60_000 }).toEqual([]);
    expect((await task.refresh())?.errors).toEqual([]);
    const spread = `SELECT c.relname AS name, d.distkey::text AS by FROM gp_distribution_policy d JOIN pg_class c ON c.oid = d.localoid
      JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'public' ORDER BY 1`;
    expect(await task.target.rows(spread)).toEqual([
      { name: "a", by: "1" },
      { name: "b", by: "" },
      { name: "c", by: "1" },
    ]);
    expect(target.refused()).toEqual([]);
  });

  it("is exactly once with changes of structure, while four writers run and the worker is killed", async () => {
    await begin(`${TABLES}; CREATE TABLE shop.state (n integer PRIMARY KEY, at integer)`);
    await up();
    const writers = await startWriters(config(), { tables: WRITTEN, writers: 4, changesPerSecond: 600 });
    let kills = 0;
    const killing = (async () => {
      while (kills < 6) {
        await sleep(400 + kills * 150);
        if (await killProcess(task.home, "worker")) kills++;
      }
    })();
    for (let n = 1; n <= 4; n++) {
      for (const sql of [
        `ALTER TABLE shop.line ADD COLUMN t${n} timestamptz DEFAULT now()`,
        `ALTER TABLE shop.sale ADD COLUMN c${n} integer DEFAULT ${n}`,
        `ALTER TABLE shop.visit ADD COLUMN r${n} text DEFAULT md5(random()::text)`,
        `BEGIN; CREATE TABLE shop.made_${n} (id serial PRIMARY KEY, v text); INSERT INTO shop.made_${n} (v) SELECT g FROM generate_series(1, 200) g; COMMIT`,
        `CREATE TABLE shop.from_${n} AS SELECT * FROM shop.line WHERE id <= 100`,
        `ALTER TABLE shop.sale ALTER c${n} TYPE text USING 'c' || c${n}`,
        `ALTER TABLE shop.sale RENAME c${n} TO d${n}; CREATE UNIQUE INDEX sale_d${n} ON shop.sale (region, id, d${n})`,
        `BEGIN; INSERT INTO shop.state VALUES (${n}, 0); ALTER TABLE shop.made_${n} RENAME TO gone_${n}; ALTER TABLE shop.from_${n} RENAME TO made_${n}; COMMIT`,
        `DROP TABLE shop.gone_${n}; ALTER TABLE shop.line DROP COLUMN t${n}; TRUNCATE shop.made_${n}; INSERT INTO shop.made_${n} (id) VALUES (-1)`,
      ]) {
        await task.source.run(`SET lock_timeout = '20s'; ${sql}`);
        await sleep(60);
      }
    }
    await killing;
    await writers.stop();
    expect((await task.settle(90)).differences).toEqual([]);
    expect((await task.refresh())?.errors).toEqual([]);
    const checks = await task.target.rows("SELECT count(*)::int AS n FROM pg_indexes WHERE indexname LIKE 'sale_d%'");
    expect(checks).toEqual([{ n: 4 }]);
    expect(target.refused()).toEqual([]);
  });

  it("keeps in step with four writers while the worker and the server are killed", async () => {
    await begin(TABLES);
    const writers = await startWriters(config(), { tables: WRITTEN, writers: 4, maxChanges: 20_000 });
    const first = up();
    first.catch(() => undefined);
    await sleep(1500);
    await killProcess(task.home, "worker");
    await first;
    for (let round = 0; round < 3; round++) {
      await sleep(1000);
      await killProcess(task.home, "worker");
    }
    await target.server.kill9();
    await sleep(500);
    await target.server.start();
    await writers.done;
    const settled = await task.settle(120);
    expect(settled.differences).toEqual([]);
    expect(target.refused()).toEqual([]);
    await task.destroy();
    expect(await leftovers(task)).toEqual([]);
  });
});

/** Without the stand-in's own event triggers. */
async function leftovers(task: TestTask) {
  return (await task.leftovers()).filter(({ name }) => !name.startsWith("gp_standin"));
}
