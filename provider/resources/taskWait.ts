import { setTimeout as sleep } from "node:timers/promises";
import type { MigrationTaskInputs } from "../contract/types.js";
import { ErrorCode, GodwitError, isServerGone } from "../engine/errors.js";
import type { Ends } from "../engine/models/endpoint.js";
import type { RouteKind } from "../engine/routeKind.js";
import type { TaskRecord, TaskStore } from "../engine/taskStore.js";
import { validationRequest } from "../engine/validation/validationRequest.js";
import { embeddedRunner } from "../runner/embedded.js";
import { godwitHome } from "../runner/taskFiles.js";
import type { Log } from "./resource.js";
import { progressLine } from "./taskProgressLine.js";

const POLL_MILLISECONDS = 100;
const LINE_MILLISECONDS = 2000;
/** How long nobody may hold the lease before the worker counts as gone; a supervisor starts another within seconds. */
const VANISHED_MILLISECONDS = 45_000;

export interface Wait {
  readonly kind: RouteKind;
  readonly ends: Ends;
  readonly taskId: string;
  readonly inputs: Pick<MigrationTaskInputs, "waitFor" | "migrationTypes" | "desiredState" | "retry" | "dataValidation">;
  readonly log: Log;
  /** When what the store last said was published, if by a worker before the present one: of no word then that it has caught up. */
  readonly formerStatusAt?: string | undefined;
  /** Ends the wait, not the task. */
  readonly signal: AbortSignal | undefined;
}

/**
 * Waits until the task is as far as `waitFor` and `desiredState` say, with a line of progress every two seconds. Errors: GW1604 with
 * the task's own error when it failed, GW1603 when its worker vanished.
 */
export async function waitForTask(wait: Wait): Promise<TaskRecord> {
  let store: TaskStore | undefined;
  let lastLine = "";
  let lineAt = 0;
  let heldAt = Date.now();
  let lostAt: number | undefined;
  try {
    for (;;) {
      wait.signal?.throwIfAborted();
      try {
        store ??= await wait.kind.openStore(wait.ends);
        const task = await store.readTask(wait.taskId);
        lostAt = undefined;
        if (!task)
          throw new GodwitError(ErrorCode.StoreUnusable, "the task disappeared from the target's godwit schema", {
            object: wait.taskId,
          });
        if (task.leased) heldAt = Date.now();
        if (isReached(task, wait)) return task;
        await throwIfOver(task, wait, heldAt);
        const line = progressLine(task);
        if (line !== lastLine && Date.now() - lineAt > LINE_MILLISECONDS) {
          wait.log.status(line);
          lastLine = line;
          lineAt = Date.now();
        }
      } catch (cause) {
        if (cause instanceof GodwitError && !isServerGone(cause)) throw cause;
        // The target restarts, or the network has a moment: the worker retries as well, for as long as the user said.
        lostAt ??= Date.now();
        heldAt = Date.now();
        const minutes = wait.inputs.retry?.connectionMinutes ?? 720;
        if (Date.now() - lostAt > minutes * 60_000) throw cause;
        if (Date.now() - lineAt > LINE_MILLISECONDS * 5) {
          wait.log.warn(`the target can't be asked for the task's state: ${cause instanceof Error ? cause.message : cause}`);
          lineAt = Date.now();
        }
        await store?.close().catch(() => undefined);
        store = undefined;
        await sleep(1000);
      }
      await sleep(POLL_MILLISECONDS);
    }
  } finally {
    await store?.close().catch(() => undefined);
  }
}

function isReached({ state, phase, status, leased }: TaskRecord, { inputs, formerStatusAt }: Wait): boolean {
  if (inputs.desiredState === "paused") return state === "paused" || state === "completed";
  if (inputs.desiredState === "stopped") return state === "stopped" || state === "completed";
  if (state === "completed") return true;
  if (state !== "running") return false;
  const incremental = inputs.migrationTypes.includes("incremental");
  const request = validationRequest({ dataValidation: inputs.dataValidation });
  const present = status?.updatedAt !== formerStatusAt;
  const caughtUp = () =>
    incremental && present && phase === "incremental" && status?.phase === "incremental" && status.incremental?.caughtUp === true;
  switch (inputs.waitFor ?? (!incremental ? "completed" : request ? "validated" : "caughtUp")) {
    case "started":
      return leased;
    case "fullLoad":
      return phase === "incremental";
    case "caughtUp":
      return caughtUp();
    case "validated":
      return caughtUp() && status?.validation?.state === "done" && status.validation.request === request?.text;
    case "completed":
      return false;
  }
}

async function throwIfOver(task: TaskRecord, { taskId }: Wait, heldAt: number): Promise<void> {
  if (task.state === "failed") {
    const [failure] = task.errors;
    throw new GodwitError(
      ErrorCode.TaskFailed,
      `the task failed in its ${task.phase} phase: ${failure?.message ?? "no reason was recorded"}`,
      {
        object: taskId,
        remedy: "mend the cause and run pulumi up again: the task goes on from where it is",
      },
    );
  }
  if (Date.now() - heldAt > VANISHED_MILLISECONDS && !(await embeddedRunner.isRunning(godwitHome(), taskId))) {
    throw new GodwitError(ErrorCode.WorkerFailed, "no worker holds the task", {
      object: taskId,
      remedy: `see godwit logs ${taskId}, then run pulumi up again`,
    });
  }
}
