import type { PlannedTable } from "../../../engine/models/plan.js";
import { naturalName } from "../catalog/naturalName.js";
import type { ColumnChange } from "./columnChanges.js";

/** What takes a place in the rows and does not move is left out: a column too that the dictionary, being further, does not have any more. */
export function withPlaces(table: PlannedTable): PlannedTable {
  const known = new Set([...table.columns.map(({ source }) => source), ...table.leftOut]);
  const others = (table.stored?.columns ?? []).map(({ name }) => name).filter((name) => !known.has(name));
  return { ...table, leftOut: [...table.leftOut, ...others] };
}

/** The plan by the source's new names. What followed the source's name goes on doing so. */
export function renamedColumns(table: PlannedTable, changes: readonly ColumnChange[], followed: boolean): PlannedTable {
  const to = new Map(changes.flatMap((change) => (change.kind === "rename" ? [[change.name, change.to] as const] : [])));
  if (to.size === 0) return table;
  const now = (name: string) => to.get(name) ?? name;
  return {
    ...table,
    columns: table.columns.map((column) => {
      const natural = followed && column.target === naturalName(column.source);
      return { ...column, source: now(column.source), target: natural ? naturalName(now(column.source)) : column.target };
    }),
    leftOut: table.leftOut.map(now),
    key: { ...table.key, columns: table.key.columns.map(now) },
    ...(table.joined ? { joined: table.joined.map(now) } : {}),
  };
}
