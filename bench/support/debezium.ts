import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { JavaProcess, watchFolder } from "../../test/support/kafka/javaProcess.js";
import type { KafkaCluster } from "../../test/support/kafka/kafka.js";
import { KAFKA_VERSION } from "../../test/support/kafka/kafkaJars.js";
import { logEnds } from "../../test/support/kafka/logEnds.js";
import { mavenJars } from "../../test/support/kafka/mavenJars.js";
import type { PostgresServer } from "../../test/support/postgres.js";
import { freePort } from "../../test/support/serverProcess.js";

const DEBEZIUM_VERSION = "3.7.0.Final";

export interface DebeziumTask {
  readonly kafka: KafkaCluster;
  readonly source: PostgresServer;
  readonly databaseName: string;
  /** `schema.table`, all of them in the publication. */
  readonly tables: readonly string[];
  readonly publication: string;
  /** Exists, and has what is to be streamed; for a snapshot it is made where it is missing. */
  readonly slotName: string;
  /** `stream`: what waits in the slot, without any rows from before. `snapshot`: the rows that are there, and nothing after. */
  readonly work: "stream" | "snapshot";
  /** Records go to `<topicPrefix>.<schema>.<table>`. */
  readonly topicPrefix: string;
  readonly partitions: number;
}

export interface DebeziumRun {
  readonly topics: readonly string[];
  /** Resolves when so many records are in the topics; rejects when Debezium ends before. */
  untilWritten(records: number): Promise<void>;
  /** CPU seconds since its start (the JVM's own start included), and the largest resident memory. */
  used(): Promise<{ readonly cpuSeconds: number; readonly peakMegabytes: number }>;
  /** The last lines that it printed. */
  log(): Promise<string>;
  remove(): Promise<void>;
}

/**
 * Starts Debezium in Kafka Connect, standalone, tuned as its documentation says for throughput: larger batches and queue, JSON without schemas, no tombstones,
 * producer batches of 256 KB with lz4. Standalone Connect knows no exactly-once: after a failure records come twice.
 */
export async function startDebezium(task: DebeziumTask): Promise<DebeziumRun> {
  const [connect, debezium] = [await connectJars(), await debeziumJars()];
  const folder = await mkdtemp(join(tmpdir(), "godwit-debezium-"));
  const watchdog = watchFolder(folder);
  try {
    // Connect takes each folder in the path for a plugin with a class loader of its own.
    await mkdir(join(folder, "plugins"));
    await symlink(debezium, join(folder, "plugins", "debezium"));
    const worker = workerSettings(task, folder, await freePort());
    await write(join(folder, "worker.properties"), worker);
    await write(join(folder, "connector.properties"), connectorSettings(task));
    await writeFile(join(folder, "log4j.properties"), LOG4J);
    const java = new JavaProcess({
      name: "debezium",
      folder,
      args: [
        ...["-Xms256m", "-Xmx1g", "-XX:+UseG1GC", `-Dlog4j.configuration=file:${folder}/log4j.properties`, "-cp", `${connect}/*`],
        ...[
          "org.apache.kafka.connect.cli.ConnectStandalone",
          join(folder, "worker.properties"),
          join(folder, "connector.properties"),
        ],
      ],
    });
    await java.start();
    const topics = task.tables.map((table) => `${task.topicPrefix}.${table}`);
    const log = async () => (await readFile(join(folder, "debezium.log"), "utf8")).split("\n").slice(-30).join("\n");
    return {
      topics,
      log,
      async untilWritten(records) {
        for (;;) {
          if ((await written(task.kafka, topics)) >= records) return;
          if (!java.running) throw new Error(`Debezium ended:\n${await log()}`);
          await sleep(50);
        }
      },
      used: () => usage(java.pid()),
      async remove() {
        await java.kill9();
        await rm(folder, { recursive: true, force: true });
        watchdog.release();
      },
    };
  } catch (cause) {
    watchdog.trigger();
    throw cause;
  }
}

