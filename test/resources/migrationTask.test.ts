import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type PostgresServer, startPostgres } from "../support/postgres.js";
import { createTestTask, discard, type TestTask } from "../support/task.js";

const SHOP = `
  CREATE SCHEMA shop;
  CREATE TYPE shop.mood AS ENUM ('glad', 'sad');
  CREATE TABLE shop.customer (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL, mood shop.mood DEFAULT 'glad', tags text[], moods shop.mood[]);
  CREATE TABLE shop.purchase (
    id serial PRIMARY KEY, customer bigint NOT NULL REFERENCES shop.customer, total numeric(10,2), at timestamptz DEFAULT now());
  CREATE INDEX ON shop.purchase (customer, at);
  CREATE VIEW shop.per_customer AS SELECT c.id, c.name, count(*) FROM shop.customer c JOIN shop.purchase p ON p.customer = c.id GROUP BY c.id;
  CREATE TABLE shop.note (words text);
  INSERT INTO shop.customer (name, tags, moods) SELECT 'customer ' || g, ARRAY['a', NULL], ARRAY['sad'::shop.mood] FROM generate_series(1, 2000) g;
  INSERT INTO shop.purchase (customer, total) SELECT 1 + g % 2000, g / 7.0 FROM generate_series(1, 10000) g;
  INSERT INTO shop.note SELECT 'twice' FROM generate_series(1, 2);
  ANALYZE`;

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
beforeEach(async () => {
  task = await createTestTask(source, target);
  await task.source.run(SHOP);
});
afterEach(() => discard(task));

const once = { migrationTypes: ["schema", "full"] as const };
const live = { migrationTypes: ["schema", "full", "incremental"] as const };

describe("a task without incremental", () => {
  it("copies structure and rows, ends completed, and destroy leaves the data and nothing else", async () => {
    const outputs = await task.up(once);
    expect(outputs).toMatchObject({ state: "completed", phase: "full", errors: [], skippedObjects: [] });
    expect(outputs.prechecks.length).toBeGreaterThan(5);
    const compared = await task.compare();
    expect(compared.differences).toEqual([]);
    expect(compared.rows).toBe(12_002n);
    expect(await task.target.rows("SELECT count(*)::int AS n FROM shop.per_customer")).toEqual([{ n: 2000 }]);
    await task.destroy();
    expect(await task.leftovers()).toEqual([]);
    expect((await task.compare()).differences).toEqual([]);
  });

  it("needs nothing of the source's log: wal_level and slots are not asked for", async () => {
    const outputs = await task.up(once);
    expect(outputs.prechecks.map(({ item }) => item)).not.toContain("sourceWalLevel");
    expect(outputs.slotName).toBeUndefined();
  });

  it("copies rows alone into tables that are there", async () => {
    await task.target.run("CREATE SCHEMA shop; CREATE TABLE shop.note (id serial, words varchar(40) UNIQUE DEFERRABLE)");
    await task.source.run("DELETE FROM shop.note; INSERT INTO shop.note VALUES ('one'), ('two')");
    await task.up({ migrationTypes: ["full"], objects: [{ schema: "shop", tables: [{ name: "note" }] }] });
    expect(await task.target.rows("SELECT words FROM shop.note ORDER BY 1")).toEqual([{ words: "one" }, { words: "two" }]);
  });
});

