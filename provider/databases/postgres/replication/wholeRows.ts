import type { PlannedTable } from "../../../engine/models/plan.js";

/** The table under REPLICA IDENTITY FULL for as long as the task is there: every change of it carries the whole old row. */
export function withWholeRows(table: PlannedTable): PlannedTable {
  if (!table.streamed || table.replicaIdentity.was === "full") return table;
  return { ...table, replicaIdentity: { ...table.replicaIdentity, needs: "full" } };
}
