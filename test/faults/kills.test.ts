import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { killProcess } from "../support/kill.js";
import { type PostgresServer, startPostgres } from "../support/postgres.js";
import { RandomSource } from "../support/randomSource.js";
import { createTestTask, discard, type TestTask } from "../support/task.js";
import { startWriters } from "../support/writers.js";

const TABLES = `
  CREATE TABLE account (
    id bigint PRIMARY KEY, name text NOT NULL, balance numeric(20,4), active boolean, seen timestamptz, tags text[], detail jsonb, body text);
  ALTER TABLE account ALTER body SET STORAGE EXTERNAL;
  CREATE INDEX ON account (balance, seen);
  CREATE TABLE line (id integer PRIMARY KEY, amount double precision, day date, raw bytea, net inet);
  CREATE TABLE bag (kind text, value integer);
  INSERT INTO account (id, name, balance, body) SELECT g, 'n' || g, g / 3.0, repeat(md5(g::text), 80) FROM generate_series(1, 20000) g;
  INSERT INTO line (id, amount) SELECT g, g * 0.1 FROM generate_series(1, 20000) g;
  INSERT INTO bag SELECT 'k' || g % 10, g % 100 FROM generate_series(1, 2000) g;
  ANALYZE`;
const WRITTEN = [
  { name: "account", key: "id" },
  { name: "line", key: "id" },
  { name: "bag", operations: { insert: 2, update: 1, delete: 1, keyChange: 0 } },
];
const live = { migrationTypes: ["schema", "full", "incremental"] as const };

let source: PostgresServer;
let target: PostgresServer;
let task: TestTask;
let random: RandomSource;

beforeAll(async () => {
  const seed = Number(process.env.GODWIT_SEED ?? Date.now() % 1_000_000);
  console.log(`kills: seed ${seed} (GODWIT_SEED=${seed} replays it)`);
  random = new RandomSource(seed);
  // Durable, as the servers are killed: what a commit promised must be there afterwards.
  [source, target] = await Promise.all([startPostgres({ major: 15 }), startPostgres({ major: 17 })]);
});
afterAll(() => Promise.all([source.remove(), target.remove()]));
beforeEach(async () => {
  task = await createTestTask(source, target);
  await task.source.run(TABLES);
});
afterEach(() => discard(task));

const config = () => ({
  host: source.host,
  port: source.port,
  user: source.username,
  password: source.password,
  database: task.source.name,
});

describe("kill -9", () => {
  it("of the worker, ten times at random under four writers and 200,000 changes: both sides end equal", async () => {
    const writers = await startWriters(config(), { tables: WRITTEN, writers: 4, maxChanges: 200_000 });
    // The first kills meet the schema and the full load.
    const up = task.up(live);
    up.catch(() => undefined);
    let kills = 0;
    for (let waited = 0; kills < 10 && waited < 120; waited++) {
      await sleep(random.integer(200, 2500));
      if (await killProcess(task.home, "worker")) kills++;
    }
    expect(kills).toBe(10);
    await up;
    const counts = await writers.done;
    expect(counts.inserts + counts.updates + counts.deletes + counts.keyChanges).toBeGreaterThanOrEqual(200_000);
    const compared = await task.settle(120);
    expect(compared.differences).toEqual([]);
    expect(compared.tables).toBe(3);
    await task.destroy();
    expect(await task.leftovers()).toEqual([]);
  });

  it("of the supervisor and the worker at once: the next up goes on", async () => {
    await task.up(live);
    const writers = await startWriters(config(), { tables: WRITTEN, writers: 2, maxChanges: 10_000 });
    await killProcess(task.home, "supervisor");
    await killProcess(task.home, "worker");
    await writers.done;
    await task.refresh();
    await task.up(live);
    expect((await task.settle()).differences).toEqual([]);
  });

  it.each(["source", "target", "both"])("of the server under the stream (%s): the worker goes on by itself", async (which) => {
    await task.up(live);
    const writers = await startWriters(config(), { tables: WRITTEN, writers: 4, changesPerSecond: 3000 });
    for (let round = 0; round < 2; round++) {
      await sleep(random.integer(300, 1500));
      const servers = [...(which === "target" ? [] : [source]), ...(which === "source" ? [] : [target])];
      await Promise.all(servers.map((server) => server.kill9()));
      await sleep(random.integer(100, 1500));
      await Promise.all(servers.map((server) => server.start()));
    }
    await sleep(1000);
    await writers.stop();
    expect((await task.settle(90)).differences).toEqual([]);
    expect((await task.refresh())?.state).toBe("running");
    await task.destroy();
    expect(await task.leftovers()).toEqual([]);
  });

  it.each(["source", "target"])(
    "of the %s in the middle of the full load: it is loaded again, from one snapshot",
    async (which) => {
      await task.source.run(
        "INSERT INTO account (id, name, body) SELECT g, 'more', repeat(md5(g::text), 60) FROM generate_series(30000, 110000) g; ANALYZE account",
      );
      const writers = await startWriters(config(), { tables: WRITTEN, writers: 2, changesPerSecond: 1000 });
      const up = task.up({ ...live, throttle: { full: { megabytesPerSecond: 60 } } });
      up.catch(() => undefined);
      const server = which === "source" ? source : target;
      await expect.poll(async () => (await loadedBytes()) > 20_000_000, { timeout: 60_000, interval: 100 }).toBe(true);
      await server.kill9();
      await sleep(500);
      await server.start();
      await up;
      await writers.stop();
      expect((await task.settle(90)).differences).toEqual([]);
    },
  );
});

async function loadedBytes(): Promise<number> {
  const [row] = await task.target
    .rows<{ bytes: string }>(
      "SELECT sum((t ->> 'bytes')::bigint) AS bytes FROM godwit.status, jsonb_array_elements(status -> 'tables') t",
    )
    .catch(() => []);
  return Number(row?.bytes ?? 0);
}
