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
    await expect.poll(people, { timeout: 20_000 }).toEqual([
      { id: 1, mood: "sad", moods: "{sad,happy}", mail: "e@f", twin: "(1,x)", device: "08:00:2b:01:02:03:04:05", state: "new" },
      { id: 2, mood: "happy", moods: "{}", mail: "c@d", twin: null, device: null, state: "new" },
    ]);
    const bag = () => task.target.rows("SELECT x::text, count(*)::int FROM bag GROUP BY x ORDER BY x");
    await expect.poll(bag, { timeout: 20_000 }).toEqual([
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

  const carriesStructure = async () => {
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
      CREATE UNIQUE INDEX one_price ON shop.item (price, id);
      CREATE TYPE shop.mood AS ENUM ('sad'); CREATE INDEX ON shop.item (amount); CREATE VIEW shop.cheap AS SELECT * FROM shop.item;
      CREATE TABLE shop.made (region integer, id serial, mood shop.mood, PRIMARY KEY (id, region), CHECK (id > 0));
      INSERT INTO shop.made VALUES (1, 1, 'sad'), (1, 2, NULL);
      CREATE TABLE shop.gone (id integer); INSERT INTO shop.gone VALUES (1); DROP TABLE shop.gone;
      ALTER TABLE shop.item RENAME TO thing; INSERT INTO shop.thing VALUES (3, 3, 3)`);
    const things = () => task.target.rows("SELECT id, amount::text, price::text FROM shop.thing ORDER BY id").catch(() => []);
    await expect.poll(things, { timeout: 30_000 }).toEqual([
      { id: 1, amount: "1", price: "1.50" },
      { id: 2, amount: "5000000000", price: "9.00" },
      { id: 3, amount: "3", price: "3.00" },
    ]);
    expect(await task.target.rows("SELECT region, id, mood FROM shop.made ORDER BY id")).toEqual([
      { region: 1, id: 1, mood: "sad" },
      { region: 1, id: 2, mood: null },
    ]);
    expect(target.created().find(({ name }) => name === '"shop"."made"')?.distributed).toEqual(["id", "region"]);
    expect(
      await task.target.rows(
        "SELECT m.amname FROM pg_class c JOIN pg_am m ON m.oid = c.relam WHERE c.oid = 'shop.made'::regclass",
      ),
    ).toEqual([{ amname: "beam" }]);
    // A unique index would have to hold the distribution key: it stays behind; the plain one and the check go along.
    const parts = `SELECT conname AS name FROM pg_constraint WHERE conrelid = 'shop.thing'::regclass AND contype = 'c'
      UNION ALL SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE i.indrelid = 'shop.thing'::regclass ORDER BY 1`;
    expect((await task.target.rows<{ name: string }>(parts)).map(({ name }) => name)).toEqual([
      "item_amount_idx",
      "item_pkey",
      "positive",
    ]);
    expect((await task.refresh())?.errors).toEqual([]);
    expect(target.refused()).toEqual([]);
    await task.destroy();
    expect(await leftovers(task)).toEqual([]);
  };
  const stopsAtStructure = async () => {
    await begin("CREATE TABLE item (id integer PRIMARY KEY, name text); INSERT INTO item VALUES (1, 'a')");
    await up();
    await task.source.run("INSERT INTO item VALUES (2, 'b')");
    await task.source.run("ALTER TABLE item ADD COLUMN n integer; INSERT INTO item VALUES (3, 'c', 3)");
    const messages = async () => (await task.refresh())?.errors?.map((error) => JSON.stringify(error)).join() ?? "";
    await expect.poll(messages, { timeout: 30_000, interval: 500 }).toMatch(/GW1502.*run pulumi up/);
    expect(await task.target.rows("SELECT id FROM item ORDER BY id")).toEqual([{ id: 1 }, { id: 2 }]);
    await task.target.run("ALTER TABLE item ADD COLUMN n integer");
    await up();
    expect((await task.settle(40)).differences).toEqual([]);
    expect(target.refused()).toEqual([]);
  };
  if (version === 7) it("carries changes of tables and columns over", carriesStructure);
  else it("stops at a changed structure, and goes on once the target has it and the program runs again", stopsAtStructure);

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
