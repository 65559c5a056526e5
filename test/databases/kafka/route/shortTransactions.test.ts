import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { type KafkaCluster, startKafka } from "../../../support/kafka/kafka.js";
import { describeKafka } from "../../../support/kafka/kafkaTests.js";
import { killProcess } from "../../../support/kill.js";
import { type PostgresServer, startPostgres } from "../../../support/postgres.js";
import { canal, createKafkaTask, discard, type KafkaTask } from "./kafkaTask.js";

/** A transaction that stays open for five seconds is aborted, as one of 15 minutes is by default. */
const SHORT = {
  "transaction.max.timeout.ms": "5000",
  "transaction.abort.timed.out.transaction.cleanup.interval.ms": "500",
};
const ROWS = 6000;

describeKafka("brokers that abort a transaction long before a task has written it", () => {
  let source: PostgresServer;
  let kafka: KafkaCluster;
  let task: KafkaTask;
  beforeAll(async () => {
    [source, kafka] = await Promise.all([startPostgres({ major: 17 }), startKafka({ settings: SHORT })]);
  });
  afterAll(() => Promise.all([source?.remove(), kafka?.remove()]));
  afterEach(() => discard(task));

  const fresh = async () => {
    task = await createKafkaTask(source, kafka, { kafka: { partitioning: "single" } });
    await task.sql("CREATE TABLE t (id integer PRIMARY KEY, body text)");
  };
  const fill = `INSERT INTO t SELECT g, repeat('x', 300) FROM generate_series(1, ${ROWS}) g`;
  const read = async () => canal(await task.records(`${task.name}.public.t`));
  const idsOf = (records: readonly { data: readonly Readonly<Record<string, string | null>>[] | null }[]) =>
    records.map(({ data }) => Number(data?.[0]?.id));

  it("a table that loads for longer is there in parts, each row once", async () => {
    await fresh();
    await task.sql(fill);
    await task.up({ throttle: { full: { rowsPerSecond: 500 } } });
    const ids = idsOf(await read());
    expect(ids).toHaveLength(ROWS);
    expect(new Set(ids).size).toBe(ROWS);
    expect(await task.workerLog()).not.toMatch(/GW19/);
  });

  it("a worker that is killed between the parts of a table: rows that were visible come again, none is missing, and changes fit behind them", async () => {
    await fresh();
    await task.sql(fill);
    const up = task.up({ throttle: { full: { rowsPerSecond: 500 } } });
    up.catch(() => undefined);
    await expect.poll(async () => (await read()).length, { timeout: 60_000, interval: 500 }).toBeGreaterThan(0);
    const seen = new Set(idsOf(await read()));
    expect(seen.size).toBeLessThan(ROWS);
    await killProcess(task.home, "worker");
    await task.sql("UPDATE t SET body = 'newer' WHERE id <= 10; DELETE FROM t WHERE id = 11");
    await up;
    await task.sql("UPDATE t SET body = 'newest' WHERE id = 1");
    await task.level();
    const records = await read();
    const times = new Map<number, number>();
    for (const id of idsOf(records.filter(({ type }) => type === "INIT"))) times.set(id, (times.get(id) ?? 0) + 1);
    expect(times.size).toBe(ROWS);
    // Twice is what had been committed, and nothing else.
    for (const [id, count] of times) if (count > 1) expect(seen.has(id), `row ${id} came ${count} times`).toBe(true);
    // A consumer that writes each row over the one of its key has the source's rows, but for one that was deleted between the two loads.
    const rows = new Map<string, string | null | undefined>();
    for (const { type, data } of records) {
      const row = data?.[0];
      if (type === "DELETE") rows.delete(row?.id ?? "");
      else rows.set(row?.id ?? "", row?.body);
    }
    rows.delete("11");
    const wanted = await task.rows<{ id: string; body: string }>("SELECT id::text AS id, body FROM t");
    expect([...rows].sort()).toEqual(wanted.map(({ id, body }) => [id, body]).sort());
  });

  it("a transaction of the source that takes longer is cut, and a worker killed meanwhile writes nothing twice", async () => {
    await fresh();
    await task.up({ throttle: { incremental: { rowsPerSecond: 500 } } });
    await task.sql(`${fill}; UPDATE t SET body = body || 'y' WHERE id % 10 = 0`);
    await expect.poll(async () => (await read()).length, { timeout: 60_000, interval: 500 }).toBeGreaterThan(0);
    expect((await read()).length).toBeLessThan(ROWS);
    await killProcess(task.home, "worker");
    await task.level(90);
    const records = await read();
    const inserted = idsOf(records.filter(({ type }) => type === "INSERT"));
    expect(inserted).toHaveLength(ROWS);
    expect(new Set(inserted).size).toBe(ROWS);
    expect(records.filter(({ type }) => type === "UPDATE")).toHaveLength(ROWS / 10);
    expect(await task.workerLog()).not.toMatch(/GW19/);
  });

  it("a throttle that holds back the next row for longer does not end the transaction that is open", async () => {
    await fresh();
    // Larger than a batch: each is sent at once, and at this rate waited for during seven seconds.
    const rows = (from: number) => `INSERT INTO t SELECT g, repeat('x', 700000) FROM generate_series(${from}, ${from + 2}) g`;
    await task.sql(rows(1));
    const slow = { megabytesPerSecond: 0.1 };
    await task.up({ throttle: { full: slow, incremental: slow } });
    await task.sql(rows(11));
    await task.level();
    const records = await read();
    expect(records.map(({ type }) => type)).toEqual(["INIT", "INIT", "INIT", "INSERT", "INSERT", "INSERT"]);
    expect(new Set(idsOf(records)).size).toBe(6);
    expect(await task.workerLog()).not.toMatch(/GW19/);
  }, 120_000);
});
