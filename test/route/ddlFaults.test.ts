import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { killProcess } from "../support/kill.js";
import { type PostgresServer, startPostgres } from "../support/postgres.js";
import { RandomSource } from "../support/randomSource.js";
import { createTestTask, discard, type TestTask } from "../support/task.js";
import { startWriters } from "../support/writers.js";
import { ALIKE, settled } from "./ddlComparison.js";

const live = { migrationTypes: ["schema", "full", "incremental"] as const };
const TABLES = `
  CREATE TABLE account (id bigint PRIMARY KEY, name text NOT NULL, balance numeric(20,4), seen timestamptz, body text);
  CREATE TABLE line (id integer PRIMARY KEY, amount double precision, day date);
  CREATE TABLE bag (kind text, value integer);
  INSERT INTO account SELECT g, 'n' || g, g / 3.0, NULL, repeat(md5(g::text), 20) FROM generate_series(1, 5000) g;
  INSERT INTO line (id, amount) SELECT g, g * 0.1 FROM generate_series(1, 5000) g;
  INSERT INTO bag SELECT 'k' || g % 10, g % 100 FROM generate_series(1, 500) g; ANALYZE`;
// Named, so that the writers go on whatever columns come and go beside theirs.
const WRITTEN = [
  { name: "account", key: "id", columns: ["name", "balance", "body"] },
  { name: "line", key: "id", columns: ["amount"] },
  { name: "bag", columns: ["kind"], operations: { insert: 2, update: 1, delete: 1, keyChange: 0 } },
];

/** Changes of structure that leave the writers' columns alone; `n` counts the rounds. */
const ROUND: readonly ((n: number) => string)[] = [
  (n) => `ALTER TABLE account ADD COLUMN c${n} int DEFAULT ${n}`,
  (n) => `ALTER TABLE line ADD COLUMN t${n} timestamptz DEFAULT now()`,
  (n) => `ALTER TABLE bag ADD COLUMN r${n} text DEFAULT md5(random()::text)`,
  (n) =>
    `BEGIN; CREATE TABLE made_${n} (id serial PRIMARY KEY, v text); INSERT INTO made_${n} (v) SELECT 'v' || g FROM generate_series(1, 500) g; COMMIT`,
  (n) => `CREATE TABLE from_${n} AS SELECT * FROM line WHERE id <= 100`,
  (n) => `ALTER TABLE account ALTER COLUMN c${n} TYPE text USING 'c' || c${n}`,
  (n) => `ALTER TABLE account RENAME COLUMN c${n} TO d${n}`,
  (n) => `CREATE INDEX account_d${n} ON account (d${n})`,
  (n) =>
    `BEGIN; ALTER TABLE made_${n} RENAME TO gone_${n}; ALTER TABLE from_${n} RENAME TO made_${n}; INSERT INTO made_${n} (id) VALUES (-1); COMMIT`,
  (n) => `DROP TABLE gone_${n}; ALTER TABLE account DROP COLUMN d${n}`,
];

describe.each([17, 10] as const)("changes of structure under writers and kill -9, from PostgreSQL %i to 17", (major) => {
  let source: PostgresServer;
  let target: PostgresServer;
  let task: TestTask;
  beforeAll(async () => {
    [source, target] = await Promise.all([startPostgres({ major }), startPostgres({ major: 17 })]);
    task = await createTestTask(source, target);
    await task.source.run(TABLES);
  });
  afterAll(async () => {
    await discard(task);
    await Promise.all([source.remove(), target.remove()]);
  });

  it("both sides end equal, and nothing is left", async () => {
    const seed = Number(process.env.GODWIT_SEED ?? Date.now() % 1_000_000);
    console.log(`ddl under kills: seed ${seed} (GODWIT_SEED=${seed} replays it)`);
    const random = new RandomSource(seed);
    await task.up(live);
    const { host, port, username, password } = source;
    const writers = await startWriters(
      { host, port, user: username, password, database: task.source.name },
      { tables: WRITTEN, writers: 3, changesPerSecond: 1500, transactionSize: [1, 30] },
    );
    let kills = 0;
    const killing = (async () => {
      while (kills < 8) {
        await sleep(random.integer(200, 1500));
        if (await killProcess(task.home, "worker")) kills++;
      }
    })();
    for (let n = 1; n <= 4; n++) {
      for (const change of ROUND) {
        await task.source.run(`SET lock_timeout = '20s'; ${change(n)}`);
        await sleep(random.integer(0, 200));
      }
    }
    await killing;
    await writers.stop();
    expect(kills).toBe(8);
    if (major === 17) expect(await settled(task, 60)).toEqual(ALIKE);
    else expect((await task.settle(60)).differences).toEqual([]);
    const read = await task.refresh();
    expect(read?.errors).toEqual([]);
    expect(await task.target.rows("SELECT count(*)::int AS n FROM godwit.table_load")).toEqual([{ n: 7 }]);
    await task.destroy();
    expect(await task.leftovers()).toEqual([]);
  });
});

