import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { killProcess } from "../support/kill.js";
import { type PostgresServer, startPostgres } from "../support/postgres.js";
import { createTestTask, discard, type TestTask } from "../support/task.js";
import { readValidation } from "../support/validation.js";
import { startWriters } from "../support/writers.js";

const live = { migrationTypes: ["schema", "full", "incremental"] as const };
const full = { dataValidation: { mode: "full" } as const };
const again = (at: string) => ({ dataValidation: { mode: "full", triggers: { at } } as const });

let source: PostgresServer;
let target: PostgresServer;
let task: TestTask;

beforeAll(async () => {
  [source, target] = await Promise.all([
    startPostgres({ major: 15, settings: { fsync: "off", track_counts: "on" } }),
    startPostgres({ major: 17, settings: { fsync: "off" } }),
  ]);
});
afterAll(() => Promise.all([source.remove(), target.remove()]));
beforeEach(async () => {
  task = await createTestTask(source, target);
});
afterEach(() => discard(task));

const tables = async () => (await readValidation(task))?.tables ?? [];
const verdict = async (name: string) => (await tables()).find((table) => table.source.name === name);

describe("what a task moves in its own way", () => {
  it("is compared so: filtered rows, renamed schema, table and columns, without what is left out", async () => {
    await task.source.run(`
      CREATE SCHEMA app;
      CREATE TABLE app.item (id integer PRIMARY KEY, title text, secret text, twice integer GENERATED ALWAYS AS (id * 2) STORED);
      INSERT INTO app.item SELECT g, 't' || g, 's' || g FROM generate_series(1, 1000) g;
      CREATE TABLE app.event (id integer, region text, PRIMARY KEY (id, region)) PARTITION BY LIST (region);
      CREATE TABLE app.event_eu PARTITION OF app.event FOR VALUES IN ('eu');
      CREATE TABLE app.event_us PARTITION OF app.event FOR VALUES IN ('us');
      INSERT INTO app.event SELECT g, (ARRAY['eu', 'us'])[1 + g % 2] FROM generate_series(1, 200) g;
      CREATE TABLE app.parent (id integer PRIMARY KEY, a text); CREATE TABLE app.child (PRIMARY KEY (id)) INHERITS (app.parent);
      INSERT INTO app.parent VALUES (1, 'p'); INSERT INTO app.child VALUES (2, 'c'); ANALYZE`);
    const objects = [
      {
        schema: "app",
        rename: "shop",
        tables: [
          {
            name: "item",
            rename: "Article",
            columns: [{ name: "title", rename: "Name" }],
            excludeColumns: ["secret"],
            where: "id % 3 = 0 -- some",
          },
          { name: "event" },
          { name: "parent" },
          { name: "child" },
        ],
      },
    ];
    expect((await task.up({ ...live, ...full, objects })).errors).toEqual([]);
    expect((await tables()).map(({ source: { name }, state }) => `${name} ${state}`).sort()).toEqual([
      "child equal",
      "event_eu equal",
      "event_us equal",
      "item equal",
      "parent equal",
    ]);
    expect(await verdict("item")).toMatchObject({ sourceRows: 333, targetRows: 333 });
    await task.source.run("UPDATE app.item SET secret = 'other' WHERE id > 10; UPDATE app.item SET id = 3001 WHERE id = 3");
    await task.target.run(
      `UPDATE shop."Article" SET "Name" = 'x' WHERE id = 6; INSERT INTO shop."Article" VALUES (1, 'not mine')`,
    );
    await task.up({ ...live, ...again("2"), objects });
    expect((await verdict("item"))?.differences).toEqual(
      expect.arrayContaining([
        { row: "id = 6", kind: "changed" },
        { row: "id = 1", kind: "extra" },
      ]),
    );
    expect(await verdict("item")).toMatchObject({ rowsDifferent: 2 });
  });

  it("is said not to be compared where the sides are meant to differ", async () => {
    await task.source.run(
      `CREATE TABLE kept (id integer PRIMARY KEY); CREATE UNLOGGED TABLE cache (id integer PRIMARY KEY); CREATE TABLE plain (id integer PRIMARY KEY);
       CREATE TABLE empty (id integer PRIMARY KEY, v text); CREATE TABLE nothing ()`,
    );
    const outputs = await task.up({
      ...live,
      ...full,
      objects: [
        {
          schema: "public",
          tables: [
            { name: "kept", operations: { dml: ["insert", "update"] } },
            { name: "cache" },
            { name: "plain" },
            { name: "empty" },
            { name: "nothing" },
          ],
        },
      ],
    });
    expect(outputs.errors).toEqual([]);
    expect(await verdict("kept")).toMatchObject({ state: "notCompared", reason: expect.stringContaining("delete") });
    expect(await verdict("cache")).toMatchObject({ state: "notCompared", reason: expect.stringContaining("unlogged") });
    for (const name of ["plain", "empty", "nothing"]) expect(await verdict(name)).toMatchObject({ state: "equal" });
  });

  it("goes on when a table can't be read, and says which", async () => {
    await task.source.run(`
      CREATE TABLE open (id integer PRIMARY KEY); INSERT INTO open VALUES (1);
      CREATE TABLE odd (id integer PRIMARY KEY, v text); INSERT INTO odd VALUES (1, 'a')`);
    await task.up(live);
    await task.target.run("ALTER TABLE odd DROP COLUMN v");
    const outputs = await task.up({ ...live, ...full });
    expect(outputs).toMatchObject({
      state: "running",
      errors: [{ code: "GW2202", message: expect.stringContaining("public.odd") }],
    });
    expect(await verdict("open")).toMatchObject({ state: "equal" });
    expect(await verdict("odd")).toMatchObject({ state: "notCompared", failed: true });
  });

  it("follows tables that join later, and changes of structure", async () => {
    await task.source.run(`CREATE TABLE a (id integer PRIMARY KEY, v text); INSERT INTO a SELECT g, 'v' || g FROM generate_series(1, 100) g;
      CREATE TABLE b (id integer PRIMARY KEY); INSERT INTO b VALUES (1)`);
    const chosen = (...names: string[]) => ({ objects: [{ schema: "public", tables: names.map((name) => ({ name })) }] });
    await task.up({ ...live, ...full, ...chosen("a") });
    const first = (await verdict("a"))?.checkedAt;
    await task.up({ ...live, ...full, ...chosen("a", "b") });
    expect(await verdict("b")).toMatchObject({ state: "equal", sourceRows: 1 });
    // What was compared is not compared again.
    expect((await verdict("a"))?.checkedAt).toBe(first);
    await task.source.run("ALTER TABLE a ADD COLUMN w integer; UPDATE a SET w = id; ALTER TABLE a RENAME COLUMN v TO u");
    await task.up({ ...live, ...again("2"), ...chosen("a", "b") });
    expect(await verdict("a")).toMatchObject({ state: "equal" });
  });
});

