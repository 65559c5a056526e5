import { spawn } from "node:child_process";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { ErrorCode, GodwitError } from "../../../../provider/engine/errors.js";
import { type KafkaCluster, startKafka } from "../../../support/kafka/kafka.js";
import { describeKafka } from "../../../support/kafka/kafkaTests.js";
import { REPOSITORY } from "../../../support/pulumiProject.js";
import { committed, type Numbered, openNumbered, PARTITIONS, problems, TOPICS, writeNumbered } from "./numberedChanges.js";

describeKafka("a consumer of committed records sees every change once and in order", () => {
  let kafka: KafkaCluster;
  beforeAll(async () => {
    kafka = await startKafka();
    for (const topic of TOPICS) await kafka.createTopic(topic, PARTITIONS);
  });
  afterAll(() => kafka?.remove());

  it("when the writing process is killed at 20 random moments", async () => {
    const kills = 20;
    for (let kill = 0; kill < kills; kill++) {
      const writer = startWriter({ endpoint: kafka.endpoint(), atMost: 500 });
      await writer.writing;
      await sleep(Math.random() * 500);
      writer.kill();
      await writer.ended;
    }
    const end = (await committed(kafka.endpoint())) + 1000;
    const last = startWriter({ endpoint: kafka.endpoint(), until: end, atMost: 500 });
    expect(await last.ended).toBe(0);
    expect(await committed(kafka.endpoint())).toBe(end);
    // Otherwise the kills hit nothing.
    expect(end).toBeGreaterThan(kills * 500);
    expect(await problems(kafka, end)).toEqual([]);
  });

  it("when a second producer takes over while the first is in the middle of a transaction", async () => {
    const first = await openNumbered(kafka.endpoint());
    let goOn = true;
    const fenced = writeNumbered({ endpoint: kafka.endpoint(), atMost: 500 }, first, () => !goOn).then(
      () => undefined,
      (cause: unknown) => cause,
    );
    await sleep(500);
    const second = await openNumbered(kafka.endpoint());
    const end = (await committed(kafka.endpoint())) + 20_000;
    await writeNumbered({ endpoint: kafka.endpoint(), until: end, atMost: 500 }, second);
    const error = await fenced;
    goOn = false;
    expect(error).toBeInstanceOf(GodwitError);
    expect((error as GodwitError).code).toBe(ErrorCode.ProducerFenced);
    // What fenced it stays: nothing that it still has may go out.
    await expect(first.abort()).rejects.toThrow("GW1924");
    await expect(first.commit(undefined)).rejects.toThrow("GW1924");
    first.close();
    second.close();
    expect(await problems(kafka, end)).toEqual([]);
  });

  it("when transactions are given up in the middle", async () => {
    const producer = await openNumbered(kafka.endpoint());
    for (let round = 0; round < 5; round++) {
      const end = (await committed(kafka.endpoint())) + 2000;
      await writeNumbered({ endpoint: kafka.endpoint(), until: end, atMost: 500 }, producer);
      for (let n = 0; n < 3000; n++) {
        const bytes = Buffer.from("given up");
        producer.partition(TOPICS[n % 3] ?? "", n % PARTITIONS).append(1, undefined, { bytes, start: 0, end: bytes.length });
      }
      if (round % 2 === 0) await producer.flush();
      await producer.abort();
    }
    producer.close();
    expect(await problems(kafka, await committed(kafka.endpoint()))).toEqual([]);
  });
});

describeKafka("three brokers, of which one is killed again and again", () => {
  let kafka: KafkaCluster;
  beforeAll(async () => {
    kafka = await startKafka({ brokers: 3 });
    for (const topic of TOPICS) await kafka.createTopic(topic, PARTITIONS);
  });
  afterAll(() => kafka?.remove());

  it("take every change once and in order", async () => {
    const endpoint = kafka.endpoint();
    const producer = await openNumbered(endpoint);
    let stopped = false;
    const restarts: string[] = [];
    const writing = (async () => {
      while (!stopped) {
        try {
          await writeNumbered({ endpoint, atMost: 500 }, producer, () => stopped);
        } catch (cause) {
          restarts.push(String(cause));
          if (!(cause instanceof GodwitError) || cause.code === ErrorCode.ProducerFenced) throw cause;
          await producer.abort();
        }
      }
    })();
    const begun = await committed(endpoint);
    for (let round = 0; round < 4; round++) {
      const broker = kafka.brokers[Math.floor(Math.random() * 3)];
      if (!broker) throw new Error("no broker");
      await sleep(Math.random() * 2000);
      await broker.kill9();
      await sleep(Math.random() * 5000);
      await broker.start();
    }
    stopped = true;
    await writing;
    producer.close();
    const end = await committed(endpoint);
    expect(end).toBeGreaterThan(begun + 1000);
    expect(await problems(kafka, end)).toEqual([]);
    // A broker that goes is no reason to begin a transaction again: batches are sent again where they belong.
    expect(restarts).toEqual([]);
  });
});

function startWriter(task: Numbered): { writing: Promise<void>; ended: Promise<number | null>; kill(): void } {
  const script = join(REPOSITORY, "test/databases/kafka/client/numberedWriter.ts");
  const child = spawn(process.execPath, ["--import", "tsx", script], { cwd: REPOSITORY, stdio: ["pipe", "pipe", "inherit"] });
  const ended = new Promise<number | null>((settle, fail) => child.once("error", fail).once("close", settle));
  const writing = new Promise<void>((settle, fail) => {
    child.stdout.once("data", () => settle());
    child.once("close", (code) => fail(new Error(`the writer ended with ${code} before it wrote`)));
  });
  // A writer that is only waited for to end may fail before it writes: its exit code tells.
  writing.catch(() => undefined);
  child.stdin.end(JSON.stringify(task));
  return { writing, ended, kill: () => void child.kill("SIGKILL") };
}
