import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { MigrationTaskInputs } from "../provider/contract/types.js";
import type * as Validate from "../provider/contract/validate.js";
import type * as MigrationTask from "../provider/resources/migrationTask.js";
import { REPOSITORY } from "../test/support/pulumiProject.js";
import { startWatchdog } from "../test/support/watchdog.js";

export type TaskInputs = Pick<MigrationTaskInputs, "source" | "target" | "migrationTypes"> & Partial<MigrationTaskInputs>;

/** Ends supervisor and worker of a bench that was interrupted: they would wait twelve hours for their servers to come back. */
const KILL_AND_REMOVE = `
  for process in /proc/[0-9]*; do
    tr '\\0' '\\n' 2>/dev/null < "$process/environ" | grep -qxF "GODWIT_HOME=$1" && kill -KILL "\${process#/proc/}"
  done
  rm -rf "$1"`;

/**
 * Seconds that `pulumi up` would spend on the task, without Pulumi itself: plan, prechecks, the store, the supervisor's and the worker's
 * processes out of dist, the migration, and noticing that it is completed. Then the task is destroyed, outside the time.
 */
export async function timeGodwitTask(inputs: TaskInputs): Promise<number> {
  const { migrationTask } = compiled<typeof MigrationTask>("provider/resources/migrationTask.js");
  const { withDefaults } = compiled<typeof Validate>("provider/contract/validate.js");
  const home = await mkdtemp(join(tmpdir(), "godwit-bench-home-"));
  const watchdog = startWatchdog(KILL_AND_REMOVE, [home]);
  process.env.GODWIT_HOME = home;
  try {
    const given = withDefaults("MigrationTask", inputs) as unknown as MigrationTaskInputs;
    const context = { log: { info: () => undefined, status: () => undefined, warn: () => undefined } };
    const began = process.hrtime.bigint();
    const { id, outputs } = await migrationTask.create(given, context);
    const seconds = Number(process.hrtime.bigint() - began) / 1e9;
    if (outputs.state !== "completed") throw new Error(`the task ended ${outputs.state}: ${JSON.stringify(outputs.errors)}`);
    await migrationTask.delete(id, outputs, context);
    return seconds;
  } catch (cause) {
    throw new Error(`${cause instanceof Error ? cause.message : cause}\n${await lastWords(home)}`, { cause });
  } finally {
    watchdog.trigger();
    await watchdog.ended;
    await rm(home, { recursive: true, force: true });
  }
}

/** The ends of the task's logs: they are gone with their folder. */
async function lastWords(home: string): Promise<string> {
  const logs = (await readdir(home, { recursive: true })).filter((path) => path.endsWith(".log"));
  const texts = logs.map(async (path) => `${path}:\n${(await readFile(join(home, path), "utf8")).slice(-2000)}`);
  return (await Promise.all(texts)).join("\n");
}

/** What a user runs is dist: the runner starts its processes from the files beside it. */
function compiled<T>(path: string): T {
  return require(join(REPOSITORY, "dist", path)) as T;
}
