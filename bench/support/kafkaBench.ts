import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { MigrationTaskInputs, MigrationTaskOutputs } from "../../provider/contract/types.js";
import type * as Validate from "../../provider/contract/validate.js";
import { ClusterAdmin } from "../../provider/databases/kafka/client/clusterAdmin.js";
import { parseLsn } from "../../provider/databases/postgres/lsn.js";
import type * as MigrationTask from "../../provider/resources/migrationTask.js";
import { type KafkaCluster, startKafka } from "../../test/support/kafka/kafka.js";
import { logEnds } from "../../test/support/kafka/logEnds.js";
import { javaProblem } from "../../test/support/kafka/mavenJars.js";
import { listProcesses } from "../../test/support/leftovers.js";
import { type PostgresServer, startPostgres } from "../../test/support/postgres.js";
import { REPOSITORY } from "../../test/support/pulumiProject.js";
import { startWatchdog } from "../../test/support/watchdog.js";
import { PeerUnavailable } from "../benchmark.js";
import { type DebeziumTask, startDebezium } from "./debezium.js";

/** fsync and full_page_writes stay on, as PostgreSQL has them. */
const SETTINGS = { shared_buffers: "512MB", max_wal_size: "16GB", checkpoint_timeout: "1h", autovacuum: "off" };
export const DATABASE = "bank";
export const PARTITIONS = 4;

export const ACCOUNT = `
  CREATE TABLE account (
    id bigint PRIMARY KEY, owner text NOT NULL, balance numeric(12,2) NOT NULL, visits integer NOT NULL, note text, updated timestamptz NOT NULL)`;
export const ACCOUNT_ROWS = `
  INSERT INTO account
  SELECT g, 'owner ' || g, (g % 100000) / 7.0, g % 13, repeat('n', (g % 60)::int), timestamptz '2024-01-01 00:00+00' + g * interval '1 s'`;

export interface Used {
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly peakMegabytes: number;
  /** Units a second in the second half of the work: without what a JVM takes to start and to warm up. */
  readonly warmRate?: number;
}

/** A source, one broker, and both sides of the Kafka rows; every run writes into topics of its own. */
export class KafkaBench {
  private opened: Promise<{ source: PostgresServer; kafka: KafkaCluster }> | undefined;
  private runs = 0;

  constructor(
    private readonly name: string,
    private readonly prepare: (source: PostgresServer) => Promise<void>,
  ) {}

  open() {
    this.opened ??= this.start();
    return this.opened;
  }

  async close(): Promise<void> {
    const opened = await this.opened?.catch(() => undefined);
    await Promise.all([opened?.source.remove(), opened?.kafka.remove()]);
  }

  async dropTopics(topics: readonly string[]): Promise<void> {
    const { kafka } = await this.open();
    const admin = kafka.internal.admin();
    await admin.connect();
    await admin.deleteTopics({ topics: [...topics] });
    await admin.disconnect();
  }

  /**
   * Seconds from the program's call (plan, prechecks, processes out of dist) until `done`, and what the worker and its supervisor used. The task is
   * destroyed afterwards, outside the time.
   */
  async godwit(
    inputs: Partial<MigrationTaskInputs>,
    records: number,
    done: (task: MigrationTaskOutputs) => Promise<void>,
  ): Promise<Used> {
    const { source, kafka } = await this.open();
    const { migrationTask } = compiled<typeof MigrationTask>("provider/resources/migrationTask.js");
    const { withDefaults } = compiled<typeof Validate>("provider/contract/validate.js");
    const home = await mkdtemp(join(tmpdir(), "godwit-bench-home-"));
    const watchdog = startWatchdog(KILL_AND_REMOVE, [home]);
    process.env.GODWIT_HOME = home;
    const topic = `ours${++this.runs}.{schema}.{table}`;
    const raw = { source: source.endpoint(DATABASE), target: kafka.endpoint(), objects: [{ schema: "public" }], ...inputs };
    const kafkaInputs = { topic, createTopics: { partitions: PARTITIONS } };
    const given = withDefaults("MigrationTask", { ...raw, kafka: kafkaInputs }) as unknown as MigrationTaskInputs;
    const context = { log: { info: () => undefined, status: () => undefined, warn: () => undefined } };
    try {
      if (!inputs.migrationTypes?.includes("schema")) await kafka.createTopic(topicOf(topic), PARTITIONS);
      // Asked while it runs: a worker that is done is gone.
      let used = { cpuSeconds: 0, peakMegabytes: 0 };
      const watch = setInterval(async () => {
        const now = await usedBy(home);
        used = {
          cpuSeconds: Math.max(used.cpuSeconds, now.cpuSeconds),
          peakMegabytes: Math.max(used.peakMegabytes, now.peakMegabytes),
        };
      }, 200);
      const began = performance.now();
      const { id, outputs } = await migrationTask.create(given, context);
      await done(outputs);
      const seconds = (performance.now() - began) / 1000;
      clearInterval(watch);
      await migrationTask.delete(id, outputs, context);
      await expectWritten(kafka, topicOf(topic), records);
      await this.dropTopics([topicOf(topic)]);
      return { seconds, ...used };
    } catch (cause) {
      const logs = await readFile(join(home, "tasks", "worker.log"), "utf8").catch(() => "");
      throw new Error(`${cause instanceof Error ? cause.message : cause}\n${logs.slice(-2000)}`, { cause });
    } finally {
      watchdog.trigger();
      await watchdog.ended;
      await rm(home, { recursive: true, force: true });
    }
  }

