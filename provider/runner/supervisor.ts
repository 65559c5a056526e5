import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { readPayload, type WorkerPayload } from "./payload.js";
import { processStart, type SupervisorRecord } from "./processes.js";
import { ensureTaskDirectory, taskFiles, writeWhole } from "./taskFiles.js";

/** A worker that lived this long died of something new: the wait before the next starts small again. */
const SETTLED_MILLISECONDS = 5_000;
const LONGEST_WAIT_MILLISECONDS = 10_000;
/** How long a worker may take to end when asked: a batch on its way, then its connections. */
const GRACE_MILLISECONDS = 10_000;

/**
 * The parent of a task's worker: holds the payload in memory and starts the worker again when it dies (kill -9, out of
 * memory, a bug). Ends with the worker's own end, or on SIGTERM after ending it.
 */
async function main(): Promise<void> {
  const payload = await readPayload();
  process.title = `godwit supervisor ${payload.taskId}`;
  const files = taskFiles(payload.home, payload.taskId);
  await ensureTaskDirectory(files);
  const record: SupervisorRecord = {
    pid: process.pid,
    start: await processStart(process.pid),
    startedAt: new Date().toISOString(),
  };
  await writeWhole(files.supervisor, record);

  const stop = new AbortController();
  for (const name of ["SIGTERM", "SIGINT"] as const) process.on(name, () => stop.abort());
  let wait = 250;
  let takeOver = payload.takeOver;
  while (!stop.signal.aborted) {
    const startedAt = Date.now();
    const code = await runChild({ ...payload, takeOver }, stop.signal);
    if (code === 0) return;
    takeOver = false;
    if (Date.now() - startedAt > SETTLED_MILLISECONDS) wait = 250;
    console.error(`${new Date().toISOString()} worker ended with ${code ?? "a signal"}; starting it again in ${wait} ms`);
    await sleep(wait, undefined, { signal: stop.signal }).catch(() => undefined);
    wait = Math.min(wait * 2, LONGEST_WAIT_MILLISECONDS);
  }
}

function runChild(payload: WorkerPayload, stop: AbortSignal): Promise<number | null> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [join(__dirname, "worker.js")], { stdio: ["pipe", "inherit", "inherit"] });
    const end = () => endChild(child);
    stop.addEventListener("abort", end, { once: true });
    child.on("error", (cause) => {
      console.error(cause.message);
      resolve(1);
    });
    child.on("exit", (code) => {
      stop.removeEventListener("abort", end);
      resolve(code);
    });
    // The child may die before it has read everything; its exit says so.
    child.stdin.on("error", () => undefined);
    child.stdin.end(JSON.stringify(payload));
  });
}

function endChild(child: ChildProcess): void {
  child.kill("SIGTERM");
  const hard = setTimeout(() => child.kill("SIGKILL"), GRACE_MILLISECONDS);
  child.once("exit", () => clearTimeout(hard));
}

main().then(
  () => process.exit(0),
  (cause: unknown) => {
    console.error(cause instanceof Error ? cause.message : String(cause));
    process.exit(1);
  },
);
