import type { PgColumn, PgRelation, RelationKind } from "./model.js";
import { type CatalogSession, collationName, inUserSchema, notFromExtension, optional, rows, since } from "./query.js";

interface RelationRow {
  id: number;
  schema: string;
  name: string;
  kind: "r" | "p" | "v" | "m" | "c";
  row_type: number;
  unlogged: boolean;
  options: string[];
  access_method: string | null;
  partition_key: string | null;
  partition_bound: string | null;
  of_type: string | null;
  identity: "d" | "n" | "f" | "i";
  populated: boolean;
  row_security: boolean;
  has_oids: boolean;
  query: string | null;
  view_rule: number | null;
  estimated_rows: number;
  bytes: number;
}

interface ColumnRow {
  relation: number;
  name: string;
  number: number;
  type: string;
  type_id: number;
  not_null: boolean;
  identity: "" | "a" | "d";
  generated: "" | "s" | "v";
  expression: string | null;
  expression_id: number | null;
  collation: string | null;
  storage: string | null;
  compression: string;
  statistics: number | null;
  options: string[] | null;
  local: boolean;
}

const KINDS: Readonly<Record<RelationRow["kind"], RelationKind>> = {
  r: "table",
  p: "partitionedTable",
  v: "view",
  m: "materializedView",
  c: "compositeType",
};

const IDENTITIES = { d: "default", n: "nothing", f: "full", i: "index" } as const;
const STORAGES: Readonly<Record<string, string>> = { p: "PLAIN", e: "EXTERNAL", m: "MAIN", x: "EXTENDED" };
const COMPRESSIONS: Readonly<Record<string, "pglz" | "lz4">> = { p: "pglz", l: "lz4" };

/** Tables, views, materialized views and composite types, with their columns. */
export async function readRelations(session: CatalogSession): Promise<PgRelation[]> {
  const found = await rows<RelationRow>(session, relationsSql(session));
  const columns = new Map<number, PgColumn[]>();
  for (const row of await rows<ColumnRow>(session, columnsSql(session))) {
    const list = columns.get(row.relation);
    if (list) list.push(columnOf(row));
    else columns.set(row.relation, [columnOf(row)]);
  }
  const parents = new Map<number, number[]>();
  for (const { child, parent } of await rows<{ child: number; parent: number }>(session, PARENTS)) {
    const list = parents.get(child);
    if (list) list.push(parent);
    else parents.set(child, [parent]);
  }
  return found.map((row) => ({
    id: row.id,
    key: `pg_class/${row.id}`,
    schema: row.schema,
    name: row.name,
    kind: KINDS[row.kind],
    rowType: `pg_type/${row.row_type}`,
    unlogged: row.unlogged,
    options: row.options,
    accessMethod: optional(row.access_method),
    partitionKey: optional(row.partition_key),
    partitionBound: optional(row.partition_bound),
    parents: parents.get(row.id) ?? [],
    ofType: optional(row.of_type),
    replicaIdentity: IDENTITIES[row.identity],
    populated: row.populated,
    rowSecurity: row.row_security,
    hasOids: row.has_oids,
    query: optional(row.query),
    viewRule: row.view_rule === null ? undefined : `pg_rewrite/${row.view_rule}`,
    estimatedRows: row.estimated_rows,
    bytes: row.bytes,
    columns: columns.get(row.id) ?? [],
  }));
}

function columnOf(row: ColumnRow): PgColumn {
  return {
    name: row.name,
    number: row.number,
    type: row.type,
    typeId: row.type_id,
    notNull: row.not_null,
    identity: row.identity,
    generated: row.generated,
    expression: optional(row.expression),
    expressionKey: row.expression_id === null ? undefined : `pg_attrdef/${row.expression_id}`,
    collation: optional(row.collation),
    storage: row.storage === null ? undefined : STORAGES[row.storage],
    compression: COMPRESSIONS[row.compression],
    statistics: optional(row.statistics),
    options: row.options ?? [],
    local: row.local,
  };
}

/**
 * reltuples is what the last ANALYZE saw: its density times the present size is closer. A table never analysed is
 * guessed at 100 bytes a row. pg_table_size would look at eight more files a table: three times the whole plan's time over 20,000.
 */
