import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { readServerFacts } from "../../provider/databases/index.js";
import { type AnalyticdbStandIn, startAnalyticdb } from "../support/analyticdb/standIn.js";
import { type PostgresServer, startPostgres } from "../support/postgres.js";
import { createTestTask, discard, type TestTask } from "../support/task.js";

const live = { migrationTypes: ["schema", "full", "incremental"] as const };
const follow = { migrationTypes: ["full", "incremental"] as const };

describe.each([7, 6] as const)("a stand-in for AnalyticDB %i", (version) => {
  let source: PostgresServer;
  let target: AnalyticdbStandIn;
  let task: TestTask;
  beforeAll(async () => {
    [source, target] = await Promise.all([
      startPostgres({ major: 17, settings: { fsync: "off" } }),
      startAnalyticdb({ version, settings: { fsync: "off" } }),
    ]);
  });
  afterAll(() => Promise.all([source.remove(), target.remove()]));
  afterEach(async () => {
    await discard(task);
    expect(target.refused()).toEqual([]);
    target.forget();
  });

  const begin = async (sql: string, onTarget?: string) => {
    task = await createTestTask(source, target.server);
    await task.source.run(sql);
    if (onTarget !== undefined) await task.target.run(`SET ROLE ${target.username}; ${onTarget}`);
  };
  const up = (given: Parameters<TestTask["up"]>[0]) => task.up({ target: target.inputs(task.target.name), ...given });
  /** As the proxy would have recorded it: tests make tables behind its back. */
  const distribute = (table: string, columns: readonly string[]) =>
    `SELECT gp_standin.distribute('${table}', ARRAY[${columns.map((name) => `'${name}'`).join(", ")}]::text[], false)`;

  it("keeps the rows it has when told to go on, and takes the source's changes", async () => {
    await begin(
      `CREATE TABLE item (id integer PRIMARY KEY, name text, body text); ALTER TABLE item ALTER body SET STORAGE EXTERNAL;
       INSERT INTO item SELECT g, 'source', repeat(md5(g::text), 100) FROM generate_series(1, 20) g`,
      `CREATE TABLE public.item (id integer PRIMARY KEY, name text, body text); INSERT INTO public.item VALUES (1, 'target', 't'), (2, 'target', 't');
       ${distribute("public.item", ["id"])}`,
    );
    await up({ ...live, conflictMode: "ignoreAndProceed" });
    const names = () =>
      task.target.rows("SELECT id, name, length(body) AS bytes FROM item WHERE id IN (1, 2, 3, 99) ORDER BY id");
    expect(await names()).toEqual([
      { id: 1, name: "target", bytes: 1 },
      { id: 2, name: "target", bytes: 1 },
      { id: 3, name: "source", bytes: 3200 },
    ]);
    await task.target.run("DELETE FROM item WHERE id = 5; INSERT INTO item VALUES (99, 'target', 't')");
    await task.source.run(`
      UPDATE item SET name = 'changed' WHERE id IN (2, 3);
      UPDATE item SET name = 'its body is not sent' WHERE id = 5;
      INSERT INTO item VALUES (99, 'inserted', 'i'); DELETE FROM item WHERE id = 1`);
    await expect.poll(names, { timeout: 60_000 }).toEqual([
      { id: 2, name: "changed", bytes: 1 },
      { id: 3, name: "changed", bytes: 3200 },
      { id: 99, name: "inserted", bytes: 1 },
    ]);
    expect(await task.target.rows("SELECT 1 FROM item WHERE id = 5")).toEqual([]);
  });

  it("applies change by change what the batch can't, and names what the target will not have", async () => {
    await begin(`
      CREATE TABLE item (region integer, id integer, name text, body text, PRIMARY KEY (region, id), CONSTRAINT pair UNIQUE (region, id, name));
      ALTER TABLE item ALTER body SET STORAGE EXTERNAL;
      CREATE TABLE bag (kind text, n integer);
      INSERT INTO item SELECT 1, g, 'n' || g, repeat(md5(g::text), 100) FROM generate_series(1, 20) g;
      INSERT INTO bag SELECT 'k', g % 3 FROM generate_series(1, 9) g`);
    await up(live);
    await task.target.run("ALTER TABLE item ADD CHECK (name <> 'forbidden')");
    await task.source.run(`
      BEGIN;
      UPDATE item SET region = 2 WHERE id = 1; UPDATE item SET name = 'renamed' WHERE id = 2; DELETE FROM item WHERE id = 3;
      INSERT INTO item VALUES (3, 3, 'new', 'b'); UPDATE item SET id = 40, name = 'moved' WHERE id = 4;
      DELETE FROM bag WHERE ctid IN (SELECT ctid FROM bag WHERE n = 1 LIMIT 2); UPDATE bag SET n = 7 WHERE n = 2; INSERT INTO bag VALUES (NULL, NULL);
      COMMIT;
      INSERT INTO item VALUES (5, 5, 'forbidden', NULL)`);
    const messages = async () => (await task.refresh())?.errors?.map((error) => JSON.stringify(error)).join() ?? "";
    await expect.poll(messages, { timeout: 60_000, interval: 500 }).toMatch(/GW1501.*public\.item.*\(region, id\)=\(5,5\)/);
    const state = () =>
      task.target.rows(
        "SELECT region, id, name, length(body) AS bytes FROM item WHERE region > 1 OR id IN (2, 3, 4, 40) ORDER BY region, id",
      );
    expect(await state()).toEqual([
      { region: 1, id: 2, name: "renamed", bytes: 3200 },
      { region: 1, id: 40, name: "moved", bytes: 3200 },
      { region: 2, id: 1, name: "n1", bytes: 3200 },
      { region: 3, id: 3, name: "new", bytes: 1 },
    ]);
    await task.target.run("ALTER TABLE item DROP CONSTRAINT item_name_check");
    expect((await task.settle()).differences).toEqual([]);
  });

  it("says which keys do not hold the distribution key before anything is made", async () => {
    await begin("CREATE TABLE item (id integer PRIMARY KEY, region text NOT NULL, day date)");
    const entry = (more: object) => ({ ...live, objects: [{ schema: "public", tables: [{ name: "item", ...more }] }] });
    await expect(up(entry({ distributedBy: ["region"] }))).rejects.toThrow(
      /GW1201.*public\.item: the key \(id\) does not hold the distribution key \(region\).*set distributedBy to columns of the primary key/s,
    );
    await expect(up(entry({ primaryKey: ["region", "day"] }))).rejects.toThrow(/day may be NULL at the source/);
    expect(await task.target.rows("SELECT 1 FROM pg_class WHERE relname = 'item'")).toEqual([]);
    const outputs = await up(entry({ primaryKey: ["region", "id"], distributedBy: ["region"] }));
    expect(outputs.state).toBe("running");
    expect(target.created().find(({ name }) => name === '"public"."item"')?.distributed).toEqual(["region"]);
    await task.source.run(
      "INSERT INTO item VALUES (1, 'north'); UPDATE item SET region = 'south'; INSERT INTO item VALUES (2, 'east')",
    );
    expect((await task.settle()).differences).toEqual([]);
  });

  it("refuses existing tables that a stream would ruin", async () => {
    await begin(
      "CREATE TABLE item (id integer PRIMARY KEY, name text); CREATE TABLE bag (n integer)",
      `CREATE TABLE public.item (id integer, name text PRIMARY KEY, score integer DEFAULT 1); ${distribute("public.item", ["name"])};
       CREATE TABLE public.bag (n integer)${version === 7 ? " USING ao_row" : ""}; ${distribute("public.bag", [])}`,
    );
    const failure = await up(follow).catch((cause: Error) => cause.message);
    expect(failure).toContain("the primary key of public.item is not the source's");
    expect(failure).toContain("public.item.score would fall back to their defaults");
    // On 6 a table's storage is in pg_class.relstorage, which the stand-in has not.
    if (version === 7) expect(failure).toContain("public.bag are append-optimized");
  });

  it("refuses what is no table, and a table without a key that lies whole on every segment", async () => {
    await begin(
      "CREATE TABLE item (id integer PRIMARY KEY); CREATE TABLE bag (n integer); CREATE TABLE named (id integer PRIMARY KEY)",
      `CREATE VIEW public.item AS SELECT 1 AS id; CREATE TABLE public.bag (n integer); CREATE TABLE public.named (id integer PRIMARY KEY);
       SELECT gp_standin.distribute(name, ARRAY[]::text[], true) FROM (VALUES ('public.bag'), ('public.named')) AS t (name)`,
    );
    const failure = await up(follow).catch((cause: Error) => cause.message);
    expect(failure).toContain("public.item are views, external or foreign tables");
    expect(failure).toContain("public.bag lie on every segment (DISTRIBUTED REPLICATED) and have no key");
  });

  it("needs rights on the database and the schemas, and says them as SQL", async () => {
    await begin("CREATE SCHEMA app; CREATE TABLE app.item (id integer PRIMARY KEY)");
    await task.target.run(
      `CREATE ROLE narrow_${task.target.name} LOGIN PASSWORD 'narrow'; CREATE SCHEMA app; REVOKE TEMPORARY ON DATABASE ${task.target.name} FROM PUBLIC`,
    );
    const narrow = { ...target.inputs(task.target.name), username: `narrow_${task.target.name}`, password: "narrow" };
    const grants = `GRANT CREATE ON DATABASE "${task.target.name}" TO "${narrow.username}"; GRANT TEMPORARY ON DATABASE "${task.target.name}" TO "${narrow.username}"; GRANT CREATE, USAGE ON SCHEMA "app" TO "${narrow.username}"`;
    await expect(up({ ...live, target: narrow })).rejects.toThrow(grants);
    await task.target.run(grants);
    expect((await up({ ...live, target: narrow })).state).toBe("running");
    await task.source.run("INSERT INTO app.item VALUES (1)");
    expect((await task.settle()).differences).toEqual([]);
    await task.destroy();
    await task.target.run(`DROP OWNED BY "${narrow.username}" CASCADE; DROP ROLE "${narrow.username}"`);
  });

  it("goes to the next host when the first is down, and knows the instance by its coordinator", async () => {
    await begin("CREATE TABLE item (id integer PRIMARY KEY)");
    const inputs = target.inputs(task.target.name);
    const hosts = ["127.0.0.1:1", ...inputs.hosts];
    expect((await up({ ...live, target: { ...inputs, hosts } })).state).toBe("running");
    const facts = await readServerFacts({ ...inputs, hosts }, "godwit/test");
    expect(facts).toMatchObject({ serverVersion: version === 7 ? "7.0.6.6" : "6.3.10.1", encoding: "UTF8", superuser: false });
    expect(facts.serverId).toMatch(/^[0-9a-f]{32}$/);
  });

  it("is refused under another engine's name, and PostgreSQL under this one", async () => {
    await begin("CREATE TABLE item (id integer PRIMARY KEY)");
    await source.createDatabase(`other_${version}`);
    const wrong = { ...source.endpoint(`other_${version}`), engine: "analyticdb-postgresql" as const };
    await expect(up({ ...live, target: wrong })).rejects.toThrow(/GW1201.*it is not of the Greenplum family/s);
    await expect(readServerFacts(wrong, "godwit/test")).rejects.toThrow(/GW1110.*set the endpoint's engine to postgresql/s);
  });

  it("loads append-optimized tables, and ends there", async () => {
    await begin(
      "CREATE TABLE item (id integer PRIMARY KEY, name text); INSERT INTO item SELECT g, 'n' FROM generate_series(1, 100) g",
    );
    const outputs = await up({ migrationTypes: ["schema", "full"], analyticdb: { storage: "appendoptimized" } });
    expect(outputs.state).toBe("completed");
    expect(target.created().find(({ name }) => name === '"public"."item"')).toMatchObject({
      storage: version === 7 ? "ao_column" : "appendonly=true, orientation=column",
      distributed: ["id"],
    });
    expect((await task.compare()).differences).toEqual([]);
  });
});