  /** Waits until the task has committed everything up to this position, together with the records. */
  async untilCommitted({ taskId }: MigrationTaskOutputs, lsn: string): Promise<void> {
    const { kafka } = await this.open();
    const admin = new ClusterAdmin(kafka.endpoint(), "bench");
    const topic = topicOf(`ours${this.runs}.{schema}.{table}`);
    try {
      while ((await admin.groupOffset(`godwit_${taskId}`, topic, 0)).offset < parseLsn(lsn)) await sleep(50);
    } finally {
      await admin.close();
    }
  }

  /** Seconds from the start of Connect's process until so many records are written. */
  async debezium(task: Pick<DebeziumTask, "work" | "slotName" | "publication">, records: number): Promise<Used> {
    const { source, kafka } = await this.open();
    const began = performance.now();
    const peer = await startDebezium({
      ...task,
      kafka,
      source,
      databaseName: DATABASE,
      tables: ["public.account"],
      topicPrefix: `peer${++this.runs}`,
      partitions: PARTITIONS,
    });
    try {
      await peer.untilWritten(records / 2);
      const half = performance.now();
      await peer.untilWritten(records);
      const end = performance.now();
      const used = await peer.used();
      return { seconds: (end - began) / 1000, warmRate: records / 2 / ((end - half) / 1000), ...used };
    } finally {
      await peer.remove();
      await this.dropTopics(peer.topics);
    }
  }

  private async start() {
    const problem = javaProblem();
    if (problem) throw new PeerUnavailable(problem);
    const [source, kafka] = await Promise.all([
      startPostgres({ major: 17, settings: SETTINGS, name: this.name }),
      startKafka({ optimized: true, heapMegabytes: 512, name: this.name }),
    ]);
    await source.createDatabase(DATABASE);
    await this.prepare(source);
    return { source, kafka };
  }
}

/** A transaction leaves a marker in each partition besides its records; a log with fewer offsets than records lacks some. */
async function expectWritten(kafka: KafkaCluster, topic: string, records: number): Promise<void> {
  const ends = await logEnds(kafka.internalHosts, [topic]);
  const offsets = [...ends.values()].reduce((sum, end) => sum + Number(end), 0);
  if (offsets < records || offsets > records * 1.05 + 1000) {
    throw new Error(`topic ${topic} ends at ${offsets} offsets, ${records} records were to be written`);
  }
}

/** What a row says besides its seconds; on standard error, for standard output may be a script's. */
export function report(row: string, side: string, units: number, used: Used): void {
  const { seconds, cpuSeconds, peakMegabytes, warmRate } = used;
  const shown = (rate: number) => Math.round(rate).toLocaleString("en");
  const warm = warmRate === undefined ? "" : ` (${shown(warmRate)} in the second half)`;
  console.error(
    `  ${row} ${side}: ${shown(units / seconds)} a second${warm}, ${cpuSeconds.toFixed(1)} s of CPU, ${Math.round(peakMegabytes)} MB at its largest`,
  );
}

/** For trying a row out: GODWIT_BENCH_ROWS is the number of rows or changes. */
export function rowsOr(number: number): number {
  return Number(process.env.GODWIT_BENCH_ROWS ?? number);
}

function topicOf(template: string): string {
  return template.replace("{schema}", "public").replace("{table}", "account");
}

/** Ends supervisor and worker of a bench that was interrupted. */
const KILL_AND_REMOVE = `
  for process in /proc/[0-9]*; do
    tr '\\0' '\\n' 2>/dev/null < "$process/environ" | grep -qxF "GODWIT_HOME=$1" && kill -KILL "\${process#/proc/}"
  done
  rm -rf "$1"`;

async function usedBy(home: string): Promise<Omit<Used, "seconds">> {
  let cpuSeconds = 0;
  let peakMegabytes = 0;
  for (const { pid } of await listProcesses(home)) {
    const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
    cpuSeconds += (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) / 100;
    peakMegabytes += Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? 0) / 1024;
  }
  return { cpuSeconds, peakMegabytes };
}

/** What a user runs is dist: the runner starts its processes from the files beside it. */
function compiled<T>(path: string): T {
  return require(join(REPOSITORY, "dist", path)) as T;
}