function connectJars(): Promise<string> {
  return mavenJars(`connect-${KAFKA_VERSION}`, [
    `org.apache.kafka:connect-runtime:${KAFKA_VERSION}`,
    `org.apache.kafka:connect-json:${KAFKA_VERSION}`,
    "org.slf4j:slf4j-reload4j:1.7.36",
  ]);
}

function debeziumJars(): Promise<string> {
  return mavenJars(`debezium-postgres-${DEBEZIUM_VERSION}`, [`io.debezium:debezium-connector-postgres:${DEBEZIUM_VERSION}`]);
}

function workerSettings({ kafka }: DebeziumTask, folder: string, port: number): Record<string, string> {
  return {
    "bootstrap.servers": kafka.internalHosts.join(","),
    listeners: `http://127.0.0.1:${port}`,
    "plugin.path": join(folder, "plugins"),
    "plugin.discovery": "hybrid_warn",
    "offset.storage.file.filename": join(folder, "offsets"),
    "key.converter": "org.apache.kafka.connect.json.JsonConverter",
    "value.converter": "org.apache.kafka.connect.json.JsonConverter",
    "key.converter.schemas.enable": "false",
    "value.converter.schemas.enable": "false",
    "producer.acks": "all",
    "producer.compression.type": "lz4",
    "producer.batch.size": "262144",
    "producer.linger.ms": "50",
    "producer.buffer.memory": "67108864",
    "topic.creation.enable": "true",
  };
}

function connectorSettings(task: DebeziumTask): Record<string, string> {
  const { source, kafka } = task;
  return {
    name: "bench",
    "connector.class": "io.debezium.connector.postgresql.PostgresConnector",
    "tasks.max": "1",
    "database.hostname": source.host,
    "database.port": String(source.port),
    "database.user": source.username,
    "database.password": source.password,
    "database.dbname": task.databaseName,
    "plugin.name": "pgoutput",
    "slot.name": task.slotName,
    "publication.name": task.publication,
    "publication.autocreate.mode": "disabled",
    "topic.prefix": task.topicPrefix,
    "table.include.list": task.tables.join(","),
    "snapshot.mode": task.work === "stream" ? "no_data" : "initial_only",
    "snapshot.fetch.size": "20000",
    "snapshot.max.threads": "2",
    "decimal.handling.mode": "string",
    // One record for each change: a delete's tombstone would be a second one.
    "tombstones.on.delete": "false",
    "max.batch.size": "16384",
    "max.queue.size": "65536",
    "poll.interval.ms": "50",
    "topic.creation.default.partitions": String(task.partitions),
    "topic.creation.default.replication.factor": String(Math.min(kafka.brokers.length, 3)),
  };
}

/** Without transactions every offset is a record. */
async function written({ internalHosts }: KafkaCluster, topics: readonly string[]): Promise<number> {
  const ends = await logEnds(internalHosts, topics).catch(() => new Map<string, bigint>());
  return [...ends.values()].reduce((sum, end) => sum + Number(end), 0);
}

async function usage(pid: number): Promise<{ cpuSeconds: number; peakMegabytes: number }> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8");
  // Behind the name in parentheses: user and system time are the 12th and 13th fields, in hundredths of a second.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return {
    cpuSeconds: (Number(fields[11]) + Number(fields[12])) / 100,
    peakMegabytes: Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) / 1024,
  };
}

async function write(path: string, settings: Readonly<Record<string, string>>): Promise<void> {
  const lines = Object.entries(settings).map(([name, value]) => `${name}=${value.replaceAll("\\", "\\\\")}`);
  await writeFile(path, `${lines.join("\n")}\n`, { mode: 0o600 });
}

const LOG4J = `log4j.rootLogger=WARN, out
log4j.appender.out=org.apache.log4j.ConsoleAppender
log4j.appender.out.layout=org.apache.log4j.PatternLayout
log4j.appender.out.layout.ConversionPattern=%d %p %m (%c)%n
log4j.logger.io.debezium.connector=INFO
`;
