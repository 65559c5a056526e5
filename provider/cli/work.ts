import { alertOrders } from "../resources/alertOrders.js";
import { endsOf, settingsOf, taskIdOf } from "../resources/taskSpec.js";
import { runWorker } from "../runner/runWorker.js";
import { readTask } from "./taskFile.js";

/** Runs a task that `pulumi up` recorded, in this process: what a container or a service unit starts. SIGTERM ends it cleanly. */
export async function workHere(path: string, home: string): Promise<number> {
  const inputs = await readTask(path);
  const stop = new AbortController();
  for (const name of ["SIGTERM", "SIGINT"] as const) process.on(name, () => stop.abort());
  const payload = {
    taskId: taskIdOf(inputs),
    ends: endsOf(inputs),
    home,
    retry: settingsOf(inputs).retry,
    taskName: inputs.taskName,
    alerts: alertOrders(inputs),
    takeOver: false,
  };
  const end = await runWorker(payload, stop.signal);
  console.error(`task ${payload.taskId}: ${end}`);
  return end === "failed" || end === "gone" ? 1 : 0;
}
