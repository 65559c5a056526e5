import type { Client } from "pg";
import { ErrorCode, GodwitError } from "../../../engine/errors.js";
import type { StreamedTable } from "../../../engine/models/change.js";
import type { PlannedColumn, PlannedTable } from "../../../engine/models/plan.js";
import { type BaseType, readBaseTypes } from "../formats/columnTypes.js";
import type { FormatColumn, FormatTable } from "../formats/recordFormat.js";

/** What the records tell of a table beyond its plan: keys by name, numbers of types. Column names are the source's. */
export interface TableShape {
  readonly typeIds: ReadonlyMap<string, number>;
  readonly primaryKey: readonly string[];
  readonly uniqueKeys: readonly { readonly name: string; readonly columns: readonly string[] }[];
}

export interface TableShapes {
  readonly shapes: ReadonlyMap<number, TableShape>;
  readonly baseTypes: ReadonlyMap<number, BaseType>;
}

const COLUMNS = `
  SELECT a.attrelid::pg_catalog.int8::text AS "tableId", a.attname::text AS name, a.atttypid::pg_catalog.int8::text AS "typeId"
    FROM pg_catalog.pg_attribute a
   WHERE a.attrelid = ANY ($1::pg_catalog.int8[]::pg_catalog.oid[]) AND a.attnum > 0 AND NOT a.attisdropped`;

// Only what names at most one row whatever it holds: no partial index, no expression. INCLUDEd columns (from PostgreSQL 11) are no
// part of the key.
const KEYS = `
  SELECT i.indrelid::pg_catalog.int8::text AS "tableId", c.relname::text AS name, i.indisprimary AS primary,
         ARRAY(SELECT a.attname::text
                 FROM pg_catalog.unnest(i.indkey::pg_catalog.int2[]) WITH ORDINALITY AS k (number, place)
                 JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number
                WHERE k.place <= coalesce((pg_catalog.to_jsonb(i) ->> 'indnkeyatts')::integer, i.indnatts)
                ORDER BY k.place) AS columns
    FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
   WHERE i.indrelid = ANY ($1::pg_catalog.int8[]::pg_catalog.oid[])
     AND i.indisunique AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL
   ORDER BY c.relname`;

/** Reads from the source what the planned tables look like now. Those dropped since are not in the map. */
export async function readTableShapes(client: Client, tables: readonly PlannedTable[]): Promise<TableShapes> {
  const ids = tables.map(({ id }) => id);
  const columns = await client.query<{ tableId: string; name: string; typeId: string }>(COLUMNS, [ids]);
  const keys = await client.query<{ tableId: string; name: string; primary: boolean; columns: string[] }>(KEYS, [ids]);
  const shapes = new Map<
    number,
    { typeIds: Map<string, number>; primaryKey: string[]; uniqueKeys: (typeof keys.rows)[number][] }
  >();
  for (const { tableId, name, typeId } of columns.rows) {
    const shape = shapes.get(Number(tableId)) ?? { typeIds: new Map(), primaryKey: [], uniqueKeys: [] };
    shapes.set(Number(tableId), shape);
    shape.typeIds.set(name, Number(typeId));
  }
  for (const key of keys.rows) {
    const shape = shapes.get(Number(key.tableId));
    if (key.primary) shape?.primaryKey.push(...key.columns);
    else shape?.uniqueKeys.push(key);
  }
  const made = tables.flatMap((table) => table.columns.flatMap(({ derived }) => derived?.typeId ?? []));
  const typeIds = new Set([...columns.rows.map(({ typeId }) => Number(typeId)), ...made]);
  return { shapes, baseTypes: await readBaseTypes(client, [...typeIds]) };
}

/** The table as the rows of its COPY hold it: the planned columns, in their order. */
export function loadedTable(planned: PlannedTable, database: string, { shapes, baseTypes }: TableShapes): FormatTable {
  const shape = shapes.get(planned.id);
  const columns = planned.columns.map((column) =>
    formatColumn(
      column,
      column.derived?.typeId ?? shape?.typeIds.get(column.source) ?? 0,
      shape?.primaryKey.includes(column.source) ?? false,
      baseTypes,
    ),
  );
  return { ...names(planned, database), ...keys(planned, shape), columns, oldTuples: "wholeRow" };
}

/**
 * The table as the stream's tuples hold it. Errors: GW1502 when the stream brings a column that the plan does not know, or not one that it
 * does.
 */
export function streamedTable(
  streamed: StreamedTable,
  planned: PlannedTable,
  database: string,
  { shapes, baseTypes }: TableShapes,
): FormatTable {
  const shape = shapes.get(planned.id);
  const wanted = new Map(planned.columns.map((column) => [column.source, column]));
  const columns = streamed.columns.map(({ name, typeId, partOfKey }) => {
    const column = wanted.get(name);
    wanted.delete(name);
    if (column) return formatColumn(column, typeId, partOfKey, baseTypes);
    if (planned.leftOut.includes(name)) return undefined;
    throw changed(streamed, `column "${name}" was added or renamed at the source`);
  });
  for (const name of wanted.keys()) {
    if (!planned.joined?.includes(name)) throw changed(streamed, `column "${name}" was dropped or renamed at the source`);
  }
  return {
    ...names(planned, database),
    ...keys(planned, shape),
    columns,
    oldTuples: streamed.fullIdentity ? "wholeRow" : "identity",
  };
}

function names(planned: PlannedTable, database: string): Pick<FormatTable, "database" | "schema" | "name"> {
  return { database, schema: planned.target.schema, name: planned.target.name };
}

/** A key one of whose columns is left out is no key of the records. */
function keys(planned: PlannedTable, shape: TableShape | undefined): Pick<FormatTable, "primaryKey" | "uniqueKeys"> {
  const targets = new Map(planned.columns.map(({ source, target }) => [source, target]));
  const renamed = (columns: readonly string[]) => {
    const found = columns.flatMap((name) => targets.get(name) ?? []);
    return found.length === columns.length ? found : [];
  };
  return {
    primaryKey: renamed(shape?.primaryKey ?? []),
    uniqueKeys: (shape?.uniqueKeys ?? [])
      .map(({ name, columns }) => ({ name, columns: renamed(columns) }))
      .filter(({ columns }) => columns.length > 0),
  };
}

function formatColumn(
  column: PlannedColumn,
  typeId: number,
  partOfKey: boolean,
  baseTypes: ReadonlyMap<number, BaseType>,
): FormatColumn {
  const baseType = baseTypes.get(typeId);
  return { name: column.target, typeId, type: column.type, partOfKey, ...(baseType ? { baseType } : {}) };
}

function changed(table: StreamedTable, what: string): GodwitError {
  return new GodwitError(ErrorCode.StructureChanged, what, {
    object: `${table.schema}.${table.name}`,
    remedy: "run pulumi up: the task takes the new structure over and goes on",
  });
}
