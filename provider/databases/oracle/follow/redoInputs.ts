import type { PlannedTable } from "../../../engine/models/plan.js";
import { kindOfType, readColumns } from "../catalog/columns.js";
import { openDictionary } from "../catalog/dictionary.js";
import type { OracleColumn } from "../catalog/model.js";
import { readIndexOrganized } from "../catalog/tables.js";
import type { OracleConnection } from "../driver.js";
import type { RedoTableInputs } from "../redo/redoTable.js";

/** What the dictionary says now of the tables that redo speaks of, by SCHEMA.NAME. */
export interface SourceTables {
  /** Also those that do not move. */
  readonly columns: ReadonlyMap<string, readonly OracleColumn[]>;
  readonly indexOrganized: ReadonlySet<string>;
}

/** Errors: GW1305. */
export async function readSourceTables(connection: OracleConnection): Promise<SourceTables> {
  const dictionary = await openDictionary(connection);
  const found = new Map<string, OracleColumn[]>();
  for (const { schema, table, column } of await readColumns(dictionary)) {
    const key = `${schema}.${table}`;
    const columns = found.get(key);
    if (columns) columns.push(column);
    else found.set(key, [column]);
  }
  return { columns: found, indexOrganized: await readIndexOrganized(dictionary) };
}

/** A planned table as its redo is scanned. `now.stored` is used where the plan does not hold the order of its columns. */
export function redoInputs(
  table: PlannedTable,
  now: { readonly stored?: readonly OracleColumn[] | undefined; readonly indexOrganized?: boolean | undefined },
): RedoTableInputs {
  const key = new Set(table.key.columns);
  const stored = table.stored?.columns ?? now.stored ?? table.columns.map(({ source, type }) => ({ name: source, type }));
  return {
    id: table.id,
    owner: table.source.schema,
    name: table.source.name,
    fullIdentity: key.size === 0,
    placesSince: BigInt(table.stored?.since ?? 0),
    indexOrganized: now.indexOrganized ?? false,
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