describe("what several tasks share at one source", () => {
  let source: PostgresServer;
  let target: PostgresServer;
  beforeAll(async () => {
    [source, target] = await Promise.all([startPostgres({ major: 17 }), startPostgres({ major: 17 })]);
  });
  afterAll(() => Promise.all([source.remove(), target.remove()]));

  it("stays for the second task when the first is destroyed, and goes with the last", async () => {
    const first = await createTestTask(source, target);
    try {
      await first.source.run(
        "CREATE SCHEMA a; CREATE SCHEMA b; CREATE TABLE a.t (id int PRIMARY KEY); CREATE TABLE b.t (id int PRIMARY KEY)",
      );
      await first.up({ ...live, taskName: "first", objects: [{ schema: "a" }] });
      const other = await createTestTask(source, target);
      const second = { ...live, taskName: "second", source: source.endpoint(first.source.name), objects: [{ schema: "b" }] };
      try {
        await other.up(second);
        await first.source.run(
          "ALTER TABLE a.t ADD COLUMN x int; CREATE TABLE b.made (k int); INSERT INTO b.made VALUES (1); UPDATE b.made SET k = 2; INSERT INTO a.t VALUES (1, 2)",
        );
        const rows = (task: TestTask, sql: string) =>
          expect.poll(() => task.target.rows(sql).catch(() => "not yet"), { timeout: 60_000 });
        await rows(first, "SELECT * FROM a.t").toEqual([{ id: 1, x: 2 }]);
        await rows(other, "SELECT * FROM b.made").toEqual([{ k: 2 }]);
        expect(await first.target.rows("SELECT to_regnamespace('b') AS b")).toEqual([{ b: null }]);
        // As a killed release leaves it: the publication is gone, its registration is not.
        await first.source.run("INSERT INTO godwit_capture.task VALUES ('godwit_of_a_killed_one', NULL, true)");
        await first.destroy();
        await first.source.run("ALTER TABLE b.t ADD COLUMN y int DEFAULT 3; INSERT INTO b.t VALUES (1)");
        await rows(other, "SELECT * FROM b.t").toEqual([{ id: 1, y: 3 }]);
        await other.destroy();
        expect(await first.leftovers()).toEqual([]);
      } finally {
        await discard(other);
      }
    } finally {
      await discard(first);
    }
  });

  it("takes changes of roles without rights, and never makes them fail", async () => {
    const task = await createTestTask(source, target);
    try {
      await task.source.run(
        "CREATE ROLE app_owner LOGIN; GRANT CREATE, TEMPORARY ON DATABASE " +
          task.source.name +
          " TO app_owner; GRANT CREATE ON SCHEMA public TO app_owner; CREATE TABLE base (id int PRIMARY KEY)",
      );
      await task.up(live);
      await task.source.run(`SET ROLE app_owner; CREATE TABLE mine (id int PRIMARY KEY, v text); INSERT INTO mine VALUES (1, 'a'); ALTER TABLE mine ADD COLUMN u text DEFAULT md5(random()::text);
        CREATE TABLE keyless (x int); INSERT INTO keyless VALUES (1); DELETE FROM keyless; CREATE TABLE picked AS SELECT 7 AS seven`);
      expect(await settled(task)).toEqual(ALIKE);
      // The capture itself is broken: the application goes on, the task says what it missed.
      await task.source.run("ALTER TABLE godwit_capture.object RENAME TO hidden");
      await task.source.run(
        "SET ROLE app_owner; ALTER TABLE mine ADD COLUMN unseen int; INSERT INTO mine VALUES (2, 'b', 'u', 3)",
      );
      await expect
        .poll(async () => (await task.refresh())?.errors.map(({ code }) => code), { timeout: 60_000 })
        .toEqual(["GW1502"]);
      await task.destroy();
      await task.source.run("DROP OWNED BY app_owner; DROP ROLE app_owner");
      expect(await task.leftovers()).toEqual([]);
    } finally {
      await discard(task);
    }
  });

  it("is not made by a task whose role may not; it says so and stops at a change, as before", async () => {
    const task = await createTestTask(source, target);
    try {
      await task.source.run(`CREATE ROLE mover LOGIN REPLICATION PASSWORD 'moves'; GRANT CREATE ON DATABASE ${task.source.name} TO mover; GRANT ALL ON SCHEMA public TO mover;
        SET ROLE mover; CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)`);
      await task.up({ ...live, source: { ...source.endpoint(task.source.name), username: "mover", password: "moves" } });
      expect(task.lines.join("\n")).toMatch(/sourceStructureCapture: changes of structure are not carried over/);
      await task.source.run("ALTER TABLE t ADD COLUMN x int; INSERT INTO t VALUES (2, 2)");
      await expect
        .poll(async () => (await task.refresh())?.errors.map(({ code }) => code), { timeout: 60_000 })
        .toEqual(["GW1502"]);
      await task.destroy();
      await task.source.run("DROP OWNED BY mover; DROP ROLE mover");
      expect(await task.leftovers()).toEqual([]);
    } finally {
      await discard(task);
    }
  });
});
