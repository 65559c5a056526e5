import type { PlannedTable } from "../../../engine/models/plan.js";
import { kindOfType, readColumns } from "../catalog/columns.js";
import { openDictionary } from "../catalog/dictionary.js";
import type { OracleColumn } from "../catalog/model.js";
import type { OracleConnection } from "../driver.js";
import type { RedoTableInputs } from "../redo/redoTable.js";

/** Columns of tables as they are now, by SCHEMA.NAME, also those that do not move. Errors: GW1305. */
export async function readSourceColumns(connection: OracleConnection): Promise<ReadonlyMap<string, readonly OracleColumn[]>> {
  const found = new Map<string, OracleColumn[]>();
  for (const { schema, table, column } of await readColumns(await openDictionary(connection))) {
    const key = `${schema}.${table}`;
    const columns = found.get(key);
    if (columns) columns.push(column);
    else found.set(key, [column]);
  }
  return found;
}

/** A planned table as its redo is scanned. `now`: its stored columns, where the plan does not hold them. */
export function redoInputs(table: PlannedTable, now: readonly OracleColumn[] | undefined): RedoTableInputs {
  const key = new Set(table.key.columns);
  const stored = table.stored?.columns ?? now ?? table.columns.map(({ source, type }) => ({ name: source, type }));
  return {
    id: table.id,
    owner: table.source.schema,
    name: table.source.name,
    fullIdentity: key.size === 0,
    placesSince: BigInt(table.stored?.since ?? 0),
    // Computed columns are in no redo: what they are computed from is.
    columns: stored.map(({ name, type }) => ({
      name,
      // What Oracle keeps for itself (the storage of XMLTYPE) takes a place and is nobody's LOB.
      kind: name.startsWith("SYS_") ? "text" : kindOfType(type),
      national: isNational(type),
      partOfKey: key.has(name),
    })),
  };
}

function isNational(type: string): boolean {
  return /^N(CHAR|VARCHAR2|CLOB)\b/.test(type);
}
