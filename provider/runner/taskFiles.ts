import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";

/** Where Godwit keeps local files: logs and the last status. No secrets. */
export function godwitHome(): string {
  return process.env.GODWIT_HOME || join(homedir(), ".godwit");
}

export interface TaskFiles {
  readonly directory: string;
  /** The worker's log: one JSON object a line (pino). */
  readonly log: string;
  /** The last TaskStatus, replaced every second. */
  readonly status: string;
  /** What was told to the task's contacts. */
  readonly alerts: string;
  /** Who supervises the task on this machine. */
  readonly supervisor: string;
}

export function taskFiles(home: string, taskId: string): TaskFiles {
  const directory = join(home, "tasks", taskId);
  return {
    directory,
    log: join(directory, "worker.log"),
    status: join(directory, "status.json"),
    alerts: join(directory, "alerts.json"),
    supervisor: join(directory, "supervisor.json"),
  };
}

export async function ensureTaskDirectory(files: TaskFiles): Promise<void> {
  await mkdir(files.directory, { recursive: true, mode: 0o700 });
}

/** Readers see the old text or the new one, never half of it. */
export async function writeWhole(path: string, value: object): Promise<void> {
  const partial = `${path}.${process.pid}.partial`;
  await writeFile(partial, JSON.stringify(value), { mode: 0o600 });
  await rename(partial, path);
}

/** Undefined when the file is not there. */
export async function readJson<T>(path: string): Promise<T | undefined> {
  try {
    return JSON.parse(await readFile(path, "utf8")) as T;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw cause;
  }
}

export async function removeTaskFiles(files: TaskFiles): Promise<void> {
  await rm(files.directory, { recursive: true, force: true });
}
