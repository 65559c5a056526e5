import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import type { TaskStatus } from "../../../../provider/engine/taskStatus.js";
import { type KafkaCluster, startKafka } from "../../../support/kafka/kafka.js";
import { describeKafka } from "../../../support/kafka/kafkaTests.js";
import { type PostgresServer, startPostgres } from "../../../support/postgres.js";
import { canal, createKafkaTask, discard, type KafkaTask } from "./kafkaTask.js";

describeKafka("a database that is followed into Kafka", () => {
  let source: PostgresServer;
  let kafka: KafkaCluster;
  let task: KafkaTask;
  beforeAll(async () => {
    [source, kafka] = await Promise.all([startPostgres({ major: 17 }), startKafka()]);
  });
  afterAll(() => Promise.all([source?.remove(), kafka?.remove()]));
  beforeEach(async () => {
    task = await createKafkaTask(source, kafka);
    await task.sql(`
      CREATE TABLE orders (id bigint PRIMARY KEY, customer text, amount numeric(10,2), note text);
      CREATE TABLE bag (kind text);
      INSERT INTO orders SELECT g, 'c' || g, g / 4.0, NULL FROM generate_series(1, 1000) g;
      INSERT INTO bag VALUES ('one'), ('one')`);
  });
  afterEach(() => discard(task));

  it("has its rows as INIT records, then its changes in the order of their commits, and leaves nothing but the topics", async () => {
    const outputs = await task.up();
    expect(outputs).toMatchObject({ state: "running", phase: "incremental" });
    const topic = `${task.name}.public.orders`;
    await task.sql(`
      INSERT INTO orders VALUES (2000, 'new', 1, 'n');
      UPDATE orders SET note = 'changed' WHERE id = 2000;
      DELETE FROM orders WHERE id = 2000;
      TRUNCATE bag`);
    await task.level();
    const records = await task.records(topic);
    const init = canal(records).filter(({ type }) => type === "INIT");
    expect(init).toHaveLength(1000);
    expect(new Set(init.map(({ data }) => data?.[0]?.id)).size).toBe(1000);
    expect(new Set(records.map(({ partition }) => partition)).size).toBe(3);
    const changes = canal(records).filter(({ type }) => type !== "INIT");
    expect(changes.map(({ type, data, old }) => [type, data?.[0]?.note, old?.[0]])).toEqual([
      ["INSERT", "n", undefined],
      ["UPDATE", "changed", { note: "n" }],
      ["DELETE", "changed", undefined],
    ]);
    const bag = canal(await task.records(`${task.name}.public.bag`));
    expect(bag.map(({ type, sql }) => [type, sql])).toEqual([
      ["INIT", ""],
      ["INIT", ""],
      ["DDL", 'TRUNCATE TABLE "public"."bag"'],
    ]);
    await task.destroy();
    expect(await task.leftovers()).toEqual([]);
    expect(await task.records(topic)).toHaveLength(1003);
  });

  it("has every row of a table that is rewritten or truncated while it waits for its load", async () => {
    await task.sql(`
      CREATE TABLE rewritten (id integer PRIMARY KEY, word text); INSERT INTO rewritten SELECT g, 'w' FROM generate_series(1, 50) g;
      CREATE TABLE refilled (id integer PRIMARY KEY, word text); INSERT INTO refilled SELECT g, 'old' FROM generate_series(1, 50) g;
      CREATE TABLE widened (id integer PRIMARY KEY, gone text); INSERT INTO widened SELECT g, 'g' FROM generate_series(1, 50) g; ANALYZE`);
    const up = task.up({ throttle: { full: { rowsPerSecond: 120 } }, parallelism: { tables: 1, chunksPerTable: 1, indexes: 1 } });
    up.catch(() => undefined);
    // It came in one piece, and the next table waits for the rate.
    const first = "SELECT 1 FROM godwit.table_load WHERE state = 'loaded' AND plan -> 'source' ->> 'name' = 'orders'";
    await expect.poll(async () => (await task.rows(first).catch(() => [])).length, { timeout: 60_000, interval: 50 }).toBe(1);
    await task.sql("ALTER TABLE rewritten ALTER id TYPE bigint");
    await task.sql("TRUNCATE refilled; INSERT INTO refilled SELECT g, 'new' FROM generate_series(1, 7) g");
    await task.sql("ALTER TABLE widened DROP COLUMN gone, ADD COLUMN more integer DEFAULT 5");
    await task.sql("UPDATE widened SET more = id WHERE id > 10");
    await up;
    await task.level();
    const records = await task.records(`${task.name}.public.rewritten`);
    const rewritten = canal(records);
    expect(rewritten.filter(({ isDdl }) => isDdl).map(({ sql }) => sql)).toEqual(["ALTER TABLE rewritten ALTER id TYPE bigint"]);
    const told = rewritten.findIndex(({ isDdl }) => isDdl);
    const before = records.slice(0, told).filter(({ partition }) => partition === records[told]?.partition);
    expect(before, "rows in the new form before the statement, in its partition").toEqual([]);
    const initial = rewritten.filter(({ type }) => type === "INIT");
    expect(new Set(initial.map(({ data }) => data?.[0]?.id)).size).toBe(50);
    const widened = canal(await task.records(`${task.name}.public.widened`)).filter(({ type }) => type === "INIT");
    expect(widened.map(({ data }) => data?.[0]).sort((a, b) => Number(a?.id) - Number(b?.id))).toEqual(
      Array.from({ length: 50 }, (_, index) => ({ id: `${index + 1}`, more: index < 10 ? "5" : `${index + 1}` })),
    );
    const refilled = canal(await task.records(`${task.name}.public.refilled`)).filter(({ isDdl }) => !isDdl);
    expect(refilled.map(({ data }) => data?.[0]?.word)).toEqual(Array(7).fill("new"));
    expect(canal(await task.records(`${task.name}.public.orders`)).filter(({ type }) => type === "INIT")).toHaveLength(1000);
  });

  it("has changes of structure as SQL among its records, and rows in their new form behind them", async () => {
    await task.up();
    await task.sql("INSERT INTO orders VALUES (2001, 'before', 1, NULL)");
    await task.sql("ALTER TABLE orders ADD COLUMN vat numeric DEFAULT 0.2, DROP COLUMN note");
    await task.sql(`BEGIN;
      INSERT INTO orders (id, customer, vat) VALUES (2002, 'inside', 1);
      ALTER TABLE orders RENAME customer TO client;
      INSERT INTO orders (id, client) VALUES (2003, 'behind');
      COMMIT`);
    await task.sql("CREATE TABLE fresh (id integer PRIMARY KEY, word text); INSERT INTO fresh VALUES (1, 'one')");
    await task.sql("CREATE VIEW recent AS SELECT id FROM orders");
    await task.sql("CREATE INDEX by_client ON orders (client)");
    await task.sql("CREATE SEQUENCE not_told; DROP TABLE bag");
    await task.level();
    const orders = canal(await task.records(`${task.name}.public.orders`)).filter(({ type }) => type !== "INIT");
    expect(orders.filter(({ isDdl }) => isDdl).map(({ sql }) => sql)).toEqual([
      "ALTER TABLE orders ADD COLUMN vat numeric DEFAULT 0.2, DROP COLUMN note",
      'ALTER TABLE "public"."orders" RENAME COLUMN "customer" TO "client"',
      "CREATE VIEW recent AS SELECT id FROM orders",
      "CREATE INDEX by_client ON orders (client)",
    ]);
    const rows = orders.filter(({ isDdl }) => !isDdl).map(({ data }) => data?.[0]);
    expect(rows).toHaveLength(3);
    expect(rows.find((row) => row?.id === "2001")).toEqual({ id: "2001", customer: "before", amount: "1.00", note: null });
    expect(rows.find((row) => row?.id === "2002")).toEqual({ id: "2002", customer: "inside", amount: null, vat: "1" });
    expect(rows.find((row) => row?.id === "2003")).toEqual({ id: "2003", client: "behind", amount: null, vat: "0.2" });
    const fresh = canal(await task.records(`${task.name}.public.fresh`));
    // Partitions have no order among them, and the row may lie in another one than the statement.
    const inOrder = fresh.map(({ type, sql, data }) => [type, sql || data?.[0]]).sort();
    expect(inOrder).toEqual([
      ["DDL", expect.stringContaining('CREATE TABLE "public"."fresh"')],
      ["INSERT", { id: "1", word: "one" }],
    ]);
    const bag = canal(await task.records(`${task.name}.public.bag`));
    expect(bag.at(-1)).toMatchObject({ type: "DDL", table: "bag", sql: expect.stringMatching(/DROP TABLE/) });
    expect((await task.refresh())?.state).toBe("running");
    await task.destroy();
    expect(await task.leftovers()).toEqual([]);
  });

  it("a throttle holds records back and lag tells it; lifted on the running task, the rest comes at once", async () => {
    const slow = { throttle: { incremental: { rowsPerSecond: 50 } } };
    await task.up(slow);
    const status = async () => {
      const [row] = await task.rows<{ status: TaskStatus }>("SELECT status FROM godwit.status");
      return row?.status.incremental;
    };
    await task.sql(`DO $$ BEGIN FOR n IN 100..149 LOOP
      INSERT INTO orders SELECT n * 100 + g, 'slow', 1, NULL FROM generate_series(0, 99) g; COMMIT; END LOOP; END $$`);
    const began = Date.now();
    await expect.poll(async () => (await status())?.lagBytes ?? 0, { timeout: 60_000 }).toBeGreaterThan(10_000);
    await expect.poll(async () => (await status())?.inserts ?? 0, { timeout: 60_000 }).toBeGreaterThan(200);
    const { inserts = 0 } = (await status()) ?? {};
    // A second's worth may go at once, and what a read brought is let through whole.
    expect(inserts).toBeLessThan((1 + (Date.now() - began) / 1000) * 50 + 1500);
    // What is left would take a minute and more at that rate.
    await task.up({ throttle: {} });
    await task.level();
    await expect.poll(status, { timeout: 60_000 }).toMatchObject({ caughtUp: true, inserts: 5000, lagSeconds: 0 });
    expect(await task.records(`${task.name}.public.orders`)).toHaveLength(6000);
  });

  it("a schema without a table yet: the first one that is made has its topic, its statement and its rows", async () => {
    await task.sql("DROP TABLE orders, bag");
    await task.up({ objects: [{ schema: "public" }] });
    await task.sql("CREATE TABLE first (id integer PRIMARY KEY); INSERT INTO first VALUES (1)");
    await task.level(60);
    const types = canal(await task.records(`${task.name}.public.first`)).map(({ type }) => type);
    expect(types.sort()).toEqual(["DDL", "INSERT"]);
    expect((await task.refresh())?.errors).toEqual([]);
  });
});
