import { execFile } from "node:child_process";
import { pbkdf2Sync, randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { type Admin, Kafka, logLevel } from "kafkajs";
import { freePort } from "../serverProcess.js";
import type { Watchdog } from "../watchdog.js";
import { type BrokerAddress, brokerProperties, type KafkaTls, tlsFiles } from "./brokerProperties.js";
import { JavaProcess, watchFolder } from "./javaProcess.js";
import { type KafkaVersion, kafkaJars } from "./kafkaJars.js";

const run = promisify(execFile);

export interface KafkaOptions {
  /** Default: 3.9. */
  readonly version?: KafkaVersion;
  /** Default 1. With 3, topics are replicated to all and two must have a record before it counts. */
  readonly brokers?: 1 | 3;
  /** User names: each gets a random password, and clients must log in (SASL PLAIN and SCRAM-SHA-256/512). */
  readonly users?: readonly string[];
  readonly tls?: KafkaTls;
  /** Clients may do what ACLs allow them and nothing else. */
  readonly authorizer?: boolean;
  /** More of server.properties, for every broker. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Default 320. */
  readonly heapMegabytes?: number;
  /** Compiles as far as Java can, for measurements: tests start and end sooner without. */
  readonly optimized?: boolean;
  /** Shows in the name of the folder. */
  readonly name?: string;
}

export interface KafkaBroker {
  readonly id: number;
  readonly port: number;
  /** Throws while the broker is down. */
  pid(): number;
  readonly running: boolean;
  stop(): Promise<void>;
  kill9(): Promise<void>;
  /** On the same port and data; resolves when the broker has joined the cluster. */
  start(): Promise<void>;
}

/** Inputs of a Godwit endpoint (without ssl). */
export interface KafkaEndpointInputs {
  engine: "kafka";
  hosts: string[];
  username?: string;
  password?: string;
}

/** A real cluster on 127.0.0.1. It ends, and its folder goes, with the process that started it. */
export interface KafkaCluster {
  readonly clusterId: string;
  readonly brokers: readonly KafkaBroker[];
  readonly folder: string;
  /** `host:port` of each broker's client listener. */
  readonly hosts: readonly string[];
  /** `host:port` of each broker's plain listener, where everything is allowed: for tools and peers. */
  readonly internalHosts: readonly string[];
  endpoint(user?: string): KafkaEndpointInputs;
  /** kafkajs as super user over the brokers' own plain listener, whatever clients must do. */
  readonly internal: Kafka;
  createTopic(name: string, partitions?: number, settings?: Readonly<Record<string, string>>): Promise<void>;
  /** Kills every broker and deletes the folder. */
  remove(): Promise<void>;
}

/** Starts a KRaft cluster of a release in kafkaJars.ts; one broker is up in 3 s. */
export async function startKafka(options: KafkaOptions = {}): Promise<KafkaCluster> {
  const jars = await kafkaJars(options.version);
  const folder = await mkdtemp(join(process.env.GODWIT_TEST_DATA ?? tmpdir(), `godwit-${options.name ?? "kafka"}-`));
  const watchdog = watchFolder(folder);
  try {
    const users = options.users && Object.fromEntries(options.users.map((name) => [name, randomBytes(18).toString("base64url")]));
    const addresses: BrokerAddress[] = [];
    for (let id = 1; id <= (options.brokers ?? 1); id++) {
      addresses.push({ id, clientPort: await freePort(), internalPort: await freePort(), controllerPort: await freePort() });
    }
    await writeConfigurations(folder, addresses, options, users);
    // Sixteen bytes in base64url is what Kafka takes for a cluster's id; a leading dash would make it an option of the formatting tool.
    const clusterId = randomBytes(16).toString("base64url").replace(/^-/, "A");
    for (const address of addresses) await format(jars, folder, address, clusterId, users);
    const cluster = new RunningCluster(clusterId, jars, folder, addresses, options, users ?? {}, watchdog);
    await cluster.start();
    return cluster;
  } catch (cause) {
    watchdog.trigger();
    throw cause;
  }
}

class RunningCluster implements KafkaCluster {
  readonly brokers: readonly RunningBroker[];
  readonly hosts: readonly string[];
  readonly internalHosts: readonly string[];
  readonly internal: Kafka;

  constructor(
    readonly clusterId: string,
    jars: string,
    readonly folder: string,
    addresses: readonly BrokerAddress[],
    options: KafkaOptions,
    private readonly passwords: Readonly<Record<string, string>>,
    private readonly watchdog: Watchdog,
  ) {
    this.hosts = addresses.map(({ clientPort }) => `127.0.0.1:${clientPort}`);
    this.internalHosts = addresses.map(({ internalPort }) => `127.0.0.1:${internalPort}`);
    this.internal = new Kafka({
      brokers: [...this.internalHosts],
      clientId: "test",
      logLevel: logLevel.NOTHING,
      retry: { retries: 20, initialRetryTime: 100, maxRetryTime: 1000 },
    });
    this.brokers = addresses.map((address) => {
      const args = [...javaOptions(jars, folder, options), "kafka.Kafka", join(folder, `broker-${address.id}.properties`)];
      return new RunningBroker(address, new JavaProcess({ name: `broker-${address.id}`, folder, args }));
    });
  }

  async start(): Promise<void> {
    await Promise.all(this.brokers.map((broker) => broker.launch()));
    for (const broker of this.brokers) await broker.untilJoined();
  }

  endpoint(user?: string): KafkaEndpointInputs {
    const password = user === undefined ? undefined : this.passwords[user];
    return {
      engine: "kafka",
      hosts: [...this.hosts],
      ...(user === undefined ? {} : { username: user }),
      ...(password === undefined ? {} : { password }),
    };
  }

  async createTopic(name: string, partitions = 1, settings: Readonly<Record<string, string>> = {}): Promise<void> {
    const admin = this.internal.admin();
    await admin.connect();
    try {
      const configEntries = Object.entries(settings).map(([key, value]) => ({ name: key, value }));
      await admin.createTopics({
        // kafkajs's own wait ends with an error where a broker that it asks has not heard of the topic yet, as happens under KRaft.
        waitForLeaders: false,
        topics: [{ topic: name, numPartitions: partitions, replicationFactor: Math.min(this.brokers.length, 3), configEntries }],
      });
      await Promise.all(this.brokers.map((broker) => broker.untilLeads(name)));
    } finally {
      await admin.disconnect();
    }
  }

  async remove(): Promise<void> {
    await Promise.all(this.brokers.map((broker) => broker.kill9()));
    await rm(this.folder, { recursive: true, force: true, maxRetries: 5 });
    this.watchdog.release();
  }
}

class RunningBroker implements KafkaBroker {
  readonly id: number;
  readonly port: number;

  constructor(
    private readonly address: BrokerAddress,
    private readonly java: JavaProcess,
  ) {
    this.id = address.id;
    this.port = address.clientPort;
  }

  get running(): boolean {
    return this.java.running;
  }

  pid(): number {
    return this.java.pid();
  }

  launch(): Promise<void> {
    return this.java.start();
  }

  async start(): Promise<void> {
    await this.java.start();
    await this.untilJoined();
  }

  stop(): Promise<void> {
    return this.java.stop();
  }

  kill9(): Promise<void> {
    return this.java.kill9();
  }

  /** A broker that answers may still be fenced: it counts when its own metadata lists it. */
  async untilJoined(): Promise<void> {
    await this.java.until(() =>
      this.ask(async (admin) => (await admin.describeCluster()).brokers.some(({ nodeId }) => nodeId === this.id)),
    );
  }

  /** Waits until this broker knows the topic and a leader of each of its partitions. */
  async untilLeads(topic: string): Promise<void> {
    await this.java.until(() =>
      this.ask(async (admin) => {
        const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
        return topics.every(({ partitions }) => partitions.every(({ leader }) => leader >= 0));
      }),
    );
  }

  private async ask(question: (admin: Admin) => Promise<boolean>): Promise<boolean> {
    const brokers = [`127.0.0.1:${this.address.internalPort}`];
    const admin = new Kafka({ brokers, logLevel: logLevel.NOTHING, retry: { retries: 0 } }).admin();
    try {
      await admin.connect();
      return await question(admin);
    } finally {
      await admin.disconnect();
    }
  }
}

async function writeConfigurations(
  folder: string,
  all: readonly BrokerAddress[],
  options: KafkaOptions,
  users: Readonly<Record<string, string>> | undefined,
): Promise<void> {
  const { tls, authorizer, settings } = options;
  const files: Record<string, string> = { "log4j.properties": LOG4J, ...(tls ? tlsFiles(tls) : {}) };
  for (const address of all) {
    files[`broker-${address.id}.properties`] = brokerProperties({
      address,
      all,
      folder,
      ...(users ? { users } : {}),
      ...(tls ? { tls } : {}),
      ...(authorizer === undefined ? {} : { authorizer }),
      ...(settings ? { settings } : {}),
    });
  }
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text, { mode: 0o600 });
}

