import type { PlannedTable } from "../../../engine/models/plan.js";
import { ident, qualified } from "../../postgres/sql.js";
import { naturalName } from "../catalog/naturalName.js";
import type { DdlChange } from "../logMiner/emitTransaction.js";
import type { ChangeConversion } from "./changeConversion.js";
import type { ColumnChange } from "./columnChanges.js";
import { structureStops } from "./ddlStops.js";

/** ALTER TABLE ... DROP or TRUNCATE PARTITION. */
export const PARTITIONS = /\b(DROP|TRUNCATE)\s+(SUB)?PARTITIONS?\b/i;

/** What an ALTER TABLE is on the target. None where it only concerns columns that the task leaves out, or nothing that PostgreSQL has to be told. Errors: GW1502. */
export async function alterSql(
  change: DdlChange,
  table: PlannedTable,
  changes: readonly ColumnChange[],
  conversion: Pick<ChangeConversion, "ofTable">,
): Promise<readonly string[]> {
  const [first] = changes;
  const planned = new Map(table.columns.map((column) => [column.source, column.target]));
  const leftOut = (each: ColumnChange) =>
    "name" in each && each.kind !== "add" && !planned.has(each.name) && table.leftOut.includes(each.name);
  if (first && changes.every(leftOut)) return [];
  // Storage of an index-organized table.
  if (/\bADD\s+OVERFLOW\b/i.test(change.sql)) return [];
  if (/\bMODIFY\s+(SUB)?PARTITION\b.*\b(ADD|DROP)\s+VALUES\b/is.test(change.sql))
    throw structureStops(change, table.source, "a list partition takes other values than before");
  if (changes.some(leftOut))
    throw structureStops(change, table.source, "it changes columns that the task moves together with some that it leaves out");
  if (first?.kind === "rename") {
    // A name that the program gave stays.
    const target = planned.get(first.name);
    if (target === undefined || target !== naturalName(first.name)) return [];
    return [`ALTER TABLE ${qualified(table.target)} RENAME COLUMN ${ident(target)} TO ${ident(naturalName(first.to))}`];
  }
  // What is not there would be dropped without its rows: those of an interval's partition lie in the default one.
  return (await conversion.ofTable(change, table.source)).map((sql) =>
    PARTITIONS.test(change.sql) ? sql.replace(/^DROP TABLE IF EXISTS /, "DROP TABLE ") : sql,
  );
}
