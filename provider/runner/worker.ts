import { readPayload } from "./payload.js";
import { runWorker } from "./runWorker.js";

/** The worker's process: payload on standard input, SIGTERM asks it to end. Exit status 0: nothing to start again. */
async function main(): Promise<void> {
  const payload = await readPayload();
  process.title = `godwit worker ${payload.taskId}`;
  const stop = new AbortController();
  for (const name of ["SIGTERM", "SIGINT"] as const) process.on(name, () => stop.abort());
  await runWorker(payload, stop.signal);
}

main().then(
  () => process.exit(0),
  (cause: unknown) => {
    // Into the supervisor's log: the worker's own may be what could not be opened.
    console.error(cause instanceof Error ? cause.message : String(cause));
    process.exit(1);
  },
);