describe("the precheck", () => {
  it("refuses tables that exist, with the remedy, and changes nothing", async () => {
    await task.target.run("CREATE SCHEMA shop; CREATE TABLE shop.note (words text)");
    await expect(task.up(once)).rejects.toThrow(/GW1201[\s\S]*targetExistingTables[\s\S]*shop\.note[\s\S]*ignoreAndProceed/);
    expect(await task.target.rows("SELECT nspname FROM pg_namespace WHERE nspname = 'godwit'")).toEqual([]);
    expect(await task.leftovers()).toEqual([]);
  });

  it("refuses rows that are there when only rows are copied", async () => {
    await task.target.run("CREATE SCHEMA shop; CREATE TABLE shop.note (words text); INSERT INTO shop.note VALUES ('mine')");
    await expect(
      task.up({ migrationTypes: ["full"], objects: [{ schema: "shop", tables: [{ name: "note" }] }] }),
    ).rejects.toThrow(/GW1201[\s\S]*hold rows already/);
  });

  it("names a table of the selection that the source does not have", async () => {
    await expect(task.up({ ...once, objects: [{ schema: "shop", tables: [{ name: "costumer" }] }] })).rejects.toThrow(
      /GW1302[\s\S]*costumer/,
    );
  });

  it("refuses to copy a database onto itself", async () => {
    await expect(task.up({ ...once, target: source.endpoint(task.source.name) })).rejects.toThrow(
      /GW1201[\s\S]*distinctDatabases/,
    );
  });

  it("finds every right that the role lacks, each with the GRANT that mends it", async () => {
    const user = `poor_${task.source.name}`;
    await task.source.run(`CREATE ROLE ${user} LOGIN PASSWORD 'x'`);
    const error: Error = await task
      .up({ ...live, source: { ...source.endpoint(task.source.name), username: user, password: "x" } })
      .then(() => new Error("it was let through"))
      .catch((cause: Error) => cause);
    for (const item of ["sourceReadRights", "sourceReplicationRight", "sourcePublicationRight"])
      expect(error.message).toContain(item);
    expect(error.message).toContain(`GRANT SELECT ON "shop"."customer" TO "${user}"`);
    expect(error.message).toContain(`ALTER ROLE "${user}" REPLICATION`);
    await task.source.run(`DROP ROLE ${user}`);
  });

  it("asks for wal_level=logical where changes are to be followed", async () => {
    const plain = await startPostgres({ major: 15, settings: { fsync: "off", wal_level: "replica" } });
    const other = await createTestTask(plain, target);
    try {
      await other.source.run("CREATE TABLE t (id int PRIMARY KEY)");
      await expect(other.up(live)).rejects.toThrow(/GW1201[\s\S]*sourceWalLevel[\s\S]*ALTER SYSTEM SET wal_level/);
    } finally {
      await discard(other);
      await plain.remove();
    }
  });
});

describe("ignoreAndProceed", () => {
  it("keeps the target's row in the full load and adds the others", async () => {
    await task.target.run("CREATE SCHEMA shop; CREATE TYPE shop.mood AS ENUM ('glad', 'sad')");
    await task.target.run(
      "CREATE TABLE shop.customer (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL, mood shop.mood, tags text[], moods shop.mood[])",
    );
    await task.target.run(
      "INSERT INTO shop.customer (id, name) OVERRIDING SYSTEM VALUE VALUES (1, 'mine'), (900000, 'also mine')",
    );
    await task.up({ ...once, conflictMode: "ignoreAndProceed" });
    expect(await task.target.rows("SELECT name FROM shop.customer WHERE id IN (1, 2, 900000) ORDER BY id")).toEqual([
      { name: "mine" },
      { name: "customer 2" },
      { name: "also mine" },
    ]);
    expect(await task.target.rows("SELECT count(*)::int AS n FROM shop.purchase")).toEqual([{ n: 10_000 }]);
  });
});

