import { CompressionCodecs, CompressionTypes, Kafka, logLevel } from "kafkajs";
import { decompressFrameSync } from "lz4-napi";

/**
 * Prints what arrives, a line a record: `npx tsx consumer.ts localhost:9092 shop.shop.customer orders-by-customer`.
 * A consumer sees every change once because it reads committed records only (kafkajs's default; in Java isolation.level=read_committed) and
 * because its own offsets are committed after its work.
 */
async function main([brokers = "localhost:9092", ...topics]: string[]): Promise<void> {
  // kafkajs brings gzip only; records come in lz4 unless kafka.compression says otherwise.
  CompressionCodecs[CompressionTypes.LZ4] = () => ({
    compress: () => Promise.reject(new Error("this consumer only reads")),
    decompress: (bytes: Buffer) => Promise.resolve(decompressFrameSync(bytes)),
  });
  const kafka = new Kafka({ clientId: "example", brokers: brokers.split(","), logLevel: logLevel.ERROR });
  const consumer = kafka.consumer({ groupId: "example-consumer", readUncommitted: false });
  process.once("SIGTERM", () => void consumer.disconnect());
  process.once("SIGINT", () => void consumer.disconnect());
  await consumer.connect();
  await consumer.subscribe({ topics, fromBeginning: true });
  await consumer.run({
    async eachMessage({ topic, partition, message }) {
      const record = JSON.parse(String(message.value)) as CanalRecord;
      const what = record.isDdl ? record.sql : JSON.stringify(record.data?.[0]);
      const before = record.old?.[0] && Object.keys(record.old[0]).length > 0 ? ` was ${JSON.stringify(record.old[0])}` : "";
      console.log(`${topic}/${partition} ${record.type} ${record.schema}.${record.table} ${what}${before}`);
    },
  });
}

/** docs/kafka-formats.md tells each field. */
interface CanalRecord {
  readonly type: "INIT" | "INSERT" | "UPDATE" | "DELETE" | "DDL";
  readonly isDdl: boolean;
  readonly schema: string;
  readonly table: string;
  readonly sql: string;
  readonly data?: readonly Readonly<Record<string, string | null>>[];
  readonly old?: readonly Readonly<Record<string, string | null>>[];
}

void main(process.argv.slice(2));
