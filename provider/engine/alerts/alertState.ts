import type { TaskError, TaskState } from "../taskStatus.js";

export interface AlertSettings {
  readonly onFailure: boolean;
  /** Absent: the latency is not watched. */
  readonly latencySeconds?: number | undefined;
}

export type AlertEvent = "failed" | "recovered" | "lagging" | "caughtUp";

/** What is to be told, before it is known to whom. */
export interface Alert {
  readonly event: AlertEvent;
  /** The failure, for `failed` and `recovered`. */
  readonly failure?: Pick<TaskError, "code" | "message" | "retrying">;
  /** For `lagging` and `caughtUp`. */
  readonly lagSeconds?: number;
}

/** What is seen of a task at a moment. */
export interface Observation {
  readonly state: TaskState;
  /** Why it does not go on. */
  readonly failure: Pick<TaskError, "code" | "message" | "retrying"> | undefined;
  /** How long ago the source was where the target is; undefined while nothing streams. */
  readonly latencySeconds: number | undefined;
  readonly caughtUp: boolean;
}

/** Incidents that are open, and what was told of them. Times in ms since 1970. Lies beside the task's status: no contacts, no secrets. */
export interface AlertMemory {
  /** Of the last change: the newer of two memories counts. */
  readonly at: number;
  readonly failingSince?: number;
  /** The failure seems to be over. */
  readonly quietSince?: number;
  readonly told?: "retrying" | "failed";
  readonly failure?: Pick<TaskError, "code" | "message" | "retrying">;
  /** It was level once: before that a latency is the load's remainder. */
  readonly wasLevel?: boolean;
  readonly lateSince?: number;
  readonly levelSince?: number;
  readonly lagTold?: boolean;
}

/** A failure that passes within it is nobody's business: servers restart, networks blink. */
const FAILING_MILLISECONDS = 60_000;
/** An attempt clears its predecessor's error and may fail a moment later. */
const QUIET_MILLISECONDS = 30_000;
/** A single large transaction is no latency. */
const LATE_MILLISECONDS = 10_000;

/**
 * What is to be told after another look at the task. Pure.
 *
 *     failing for a minute --> failed (retrying) --+--> quiet for half a minute, or completed --> recovered
 *     state failed ----------> failed -------------+
 *     late for ten seconds --> lagging --> level for ten seconds --> caughtUp
 *
 * Each is told once; a failure that was being retried and then became final is told a second time, as that. A task that is paused or stopped is so because
 * someone wanted it: nothing is told, and a stopped one is forgotten.
 */
export function alertsOf(
  memory: AlertMemory,
  seen: Observation,
  settings: AlertSettings,
  now: number,
): { readonly memory: AlertMemory; readonly alerts: readonly Alert[] } {
  if (seen.state === "stopped") return { memory: { at: memory.at }, alerts: [] };
  const alerts: Alert[] = [];
  let next = failing(memory, seen, settings, now, alerts);
  next = late(next, seen, settings, now, alerts);
  const changed = JSON.stringify({ ...next, at: 0 }) !== JSON.stringify({ ...memory, at: 0 });
  return { memory: changed ? { ...next, at: now } : memory, alerts };
}

function failing(
  memory: AlertMemory,
  seen: Observation,
  { onFailure }: AlertSettings,
  now: number,
  alerts: Alert[],
): AlertMemory {
  const { failingSince, quietSince, told, failure, ...rest } = memory;
  if (seen.failure) {
    const since = failingSince ?? now;
    const open = { ...rest, failingSince: since, failure: seen.failure };
    const final = seen.state === "failed";
    const due = final ? told !== "failed" : told === undefined && now - since >= FAILING_MILLISECONDS;
    if (!onFailure || !due) return { ...open, ...(told ? { told } : {}) };
    alerts.push({ event: "failed", failure: seen.failure });
    return { ...open, told: final ? "failed" : "retrying" };
  }
  if (failingSince === undefined || seen.state === "paused") return memory;
  const since = quietSince ?? now;
  if (seen.state !== "completed" && now - since < QUIET_MILLISECONDS) return { ...memory, quietSince: since };
  if (told && onFailure) alerts.push({ event: "recovered", ...(failure ? { failure } : {}) });
  return rest;
}

function late(memory: AlertMemory, seen: Observation, settings: AlertSettings, now: number, alerts: Alert[]): AlertMemory {
  const { latencySeconds: lagSeconds } = seen;
  const { latencySeconds: most } = settings;
  if (lagSeconds === undefined || most === undefined || seen.state === "paused") return memory;
  const { lateSince, levelSince, lagTold, wasLevel: level, ...rest } = memory;
  const wasLevel = level || seen.caughtUp;
  const kept = wasLevel ? { ...rest, wasLevel } : rest;
  if (lagSeconds > most && wasLevel) {
    const since = lateSince ?? now;
    const due = !lagTold && now - since >= LATE_MILLISECONDS;
    if (due) alerts.push({ event: "lagging", lagSeconds });
    return { ...kept, lateSince: since, ...(lagTold || due ? { lagTold: true } : {}) };
  }
  if (!lagTold) return kept;
  const since = levelSince ?? now;
  if (now - since < LATE_MILLISECONDS) return { ...kept, lagTold, levelSince: since };
  alerts.push({ event: "caughtUp", lagSeconds });
  return kept;
}
