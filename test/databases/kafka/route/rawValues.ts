import { randomUUID } from "node:crypto";
import type { KafkaCluster } from "../../../support/kafka/kafka.js";

/** Values of the first so many committed records of a topic, as bytes. */
export async function rawValues(kafka: KafkaCluster, topic: string, count: number): Promise<Buffer[]> {
  const consumer = kafka.internal.consumer({ groupId: `raw-${randomUUID()}`, maxWaitTimeInMs: 100 });
  const values: Buffer[] = [];
  await consumer.connect();
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  await new Promise<void>((settle, fail) => {
    const timer = setTimeout(() => fail(new Error(`${values.length} of ${count} records came`)), 30_000);
    const run = consumer.run({
      eachMessage: async ({ message: { value } }) => {
        if (value) values.push(value);
        if (values.length !== count) return;
        clearTimeout(timer);
        settle();
      },
    });
    run.catch(fail);
  });
  await consumer.disconnect();
  return values;
}
