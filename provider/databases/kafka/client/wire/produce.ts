import { WireWriter } from "./bytes.js";
import { Api, type WireCall } from "./call.js";

export interface PartitionBatch {
  readonly topic: string;
  readonly partition: number;
  /** A whole record batch, or several. */
  readonly bytes: Buffer;
}

export interface ProduceResult {
  readonly topic: string;
  readonly partition: number;
  /** Error number of the protocol, 0 when the batch is written. */
  readonly error: number;
  readonly message: string | undefined;
}

/**
 * Batches for partitions that one broker leads, one for each partition at the most. They go to the socket without being copied. Version 3 is the first
 * with transactions, 8 the last before lengths became varints. Without acks there are no results.
 */
export function produce(
  transactionalId: string | undefined,
  acks: -1 | 0 | 1,
  timeoutMs: number,
  batches: readonly PartitionBatch[],
): WireCall<readonly ProduceResult[]> {
  return {
    api: Api.produce,
    versions: [3, 8],
    ...(acks === 0 ? { unanswered: [] } : {}),
    body() {
      const topics = new Map<string, PartitionBatch[]>();
      for (const batch of batches) {
        const sameTopic = topics.get(batch.topic);
        if (sameTopic) sameTopic.push(batch);
        else topics.set(batch.topic, [batch]);
      }
      const parts: Buffer[] = [new WireWriter().string(transactionalId).int16(acks).int32(timeoutMs).int32(topics.size).finish()];
      for (const [topic, partitions] of topics) {
        parts.push(new WireWriter().string(topic).int32(partitions.length).finish());
        for (const { partition, bytes } of partitions) {
          parts.push(new WireWriter().int32(partition).int32(bytes.length).finish(), bytes);
        }
      }
      return parts;
    },
    read(reader, version) {
      const results = reader.array(() => {
        const topic = reader.string() ?? "";
        return reader.array(() => {
          const [partition, error] = [reader.int32(), reader.int16()];
          reader.int64();
          reader.int64();
          if (version >= 5) reader.int64();
          let message: string | undefined;
          if (version >= 8) {
            const records = reader.array(() => ({ index: reader.int32(), message: reader.string() }));
            message = reader.string() ?? records[0]?.message;
          }
          return { topic, partition, error, message };
        });
      });
      return results.flat();
    },
  };
}
