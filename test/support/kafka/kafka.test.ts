import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { REPOSITORY } from "../pulumiProject.js";
import { isRunning } from "../serverProcess.js";
import { type KafkaCluster, startKafka } from "./kafka.js";
import { describeKafka } from "./kafkaTests.js";
import { readTopics } from "./readTopic.js";

describeKafka("a Kafka cluster for tests", () => {
  let kafka: KafkaCluster;
  beforeAll(async () => {
    kafka = await startKafka();
  });
  afterAll(() => kafka?.remove());

  it("keeps what it confirmed when a broker is killed, and is the same cluster afterwards", async () => {
    await kafka.createTopic("kept", 2, { "max.message.bytes": "5000" });
    const producer = kafka.internal.producer();
    await producer.connect();
    await producer.send({ topic: "kept", acks: -1, messages: [{ key: "a", value: "1", partition: 1 }] });
    await producer.disconnect();
    const [broker] = kafka.brokers;
    const before = broker?.pid();
    await broker?.kill9();
    expect(broker?.running).toBe(false);
    expect(() => broker?.pid()).toThrow("broker-1 is down");
    await broker?.start();
    expect(broker?.pid()).not.toBe(before);
    expect(await readTopics(kafka, ["kept"])).toMatchObject([{ topic: "kept", partition: 1, key: "a", value: "1" }]);
    const admin = kafka.internal.admin();
    await admin.connect();
    expect((await admin.describeCluster()).clusterId).toBe(kafka.clusterId);
    await admin.disconnect();
  });

  it("ends and leaves no folder when the process that started it is killed", async () => {
    const home = await mkdtemp(join(tmpdir(), "godwit-orphan-"));
    const support = JSON.stringify(join(REPOSITORY, "test/support/kafka/kafka.js"));
    await writeFile(
      join(home, "orphan.ts"),
      `import { startKafka } from ${support};
      startKafka().then(({ folder, brokers }) => {
        console.log(JSON.stringify({ folder, pid: brokers[0]?.pid() }));
        setInterval(() => undefined, 1000);
      });`,
    );
    const loader = join(REPOSITORY, "node_modules/tsx/dist/loader.mjs");
    const owner = spawn(process.execPath, ["--import", loader, join(home, "orphan.ts")], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [line] = (await once(owner.stdout, "data")) as [Buffer];
    const { folder, pid } = JSON.parse(line.toString()) as { folder: string; pid: number };
    expect(existsSync(folder)).toBe(true);
    expect(await isRunning(pid)).toBe(true);
    owner.kill("SIGKILL");
    await expect.poll(() => existsSync(folder), { timeout: 60_000 }).toBe(false);
    expect(await isRunning(pid)).toBe(false);
    await rm(home, { recursive: true });
  });
});
