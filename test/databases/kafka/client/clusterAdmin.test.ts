import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { ClusterAdmin } from "../../../../provider/databases/kafka/client/clusterAdmin.js";
import { openProducer, type TransactionalProducer } from "../../../../provider/databases/kafka/client/producer.js";
import { kafkaVersion, readKafkaFacts } from "../../../../provider/databases/kafka/serverFacts.js";
import { type KafkaCluster, startKafka } from "../../../support/kafka/kafka.js";
import { describeKafka } from "../../../support/kafka/kafkaTests.js";
import { readTopics } from "../../../support/kafka/readTopic.js";
import { slice } from "./records.js";

describeKafka("a cluster's topics, groups and facts", () => {
  let kafka: KafkaCluster;
  let admin: ClusterAdmin;
  beforeAll(async () => {
    kafka = await startKafka({ settings: { "transaction.abort.timed.out.transaction.cleanup.interval.ms": "500" } });
    admin = new ClusterAdmin(kafka.endpoint(), "test");
  });
  afterAll(async () => {
    await admin?.close();
    await kafka?.remove();
  });

  const open = (transactionalId: string): Promise<TransactionalProducer> =>
    openProducer(kafka.endpoint(), { clientId: "test", transactionalId, acks: "all", compression: "lz4" });

  it("tell version and cluster id, the same each time", async () => {
    const facts = await readKafkaFacts(kafka.endpoint(), "test");
    expect(facts).toEqual({ serverVersion: "3.9", serverId: kafka.clusterId, encoding: "", timeZone: "", superuser: false });
    expect(kafkaVersion({ metadataLevel: undefined, fetchVersion: 12 })).toBe("2.7 to 3.0");
    expect(kafkaVersion({ metadataLevel: 99, fetchVersion: 99 })).toMatch(/newer than 4/);
  });

  it("create topics with what is asked for, once, and refuse what can't be", async () => {
    const settings = { "max.message.bytes": "2000000" };
    expect(await admin.createTopic({ name: "three", partitions: 3, replicationFactor: 1, settings })).toBe(true);
    expect(await admin.createTopic({ name: "three", partitions: 5 })).toBe(false);
    expect(await admin.createTopic({ name: "default" })).toBe(true);
    expect(await admin.topics(["three", "default", "missing"])).toEqual(
      expect.arrayContaining([
        { name: "three", partitions: 3, replicationFactor: 1, maxMessageBytes: 2_000_000, minInsyncReplicas: 1 },
        { name: "default", partitions: 1, replicationFactor: 1, maxMessageBytes: 1_048_588, minInsyncReplicas: 1 },
      ]),
    );
    expect(await admin.topics(["missing"])).toEqual([]);
    expect(await admin.topicRefusal({ name: "two-copies", replicationFactor: 2 })).toMatch(/GW2005: .*replication/is);
    await expect(admin.createTopic({ name: "two-copies", replicationFactor: 2 })).rejects.toThrow(/GW2005: .*replication/is);
    await expect(admin.createTopic({ name: "no/name" })).rejects.toThrow(/GW2005/);
    expect(await admin.topicRefusal({ name: "possible", partitions: 2 })).toBeUndefined();
    expect(await admin.topics(["two-copies", "possible"])).toEqual([]);
  });

  it("keep a group's position as a whole int64 with its text, and forget it with the group", async () => {
    await kafka.createTopic("position", 2);
    const offset = 9_223_372_036_854_775_000n;
    expect((await admin.groupOffset("task-1", "position", 1)).offset).toBe(-1n);
    const producer = await open("task-1");
    await producer.prepare([{ name: "position" }]);
    await producer.commit({ groupId: "task-1", topic: "position", partition: 1, offset, metadata: "0/16B3748 ä" });
    producer.close();
    expect(await admin.groupOffset("task-1", "position", 1)).toEqual({ offset, metadata: "0/16B3748 ä" });
    expect((await admin.groupOffset("task-1", "position", 0)).offset).toBe(-1n);
    expect(await admin.deleteGroup("task-1")).toBe(true);
    expect(await admin.deleteGroup("task-1")).toBe(false);
    expect((await admin.groupOffset("task-1", "position", 1)).offset).toBe(-1n);
  });

  it("name the record that a topic does not take, and go on after it was given up", async () => {
    await kafka.createTopic("small", 1, { "max.message.bytes": "10000" });
    const producer = await open("small");
    const [topic] = await admin.topics(["small"]);
    await producer.prepare([{ name: "small", maxMessageBytes: topic?.maxMessageBytes ?? 0 }]);
    const writer = producer.partition("small", 0);
    // Together they would not fit, and noise can't be made small.
    const noise = (size: number) => slice(randomBytes(size).toString("base64").slice(0, size));
    for (let n = 0; n < 20; n++) writer.append(Date.now(), slice(`key ${n}`), noise(4000));
    await producer.commit(undefined);
    writer.append(Date.now(), slice("key of the large row"), noise(30_000));
    await expect(producer.commit(undefined)).rejects.toThrow(
      /GW2004: .*the record with key "key of the large row" takes \d{5} bytes.*topic small partition 0.*max\.message\.bytes/s,
    );
    await producer.abort();
    writer.append(Date.now(), slice("after"), slice("small enough"));
    await producer.commit(undefined);
    producer.close();
    expect((await readTopics(kafka, ["small"])).map(({ key }) => key)).toEqual([
      ...Array.from({ length: 20 }, (_, n) => `key ${n}`),
      "after",
    ]);
  });

  it("name the topic or partition that is missing", async () => {
    const producer = await open("missing");
    await expect(producer.prepare([{ name: "nowhere" }])).rejects.toThrow(/GW2002: .*topic nowhere/s);
    await kafka.createTopic("two", 2);
    await producer.prepare([{ name: "two" }]);
    expect(() => producer.partition("two", 2)).toThrow(/GW2002: topic "two" has 2 partitions/);
    producer.close();
  });

  it("end a transaction that stays open too long, and say so to its producer", async () => {
    await kafka.createTopic("slow");
    const options = {
      clientId: "test",
      transactionalId: "slow",
      acks: "all",
      compression: "lz4",
      transactionSeconds: 1,
    } as const;
    const producer = await openProducer(kafka.endpoint(), options);
    await producer.prepare([{ name: "slow" }]);
    producer.partition("slow", 0).append(Date.now(), slice("key"), slice("never seen"));
    await producer.flush();
    await sleep(3000);
    await expect(producer.commit(undefined)).rejects.toThrow(/GW1924: .*timed out/s);
    producer.close();
    const next = await openProducer(kafka.endpoint(), options);
    await next.prepare([{ name: "slow" }]);
    next.partition("slow", 0).append(Date.now(), slice("key"), slice("seen"));
    await next.commit(undefined);
    next.close();
    expect(await readTopics(kafka, ["slow"])).toMatchObject([{ value: "seen" }]);
  });

  it("make a producer wait for memory rather than take all there is", async () => {
    await kafka.createTopic("wide", 8);
    const producer = await openProducer(kafka.endpoint(), {
      clientId: "test",
      transactionalId: "wide",
      acks: "all",
      compression: "none",
      bufferBytes: 1_000_000,
    });
    await producer.prepare([{ name: "wide" }]);
    const value = slice("v".repeat(10_000));
    let waits = 0;
    for (let n = 0; n < 3000; n++) {
      producer.partition("wide", n % 8).append(Date.now(), slice(String(n)), value);
      const full = producer.full();
      if (!full) continue;
      waits++;
      await full;
    }
    await producer.commit(undefined);
    producer.close();
    expect(waits).toBeGreaterThan(10);
    expect(await readTopics(kafka, ["wide"])).toHaveLength(3000);
  });

  it("are waited for when they are away for a moment, and given up with a reason when they stay away", async () => {
    await kafka.createTopic("patient");
    const producer = await open("patient");
    await producer.prepare([{ name: "patient" }]);
    const writer = producer.partition("patient", 0);
    const [broker] = kafka.brokers;
    await broker?.kill9();
    writer.append(Date.now(), slice("key"), slice("written while nobody was there"));
    const committed = producer.commit({ groupId: "patient", topic: "patient", partition: 0, offset: 1n, metadata: "" });
    await broker?.start();
    await committed;
    producer.close();
    expect(await readTopics(kafka, ["patient"])).toMatchObject([{ value: "written while nobody was there" }]);

    const hasty = await openProducer(kafka.endpoint(), {
      clientId: "test",
      transactionalId: "hasty",
      acks: "all",
      compression: "lz4",
      patienceMs: 2000,
    });
    await hasty.prepare([{ name: "patient" }]);
    await broker?.kill9();
    hasty.partition("patient", 0).append(Date.now(), slice("key"), slice("never seen"));
    await expect(hasty.commit(undefined)).rejects.toThrow(/GW11(01|07)/);
    hasty.close();
    await broker?.start();
  });
});
