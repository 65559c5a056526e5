import type { CatalogColumn, CatalogKey, CatalogTable } from "../../../engine/models/catalog.js";
import type { PlannedTable, StoredColumns } from "../../../engine/models/plan.js";
import type { OracleColumn } from "../catalog/model.js";
import { storedColumns } from "../catalog/tables.js";
import type { ColumnChange } from "./columnChanges.js";

/** A table's plan with the order of its rows' columns as the dictionary has it at an SCN. What only takes place there is left out. */
export function withStored(table: PlannedTable, columns: readonly OracleColumn[], since: bigint): PlannedTable {
  const stored = storedColumns(columns);
  const known = new Set([...table.columns.map(({ source }) => source), ...table.leftOut]);
  return {
    ...table,
    stored: { since: since.toString(), columns: stored.map(({ name, type }) => ({ name, type })) },
    leftOut: [...table.leftOut, ...stored.map(({ name }) => name).filter((name) => !known.has(name))],
  };
}

/**
 * The order of a row's columns after ALTER TABLE, worked out from the statement, because the dictionary may know of later ones already. `now` tells
 * the types as the dictionary writes them. A column behind the others leaves the order of older redo as it was; anything else does not. Pure.
 */
export function evolveStored(
  before: StoredColumns,
  changes: readonly ColumnChange[],
  now: readonly OracleColumn[],
  scn: bigint,
): StoredColumns {
  const columns = [...before.columns];
  let since = BigInt(before.since);
  const moved = () => {
    if (scn > since) since = scn;
  };
  const typeOf = (name: string, written: string | undefined) => now.find((column) => column.name === name)?.type ?? written;
  for (const change of changes) {
    if (change.kind === "dropUnused") {
      if (columns.some(({ name }) => name.startsWith(UNUSED))) moved();
      columns.splice(0, columns.length, ...columns.filter(({ name }) => !name.startsWith(UNUSED)));
      continue;
    }
    const place = columns.findIndex(({ name }) => name === change.name);
    const column = columns[place];
    switch (change.kind) {
      case "add":
        if (!column && isStored(now, change.name))
          columns.push({ name: change.name, type: typeOf(change.name, change.type) ?? "" });
        break;
      case "drop":
        if (!column) break;
        columns.splice(place, 1);
        moved();
        break;
      case "unuse":
        if (column) columns[place] = { name: `${UNUSED}${place}`, type: column.type };
        break;
      case "rename":
        if (column) columns[place] = { name: change.to, type: column.type };
        break;
      case "modify":
        if (column) columns[place] = { name: column.name, type: typeOf(column.name, change.type) ?? column.type };
        break;
    }
  }
  return { since: since.toString(), columns };
}

/**
 * The source's table as the changes that come next see it: the columns of its rows, with what the plan or the dictionary knows of each. The dictionary
 * alone would not do: it may be further, and a column that it has under a later name or not at all would lose its values. Pure.
 */
export function tableAsOf(table: PlannedTable, now: CatalogTable | undefined, keyMayDiffer: boolean): CatalogTable | undefined {
  if (!table.stored) return now;
  const planned = new Map(table.columns.map(({ source, ...column }) => [source, column]));
  const known = new Map((now?.columns ?? []).map((column) => [column.name, column]));
  const columns = table.stored.columns.map(({ name, type }, index): CatalogColumn => {
    const { nullable = true, identity } = known.get(name) ?? planned.get(name) ?? {};
    return { name, number: index + 1, type, nullable, generated: false, identity, binaryPortable: false };
  });
  const names = new Set(columns.map(({ name }) => name));
  const holds = (key: CatalogKey | undefined) => key?.columns.every((name) => names.has(name)) ?? false;
  const key =
    keyMayDiffer && now && holds(now.key) ? now.key : holds(table.key) ? table.key : { source: "none" as const, columns: [] };
  return {
    id: table.id,
    ...table.source,
    kind: "table",
    columns,
    key,
    replicaIdentity: key.source === "none" ? "full" : "default",
    unlogged: false,
    estimatedRows: table.estimatedRows,
    bytes: table.bytes,
  };
}

/** As Oracle calls them, without the number and time that nothing asks for: never in redo by this name. */
const UNUSED = "SYS_C_UNUSED_";

/** A virtual column takes no place. One that is gone again by now may have taken one. */
function isStored(now: readonly OracleColumn[], name: string): boolean {
  return now.find((column) => column.name === name)?.virtual !== true;
}