describe("a task that follows changes", () => {
  it("keeps the target level, is not changed by a second up, and leaves nothing after destroy", async () => {
    const outputs = await task.up(live);
    expect(outputs).toMatchObject({
      state: "running",
      phase: "incremental",
      slotName: expect.stringContaining("godwit_"),
      errors: [],
    });
    await task.source.run(`
      UPDATE shop.customer SET name = upper(name) WHERE id % 3 = 0;
      DELETE FROM shop.purchase WHERE id % 5 = 0;
      INSERT INTO shop.purchase (customer, total) SELECT 1, g FROM generate_series(1, 500) g;
      DELETE FROM shop.note WHERE ctid = (SELECT min(ctid) FROM shop.note)`);
    const compared = await task.settle();
    expect(compared.differences).toEqual([]);
    expect((await task.up(live)).taskId).toBe(outputs.taskId);
    await task.destroy();
    expect(await task.leftovers()).toEqual([]);
    expect(await task.source.rows("SELECT relreplident FROM pg_class WHERE relname = 'note'")).toEqual([{ relreplident: "d" }]);
  });

  it("makes foreign keys and triggers before the changes are followed, and they stay quiet under it", async () => {
    await task.source.run(`
      CREATE TABLE shop.audit (what text);
      CREATE FUNCTION shop.noted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO shop.audit VALUES (TG_OP); RETURN NULL; END $$;
      CREATE TRIGGER noted AFTER INSERT ON shop.note FOR EACH ROW EXECUTE FUNCTION shop.noted()`);
    await task.up(live);
    await task.source.run("INSERT INTO shop.note VALUES ('noted once')");
    expect((await task.settle()).differences).toEqual([]);
    expect(await task.target.rows("SELECT count(*)::int AS n FROM shop.audit")).toEqual([{ n: 1 }]);
    expect(
      await task.target.rows(
        "SELECT convalidated FROM pg_constraint WHERE contype = 'f' AND connamespace = 'shop'::regnamespace",
      ),
    ).toEqual([{ convalidated: true }]);
  });

  it("makes triggers and foreign keys at the stop where the target's role may not quiet them", async () => {
    const user = `plain_${task.target.name}`;
    await task.target.run(
      `CREATE ROLE ${user} LOGIN PASSWORD 'x'; GRANT CREATE, TEMPORARY ON DATABASE ${task.target.name} TO ${user}`,
    );
    await task.source.run(`
      CREATE TABLE shop.audit (what text);
      CREATE FUNCTION shop.noted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO shop.audit VALUES (TG_OP); RETURN NULL; END $$;
      CREATE TRIGGER noted AFTER INSERT ON shop.note FOR EACH ROW EXECUTE FUNCTION shop.noted()`);
    const plain = { ...live, target: { ...target.endpoint(task.target.name), username: user, password: "x" } };
    await task.up(plain);
    expect(task.lines.join("\n")).toContain("may not set session_replication_role");
    const firing = () =>
      task.target.rows(`SELECT (SELECT count(*)::int FROM pg_constraint WHERE contype = 'f' AND connamespace = 'shop'::regnamespace) AS keys,
                               (SELECT count(*)::int FROM pg_trigger WHERE NOT tgisinternal) AS triggers`);
    expect(await firing()).toEqual([{ keys: 0, triggers: 0 }]);
    await task.source.run(
      "INSERT INTO shop.note VALUES ('noted once'); DELETE FROM shop.purchase WHERE id < 100; DELETE FROM shop.customer WHERE id = 2000 AND false",
    );
    expect((await task.settle()).differences).toEqual([]);
    expect(await task.up({ ...plain, desiredState: "stopped" })).toMatchObject({ state: "stopped" });
    expect(await firing()).toEqual([{ keys: 1, triggers: 1 }]);
    expect((await task.compare()).differences).toEqual([]);
    await task.destroy();
    expect(await task.leftovers()).toEqual([]);
    await task.target.run(`DROP OWNED BY ${user} CASCADE; DROP ROLE ${user}`);
  });

  it("pauses and goes on, and stops for good", async () => {
    await task.up(live);
    expect(await task.up({ ...live, desiredState: "paused" })).toMatchObject({ state: "paused" });
    await task.source.run("INSERT INTO shop.note VALUES ('while paused')");
    await new Promise((resolve) => setTimeout(resolve, 1500));
    expect((await task.compare()).differences.length).toBe(1);
    expect(await task.up(live)).toMatchObject({ state: "running" });
    expect((await task.settle()).differences).toEqual([]);
    expect(await task.up({ ...live, desiredState: "stopped" })).toMatchObject({ state: "stopped" });
    expect(await task.source.rows("SELECT 1 FROM pg_replication_slots")).toEqual([]);
    await expect(task.up(live)).rejects.toThrow(/stopped[\s\S]*replace/);
  });

  it("loads an added table and lets it join the stream, and lets a removed one go", async () => {
    const only = (...names: string[]) => ({ ...live, objects: [{ schema: "shop", tables: names.map((name) => ({ name })) }] });
    await task.up(only("customer"));
    expect(await task.target.rows("SELECT to_regclass('shop.note')::text AS note")).toEqual([{ note: null }]);
    await task.source.run("INSERT INTO shop.customer (name) VALUES ('before')");
    await task.up(only("customer", "note"));
    await task.source.run("INSERT INTO shop.customer (name) VALUES ('after'); INSERT INTO shop.note VALUES ('after')");
    const counts = () =>
      task.target.rows(
        "SELECT (SELECT count(*)::int FROM shop.customer) AS customers, (SELECT count(*)::int FROM shop.note) AS notes",
      );
    await expect.poll(counts, { timeout: 60_000 }).toEqual([{ customers: 2002, notes: 3 }]);
    await task.up(only("note"));
    await task.source.run("INSERT INTO shop.customer (name) VALUES ('nobody looks'); INSERT INTO shop.note VALUES ('last')");
    await expect.poll(counts, { timeout: 60_000 }).toEqual([{ customers: 2002, notes: 4 }]);
  });

  it("stops at a changed structure, naming the column, and takes it over once the target has it", async () => {
    // Without changes of structure being carried over.
    const fixed = { ...live, operations: { ddl: ["truncate"] as const } };
    await task.up(fixed);
    await task.source.run("INSERT INTO shop.note VALUES ('before'); ALTER TABLE shop.note ADD COLUMN stars integer DEFAULT 3");
    await task.source.run("INSERT INTO shop.note VALUES ('after', 5)");
    await expect
      .poll(async () => (await task.refresh())?.errors[0]?.message, { timeout: 60_000 })
      .toMatch(/GW1502.*"stars".*shop\.note/);
    await task.target.run("ALTER TABLE shop.note ADD COLUMN stars integer DEFAULT 3");
    expect(await task.up(fixed)).toMatchObject({ state: "running", errors: [] });
    expect((await task.settle()).differences).toEqual([]);
    await task.source.run(
      "INSERT INTO shop.note VALUES ('last', 4); ALTER TABLE shop.note DROP COLUMN stars; INSERT INTO shop.note VALUES ('bare')",
    );
    await expect.poll(async () => (await task.refresh())?.errors[0]?.code, { timeout: 60_000 }).toBe("GW1502");
    await task.target.run("ALTER TABLE shop.note DROP COLUMN stars");
    await task.up(fixed);
    expect((await task.settle()).differences).toEqual([]);
  });

  it("shows a dropped slot and a vanished worker on refresh, and up brings a worker back", async () => {
    const { taskId, slotName } = await task.up(live);
    for (const name of ["supervisor", "worker"]) killTitled(`godwit ${name} ${taskId}`);
    await expect.poll(async () => (await task.refresh())?.errors[0]?.code, { timeout: 60_000 }).toBe("GW1603");
    expect(await task.up(live)).toMatchObject({ state: "running", errors: [] });
    await task.source.run("INSERT INTO shop.note VALUES ('again')");
    expect((await task.settle()).differences).toEqual([]);
    await task.up({ ...live, desiredState: "paused" });
    await task.source.run(`SELECT pg_drop_replication_slot('${slotName}')`);
    expect(await task.refresh()).toMatchObject({ state: "failed", errors: [{ code: "GW1701" }] });
  });

  it("is failed while its slot is left although its store is gone, so that destroy can take the slot away", async () => {
    await task.up(live);
    await task.target.run("DROP SCHEMA godwit CASCADE");
    expect(await task.refresh()).toMatchObject({ state: "failed", errors: [{ code: "GW1601" }] });
    await task.destroy();
    expect(await task.leftovers()).toEqual([]);
  });

  it("is gone for a refresh when nothing of it is left", async () => {
    await task.up(once);
    await task.target.run("DROP SCHEMA godwit CASCADE");
    expect(await task.refresh()).toBeUndefined();
  });

  it("reads a slot made elsewhere, and leaves it in place", async () => {
    await task.source.run("SELECT pg_create_logical_replication_slot('mine', 'pgoutput')");
    await task.up({ ...live, slotName: "mine" });
    await task.source.run("INSERT INTO shop.note VALUES ('through mine')");
    expect((await task.settle()).differences).toEqual([]);
    await task.destroy();
    expect(await task.source.rows("SELECT slot_name FROM pg_replication_slots")).toEqual([{ slot_name: "mine" }]);
    await task.source.run("SELECT pg_drop_replication_slot('mine')");
  });
});

/** kill -9 of processes by the title they gave themselves. */
function killTitled(title: string): void {
  const { execFileSync } = require("node:child_process") as typeof import("node:child_process");
  for (const line of execFileSync("ps", ["-eo", "pid=,args="], { encoding: "utf8" }).split("\n")) {
    const [, pid, args] = /^\s*(\d+) (.*)$/.exec(line) ?? [];
    if (pid && args?.startsWith(title)) process.kill(Number(pid), "SIGKILL");
  }
}
