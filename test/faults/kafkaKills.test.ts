import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { createKafkaTask, discard, type KafkaTask } from "../databases/kafka/route/kafkaTask.js";
import { insertReplayed, replay } from "../databases/kafka/route/replay.js";
import { compareDatabases } from "../support/compareTables.js";
import { type KafkaCluster, startKafka } from "../support/kafka/kafka.js";
import { describeKafka } from "../support/kafka/kafkaTests.js";
import { killProcess } from "../support/kill.js";
import { type PostgresServer, startPostgres } from "../support/postgres.js";
import { RandomSource } from "../support/randomSource.js";
import { startWriters } from "../support/writers.js";

const TABLES = `
  CREATE TABLE account (
    id bigint PRIMARY KEY, name text NOT NULL, balance numeric(20,4), active boolean, seen timestamptz, tags text[], detail jsonb, body text);
  ALTER TABLE account ALTER body SET STORAGE EXTERNAL;
  CREATE TABLE line (id integer PRIMARY KEY, amount double precision, day date, raw bytea, net inet);
  CREATE TABLE bag (kind text, value integer)`;
const NEW_COLUMN = "ALTER TABLE account ADD COLUMN IF NOT EXISTS added integer";
const BEGUN = "SELECT FROM godwit.table_load WHERE state <> 'pending'";
const ROWS = `
  INSERT INTO account (id, name, balance, body) SELECT g, 'n' || g, g / 3.0, repeat(md5(g::text), 80) FROM generate_series(1, 20000) g;
  INSERT INTO line (id, amount) SELECT g, g * 0.1 FROM generate_series(1, 20000) g;
  INSERT INTO bag SELECT 'k' || g % 10, g % 100 FROM generate_series(1, 2000) g;
  ANALYZE`;
const WRITTEN = [
  { name: "account", key: "id" },
  { name: "line", key: "id" },
  { name: "bag", operations: { insert: 2, update: 1, delete: 1, keyChange: 0 } },
];

describeKafka("kill -9 of a worker that writes to Kafka, and of its brokers", () => {
  let source: PostgresServer;
  let kafka: KafkaCluster;
  let task: KafkaTask;
  let random: RandomSource;
  beforeAll(async () => {
    const seed = Number(process.env.GODWIT_SEED ?? Date.now() % 1_000_000);
    console.log(`kafka kills: seed ${seed} (GODWIT_SEED=${seed} replays it)`);
    random = new RandomSource(seed);
    [source, kafka] = await Promise.all([startPostgres({ major: 17 }), startKafka({ brokers: 3 })]);
  });
  afterAll(() => Promise.all([source?.remove(), kafka?.remove()]));
  beforeEach(async () => {
    task = await createKafkaTask(source, kafka, { kafka: { createTopics: { partitions: 3, replicationFactor: 3 } } });
    await task.sql(`${TABLES}; ${ROWS}`);
  });
  afterEach(() => discard(task));

  it("at random under four writers and 200,000 changes: a consumer of committed records has the source's rows", async () => {
    const changes = Number(process.env.GODWIT_CHANGES ?? 200_000);
    const writers = await startWriters(source.clientConfig(task.name), { tables: WRITTEN, writers: 4, maxChanges: changes });
    const up = task.up();
    up.catch(() => undefined);
    // From here on it is the worker's; the first kills meet the schema and the full load.
    await expect.poll(() => task.lines.some((line) => line.includes("3 tables")), { timeout: 60_000, interval: 20 }).toBe(true);
    for (let kills = 0; kills < 10; ) {
      await sleep(random.integer(200, 2500));
      if (kills === 5) {
        // Before that a worker could still take up a newer plan, which has the column.
        await expect.poll(() => task.rows(BEGUN), { timeout: 60_000 }).not.toEqual([]);
        await task.sql(NEW_COLUMN);
      }
      if (random.chance(0.5)) {
        if (await killProcess(task.home, "worker")) kills++;
        continue;
      }
      // One at a time: of three replicas two must be up.
      const broker = random.pick(kafka.brokers);
      await broker.kill9();
      kills++;
      await sleep(random.integer(100, 2000));
      await broker.start();
    }
    await up;
    const counts = await writers.done;
    expect(counts.inserts + counts.updates + counts.deletes + counts.keyChanges).toBeGreaterThanOrEqual(changes);
    await task.level(180);
    const records = await task.records(...["account", "line", "bag"].map((table) => `${task.name}.public.${table}`));
    const replayed = replay(records);
    const told = records.filter(({ value }) => value?.includes('"isDdl":true'));
    expect(told.map(({ value }) => (JSON.parse(value ?? "") as { sql: string }).sql)).toEqual([NEW_COLUMN]);
    expect(replayed.faults.slice(0, 10)).toEqual([]);
    const copy = `${task.name}_copy`;
    await source.createDatabase(copy);
    await source.query(`${TABLES}; ${NEW_COLUMN}`, undefined, copy);
    await insertReplayed(source, copy, replayed);
    const compared = await compareDatabases(source.clientConfig(task.name), source.clientConfig(copy), { schemas: ["public"] });
    expect(compared.differences).toEqual([]);
    expect(compared.tables).toBe(3);
    await task.destroy();
    expect(await task.leftovers()).toEqual([]);
  }, 600_000);
});