function relationsSql(session: CatalogSession): string {
  return `
SELECT c.oid AS id, n.nspname AS schema, c.relname AS name, c.relkind AS kind, c.reltype AS row_type,
       c.relpersistence = 'u' AS unlogged,
       coalesce(c.reloptions, '{}')
         || ARRAY(SELECT 'toast.' || o FROM pg_catalog.unnest(t.reloptions) AS o) AS options,
       CASE WHEN c.relkind IN ('r', 'm') THEN ${since(session, 12, "a.amname", "NULL")} END AS access_method,
       CASE WHEN c.relkind = 'p' THEN pg_catalog.pg_get_partkeydef(c.oid) END AS partition_key,
       CASE WHEN c.relispartition THEN pg_catalog.pg_get_expr(c.relpartbound, c.oid) END AS partition_bound,
       CASE WHEN c.reloftype <> 0 THEN pg_catalog.format_type(c.reloftype, NULL) END AS of_type,
       c.relreplident AS identity, c.relispopulated AS populated, c.relrowsecurity AS row_security,
       ${since(session, 12, "false", "c.relhasoids AND c.relkind IN ('r', 'p')")} AS has_oids,
       CASE WHEN c.relkind IN ('v', 'm') THEN pg_catalog.pg_get_viewdef(c.oid) END AS query,
       CASE WHEN c.relkind IN ('v', 'm') THEN
         (SELECT r.oid FROM pg_catalog.pg_rewrite r WHERE r.ev_class = c.oid AND r.rulename = '_RETURN') END AS view_rule,
       s.bytes::pg_catalog.float8 AS bytes,
       CASE WHEN c.relkind NOT IN ('r', 'm') THEN 0
            WHEN c.relpages > 0 AND c.reltuples >= 0
              THEN pg_catalog.round(c.reltuples * s.heap_bytes / (c.relpages * pg_catalog.current_setting('block_size')::float8))
            ELSE pg_catalog.round(s.heap_bytes / 100.0) END::pg_catalog.float8 AS estimated_rows
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_class t ON t.oid = c.reltoastrelid
${since(session, 12, "LEFT JOIN pg_catalog.pg_am a ON a.oid = c.relam", "")}
CROSS JOIN LATERAL (
  SELECT h.heap_bytes, h.heap_bytes + CASE WHEN t.oid IS NULL THEN 0 ELSE pg_catalog.pg_relation_size(t.oid) END AS bytes
  FROM (SELECT CASE WHEN c.relkind IN ('r', 'm') THEN pg_catalog.pg_relation_size(c.oid) ELSE 0 END AS heap_bytes OFFSET 0) h
) s
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'c') AND ${inUserSchema("c.relnamespace")} AND ${notFromExtension("pg_class", "c.oid")}
  AND (c.relkind <> 'c' OR ${notFromExtension("pg_type", "c.reltype")})
ORDER BY c.oid`;
}

function columnsSql(session: CatalogSession): string {
  return `
SELECT a.attrelid AS relation, a.attname AS name, a.attnum AS number,
       pg_catalog.format_type(a.atttypid, a.atttypmod) AS type, a.atttypid AS type_id, a.attnotnull AS not_null,
       a.attidentity AS identity, ${since(session, 12, "a.attgenerated", "''")} AS generated,
       pg_catalog.pg_get_expr(d.adbin, d.adrelid) AS expression, d.oid AS expression_id,
       ${collationName("a.attcollation", "t.typcollation")} AS collation,
       CASE WHEN a.attstorage <> t.typstorage THEN a.attstorage END AS storage,
       ${since(session, 14, "a.attcompression", "''")} AS compression,
       CASE WHEN a.attstattarget >= 0 THEN a.attstattarget END AS statistics,
       a.attoptions AS options, a.attislocal AS local
FROM pg_catalog.pg_attribute a
JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p', 'v', 'm', 'c') AND ${inUserSchema("c.relnamespace")}
ORDER BY a.attrelid, a.attnum`;
}

const PARENTS = `
SELECT i.inhrelid AS child, i.inhparent AS parent
FROM pg_catalog.pg_inherits i
JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid
WHERE c.relkind IN ('r', 'p') AND ${inUserSchema("c.relnamespace")}
ORDER BY i.inhrelid, i.inhseqno`;
