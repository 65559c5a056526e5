import { describe, expect, it } from "vitest";
import { PartitionQueue } from "../../../../provider/databases/kafka/client/partitionQueue.js";
import { openProducer } from "../../../../provider/databases/kafka/client/producer.js";
import { startKafka } from "../../../support/kafka/kafka.js";
import { describeKafka } from "../../../support/kafka/kafkaTests.js";
import { readTopics } from "../../../support/kafka/readTopic.js";
import { slice } from "./records.js";

function queueOf(batches: number): PartitionQueue {
  const queue = new PartitionQueue("topic", 0, {
    compressor: undefined,
    transactional: true,
    batchBytes: 1 << 20,
    identity: () => ({ id: 1n, epoch: 0 }),
    transaction: () => 0,
    held: () => undefined,
    ready: () => undefined,
  });
  for (let n = 0; n < batches; n++) {
    queue.append(1, undefined, slice(String(n)));
    queue.seal();
  }
  return queue;
}

/** Sends what may be sent, five batches at once; how many that were. */
function sendAll(queue: PartitionQueue): number {
  let sent = 0;
  for (; queue.next(0, 5); sent++) queue.take(1);
  return sent;
}

function answer(queue: PartitionQueue): void {
  const [first] = queue.sent;
  if (!first) throw new Error("nothing was sent");
  queue.unanswered--;
  queue.confirm(first);
}

describeKafka("topics that were just made", () => {
  it("take all batches of their first transaction, though their leaders may not know of them yet", async () => {
    const kafka = await startKafka();
    try {
      // With several batches at once from the beginning every second transaction broke.
      for (let n = 0; n < 20; n++) {
        const topic = `new-${n}`;
        await kafka.createTopic(topic, 6);
        const options = {
          clientId: "test",
          transactionalId: topic,
          acks: "all",
          compression: "lz4",
          batchBytes: 20_000,
        } as const;
        const producer = await openProducer(kafka.endpoint(), options);
        await producer.prepare([{ name: topic }]);
        for (let record = 0; record < 3000; record++)
          producer.partition(topic, record % 6).append(1, undefined, slice("x".repeat(400)));
        await producer.commit(undefined);
        producer.close();
      }
      const topics = Array.from({ length: 20 }, (_, n) => `new-${n}`);
      expect((await readTopics(kafka, topics)).length).toBe(60_000);
    } finally {
      await kafka.remove();
    }
  });
});

describe("batches of a partition", () => {
  it("go five at once, but the first of all goes alone until the broker has it", () => {
    const queue = queueOf(10);
    expect(sendAll(queue)).toBe(1);
    answer(queue);
    expect(sendAll(queue)).toBe(5);
    answer(queue);
    expect(sendAll(queue)).toBe(1);
  });

  it("go alone again after the first failed, and under another epoch", () => {
    const queue = queueOf(3);
    expect(sendAll(queue)).toBe(1);
    queue.unanswered--;
    queue.failed = true;
    expect(sendAll(queue)).toBe(0);
    queue.sendAgain();
    expect(sendAll(queue)).toBe(1);
    answer(queue);
    expect(sendAll(queue)).toBe(2);
    queue.reset();
    for (let n = 0; n < 3; n++) {
      queue.append(1, undefined, slice(String(n)));
      queue.seal();
    }
    expect(sendAll(queue)).toBe(1);
  });
});
