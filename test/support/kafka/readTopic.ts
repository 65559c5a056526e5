import { randomUUID } from "node:crypto";
import { CompressionCodecs, CompressionTypes } from "kafkajs";
import { decompressFrameSync } from "lz4-napi";
import { uncompress } from "snappyjs";
import type { KafkaCluster } from "./kafka.js";
import { logEnds } from "./logEnds.js";

export interface ReadRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: bigint;
  readonly timestamp: number;
  readonly key: string | undefined;
  readonly value: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
}

// kafkajs decompresses gzip by itself only.
CompressionCodecs[CompressionTypes.LZ4] = () => ({
  compress: () => Promise.reject(new Error("only for reading")),
  decompress: (bytes: Buffer) => Promise.resolve(decompressFrameSync(bytes)),
});
CompressionCodecs[CompressionTypes.Snappy] = () => ({
  compress: () => Promise.reject(new Error("only for reading")),
  decompress: (bytes: Buffer) => Promise.resolve(unframeSnappy(bytes)),
});

/**
 * Every record of the topics that a consumer with isolation.level=read_committed sees up to the ends of their logs as they are now, in the order of each
 * partition. What an open transaction holds is waited for.
 */
export async function readTopics(
  { internal: kafka, internalHosts }: KafkaCluster,
  topics: readonly string[],
): Promise<ReadRecord[]> {
  const ends = await logEnds(internalHosts, topics);
  const records: ReadRecord[] = [];
  if (ends.size === 0) return records;
  const groupId = `reader-${randomUUID()}`;
  const consumer = kafka.consumer({ groupId, readUncommitted: false, maxWaitTimeInMs: 100 });
  await consumer.connect();
  await consumer.subscribe({ topics: [...topics], fromBeginning: true });
  await new Promise<void>((settle, fail) => {
    consumer.on(consumer.events.CRASH, ({ payload }) => fail(payload.error));
    // A batch of aborted records or of control records alone comes without any: its last offset tells how far the consumer is.
    consumer.on(consumer.events.END_BATCH_PROCESS, ({ payload: { topic, partition, lastOffset } }) => {
      const end = ends.get(`${topic}/${partition}`);
      // The marker that ends a transaction is the last thing in a log, and no record of its batch.
      if (end !== undefined && BigInt(lastOffset) >= end - 1n) ends.delete(`${topic}/${partition}`);
      if (ends.size === 0) settle();
    });
    const run = consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: true,
      eachBatch: async ({ batch: { topic, partition, messages } }) => {
        for (const { offset, timestamp, key, value, headers = {} } of messages) {
          records.push({
            topic,
            partition,
            offset: BigInt(offset),
            timestamp: Number(timestamp),
            key: key?.toString(),
            value: value?.toString(),
            headers: Object.fromEntries(Object.entries(headers).map(([name, content]) => [name, String(content)])),
          });
        }
      },
    });
    run.catch(fail);
  });
  await consumer.disconnect();
  return records;
}

/** snappy-java's stream: 16 bytes of header, then blocks behind their lengths. */
function unframeSnappy(bytes: Buffer): Buffer {
  const blocks: Buffer[] = [];
  for (let at = 16; at < bytes.length; ) {
    const size = bytes.readInt32BE(at);
    blocks.push(uncompress(bytes.subarray(at + 4, at + 4 + size)));
    at += 4 + size;
  }
  return Buffer.concat(blocks);
}
