import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { MigrationTaskInputs, MigrationTaskOutputs } from "../../../../provider/contract/types.js";
import type { KafkaCluster } from "../../../support/kafka/kafka.js";
import { type ReadRecord, readTopics } from "../../../support/kafka/readTopic.js";
import { type Leftover, listLeftovers, listLocalLeftovers } from "../../../support/leftovers.js";
import type { PostgresServer } from "../../../support/postgres.js";
import { REPOSITORY } from "../../../support/pulumiProject.js";
import { createTaskDriver } from "../../../support/taskDriver.js";

const { runWorker } = require(
  join(REPOSITORY, "dist/provider/runner/runWorker.js"),
) as typeof import("../../../../provider/runner/runWorker.js");

export type KafkaTaskInputs = Partial<Omit<MigrationTaskInputs, "kafka">> & {
  readonly kafka?: Partial<NonNullable<MigrationTaskInputs["kafka"]>>;
};

/** A migration from a fresh database of a real server into a real cluster, as the provider runs it, without Pulumi around it. */
export interface KafkaTask {
  readonly home: string;
  /** Of the database; the task's default topics are `<name>.<schema>.<table>`. */
  readonly name: string;
  readonly kafka: KafkaCluster;
  /** What was printed for the user. */
  readonly lines: readonly string[];
  readonly outputs: MigrationTaskOutputs | undefined;
  sql(text: string): Promise<void>;
  rows<R extends object>(text: string): Promise<R[]>;
  up(inputs?: KafkaTaskInputs): Promise<MigrationTaskOutputs>;
  refresh(): Promise<MigrationTaskOutputs | undefined>;
  destroy(): Promise<void>;
  /** Of the task's topics that exist, as a consumer of committed records sees them. */
  records(...topics: string[]): Promise<ReadRecord[]>;
  /** Waits until everything the source has committed is in the topics. */
  level(seconds?: number): Promise<void>;
  leftovers(): Promise<Leftover[]>;
  workerLog(): Promise<string>;
}

let count = 0;

export async function createKafkaTask(
  server: PostgresServer,
  kafka: KafkaCluster,
  given: KafkaTaskInputs = {},
): Promise<KafkaTask> {
  const name = `task_${process.pid}_${++count}`;
  await server.createDatabase(name);
  const driver = await createTaskDriver();
  const { home, lines } = driver;
  const rawInputs = (more: KafkaTaskInputs) => ({
    source: server.endpoint(name),
    target: kafka.endpoint(),
    taskName: name,
    migrationTypes: ["schema", "full", "incremental"],
    ...given,
    ...more,
    kafka: { topic: "{database}.{schema}.{table}", createTopics: { partitions: 3 }, ...given.kafka, ...more.kafka },
  });
  const rows = async <R extends object>(text: string) => (await server.query(text, undefined, name)).rows as R[];
  return {
    home,
    name,
    kafka,
    lines,
    get outputs() {
      return driver.outputs;
    },
    async sql(text) {
      await server.query(text, undefined, name);
    },
    rows,
    up: (more = {}) => driver.up(rawInputs(more)),
    refresh: driver.refresh,
    destroy: driver.destroy,
    records: (...topics) => readTopics(kafka, topics),
    async level(seconds = 60) {
      const [goal] = await rows<{ lsn: string }>("SELECT pg_current_wal_lsn()::text AS lsn");
      const reached = `SELECT confirmed_flush_lsn >= '${goal?.lsn}'::pg_lsn AS reached FROM pg_replication_slots WHERE slot_name = 'godwit_${driver.id}'`;
      for (const end = Date.now() + seconds * 1000; ; await new Promise((resolve) => setTimeout(resolve, 100))) {
        const [slot] = await rows<{ reached: boolean }>(reached);
        if (slot?.reached) return;
        if (Date.now() > end) throw new Error(`the slot did not reach ${goal?.lsn} in ${seconds} s`);
      }
    },
    leftovers: async () => [
      ...(await listLeftovers(server)),
      ...(await listLocalLeftovers(home)),
      ...(await listGroups(kafka)).map((group) => ({ kind: "consumer group", name: group })),
    ],
    workerLog: driver.workerLog,
  };
}

export interface SecondWorker {
  stop(): Promise<void>;
}

/** A worker of another machine, here in this process, which takes the task over from whoever has it. */
export async function startSecondWorker({ outputs }: KafkaTask): Promise<SecondWorker> {
  if (!outputs) throw new Error("there is no task to take over");
  const { taskId, source, target } = outputs;
  const home = await mkdtemp(join(tmpdir(), "godwit-home-"));
  const abort = new AbortController();
  const retry = { connectionMinutes: 10, otherMinutes: 1 };
  const ended = runWorker(
    { taskId, ends: { source, target }, home, retry, taskName: "t", alerts: undefined, takeOver: true },
    abort.signal,
  );
  ended.catch(() => undefined);
  return {
    async stop() {
      abort.abort();
      await ended;
      await rm(home, { recursive: true, force: true });
    },
  };
}

/** Ends what a failed test left running, and its files. */
export async function discard(task: KafkaTask): Promise<void> {
  await task.destroy().catch(() => undefined);
  await rm(task.home, { recursive: true, force: true });
}

/** Godwit's own: a test's consumers have groups as well. */
async function listGroups(kafka: KafkaCluster): Promise<string[]> {
  const admin = kafka.internal.admin();
  await admin.connect();
  try {
    const { groups } = await admin.listGroups();
    return groups.map(({ groupId }) => groupId).filter((groupId) => groupId.startsWith("godwit"));
  } finally {
    await admin.disconnect();
  }
}

/** Values of canal-json records. */
export interface CanalRecord {
  readonly type: string;
  readonly table: string;
  readonly isDdl: boolean;
  readonly sql: string;
  readonly data: readonly Readonly<Record<string, string | null>>[] | null;
  readonly old: readonly Readonly<Record<string, string | null>>[] | null;
}

export function canal(records: readonly ReadRecord[]): CanalRecord[] {
  return records.map(({ value }) => JSON.parse(value ?? "") as CanalRecord);
}
