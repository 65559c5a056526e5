import { afterAll, beforeAll, expect, it } from "vitest";
import { ClusterAdmin } from "../../../../provider/databases/kafka/client/clusterAdmin.js";
import type { KafkaEndpoint, SaslMechanism } from "../../../../provider/databases/kafka/client/kafkaEndpoint.js";
import { openProducer, type ProducerOptions } from "../../../../provider/databases/kafka/client/producer.js";
import { readKafkaFacts } from "../../../../provider/databases/kafka/serverFacts.js";
import { createTlsFixture, type TlsFixture } from "../../../support/certificates.js";
import { allow } from "../../../support/kafka/acls.js";
import { type KafkaCluster, startKafka } from "../../../support/kafka/kafka.js";
import { describeKafka } from "../../../support/kafka/kafkaTests.js";
import { readTopics } from "../../../support/kafka/readTopic.js";
import { freePort } from "../../../support/serverProcess.js";
import { slice } from "./records.js";

const PRODUCER: ProducerOptions = { clientId: "test", transactionalId: "task", acks: "all", compression: "lz4" };

async function write(endpoint: KafkaEndpoint, topic: string, value: string): Promise<void> {
  const producer = await openProducer(endpoint, PRODUCER);
  try {
    await producer.prepare([{ name: topic }]);
    producer.partition(topic, 0).append(Date.now(), slice("key"), slice(value));
    await producer.commit({ groupId: "task", topic, partition: 0, offset: 5n, metadata: "" });
  } finally {
    producer.close();
  }
}

describeKafka("brokers that want a user name and password", () => {
  let kafka: KafkaCluster;
  beforeAll(async () => {
    kafka = await startKafka({ users: ["alice", "bob"], authorizer: true });
    for (const topic of ["mine", "others"]) await kafka.createTopic(topic);
    await allow(kafka.internal, [
      { user: "alice", resource: "topic", name: "mine", operations: ["write", "read", "describe", "describeConfigs"] },
      { user: "alice", resource: "topic", name: "others", operations: ["describe"] },
      { user: "alice", resource: "group", name: "task", operations: ["read", "describe", "delete"] },
      { user: "alice", resource: "transactionalId", name: "task", operations: ["write", "describe"] },
    ]);
  });
  afterAll(() => kafka?.remove());

  const as = (saslMechanism: SaslMechanism, more: Partial<KafkaEndpoint> = {}): KafkaEndpoint => ({
    ...kafka.endpoint("alice"),
    kafka: { saslMechanism },
    ...more,
  });

  for (const mechanism of ["plain", "scram-sha-256", "scram-sha-512"] as const) {
    it(`let one in by ${mechanism}, and a wrong password not`, async () => {
      await write(as(mechanism), "mine", mechanism);
      // kafkajs logs in too: topics are described through it.
      const admin = new ClusterAdmin(as(mechanism), "test");
      expect(await admin.topics(["mine"])).toMatchObject([{ name: "mine", partitions: 1, maxMessageBytes: 1_048_588 }]);
      await admin.close();
      const wrong = write(as(mechanism, { password: "not-the-password" }), "mine", "never");
      await expect(wrong).rejects.toThrow(/GW1102: the broker refused user "alice".*Remedy: check username and password/s);
      await expect(wrong).rejects.not.toThrow(/not-the-password/);
      await expect(write(as(mechanism, { username: "nobody" }), "mine", "never")).rejects.toThrow(/GW1102/);
    });
  }

  it("take SCRAM-SHA-256 when no mechanism is named, and say so when a client gives no name at all", async () => {
    await write(kafka.endpoint("alice"), "mine", "default");
    const { hosts } = kafka.endpoint();
    await expect(write({ hosts }, "mine", "never")).rejects.toThrow(/GW1107: .*set username, password and kafka.saslMechanism/s);
    const values = (await readTopics(kafka, ["mine"])).map(({ value }) => value);
    expect(values).toContain("default");
    expect(values).not.toContain("never");
  });

  it("name what a user may not do, and the ACL that is missing", async () => {
    await expect(write(as("plain"), "others", "never")).rejects.toThrow(
      /GW1921: .*topic others.*Remedy: kafka-acls.sh --add --allow-principal "User:alice" --operation Write/s,
    );
    await expect(write({ ...kafka.endpoint("bob") }, "mine", "never")).rejects.toThrow(
      /GW1921: .*transactional id task.*User:bob/s,
    );
    const admin = new ClusterAdmin(as("plain"), "test");
    await expect(admin.groupOffset("elsewhere", "mine", 0)).rejects.toThrow(/GW1921: .*group elsewhere/s);
    await expect(admin.createTopic({ name: "new" })).rejects.toThrow(/GW1921/);
    await admin.close();
  });

  it("tell what a user may do before it is tried", async () => {
    const admin = new ClusterAdmin(as("plain"), "test");
    const rights = await admin.rights(["mine", "others", "missing"], "task");
    expect([...(rights.topics.get("mine") ?? [])].sort()).toEqual(["describe", "describeConfigs", "read", "write"]);
    expect(rights.topics.get("others")).toEqual(["describe"]);
    expect(rights.topics.has("missing")).toBe(false);
    expect([...(rights.group ?? [])].sort()).toEqual(["delete", "describe", "read"]);
    expect(rights.cluster).not.toContain("create");
    // Described without the right to ask for its settings.
    expect(await admin.topics(["others"])).toMatchObject([{ name: "others", partitions: 1, maxMessageBytes: undefined }]);
    await admin.close();
  });
});

