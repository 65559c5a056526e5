import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { type KafkaCluster, startKafka } from "../../../support/kafka/kafka.js";
import { describeKafka } from "../../../support/kafka/kafkaTests.js";
import { type PostgresServer, startPostgres } from "../../../support/postgres.js";
import { canal, createKafkaTask, discard, type KafkaTask } from "./kafkaTask.js";

describeKafka("a topic of a table whose rows are filtered by `where`", () => {
  let source: PostgresServer;
  let kafka: KafkaCluster;
  let task: KafkaTask;
  beforeAll(async () => {
    [source, kafka] = await Promise.all([startPostgres({ major: 17 }), startKafka()]);
  });
  afterAll(() => Promise.all([source?.remove(), kafka?.remove()]));
  afterEach(() => discard(task));

  it("tells of rows while they meet the condition: a row that joins is an INSERT with all its values, one that leaves a DELETE", async () => {
    task = await createKafkaTask(source, kafka);
    await task.sql(`
      CREATE TABLE orders (id integer PRIMARY KEY, region text, note text);
      ALTER TABLE orders ALTER note SET STORAGE EXTERNAL;
      INSERT INTO orders SELECT g, CASE WHEN g % 2 = 0 THEN 'eu' ELSE 'us' END, repeat('x', 5000) FROM generate_series(1, 10) g`);
    await task.up({
      objects: [{ schema: "public", tables: [{ name: "orders", where: "region = 'eu'" }] }],
      kafka: { partitioning: "single" },
    });
    await task.sql(`
      INSERT INTO orders VALUES (11, 'us', 'a'), (12, 'eu', 'b');
      UPDATE orders SET region = 'eu' WHERE id = 1;
      UPDATE orders SET region = 'us' WHERE id = 2;
      UPDATE orders SET note = 'c' WHERE id IN (3, 4);
      DELETE FROM orders WHERE id IN (5, 6)`);
    await task.level();
    const records = canal(await task.records(`${task.name}.public.orders`)).map(({ type, data }) => [
      type,
      data?.[0]?.id,
      data?.[0]?.note?.length,
    ]);
    expect(records).toEqual([
      ...[2, 4, 6, 8, 10].map((id) => ["INIT", `${id}`, 5000]),
      ["INSERT", "12", 1],
      ["INSERT", "1", 5000],
      ["DELETE", "2", 5000],
      ["UPDATE", "4", 1],
      ["DELETE", "6", 5000],
    ]);
    await task.destroy();
    expect(await task.leftovers()).toEqual([]);
  });
});
