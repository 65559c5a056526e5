import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";

/** Who supervises a task on this machine. The start time tells a process from a later one with the same number. */
export interface SupervisorRecord {
  readonly pid: number;
  readonly start: string;
  /** ISO 8601. */
  readonly startedAt: string;
}

/** When a process began, in the machine's own words; empty when there is none, or only its remains wait to be collected. */
export async function processStart(pid: number): Promise<string> {
  if (process.platform === "linux") {
    try {
      // The second field is the command in brackets and may hold anything; what follows the last bracket is fixed.
      const fields = (await readFile(`/proc/${pid}/stat`, "latin1")).replace(/^.*\)\s/s, "").split(" ");
      return fields[0] === "Z" ? "" : (fields[19] ?? "");
    } catch {
      return "";
    }
  }
  try {
    const { stdout } = await promisify(execFile)("ps", ["-o", "lstart=", "-p", String(pid)], {
      env: { ...process.env, LC_ALL: "C" },
    });
    return stdout.trim();
  } catch {
    return "";
  }
}

export async function isAlive(record: SupervisorRecord | undefined): Promise<boolean> {
  return record !== undefined && (await processStart(record.pid)) === record.start;
}

/** Asks the supervisor to end, and its worker with it; waits until it has. Returns false when it would not. */
export async function endSupervisor(record: SupervisorRecord, timeoutSeconds = 20): Promise<boolean> {
  for (let waited = 0; waited < timeoutSeconds * 10; waited++) {
    if (!(await isAlive(record))) return true;
    if (waited === 0) signal(record.pid, "SIGTERM");
    await sleep(100);
  }
  signal(record.pid, "SIGKILL");
  return false;
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "ESRCH") throw cause;
  }
}