describeKafka("brokers that speak TLS", () => {
  let kafka: KafkaCluster;
  let tls: TlsFixture;
  beforeAll(async () => {
    tls = await createTlsFixture("alice");
    kafka = await startKafka({ tls: { server: tls.server.good, ca: tls.ca, requireClientCertificate: true } });
    await kafka.createTopic("mine");
  });
  afterAll(() => kafka?.remove());

  it("let one in with a client certificate, and nobody without", async () => {
    const { hosts } = kafka.endpoint();
    const { certificate: clientCertificate, key: clientKey } = tls.client.good;
    const good = { hosts, ssl: { ca: tls.ca, clientCertificate, clientKey } };
    await write(good, "mine", "by certificate");
    expect((await readKafkaFacts(good, "test")).serverVersion).toBe("3.9");
    expect((await readTopics(kafka, ["mine"])).map(({ value }) => value)).toEqual(["by certificate"]);
    await expect(write({ hosts, ssl: { ca: tls.ca } }, "mine", "never")).rejects.toThrow(/GW11(03|01): .*certificate/s);
    const { certificate, key } = tls.client.unknownAuthority;
    const unknown = { hosts, ssl: { ca: tls.ca, clientCertificate: certificate, clientKey: key } };
    await expect(write(unknown, "mine", "never")).rejects.toThrow(/GW11(03|01): .*certificate/s);
  });

  it("are not trusted when their authority is another one, and are told apart from plain brokers", async () => {
    const { hosts } = kafka.endpoint();
    await expect(write({ hosts, ssl: { ca: tls.otherCa } }, "mine", "never")).rejects.toThrow(/GW1103/);
    await expect(write({ hosts }, "mine", "never")).rejects.toThrow(/GW1101: .*TLS listener/s);
    const [plain] = kafka.internalHosts;
    await expect(write({ hosts: [plain ?? ""], ssl: { mode: "require" } }, "mine", "never")).rejects.toThrow(/GW11(01|03).*TLS/s);
  });
});

describeKafka("brokers that end a session after two seconds", () => {
  it("get every record, in order, over one connection after the other", async () => {
    const kafka = await startKafka({ users: ["alice"], settings: { "listener.name.client.connections.max.reauth.ms": "2000" } });
    try {
      await kafka.createTopic("mine", 3);
      const producer = await openProducer(kafka.endpoint("alice"), { ...PRODUCER, batchBytes: 2000 });
      await producer.prepare([{ name: "mine" }]);
      let n = 0;
      for (const end = Date.now() + 7000; Date.now() < end; ) {
        for (let batch = 0; batch < 500; batch++, n++)
          producer.partition("mine", n % 3).append(Date.now(), undefined, slice(String(n)));
        await producer.commit(undefined);
      }
      producer.close();
      const read = await readTopics(kafka, ["mine"]);
      expect(read.length).toBe(n);
      for (const partition of [0, 1, 2]) {
        const numbers = read.filter((record) => record.partition === partition).map(({ value }) => Number(value));
        expect(numbers).toEqual(numbers.map((_, at) => at * 3 + partition));
      }
    } finally {
      await kafka.remove();
    }
  });
});

describeKafka("brokers over TLS with user names", () => {
  it("let one in with both", async () => {
    const tls = await createTlsFixture();
    const kafka = await startKafka({ users: ["alice"], tls: { server: tls.server.good, ca: tls.ca } });
    try {
      await kafka.createTopic("mine");
      await write({ ...kafka.endpoint("alice"), ssl: { ca: tls.ca }, kafka: { saslMechanism: "scram-sha-512" } }, "mine", "both");
      expect(await readTopics(kafka, ["mine"])).toMatchObject([{ value: "both" }]);
    } finally {
      await kafka.remove();
    }
  });

  it("are named when none of them is there", async () => {
    const port = await freePort();
    const began = Date.now();
    const attempt = write({ hosts: [`127.0.0.1:${port}`, `localhost:${port}`] }, "mine", "never");
    await expect(attempt).rejects.toThrow(new RegExp(`GW1101: no broker of 127.0.0.1:${port}, localhost:${port}`));
    expect(Date.now() - began).toBeLessThan(60_000);
  });
});
