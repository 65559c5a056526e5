import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { ClusterAdmin } from "../../../../provider/databases/kafka/client/clusterAdmin.js";
import { createTlsFixture, type TlsFixture } from "../../../support/certificates.js";
import { allow } from "../../../support/kafka/acls.js";
import { type KafkaCluster, startKafka } from "../../../support/kafka/kafka.js";
import { describeKafka } from "../../../support/kafka/kafkaTests.js";
import { type PostgresServer, startPostgres } from "../../../support/postgres.js";
import { canal, createKafkaTask, discard, type KafkaTask } from "./kafkaTask.js";

const USER = "alice";

describeKafka("three brokers that want a client certificate, a password and an ACL for everything", () => {
  let source: PostgresServer;
  let kafka: KafkaCluster;
  let tls: TlsFixture;
  let task: KafkaTask;
  beforeAll(async () => {
    tls = await createTlsFixture(USER);
    [source, kafka] = await Promise.all([
      startPostgres({ major: 17 }),
      startKafka({
        brokers: 3,
        users: [USER],
        authorizer: true,
        tls: { server: tls.server.good, ca: tls.ca, requireClientCertificate: true },
      }),
    ]);
  });
  afterAll(() => Promise.all([source?.remove(), kafka?.remove()]));
  afterEach(() => discard(task));

  const target = () => ({
    ...kafka.endpoint(USER),
    ssl: { ca: tls.ca, clientCertificate: tls.client.good.certificate, clientKey: tls.client.good.key },
    kafka: { saslMechanism: "scram-sha-512" as const },
  });
  const fresh = async () => {
    task = await createKafkaTask(source, kafka, {
      target: target(),
      objects: [{ schema: "public", tables: [{ name: "t" }, { name: "few", partitions: 2, replicationFactor: 2 }] }],
      kafka: { createTopics: { partitions: 4, replicationFactor: 3 } },
    });
    await task.sql(`CREATE TABLE t (id integer PRIMARY KEY, body text); INSERT INTO t SELECT g, 'x' FROM generate_series(1, 500) g;
      CREATE TABLE few (id integer PRIMARY KEY); INSERT INTO few VALUES (1)`);
  };

  /** Whether each broker lets the user see a topic of that name. */
  const readable = (name: string) =>
    Promise.all(
      kafka.hosts.map(async (host) => {
        const admin = new ClusterAdmin({ ...target(), hosts: [host] }, "test");
        try {
          await admin.topics([name]);
          return true;
        } catch {
          return false;
        } finally {
          await admin.close();
        }
      }),
    );

  it("name what is missing before the task begins", async () => {
    await fresh();
    await kafka.createTopic(`${task.name}.public.t`, 4);
    await allow(kafka.internal, [
      { user: USER, resource: "topic", name: `${task.name}.public`, prefix: true, operations: ["describe"] },
    ]);
    await expect.poll(() => readable(`${task.name}.public.t`), { timeout: 60_000 }).toEqual([true, true, true]);
    const failed = await task.up().catch((cause: Error) => cause.message);
    expect(failed).toMatch(/targetWriteRights: the user may not write to task_\S+\.public\.t/);
    expect(failed).toMatch(/targetGroupRights: the user may not use consumer group godwit_/);
    expect(failed).toMatch(/targetTopicCreation: "task_\S+\.public\.few": .*may not/);
    expect(await task.leftovers()).toEqual([]);
  });

  it("have everything with the ACLs that the documentation names, one broker down, and nothing after a destroy", async () => {
    await fresh();
    await allow(kafka.internal, [
      {
        user: USER,
        resource: "topic",
        name: `${task.name}.public`,
        prefix: true,
        operations: ["write", "read", "describe", "describeConfigs", "create"],
      },
      { user: USER, resource: "transactionalId", name: "godwit_", prefix: true, operations: ["write", "describe"] },
      { user: USER, resource: "group", name: "godwit_", prefix: true, operations: ["read", "describe", "delete"] },
    ]);
    // ACLs reach the brokers one after the other.
    await expect.poll(() => readable(`${task.name}.public.t`), { timeout: 60_000 }).toEqual([true, true, true]);
    await task.up();
    const topic = (table: string) => `${task.name}.public.${table}`;
    const admin = new ClusterAdmin(target(), "test");
    expect(await admin.topics([topic("t"), topic("few")])).toMatchObject([
      { partitions: 4, replicationFactor: 3 },
      { partitions: 2, replicationFactor: 2 },
    ]);
    await admin.close();
    // The first of `hosts` is gone, and with it a third of the leaders and maybe a coordinator.
    await kafka.brokers[0]?.kill9();
    await task.sql("UPDATE t SET body = 'y' WHERE id <= 100; DELETE FROM t WHERE id = 500");
    await task.level(90);
    await kafka.brokers[0]?.start();
    const types = canal(await task.records(topic("t"))).map(({ type }) => type);
    const count = (wanted: string) => types.filter((type) => type === wanted).length;
    expect([count("INIT"), count("UPDATE"), count("DELETE")]).toEqual([500, 100, 1]);
    await task.destroy();
    expect(await task.leftovers()).toEqual([]);
  }, 180_000);
});