describe("a comparison under way", () => {
  const LARGE = `
    CREATE TABLE large (id bigint PRIMARY KEY, v text);
    INSERT INTO large SELECT g, md5(g::text) FROM generate_series(1, 400000) g;
    CREATE TABLE small (id integer PRIMARY KEY, v text);
    INSERT INTO small SELECT g, md5(g::text) FROM generate_series(1, 1000) g;
    ANALYZE`;
  /** 400,000 rows are eight ranges: some seconds, in which it can be interrupted. */
  const slowly = { throttle: { full: { rowsPerSecond: 60_000 } } };
  const ranges = async () => (await verdict("large"))?.rangesDone ?? 0;
  const begun = async () => {
    await task.source.run(LARGE);
    await task.up(live);
    await task.target.run("UPDATE large SET v = 'other' WHERE id = 399999");
    await task.up({ ...live, ...full, ...slowly, waitFor: "caughtUp" });
    await expect.poll(ranges, { timeout: 30_000 }).toBeGreaterThanOrEqual(2);
  };

  it("is begun again by the worker's successor after kill -9, which keeps what was finished", async () => {
    await begun();
    expect(await verdict("small")).toMatchObject({ state: "equal" });
    const checkedAt = (await verdict("small"))?.checkedAt;
    await killProcess(task.home, "worker");
    await expect.poll(async () => (await verdict("large"))?.state, { timeout: 60_000 }).toBe("different");
    expect((await verdict("large"))?.differences).toEqual([{ row: "id = 399999", kind: "changed" }]);
    expect((await verdict("small"))?.checkedAt).toBe(checkedAt);
  });

  it("stops with a pause and goes on after it; both servers have no session of it meanwhile", async () => {
    await begun();
    await task.up({ ...live, ...full, ...slowly, desiredState: "paused" });
    const sessions = () =>
      Promise.all(
        [task.source, task.target].map(({ rows }) =>
          rows("SELECT application_name FROM pg_stat_activity WHERE application_name LIKE 'godwit/%/compare'"),
        ),
      );
    await expect.poll(sessions, { timeout: 60_000 }).toEqual([[], []]);
    expect((await verdict("large"))?.state ?? "comparing").toBe("comparing");
    await task.up({ ...live, ...full });
    expect((await verdict("large"))?.differences).toEqual([{ row: "id = 399999", kind: "changed" }]);
    await task.destroy();
    expect(await task.leftovers()).toEqual([]);
  });

  it("is held back by the throttle, and ended by another mode", async () => {
    await begun();
    const before = Date.now();
    await expect.poll(ranges, { timeout: 30_000 }).toBeGreaterThanOrEqual(5);
    // Three ranges of 50,000 rows at 60,000 a second.
    expect(Date.now() - before).toBeGreaterThan(1400);
    await task.up({ ...live, dataValidation: { mode: "counts" } });
    expect(await verdict("large")).toMatchObject({ state: "equal", mode: "counts" });
  });

  it("takes no row for another that only goes to and fro at the source", async () => {
    await task.source.run(
      "CREATE TABLE flag (id integer PRIMARY KEY, up boolean); INSERT INTO flag SELECT g, true FROM generate_series(1, 5) g",
    );
    await task.up(live);
    let beating = true;
    const beat = (async () => {
      while (beating) await task.source.run("UPDATE flag SET up = NOT up WHERE id <= 3; SELECT pg_sleep(0.003)");
    })();
    try {
      for (const at of ["1", "2"]) {
        expect((await task.up({ ...live, ...again(at) })).errors).toEqual([]);
        expect((await verdict("flag"))?.state).not.toBe("different");
      }
    } finally {
      beating = false;
      await beat;
    }
    await task.up({ ...live, ...again("3") });
    expect((await verdict("flag"))?.state).toBe("equal");
  });

  it("of a table whose rows change all the time says of those that nothing can be said, and still names others", async () => {
    await task.source.run(
      "CREATE TABLE hot (id integer PRIMARY KEY, n integer); INSERT INTO hot SELECT g, 0 FROM generate_series(1, 1000) g",
    );
    await task.up(live);
    await task.target.run("UPDATE hot SET n = -1 WHERE id = 500");
    const writers = await startWriters(source.clientConfig(task.source.name), {
      tables: [{ name: "hot", key: "id", operations: { insert: 0, delete: 0, keyChange: 0 } }],
      changesPerSecond: 300,
    });
    let beating = true;
    const beat = (async () => {
      while (beating) await task.source.run("UPDATE hot SET n = n + 1 WHERE id = 1");
    })();
    try {
      await task.up({ ...live, ...full });
    } finally {
      beating = false;
      await beat;
      await writers.stop();
    }
    const found = await verdict("hot");
    // The writers may have mended the row at the target meanwhile.
    for (const { row } of found?.differences ?? []) expect(row).toBe("id = 500");
    expect(found?.rowsDifferent).toBeLessThanOrEqual(1);
  });
});

describe("a source before 14, which does not notice that a client is gone", () => {
  it("has a long read of a table without a key ended by a pause", async () => {
    const old = await startPostgres({ major: 11, settings: { fsync: "off" } });
    try {
      task = await createTestTask(old, target);
      await task.source.run(
        "CREATE TABLE bag (a integer, b text); INSERT INTO bag SELECT g, md5(g::text) FROM generate_series(1, 1500000) g",
      );
      await task.up(live);
      await task.up({ ...live, ...full, waitFor: "caughtUp" });
      const reads = () =>
        task.source.rows("SELECT 1 FROM pg_stat_activity WHERE application_name LIKE 'godwit/%/compare' AND state = 'active'");
      await expect.poll(reads, { timeout: 20_000 }).toHaveLength(1);
      await task.up({ ...live, ...full, desiredState: "paused" });
      await expect.poll(reads, { timeout: 60_000 }).toEqual([]);
      // Ended, and not at its end.
      expect((await verdict("bag"))?.state ?? "comparing").toBe("comparing");
      await task.up({ ...live, ...full });
      expect(await verdict("bag")).toMatchObject({ state: "equal", sourceRows: 1_500_000 });
    } finally {
      await discard(task);
      await old.remove();
    }
  });
});
