import pino from "pino";
import { routeKind } from "../databases/index.js";
import { ErrorCode, GodwitError } from "../engine/errors.js";
import { isFinal, RetryWindow } from "../engine/retryWindow.js";
import { runTask, type TaskEnd } from "../engine/runTask.js";
import type { TaskLease } from "../engine/taskStore.js";
import { type Alerts, openAlerts } from "./alerts/alerts.js";
import type { WorkerPayload } from "./payload.js";
import { ensureTaskDirectory, taskFiles, writeWhole } from "./taskFiles.js";

/** What a worker that ends has not told yet may still be told so long. */
const LAST_WORDS_MILLISECONDS = 60_000;

/**
 * Runs a task until its end, through every loss of the lease's connection. Returns how it ended; `fenced` when another
 * worker has it, `gone` when the store no longer knows it.
 */
export async function runWorker(payload: WorkerPayload, signal: AbortSignal): Promise<TaskEnd | "fenced" | "gone"> {
  const files = taskFiles(payload.home, payload.taskId);
  await ensureTaskDirectory(files);
  const output = pino.destination({ dest: files.log, mkdir: true, sync: true });
  // A full disk on this machine costs log lines, not the migration.
  output.on("error", () => undefined);
  const log = pino({ base: { taskId: payload.taskId, pid: process.pid } }, output);
  const alerts = await openAlerts({
    orders: payload.alerts,
    task: { taskId: payload.taskId, name: payload.taskName, environmentTag: undefined },
    file: files.alerts,
    log,
    signal,
  });
  try {
    return await runLeased(payload, log, alerts, signal);
  } finally {
    await alerts.drain(LAST_WORDS_MILLISECONDS);
  }
}

async function runLeased(
  payload: WorkerPayload,
  log: pino.Logger,
  alerts: Alerts,
  signal: AbortSignal,
): Promise<TaskEnd | "fenced" | "gone"> {
  const files = taskFiles(payload.home, payload.taskId);
  const kind = routeKind(payload.ends);
  const retry = new RetryWindow(() => payload.retry);
  let former: bigint | undefined;
  for (;;) {
    let lease: TaskLease | undefined;
    try {
      lease = await kind.takeLease(payload.ends, payload.taskId, {
        takeOver: payload.takeOver && former === undefined,
        ...(former === undefined ? {} : { former }),
      });
      former = lease.epoch;
      retry.succeeded();
      log.info({ epoch: String(lease.epoch) }, "lease taken");
      const held = lease;
      alerts.restore((await held.readTask()).status?.alerts);
      const end = await runTask({
        lease: held,
        openRoute: (task) => kind.open(payload.ends, task.definition),
        publish: async (observed) => {
          alerts.observe(observed);
          const status = { ...observed, alerts: alerts.memory };
          await held.writeStatus(status);
          // The store has it; a full disk on this machine must not stop the migration.
          await writeWhole(files.status, status).catch((cause: unknown) =>
            log.warn({ cause: String(cause) }, "status.json could not be written"),
          );
        },
        log,
        signal,
      });
      log.info({ end }, "worker ends");
      return end;
    } catch (cause) {
      const code = cause instanceof GodwitError ? cause.code : undefined;
      if (code === ErrorCode.WorkerFenced) {
        log.warn({ code }, "another worker has the task");
        return "fenced";
      }
      if (code === ErrorCode.StoreUnusable) {
        log.warn({ code }, "the store does not know the task any more");
        return "gone";
      }
      if (signal.aborted) return "ended";
      const message = cause instanceof Error ? cause.message : String(cause);
      const retrying = !isFinal(cause) && retry.mayRetry(true);
      log[retrying ? "warn" : "error"]({ code, retrying }, message);
      alerts.trouble({ code: code ?? ErrorCode.WorkerFailed, message, retrying });
      if (!retrying) throw cause;
      await retry.wait(signal);
    } finally {
      await lease?.release();
    }
  }
}
