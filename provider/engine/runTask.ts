import { setTimeout as sleep } from "node:timers/promises";
import type { Route } from "./database.js";
import { ErrorCode, GodwitError, isServerGone } from "./errors.js";
import { isFinal, RetryWindow } from "./retryWindow.js";
import { finishSchema, type PhaseRun, runPhases } from "./runPhases.js";
import { migrates, type TaskSettings } from "./taskDefinition.js";
import type { TaskLog } from "./taskLog.js";
import { TaskProgress } from "./taskProgress.js";
import type { TaskError, TaskPhase, TaskState, TaskStatus } from "./taskStatus.js";
import type { TaskLease, TaskRecord } from "./taskStore.js";

export interface TaskRun {
  readonly lease: TaskLease;
  readonly openRoute: (task: TaskRecord) => Promise<Route>;
  /** Called every second with all that is volatile. */
  readonly publish: (status: TaskStatus) => Promise<void>;
  readonly log: TaskLog;
  /** The process is asked to end; the task's state stays as it is. */
  readonly signal: AbortSignal;
}

/** Where a worker may leave a task for good. `ended`: the process was asked to go, another may take the task up. */
export type TaskEnd = "completed" | "stopped" | "failed" | "ended";

const POLL_MILLISECONDS = 1000;
/** The status of 20,000 tables is megabytes: not every second. */
const MANY_TABLES = 1000;
const MANY_TABLES_TICKS = 10;

/**
 * The life of a task in one worker:
 *
 *     running --(desiredState paused)--> paused --(running)--> running
 *     running --(all types done)--> completed
 *     running --(desiredState stopped)--> stopped          capture released, nothing to go on from
 *     running --(error, retried)--> running --(window over, or nothing to retry)--> failed
 *
 * Every second it reads what is desired and the settings from the store, and writes the status. Rejects only when the lease is
 * lost (the caller takes it again) or was taken over (GW1602).
 */
