import { ErrorCode, GodwitError } from "../../../engine/errors.js";
import { RedoProblem } from "../redo/redoProblem.js";
import type { RedoTable } from "../redo/redoTable.js";
import { quoted } from "../sql.js";

/** What a problem of the scanner means to a user. Other errors stay as they are. */
export function redoError(cause: unknown, table: RedoTable, scn: bigint): unknown {
  if (!(cause instanceof RedoProblem)) return cause;
  const detail = { object: `${table.owner}.${table.name}`, position: `SCN ${scn}`, cause };
  const name = `${quoted(table.owner)}.${quoted(table.name)}`;
  switch (cause.kind) {
    case "unknownColumn":
      return new GodwitError(ErrorCode.StructureChanged, `the table's structure changed: ${cause.message}`, {
        ...detail,
        remedy: "make the same change on the target, then run pulumi up: the task takes the new structure over and goes on",
      });
    case "placesUnknown":
      return new GodwitError(ErrorCode.StructureChanged, `the table's structure changed after this change: ${cause.message}`, {
        ...detail,
        remedy:
          "take the table out of the task (exclude it, pulumi up), empty it on the target and take it in again, which loads it anew",
      });
    case "keyMissing":
      return new GodwitError(ErrorCode.SupplementalLoggingMissing, `the redo does not name the row: ${cause.message}`, {
        ...detail,
        remedy: `ALTER TABLE ${name} ADD SUPPLEMENTAL LOG DATA (PRIMARY KEY, UNIQUE) COLUMNS, then load the table again: changes made before it are lost`,
      });
    case "rowIncomplete":
      return new GodwitError(ErrorCode.SupplementalLoggingMissing, `the redo does not hold the whole row: ${cause.message}`, {
        ...detail,
        remedy: `ALTER TABLE ${name} ADD SUPPLEMENTAL LOG DATA (ALL) COLUMNS, then load the table again: changes made before it are lost`,
      });
    case "unreadable":
      return new GodwitError(ErrorCode.RedoUnreadable, `a line of redo could not be read: ${cause.message}`, {
        ...detail,
        remedy: "report it with the table's definition; until then leave the table or the column out of the task",
      });
  }
}
