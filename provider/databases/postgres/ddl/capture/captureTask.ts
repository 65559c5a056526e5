import type { DdlOperations, PlannedTable } from "../../../../engine/models/plan.js";
import { ddlOperations } from "../../../../engine/plan.js";
import { migrates, type TaskDefinition, usersPublication } from "../../../../engine/taskDefinition.js";
import type { CaptureTask } from "./installCapture.js";

/** What is to be captured for a task; undefined where it follows no changes of structure. */
export function captureTask(definition: TaskDefinition, tables: readonly Pick<PlannedTable, "ddl">[]): CaptureTask | undefined {
  const { selection, publicationName } = definition;
  if (!selection || usersPublication(definition) || !migrates(definition, "incremental")) return undefined;
  const { objects, operations } = selection.options;
  const own = ddlOperations(operations?.ddl, definition.taskId);
  if (!followsAny(own) && !tables.some(({ ddl }) => ddl && followsAny(ddl))) return undefined;
  return { publication: publicationName, objects, creates: own.create };
}

export function followsAny(operations: DdlOperations): boolean {
  return Object.values(operations).some(Boolean);
}