export async function runTask(run: TaskRun): Promise<TaskEnd> {
  const { lease, log } = run;
  let task = await lease.readTask();
  const progress = new TaskProgress(task.definition);
  progress.phase = task.phase;
  progress.load(await lease.readTables());
  progress.validation.restore(task.status?.validation);
  const retry = new RetryWindow(() => task.settings.retry);
  let interrupt = new AbortController();
  let recorded = JSON.stringify(task.errors);
  const over = new AbortController();

  const setState = async (state: TaskState, phase: TaskPhase = progress.phase, errors = progress.errors) => {
    Object.assign(progress, { state, phase, errors });
    log.info({ state, phase }, "state");
    await recordState();
    await run.publish(progress.status());
  };
  const recordState = async () => {
    const errors = progress.allErrors();
    recorded = JSON.stringify(errors);
    await lease.setState(progress.state, progress.phase, errors);
  };
  /** What was found beside the work, and is not what the store has. */
  const recordFindings = async () => {
    if (JSON.stringify(progress.allErrors()) !== recorded) await recordState();
  };
  let current: Route | undefined;
  const tellWarnings = () => {
    for (const warning of current?.takeWarnings?.() ?? []) log.warn({ phase: progress.phase }, warning);
  };
  const poll = async () => {
    for (let tick = 0; !over.signal.aborted; tick++) {
      task = await lease.readTask();
      if (task.desiredState !== "running" || run.signal.aborted) interrupt.abort();
      tellWarnings();
      await recordFindings();
      if (tick % 2 === 0)
        await progress
          .measure()
          .catch((cause: unknown) => log.warn({ cause: String(cause) }, "the source could not be measured"));
      const every = progress.loading.size > MANY_TABLES ? MANY_TABLES_TICKS : 1;
      if (tick % every === 0) await run.publish(progress.status());
      await sleep(POLL_MILLISECONDS, undefined, { signal: AbortSignal.any([over.signal, run.signal]) }).catch(() => undefined);
      if (run.signal.aborted) interrupt.abort();
    }
  };
  const watched = Promise.race([poll(), lease.lost]);
  watched.catch(() => interrupt.abort());

  const attempt = async (work: (phases: PhaseRun) => Promise<void>): Promise<void> => {
    let route: Route | undefined;
    let working: Promise<void> | undefined;
    try {
      route = await run.openRoute(task);
      current = route;
      working = work({
        route,
        lease,
        definition: task.definition,
        settings: (): TaskSettings => task.settings,
        progress,
        log,
        enter: async (phase) => {
          if (progress.phase !== phase || progress.state !== "running" || progress.errors.length > 0)
            await setState("running", phase, []);
        },
        signal: interrupt.signal,
      });
      await Promise.race([watched, working]);
    } catch (cause) {
      throw translate(cause, route);
    } finally {
      tellWarnings();
      progress.stopped();
      // Closing ends what still runs when the lease was lost first: the next attempt must not meet this one's connections.
      await route?.close();
      await working?.catch(() => undefined);
    }
  };

  /** One attempt, tried again while its retry window lasts. Returns true when the task failed for good. */
  const persist = async (work: (phases: PhaseRun) => Promise<void>): Promise<boolean> => {
    for (;;) {
      const before = progress.moved;
      try {
        await attempt(work);
        return false;
      } catch (cause) {
        if (isLost(cause) || run.signal.aborted) throw cause;
        if (interrupt.signal.aborted) return false;
        if (progress.moved > before) retry.succeeded();
        const retrying = !isFinal(cause) && retry.mayRetry(isServerGone(cause));
        const failure = taskError(cause, retrying);
        log[retrying ? "warn" : "error"](
          { code: failure.code, stack: cause instanceof Error ? cause.stack : undefined },
          failure.message,
        );
        await setState(retrying ? "running" : "failed", progress.phase, [failure]);
        if (!retrying) return true;
        await retry.wait(interrupt.signal);
      }
    }
  };

  try {
    for (;;) {
      if (run.signal.aborted) return "ended";
      if (task.desiredState === "stopped") {
        interrupt = new AbortController();
        const failed = await persist(stop);
        await setState(failed ? "failed" : "stopped");
        return failed ? "failed" : "stopped";
      }
      if (task.desiredState === "paused") {
        await setState("paused");
        while (task.desiredState === "paused" && !run.signal.aborted) {
          await Promise.race([watched, sleep(POLL_MILLISECONDS / 2)]);
        }
        continue;
      }
      interrupt = new AbortController();
      if (await persist(runPhases)) return "failed";
      if (interrupt.signal.aborted) continue;
      await setState("completed");
      return "completed";
    }
  } catch (cause) {
    if (run.signal.aborted && !isLost(cause)) return "ended";
    throw cause;
  } finally {
    over.abort();
    await run.publish(progress.status()).catch(() => undefined);
  }
}

/** The end of an incremental task: what waited for it is built, and the source keeps nothing for it any more. */
async function stop(phases: PhaseRun): Promise<void> {
  if (phases.progress.phase === "incremental" && migrates(phases.definition, "schema")) await finishSchema(phases);
  await phases.route.source.release();
}

/** From here on every failure is a GodwitError, whatever driver it came from. */
function translate(cause: unknown, route: Route | undefined): unknown {
  if (cause instanceof GodwitError) return cause;
  const { code = "", message = String(cause) } = (cause ?? {}) as { code?: string; message?: string };
  if (route?.isConnectionError(cause)) return new GodwitError(ErrorCode.ConnectionLost, message, { cause });
  // SQLSTATE class 53: insufficient resources.
  if (/^53/.test(code)) {
    const remedy = "make room on the server (disk, memory, connections); nothing is lost, the task goes on by itself";
    return new GodwitError(ErrorCode.ServerExhausted, message, { remedy, cause });
  }
  return new GodwitError(ErrorCode.TaskFailed, message, { cause });
}

/** The lease, not the work, failed: nothing may be written any more. */
function isLost(cause: unknown): boolean {
  return cause instanceof GodwitError && (cause.code === ErrorCode.WorkerFenced || cause.code === ErrorCode.LeaseLost);
}

function taskError(cause: unknown, retrying: boolean): TaskError {
  const message = cause instanceof Error ? cause.message : String(cause);
  const code = cause instanceof GodwitError ? cause.code : ErrorCode.TaskFailed;
  return { code, message, at: new Date().toISOString(), retrying };
}
