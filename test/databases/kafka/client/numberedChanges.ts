import { ClusterAdmin } from "../../../../provider/databases/kafka/client/clusterAdmin.js";
import type { KafkaEndpoint } from "../../../../provider/databases/kafka/client/kafkaEndpoint.js";
import { openProducer, type TransactionalProducer } from "../../../../provider/databases/kafka/client/producer.js";
import type { KafkaCluster } from "../../../support/kafka/kafka.js";
import { readTopics } from "../../../support/kafka/readTopic.js";
import { slice } from "./records.js";

export const TOPICS = ["changes-a", "changes-b", "changes-c"];
export const PARTITIONS = 4;
/** The retention of a topic goes by the timestamps: those of years ago would be deleted while the test runs. */
const BEGAN = Date.now();
const GROUP = "numbered";
/** Where the position is kept: any partition will do. */
const AT = { topic: TOPICS[0] ?? "", partition: 0 };

export interface Numbered {
  readonly endpoint: KafkaEndpoint;
  /** The change before which to end; endless when undefined. */
  readonly until?: number;
  /** Largest number of changes in a transaction. */
  readonly atMost: number;
}

/** A producer with the id that all writers of these changes share. */
export function openNumbered(endpoint: KafkaEndpoint): Promise<TransactionalProducer> {
  return openProducer(endpoint, {
    clientId: "test",
    transactionalId: "numbered",
    acks: "all",
    compression: "lz4",
    batchBytes: 4096,
  });
}

/**
 * Writes the changes 0, 1, 2 ... each to its own place among 3 topics of 4 partitions, in transactions of random size, from the position that is committed. What a
 * task does with a source's log, whose positions are the numbers.
 */
export async function writeNumbered(
  { endpoint, until = Number.POSITIVE_INFINITY, atMost }: Numbered,
  producer: TransactionalProducer,
  stopped = () => false,
): Promise<number> {
  await producer.prepare(TOPICS.map((name) => ({ name })));
  let position = await committed(endpoint);
  while (position < until && !stopped()) {
    const end = Math.min(until, position + 1 + Math.floor(Math.random() * atMost));
    for (; position < end; position++) {
      const { topic, partition } = placeOf(position);
      producer.partition(topic, partition).append(BEGAN + position, slice(`key ${partition}`), slice(String(position)));
    }
    await producer.commit({ groupId: GROUP, ...AT, offset: BigInt(position), metadata: `change ${position}` });
  }
  return position;
}

export async function committed(endpoint: KafkaEndpoint): Promise<number> {
  const admin = new ClusterAdmin(endpoint, "test");
  try {
    const { offset, metadata } = await admin.groupOffset(GROUP, AT.topic, AT.partition);
    if (offset >= 0n && metadata !== `change ${offset}`) throw new Error(`offset ${offset} came with "${metadata}"`);
    return offset < 0n ? 0 : Number(offset);
  } finally {
    await admin.close();
  }
}

/** What a consumer of committed records finds wrong: gaps, repeats and changes out of order, by place; empty when all of them up to `end` are there once. */
export async function problems(kafka: KafkaCluster, end: number): Promise<string[]> {
  const read = await readTopics(kafka, TOPICS);
  const expected = new Map<string, number[]>();
  for (let n = 0; n < end; n++) {
    const { topic, partition } = placeOf(n);
    const place = `${topic}/${partition}`;
    const numbers = expected.get(place);
    if (numbers) numbers.push(n);
    else expected.set(place, [n]);
  }
  const found: string[] = [];
  for (const [place, numbers] of expected) {
    const values = read.filter(({ topic, partition }) => `${topic}/${partition}` === place).map(({ value }) => Number(value));
    const wrong = Math.max(values.length, numbers.length) - 1;
    for (let at = 0; at <= wrong; at++) {
      if (values[at] === numbers[at]) continue;
      found.push(
        `${place}: ${values.length} records, expected ${numbers.length}; at ${at}: ${values[at]} instead of ${numbers[at]}`,
      );
      break;
    }
  }
  return found;
}

function placeOf(n: number): { topic: string; partition: number } {
  // Not the same distance in every place, so that a partition's numbers tell a swap of two of them.
  const place = (n * 7 + Math.floor(n / 100)) % (TOPICS.length * PARTITIONS);
  return { topic: TOPICS[place % TOPICS.length] ?? "", partition: Math.floor(place / TOPICS.length) };
}
