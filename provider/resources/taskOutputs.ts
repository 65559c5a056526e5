import type { MigrationTaskInputs, MigrationTaskOutputs } from "../contract/types.js";
import { routeKind } from "../databases/index.js";
import { ErrorCode, GodwitError } from "../engine/errors.js";
import { migrates } from "../engine/taskDefinition.js";
import type { TaskRecord } from "../engine/taskStore.js";
import { endsOf } from "./taskSpec.js";

/** What a stack keeps of a task: what it was asked for, and what its store says. */
export function outputsOf(inputs: MigrationTaskInputs, task: TaskRecord): MigrationTaskOutputs {
  const start = task.definition.startPosition ?? task.capturePosition?.toString();
  return {
    ...inputs,
    taskId: task.definition.taskId,
    state: task.state,
    phase: task.phase,
    ...(migrates(task.definition, "incremental") ? { slotName: task.definition.slotName } : {}),
    ...(start === undefined ? {} : { startPosition: routeKind(endsOf(inputs)).formatPosition(BigInt(start)) }),
    prechecks: task.prechecks.map(({ item, severity, passed, message, remedy }) => ({ item, severity, passed, message, remedy })),
    skippedObjects: task.skipped,
    errors: task.errors.map(({ code, message, at }) => ({ code, message, at })),
  };
}

/** A failure as the outputs list it. */
export function errorOf(cause: unknown): { code: string; message: string; at: string; retrying: false } {
  return {
    code: cause instanceof GodwitError ? cause.code : ErrorCode.TaskFailed,
    message: cause instanceof Error ? cause.message : String(cause),
    at: new Date().toISOString(),
    retrying: false,
  };
}
