import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { ErrorCode, GodwitError } from "../../../../provider/engine/errors.js";
import { compareDatabases } from "../../../support/compareTables.js";
import { type KafkaCluster, startKafka } from "../../../support/kafka/kafka.js";
import { KAFKA_3_VERSION, KAFKA_4_VERSION } from "../../../support/kafka/kafkaJars.js";
import { describeKafka } from "../../../support/kafka/kafkaTests.js";
import { killProcess } from "../../../support/kill.js";
import { type PostgresServer, startPostgres } from "../../../support/postgres.js";
import { startWriters } from "../../../support/writers.js";
import { committed, openNumbered, PARTITIONS, problems, TOPICS, writeNumbered } from "../client/numberedChanges.js";
import { createKafkaTask, discard, type KafkaTask } from "./kafkaTask.js";
import { insertReplayed, replay } from "./replay.js";

const TABLE = "CREATE TABLE t (id integer PRIMARY KEY, body text, amount numeric(12,2), more jsonb)";

/** Brokers before 3.5 know no SCRAM without ZooKeeper. */
const VERSIONS = [
  { version: KAFKA_3_VERSION, users: [], mechanism: undefined },
  { version: KAFKA_4_VERSION, users: ["alice"], mechanism: "scram-sha-512" },
] as const;

for (const { version, users, mechanism } of VERSIONS)
  describeKafka(`brokers of Kafka ${version}`, () => {
    let source: PostgresServer;
    let kafka: KafkaCluster;
    let task: KafkaTask | undefined;
    beforeAll(async () => {
      [source, kafka] = await Promise.all([
        startPostgres({ major: 18 }),
        startKafka({ version, ...(mechanism ? { users } : {}) }),
      ]);
    });
    afterAll(() => Promise.all([source?.remove(), kafka?.remove()]));
    afterEach(async () => {
      if (task) await discard(task);
    });

    const endpoint = () => (mechanism ? { ...kafka.endpoint(users[0]), kafka: { saslMechanism: mechanism } } : kafka.endpoint());

    it("have a task's rows and changes once and in order, its worker killed again and again, and nothing of it after a destroy", async () => {
      task = await createKafkaTask(source, kafka, { target: endpoint() });
      await task.sql(
        `${TABLE}; INSERT INTO t SELECT g, 'b' || g, g / 7.0, jsonb_build_object('n', g) FROM generate_series(1, 5000) g`,
      );
      const tables = [{ name: "t", key: "id" }];
      await task.up();
      const writers = await startWriters(source.clientConfig(task.name), { tables, writers: 4, maxChanges: 20_000 });
      for (let kill = 0; kill < 4; kill++) {
        await sleep(500 + Math.random() * 1500);
        await killProcess(task.home, "worker");
      }
      await writers.done;
      await task.level(120);
      const replayed = replay(await task.records(`${task.name}.public.t`));
      expect(replayed.faults.slice(0, 10)).toEqual([]);
      const copy = `${task.name}_copy`;
      await source.createDatabase(copy);
      await source.query(TABLE, undefined, copy);
      await insertReplayed(source, copy, replayed);
      const compared = await compareDatabases(source.clientConfig(task.name), source.clientConfig(copy), { schemas: ["public"] });
      expect(compared.differences).toEqual([]);
      await task.destroy();
      expect(await task.leftovers()).toEqual([]);
    }, 240_000);

    it("refuse a producer that another one of its id has taken over from, and let the other go on", async () => {
      const to = endpoint();
      for (const topic of TOPICS) await kafka.createTopic(topic, PARTITIONS);
      const first = await openNumbered(to);
      const fenced = writeNumbered({ endpoint: to, atMost: 500 }, first).catch((cause: unknown) => cause);
      await sleep(500);
      const second = await openNumbered(to);
      const end = (await committed(to)) + 5000;
      await writeNumbered({ endpoint: to, until: end, atMost: 500 }, second);
      const error = await fenced;
      expect(error).toBeInstanceOf(GodwitError);
      expect((error as GodwitError).code).toBe(ErrorCode.ProducerFenced);
      // What is given up in the middle is seen by nobody, and its id goes on.
      second.partition(TOPICS[0] ?? "", 0).append(Date.now(), undefined, { bytes: Buffer.from("given up"), start: 0, end: 8 });
      await second.flush();
      await second.abort();
      await writeNumbered({ endpoint: to, until: end + 1000, atMost: 500 }, second);
      first.close();
      second.close();
      expect(await problems(kafka, end + 1000)).toEqual([]);
    }, 120_000);
  });
