import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { MigrationTaskInputs, MigrationTaskOutputs } from "../../../provider/contract/types.js";
import type { RedoKind } from "../../../provider/databases/oracle/redo/redoTable.js";
import { type Leftover, listLeftovers, listLocalLeftovers } from "../leftovers.js";
import type { PostgresServer } from "../postgres.js";
import { REPOSITORY } from "../pulumiProject.js";
import { createTaskDriver } from "../taskDriver.js";
import { EmulatedDictionary } from "./dictionary.js";
import { type EmulatedTable, OracleEmulator } from "./emulator.js";

// A worker is a process of its own: it loads the emulator through the seam for tests.
process.env.GODWIT_ORACLE_DRIVER = join(REPOSITORY, "test/support/oracle/emulatorModule.cjs");

type Given = Pick<MigrationTaskInputs, "migrationTypes"> & Partial<MigrationTaskInputs>;

/** A migration out of an emulated Oracle as the provider runs it, without Pulumi around it. */
export interface OracleTask {
  readonly home: string;
  readonly emulator: OracleEmulator;
  readonly dictionary: EmulatedDictionary;
  readonly lines: readonly string[];
  readonly outputs: MigrationTaskOutputs | undefined;
  up(inputs: Given): Promise<MigrationTaskOutputs>;
  refresh(): Promise<MigrationTaskOutputs | undefined>;
  destroy(): Promise<void>;
  target<R extends object>(sql: string): Promise<R[]>;
  /** Waits until a table of the target holds the emulated table's committed rows; what differs when it never does. */
  settle(table: EmulatedTable, seconds?: number): Promise<Differences>;
  leftovers(): Promise<Leftover[]>;
  workerLog(): Promise<string>;
}

export interface Differences {
  readonly rows: number;
  readonly onlyInSource: readonly string[];
  readonly onlyInTarget: readonly string[];
}

let count = 0;

/** An emulated Oracle on the first server, an empty database on the second. */
export async function createOracleTask(emulated: PostgresServer, target: PostgresServer): Promise<OracleTask> {
  const name = `oracle_${process.pid}_${++count}`;
  const emulator = await OracleEmulator.create(emulated, `${name}_source`);
  const dictionary = await EmulatedDictionary.create(emulator);
  await target.createDatabase(name);
  const driver = await createTaskDriver();
  const { home, lines } = driver;
  const rowsOf = async <R extends object>(sql: string) => (await target.query(sql, undefined, name)).rows as R[];
  return {
    home,
    emulator,
    dictionary,
    lines,
    get outputs() {
      return driver.outputs;
    },
    up: (given) => {
      const source = { engine: "oracle", ...OracleEmulator.endpoint(emulated, `${name}_source`) };
      return driver.up({ source, target: target.endpoint(name), taskName: name, ...given });
    },
    refresh: driver.refresh,
    destroy: driver.destroy,
    target: rowsOf,
    async settle(table, seconds = 60) {
      await emulator.flush();
      const end = Date.now() + seconds * 1000;
      for (;;) {
        const differences = await compare(emulator, table, rowsOf);
        if (differences.onlyInSource.length + differences.onlyInTarget.length === 0 || Date.now() > end) return differences;
        await new Promise((resolve) => setTimeout(resolve, 300));
      }
    },
    leftovers: async () => [
      ...(await listLeftovers(emulated)),
      ...(await listLeftovers(target)),
      // The emulator is compiled as the worker loads it; the compiler's process goes a moment after the worker's.
      ...(await listLocalLeftovers(home)).filter(({ name }) => !name.includes("esbuild --service")),
    ],
    workerLog: driver.workerLog,
  };
}

/** Ends what a failed test left running, and its files. */
export async function discardOracleTask(task: OracleTask): Promise<void> {
  await task.destroy().catch(() => undefined);
  await task.emulator.close();
  await rm(task.home, { recursive: true, force: true });
}

/** Whole tables, as the text of each value in the order of the emulated columns. */
async function compare(
  emulator: OracleEmulator,
  table: EmulatedTable,
  target: <R extends object>(sql: string) => Promise<R[]>,
): Promise<Differences> {
  const columns = table.columns.map(({ name, kind }) =>
    valueText(`"${name === name.toUpperCase() && !name.includes(" ") ? name.toLowerCase() : name}"`, kind),
  );
  const name = `"${table.owner.toLowerCase()}"."${table.name.toLowerCase()}"`;
  const found = await target<{ row: string }>(`SELECT jsonb_build_array(${columns.join(", ")})::text AS row FROM ${name}`).catch(
    () => [],
  );
  const there = new Map<string, number>();
  for (const { row } of found) {
    const key = JSON.stringify(JSON.parse(row));
    there.set(key, (there.get(key) ?? 0) + 1);
  }
  const onlyInSource: string[] = [];
  for (const row of emulator.committed(table).values()) {
    const key = JSON.stringify(table.columns.map(({ name: column }) => row[column] ?? null));
    const left = there.get(key) ?? 0;
    if (left === 0) onlyInSource.push(key);
    else if (left === 1) there.delete(key);
    else there.set(key, left - 1);
  }
  return { rows: found.length, onlyInSource, onlyInTarget: [...there.keys()] };
}

function valueText(column: string, kind: RedoKind): string {
  if (kind === "timestampTz" || kind === "timestampLtz") return `(${column} AT TIME ZONE 'UTC')::text || '+00'`;
  // A cast would take the padding of CHAR away.
  if (kind === "text") return column;
  if (kind === "timestamp") return `to_char(${column}, 'YYYY-MM-DD HH24:MI:SS.US')`;
  return `${column}::text`;
}
