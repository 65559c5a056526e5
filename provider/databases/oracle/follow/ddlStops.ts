import { ErrorCode, GodwitError } from "../../../engine/errors.js";
import type { QualifiedName } from "../../../engine/models/catalog.js";
import type { DdlChange } from "../logMiner/emitTransaction.js";
import { formatPosition } from "../logMiner/position.js";
import type { Refused } from "./openTarget.js";

/** GW1502: the task can't follow. Default remedy: the same change by hand. */
export function structureStops(change: DdlChange, table: QualifiedName, reason: string, remedy?: string): GodwitError {
  return new GodwitError(ErrorCode.StructureChanged, `the table's structure changed: ${reason}`, {
    object: `${table.schema}.${table.name}`,
    position: formatPosition(change.position),
    remedy:
      remedy ??
      "make the same change on the target, then run pulumi up: the task takes the new structure over and goes on; the statement was: " +
        change.sql.slice(0, 500),
  });
}

/** GW1551: the target does not take it. */
export function structureRejected(change: DdlChange, cause: Refused, table: QualifiedName): GodwitError {
  return new GodwitError(ErrorCode.StructureStatementRejected, `the target refused a change of structure: ${cause.message}`, {
    object: `${table.schema}.${table.name}`,
    position: formatPosition(change.position),
    remedy: `mend what the target objects to; the statement was: ${cause.statement.slice(0, 500)}`,
    cause,
  });
}
