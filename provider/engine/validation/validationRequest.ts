import { createHash } from "node:crypto";
import type { PlannedTable } from "../models/plan.js";
import { migrates, type TaskDefinition, type TaskSettings } from "../taskDefinition.js";
import type { ComparedMode } from "./validationStatus.js";

/** What a task's settings ask for. */
export interface ValidationRequest {
  readonly mode: ComparedMode;
  /** The same text as long as nothing else is asked for. */
  readonly text: string;
}

/** Undefined: nothing is to be compared. */
export function validationRequest({
  dataValidation,
}: {
  readonly dataValidation?: TaskSettings["dataValidation"] | undefined;
}): ValidationRequest | undefined {
  const { mode = "none", triggers = {} } = dataValidation ?? {};
  if (mode === "none") return undefined;
  const sorted = Object.entries(triggers).sort(([a], [b]) => (a < b ? -1 : 1));
  return { mode, text: JSON.stringify([mode, sorted]) };
}

/** What is asked of one table: the request, and what the plan says of it that decides what is read. */
export function askedOf(request: ValidationRequest, { target, columns, key, filter }: PlannedTable): string {
  const read = [target, columns.map(({ source, target: there, type }) => [source, there, type]), key, filter?.condition];
  return createHash("sha256")
    .update(JSON.stringify([request.text, read]))
    .digest("hex")
    .slice(0, 16);
}

/** Why a table of the task is not to be compared; undefined: it is. */
export function exemption({ operations, streamed }: PlannedTable, definition: TaskDefinition): string | undefined {
  if (!migrates(definition, "incremental")) return undefined;
  if (!streamed) return "it is unlogged: it is loaded, and its changes are not followed";
  const { insert, update, delete: deletes, truncate } = operations;
  const left = Object.entries({ insert, update, delete: deletes, truncate }).filter(([, carried]) => !carried);
  if (left.length === 0) return undefined;
  return `its \`operations\` leave out ${left.map(([name]) => name).join(", ")}: the two sides are meant to differ`;
}
