import type { CatalogKey, CatalogTable } from "../../../engine/models/catalog.js";
import type { ColumnRow } from "./columns.js";
import { type Dictionary, grouped } from "./dictionary.js";
import type { OracleColumn, OracleConstraint, OracleIndex, OracleTable } from "./model.js";

const TABLES = `
SELECT t.owner AS "schema", t.table_name AS "name", o.object_id AS "id", t.num_rows AS "rows", t.blocks AS "blocks",
       t.temporary AS "temporary", t.duration AS "duration", t.iot_type AS "iot", t.nested AS "nested", t.secondary AS "secondary",
       t.table_type_owner AS "row_type_owner", t.table_type AS "row_type"
  FROM {view}_all_tables t
  JOIN {view}_objects o ON o.owner = t.owner AND o.object_name = t.table_name AND o.object_type = 'TABLE'
 WHERE t.owner {users}
 ORDER BY t.owner, t.table_name`;

/** Tables that are the storage of something else, or whose rows lie outside of the database. */
const OTHERS = `
SELECT e.owner AS "schema", e.table_name AS "name", 'external' AS "what" FROM {view}_external_tables e WHERE e.owner {users}
 UNION ALL
SELECT m.owner, m.container_name, 'materialized view' FROM {view}_mviews m WHERE m.owner {users}
 UNION ALL
SELECT l.log_owner, l.log_table, 'materialized view log' FROM {view}_mview_logs l WHERE l.log_owner {users}
 UNION ALL
SELECT q.owner, q.queue_table, 'queue' FROM {view}_queue_tables q WHERE q.owner {users}`;

/** Rows per block are not in the dictionary before statistics are gathered; most databases have blocks of 8 kB. */
const BLOCK_BYTES = 8192;

export interface Partitioning {
  /** PARTITION BY, in Oracle's words. */
  readonly clause: string;
  readonly columns: readonly string[];
}

export interface ReadTables {
  readonly tables: readonly CatalogTable[];
  readonly details: ReadonlyMap<number, OracleTable>;
  readonly unsupported: readonly { kind: string; schema: string; name: string; reason: string }[];
}

export async function readTables(
  dictionary: Dictionary,
  columns: readonly ColumnRow[],
  constraints: readonly OracleConstraint[],
  indexes: readonly OracleIndex[],
  partitioning: ReadonlyMap<string, Partitioning>,
): Promise<ReadTables> {
  const keyOf = ({ schema, table }: { schema: string; table: string }) => JSON.stringify([schema, table]);
  const columnsOf = grouped(columns, keyOf);
  const constraintsOf = grouped(constraints, keyOf);
  const indexesOf = grouped(indexes, ({ tableSchema, table }) => keyOf({ schema: tableSchema, table }));
  const others = new Map((await dictionary.read(OTHERS)).map((row) => [JSON.stringify([row.schema, row.name]), row.what ?? ""]));
  const tables: CatalogTable[] = [];
  const details = new Map<number, OracleTable>();
  const unsupported: { kind: string; schema: string; name: string; reason: string }[] = [];
  for (const row of await dictionary.read(TABLES)) {
    const [schema, name] = [row.schema ?? "", row.name ?? ""];
    const key = JSON.stringify([schema, name]);
    const other = others.get(key);
    // Parts of other tables: overflow of an index-organized one, rows of a nested one, an index's own, the recycle bin.
    const part = row.iot === "IOT_OVERFLOW" || row.iot === "IOT_MAPPING" || row.nested === "YES" || row.secondary === "Y";
    if (part || name.startsWith("BIN$") || other === "materialized view" || other === "materialized view log") continue;
    if (other !== undefined) {
      unsupported.push({ kind: "table", schema, name, reason: other === "queue" ? "a queue's table" : "its rows lie in files" });
      continue;
    }
    const id = Number(row.id);
    const all = (columnsOf.get(key) ?? []).map(({ column }) => column);
    const own = all.filter(({ hidden }) => !hidden);
    const temporary = row.temporary === "Y" ? (row.duration === "SYS$TRANSACTION" ? "transaction" : "session") : undefined;
    details.set(id, {
      id,
      schema,
      name,
      columns: own,
      stored: storedColumns(all),
      rowType: row.row_type ? { schema: row.row_type_owner ?? schema, name: row.row_type } : undefined,
      temporary,
      indexOrganized: row.iot === "IOT",
      partitioning: partitioning.get(key)?.clause ?? "",
      partitionKey: partitioning.get(key)?.columns ?? [],
    });
    const rowKey = keyFor(own, constraintsOf.get(key) ?? [], indexesOf.get(key) ?? []);
    tables.push({
      id,
      schema,
      name,
      // Temporary ones have no rows that anyone else sees: a structure without rows.
      kind: temporary ? "partitionedTable" : "table",
      columns: own.map((column, index) => ({
        name: column.name,
        number: index + 1,
        type: column.type,
        nullable: column.nullable,
        generated: column.virtual,
        identity: column.identity === undefined ? undefined : column.identity.includes("ALWAYS") ? "always" : "byDefault",
        binaryPortable: false,
      })),
      key: rowKey,
      replicaIdentity: rowKey.source === "none" ? "full" : "default",
      unlogged: false,
      estimatedRows: Number(row.rows ?? 0),
      bytes: Number(row.blocks ?? 0) * BLOCK_BYTES,
    });
  }
  return { tables, details, unsupported };
}

const INDEX_ORGANIZED = `
SELECT t.owner AS "schema", t.table_name AS "name" FROM {view}_all_tables t WHERE t.owner {users} AND t.iot_type = 'IOT'`;

/** By `SCHEMA.NAME`. Errors: GW1305. */
export async function readIndexOrganized(dictionary: Dictionary): Promise<ReadonlySet<string>> {
  return new Set((await dictionary.read(INDEX_ORGANIZED)).map(({ schema, name }) => `${schema}.${name}`));
}

/** As redo that names columns by place counts them. XMLTYPE columns have no place of their own (hidden ones hold them) and come last. */
export function storedColumns(columns: readonly OracleColumn[]): readonly OracleColumn[] {
  const placed = columns.filter(({ place }) => place !== undefined).sort((a, b) => (a.place ?? 0) - (b.place ?? 0));
  return [...placed, ...columns.filter(({ place, virtual, hidden }) => place === undefined && !virtual && !hidden)];
}

/** The primary key; else the narrowest unique key without NULLs, which supplemental logging of unique keys covers as well. */
function keyFor(
  columns: readonly OracleColumn[],
  constraints: readonly OracleConstraint[],
  indexes: readonly OracleIndex[],
): CatalogKey {
  // A key that may be broken inside a transaction, or is not checked at all, names no single row.
  const strict = constraints.filter(({ enabled, deferrable }) => enabled && !deferrable);
  const primary = strict.find(({ kind }) => kind === "primaryKey");
  if (primary) return { source: "primaryKey", columns: primary.columns };
  const required = new Set(columns.filter(({ nullable, virtual }) => !nullable && !virtual).map(({ name }) => name));
  const unique = [
    ...strict.filter(({ kind }) => kind === "unique").map((constraint) => constraint.columns),
    ...indexes.filter((index) => index.unique).flatMap((index) => (index.columns ? [index.columns] : [])),
  ].filter((key) => key.length > 0 && key.every((column) => required.has(column)));
  const [best] = unique.sort((a, b) => a.length - b.length || (a.join() < b.join() ? -1 : 1));
  return best ? { source: "uniqueIndex", columns: best } : { source: "none", columns: [] };
}
