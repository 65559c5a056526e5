import type { CaptureStatus, Route } from "./database.js";
import type { Ends } from "./models/endpoint.js";
import type { Plan, PrecheckItem } from "./models/plan.js";
import type { PlanOptions } from "./plan.js";
import type { TaskDefinition } from "./taskDefinition.js";
import type { TaskLease, TaskStore } from "./taskStore.js";

export interface PlannedTask {
  readonly plan: Plan;
  readonly prechecks: readonly PrecheckItem[];
}

export interface LeaseOptions {
  /** Ends the session of whoever holds the lease: for new credentials, or a worker that can't be reached. */
  readonly takeOver?: boolean;
  /** The epoch this process held: while nobody took it over, a session that still holds the lock is its own, cut off. */
  readonly former?: bigint;
}

/** A pair of databases that Godwit moves data between. databases/index.ts lists them. */
export interface RouteKind {
  /**
   * Resolves the selection against the source and checks everything that can be checked. Changes nothing. Tables in `known` (by id) are the task's
   * already: that they exist on the target is no conflict.
   */
  plan(ends: Ends, definition: TaskDefinition, options: PlanOptions, known: ReadonlySet<number>): Promise<PlannedTask>;
  /** A source position as its database writes it. */
  formatPosition(position: bigint): string;
  /** Errors: GW1001 for what is no position of this source. */
  parsePosition(text: string): bigint;
  openStore(ends: Ends): Promise<TaskStore>;
  takeLease(ends: Ends, taskId: string, options?: LeaseOptions): Promise<TaskLease>;
  open(ends: Ends, definition: TaskDefinition): Promise<Route>;
  /** What the source says of the task's capture, without its worker. */
  captureStatus(ends: Ends, definition: TaskDefinition): Promise<CaptureStatus>;
  /**
   * Takes away what the task has, without its worker. Tolerates what is gone. What harms nobody and can't be taken away, because its server
   * does not answer, is told by `warn` and left there: a destroy must end.
   */
  release(ends: Ends, definition: TaskDefinition, warn: (message: string) => void): Promise<void>;
}
