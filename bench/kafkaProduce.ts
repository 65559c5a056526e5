import { setImmediate as turn } from "node:timers/promises";
import { CompressionCodecs, CompressionTypes, Kafka, logLevel } from "kafkajs";
import { compressFrameSync } from "lz4-napi";
import { openProducer } from "../provider/databases/kafka/client/producer.js";
import { type KafkaCluster, startKafka } from "../test/support/kafka/kafka.js";
import { javaProblem } from "../test/support/kafka/mavenJars.js";
import { type Benchmark, inTurn, PeerUnavailable } from "./benchmark.js";
import { alone } from "./support/alone.js";

const RECORDS = 600_000;
const PARTITIONS = 12;
const TRANSACTION = 60_000;
const TOPIC = "produced";

/**
 * 600,000 records of some 240 bytes (canal-json of a row with 6 columns) into 12 partitions of one broker: lz4, acks all, in transactions of 60,000 with an
 * offset each. The records are ready: what is measured is getting them into batches and to the broker.
 *
 * Measured on 2 cores beside the broker, others working on them too: ours 0.73 to 0.80 s of CPU and 4.1 to 6.1 s of time, kafkajs 6.9 to 8.4 s of CPU and 21 to
 * 44 s, a ratio of 6.5. On a quieter minute ours made 640,000 to 850,000 records a second, kafkajs 89,000. \@platformatic/kafka 1.35 took 1.9 s of CPU for the same
 * records without transactions; its transactions are not ours to use (see producer.ts).
 */
export function kafkaProduce(): Benchmark {
  let cluster: Promise<KafkaCluster> | undefined;
  const records = makeRecords();
  return {
    name: "kafka-produce",
    peerName: "kafkajs",
    unit: "s",
    async run(pairIndex) {
      const problem = javaProblem();
      if (problem) throw new PeerUnavailable(problem);
      cluster ??= start();
      const kafka = await cluster;
      return inTurn(pairIndex, {
        ours: () => measured("godwit", () => produceOurs(kafka, records)),
        peer: () => measured("kafkajs", () => produceByKafkajs(kafka, records)),
      });
    },
    async close() {
      await (await cluster?.catch(() => undefined))?.remove();
    },
  };
}

interface Row {
  readonly key: Buffer;
  readonly value: Buffer;
}

async function start(): Promise<KafkaCluster> {
  const kafka = await startKafka({ optimized: true, heapMegabytes: 512, name: "bench-kafka" });
  await kafka.createTopic(TOPIC, PARTITIONS);
  return kafka;
}

async function produceOurs(kafka: KafkaCluster, rows: readonly Row[]): Promise<void> {
  const options = { clientId: "bench", transactionalId: "bench-ours", acks: "all", compression: "lz4" } as const;
  const producer = await openProducer(kafka.endpoint(), options);
  await producer.prepare([{ name: TOPIC }]);
  const writers = Array.from({ length: PARTITIONS }, (_, partition) => producer.partition(TOPIC, partition));
  const now = Date.now();
  for (let n = 0; n < RECORDS; n++) {
    const { key, value } = at(rows, n % rows.length);
    at(writers, n % PARTITIONS).append(now, whole(key), whole(value));
    if (n % 1000 === 999) {
      await producer.full();
      // A source's stream gives the event loop its turns; a loop like this would keep answers from being read.
      await turn();
    }
    if (n % TRANSACTION === TRANSACTION - 1) await producer.commit(offset("bench-ours", n));
  }
  producer.close();
}

async function produceByKafkajs(kafka: KafkaCluster, rows: readonly Row[]): Promise<void> {
  CompressionCodecs[CompressionTypes.LZ4] = () => ({
    compress: (encoder: { buffer: Buffer }) => Promise.resolve(compressFrameSync(encoder.buffer)),
    decompress: () => Promise.reject(new Error("only for writing")),
  });
  const client = new Kafka({ brokers: [...kafka.hosts], logLevel: logLevel.ERROR, clientId: "bench" });
  const producer = client.producer({ transactionalId: "bench-kafkajs", idempotent: true, maxInFlightRequests: 5 });
  await producer.connect();
  const timestamp = String(Date.now());
  for (let n = 0; n < RECORDS; ) {
    const transaction = await producer.transaction();
    for (const end = n + TRANSACTION; n < end; ) {
      const messages = [];
      for (const sent = n + 12_000; n < sent; n++) {
        messages.push({ ...at(rows, n % rows.length), partition: n % PARTITIONS, timestamp });
      }
      await transaction.send({ topic: TOPIC, messages, compression: CompressionTypes.LZ4 });
    }
    const topics = [{ topic: TOPIC, partitions: [{ partition: 0, offset: String(n) }] }];
    await transaction.sendOffsets({ consumerGroupId: "bench-kafkajs", topics });
    await transaction.commit();
  }
  await producer.disconnect();
}

async function measured(name: string, work: () => Promise<void>): Promise<number> {
  const before = process.cpuUsage();
  const began = process.hrtime.bigint();
  await work();
  const seconds = Number(process.hrtime.bigint() - began) / 1e9;
  const { user, system } = process.cpuUsage(before);
  const rate = Math.round(RECORDS / seconds).toLocaleString("en");
  console.error(`  ${name}: ${rate} records a second, ${((user + system) / 1e6).toFixed(2)} s of CPU`);
  return seconds;
}

function makeRecords(): Row[] {
  return Array.from({ length: 20_000 }, (_, id) => {
    const row = {
      data: [
        {
          id: String(id),
          owner: `owner ${id}`,
          balance: (id / 7).toFixed(2),
          visits: String(id % 13),
          note: "n".repeat(id % 60),
          updated: new Date(1.7e12 + id * 1000),
        },
      ],
      type: "INSERT",
      database: "bank",
      table: "account",
      es: 1.7e12 + id,
      pkNames: ["id"],
    };
    return { key: Buffer.from(String(id)), value: Buffer.from(JSON.stringify(row)) };
  });
}

function whole(bytes: Buffer) {
  return { bytes, start: 0, end: bytes.length };
}

function offset(groupId: string, n: number) {
  return { groupId, topic: TOPIC, partition: 0, offset: BigInt(n), metadata: "" };
}

function at<T>(values: readonly T[], index: number): T {
  const value = values[index];
  if (value === undefined) throw new RangeError(`nothing at ${index}`);
  return value;
}

if (require.main === module) void alone(kafkaProduce());