async function format(
  jars: string,
  folder: string,
  { id }: BrokerAddress,
  clusterId: string,
  users: Readonly<Record<string, string>> | undefined,
): Promise<void> {
  const scram = Object.entries(users ?? {}).flatMap(([name, password]) =>
    (["SCRAM-SHA-256", "SCRAM-SHA-512"] as const).flatMap((mechanism) => ["--add-scram", scramRecord(mechanism, name, password)]),
  );
  const args = ["kafka.tools.StorageTool", "format", "-t", clusterId, "-c", join(folder, `broker-${id}.properties`), ...scram];
  await run("java", ["-XX:TieredStopAtLevel=1", "-cp", `${jars}/*`, ...args]);
}

/** Salted here, for the passwords themselves must not stand among a process's arguments. */
function scramRecord(mechanism: "SCRAM-SHA-256" | "SCRAM-SHA-512", name: string, password: string): string {
  const [digest, bytes] = mechanism === "SCRAM-SHA-256" ? (["sha256", 32] as const) : (["sha512", 64] as const);
  const salt = randomBytes(16);
  const salted = pbkdf2Sync(password, salt, 4096, bytes, digest);
  const fields = `name=${name},iterations=4096,salt="${salt.toString("base64")}",saltedpassword="${salted.toString("base64")}"`;
  return `${mechanism}=[${fields}]`;
}

function javaOptions(jars: string, folder: string, { heapMegabytes = 320, optimized = false }: KafkaOptions): string[] {
  return [
    `-Xmx${heapMegabytes}m`,
    // The larger collectors keep threads of their own, and three brokers share two cores.
    "-XX:+UseSerialGC",
    ...(optimized ? [] : ["-XX:TieredStopAtLevel=1"]),
    `-Dlog4j.configuration=file:${folder}/log4j.properties`,
    "-cp",
    `${jars}/*`,
  ];
}

const LOG4J = `log4j.rootLogger=WARN, out
log4j.appender.out=org.apache.log4j.ConsoleAppender
log4j.appender.out.layout=org.apache.log4j.PatternLayout
log4j.appender.out.layout.ConversionPattern=%d %p %m (%c)%n
`;
