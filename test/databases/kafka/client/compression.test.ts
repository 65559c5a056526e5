import { afterAll, beforeAll, expect, it } from "vitest";
import type { Compression } from "../../../../provider/databases/kafka/client/compression.js";
import { openProducer } from "../../../../provider/databases/kafka/client/producer.js";
import { consoleConsumer } from "../../../support/kafka/consoleConsumer.js";
import { type KafkaCluster, startKafka } from "../../../support/kafka/kafka.js";
import { describeKafka } from "../../../support/kafka/kafkaTests.js";
import { readTopics } from "../../../support/kafka/readTopic.js";
import { slice } from "./records.js";

describeKafka("records are read by Kafka's own consumer and by kafkajs as they were written", () => {
  let kafka: KafkaCluster;
  beforeAll(async () => {
    kafka = await startKafka();
  });
  afterAll(() => kafka?.remove());

  const RECORDS = 5000;
  const textOf = (n: number) => `{"n":${n},"text":"${"ä€😀".repeat(n % 7)}","filler":"${"f".repeat((n * 37) % 400)}"}`;

  for (const compression of ["lz4", "gzip", "snappy", "none"] as const satisfies readonly Compression[]) {
    it(`with compression ${compression}`, async () => {
      const topic = `compressed-${compression}`;
      await kafka.createTopic(topic, 2);
      const producer = await openProducer(kafka.endpoint(), {
        clientId: "test",
        transactionalId: topic,
        acks: "all",
        compression,
        batchBytes: 200_000,
      });
      await producer.prepare([{ name: topic }]);
      for (let n = 0; n < RECORDS; n++) {
        producer.partition(topic, n % 2).append(1_700_000_000_000 + n, slice(`key ${n}`), slice(textOf(n)));
      }
      await producer.commit(undefined);
      producer.close();

      const printed = await consoleConsumer(kafka.hosts[0] ?? "", topic, RECORDS);
      const expected = Array.from({ length: RECORDS }, (_, n) => `Partition:${n % 2}\tkey ${n}\t${textOf(n)}`);
      expect(printed.sort()).toEqual(expected.sort());
      const read = await readTopics(kafka, [topic]);
      expect(read.length).toBe(RECORDS);
      for (const partition of [0, 1]) {
        const values = read.filter((record) => record.partition === partition).map(({ value }) => value);
        expect(values).toEqual(Array.from({ length: RECORDS / 2 }, (_, half) => textOf(half * 2 + partition)));
      }
    });
  }

  it("with headers, without keys, without values, and with timestamps centuries apart", async () => {
    await kafka.createTopic("odd");
    const producer = await openProducer(kafka.endpoint(), {
      clientId: "test",
      transactionalId: "odd",
      acks: "all",
      compression: "lz4",
    });
    await producer.prepare([{ name: "odd" }]);
    const writer = producer.partition("odd", 0);
    const headers = [
      { name: "table", value: Buffer.from("public.account") },
      { name: "ä", value: Buffer.alloc(0) },
    ];
    writer.append(1_700_000_000_000, undefined, slice("no key"), headers);
    writer.append(1_700_000_000_000 - 3_000_000_000_000 / 2, slice("earlier"), undefined);
    writer.append(9_000_000_000_000, slice(""), slice(""));
    writer.append(1_700_000_000_000, slice("large"), slice("x".repeat(300_000)));
    await producer.commit(undefined);
    producer.close();
    const read = await readTopics(kafka, ["odd"]);
    expect(read.map(({ timestamp, key, value, headers: read }) => [timestamp, key, value?.slice(0, 20), read])).toEqual([
      [1_700_000_000_000, undefined, "no key", { table: "public.account", ä: "" }],
      [200_000_000_000, "earlier", undefined, {}],
      [9_000_000_000_000, "", "", {}],
      [1_700_000_000_000, "large", "x".repeat(20), {}],
    ]);
  });

  it("without transactions, acknowledged by the leader or by nobody", async () => {
    for (const acks of ["leader", "none"] as const) {
      const topic = `acks-${acks}`;
      await kafka.createTopic(topic);
      const producer = await openProducer(kafka.endpoint(), {
        clientId: "test",
        transactionalId: topic,
        acks,
        compression: "lz4",
      });
      await producer.prepare([{ name: topic }]);
      for (let n = 0; n < 1000; n++) producer.partition(topic, 0).append(1, undefined, slice(String(n)));
      await producer.commit({ groupId: topic, topic, partition: 0, offset: 77n, metadata: "here" });
      producer.close();
      const read = await readTopics(kafka, [topic]);
      expect(read.map(({ value }) => Number(value))).toEqual(Array.from({ length: 1000 }, (_, n) => n));
    }
  });
});
