import { rm } from "node:fs/promises";
import type { MigrationTaskInputs, MigrationTaskOutputs } from "../../provider/contract/types.js";
import { type Comparison, compareDatabases } from "./compareTables.js";
import { type Leftover, listLeftovers, listLocalLeftovers } from "./leftovers.js";
import type { PostgresServer } from "./postgres.js";
import { createTaskDriver } from "./taskDriver.js";

type Given = Pick<MigrationTaskInputs, "migrationTypes"> & Partial<MigrationTaskInputs>;

/** A migration as the provider runs it, without Pulumi around it: a database on each of two servers, and a task between them. */
export interface TestTask {
  readonly home: string;
  readonly source: Database;
  readonly target: Database;
  /** What was printed for the user. */
  readonly lines: readonly string[];
  readonly outputs: MigrationTaskOutputs | undefined;
  up(inputs: Given): Promise<MigrationTaskOutputs>;
  refresh(): Promise<MigrationTaskOutputs | undefined>;
  destroy(): Promise<void>;
  compare(): Promise<Comparison>;
  /** Waits until the target equals the source; the differences when it never does. */
  settle(seconds?: number): Promise<Comparison>;
  leftovers(): Promise<Leftover[]>;
  workerLog(): Promise<string>;
}

export interface Database {
  readonly server: PostgresServer;
  readonly name: string;
  run(sql: string): Promise<void>;
  rows<R extends object>(sql: string): Promise<R[]>;
}

let count = 0;

/** Makes a fresh database on each server. */
export async function createTestTask(source: PostgresServer, target: PostgresServer): Promise<TestTask> {
  const name = `task_${process.pid}_${++count}`;
  const ends = { source: await createDatabase(source, name), target: await createDatabase(target, name) };
  const driver = await createTaskDriver();
  const { home, lines } = driver;
  const config = ({ server, name: database }: Database) => ({
    host: server.host,
    port: server.port,
    user: server.username,
    password: server.password,
    database,
  });
  return {
    home,
    ...ends,
    lines,
    get outputs() {
      return driver.outputs;
    },
    up: (given) => driver.up({ source: source.endpoint(name), target: target.endpoint(name), taskName: name, ...given }),
    refresh: driver.refresh,
    destroy: driver.destroy,
    compare: () => compareDatabases(config(ends.source), config(ends.target)),
    async settle(seconds = 120) {
      const end = Date.now() + seconds * 1000;
      for (;;) {
        const comparison = await compareDatabases(config(ends.source), config(ends.target));
        if (comparison.differences.length === 0 || Date.now() > end) return comparison;
        await new Promise((resolve) => setTimeout(resolve, 500));
      }
    },
    leftovers: async () => [
      ...(await listLeftovers(source)),
      ...(await listLeftovers(target)),
      ...(await listLocalLeftovers(home)),
    ],
    workerLog: driver.workerLog,
  };
}

/** Ends what a failed test left running, and its files. */
export async function discard(task: TestTask): Promise<void> {
  await task.destroy().catch(() => undefined);
  await rm(task.home, { recursive: true, force: true });
}

async function createDatabase(server: PostgresServer, name: string): Promise<Database> {
  await server.createDatabase(name);
  return {
    server,
    name,
    async run(sql) {
      await server.query(sql, undefined, name);
    },
    rows: async <R extends object>(sql: string) => (await server.query(sql, undefined, name)).rows as R[],
  };
}
