import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { MigrationTaskInputs, MigrationTaskOutputs } from "../../../provider/contract/types.js";
import type { RedoKind } from "../../../provider/databases/oracle/redo/redoTable.js";
import { type Leftover, listLeftovers, listLocalLeftovers } from "../leftovers.js";
import type { PostgresServer } from "../postgres.js";
import { REPOSITORY } from "../pulumiProject.js";
import { EmulatedDictionary } from "./dictionary.js";
import { type EmulatedTable, OracleEmulator } from "./emulator.js";

// A worker is a process of its own: it loads the emulator through the seam for tests.
process.env.GODWIT_ORACLE_DRIVER = join(REPOSITORY, "test/support/oracle/emulatorModule.cjs");

const { migrationTask } = require(
  join(REPOSITORY, "dist/provider/resources/migrationTask.js"),
) as typeof import("../../../provider/resources/migrationTask.js");
const { validate, withDefaults } = require(
  join(REPOSITORY, "dist/provider/contract/validate.js"),
) as typeof import("../../../provider/contract/validate.js");

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
  const home = await mkdtemp(join(tmpdir(), "godwit-home-"));
  const lines: string[] = [];
  const log = { info: (line: string) => void lines.push(line), warn: (line: string) => void lines.push(`warning: ${line}`) };
  let id = "";
  let outputs: MigrationTaskOutputs | undefined;
  const inHome = async <T>(work: () => Promise<T>): Promise<T> => {
    process.env.GODWIT_HOME = home;
    return work();
  };
  const rowsOf = async <R extends object>(sql: string) => (await target.query(sql, undefined, name)).rows as R[];
  return {
    home,
    emulator,
    dictionary,
    lines,
    get outputs() {
      return outputs;
    },
    up: (given) =>
      inHome(async () => {
        const source = { engine: "oracle", ...OracleEmulator.endpoint(emulated, `${name}_source`) };
        const raw = { source, target: target.endpoint(name), taskName: name, ...given };
        const failures = validate("MigrationTask", raw);
        if (failures.length > 0) throw new Error(JSON.stringify(failures));
        const inputs = withDefaults("MigrationTask", raw) as unknown as MigrationTaskInputs;
        try {
          if (outputs) outputs = await migrationTask.update(id, outputs, inputs, { log });
          else ({ id, outputs } = await migrationTask.create(inputs, { log }));
        } catch (cause) {
          const partial = cause as { id?: string; properties?: MigrationTaskOutputs };
          if (partial.id !== undefined && partial.properties) {
            id = partial.id;
            outputs = partial.properties;
          }
          throw cause;
        }
        return outputs;
      }),
    refresh: () =>
      inHome(async () => {
        if (!outputs) throw new Error("nothing to refresh");
        outputs = await migrationTask.read(id, outputs, { log });
        return outputs;
      }),
    destroy: () =>
      inHome(async () => {
        if (outputs) await migrationTask.delete(id, outputs, { log });
        outputs = undefined;
      }),
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
    workerLog: () => readFile(join(home, "tasks", id, "worker.log"), "utf8"),
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
