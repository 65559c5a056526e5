import type { PgIndex, PgStatistics } from "./model.js";
import { type CatalogSession, inUserSchema, notFromExtension, optional, rows, since } from "./query.js";

interface IndexRow {
  id: number;
  schema: string;
  name: string;
  relation: number;
  definition: string;
  primary: boolean;
  valid: boolean;
  immediate: boolean;
  clustered: boolean;
  identity: boolean;
  partitioned: boolean;
  nulls_not_distinct: boolean;
  parent: number | null;
  constraint: number | null;
  options: string[] | null;
  key_columns: number[];
  statistics: { position: number; target: number }[] | null;
}

export async function readIndexes(session: CatalogSession): Promise<PgIndex[]> {
  return (await rows<IndexRow>(session, indexesSql(session))).map((row) => ({
    key: `pg_class/${row.id}`,
    schema: row.schema,
    name: row.name,
    relation: row.relation,
    definition: row.definition,
    primary: row.primary,
    valid: row.valid,
    immediate: row.immediate,
    clustered: row.clustered,
    replicaIdentity: row.identity,
    partitioned: row.partitioned,
    nullsNotDistinct: row.nulls_not_distinct,
    parent: row.parent === null ? undefined : `pg_class/${row.parent}`,
    constraint: row.constraint === null ? undefined : `pg_constraint/${row.constraint}`,
    options: row.options ?? [],
    keyColumns: row.key_columns,
    statistics: row.statistics ?? [],
  }));
}

/** Extended statistics (CREATE STATISTICS). */
export async function readStatistics(session: CatalogSession): Promise<PgStatistics[]> {
  const found = await rows<Omit<PgStatistics, "key" | "target"> & { id: number; target: number | null }>(
    session,
    statisticsSql(session),
  );
  return found.map(({ id, target, ...row }) => ({ ...row, key: `pg_statistic_ext/${id}`, target: optional(target) }));
}

/**
 * conindid also names the index a foreign key points at, hence the filter on contype. An expression column's
 * statistics target lives in the index's own pg_attribute rows.
 */
/** No slice of an array: to IvorySQL, and perhaps to others with Oracle's dialect, a colon and a word are a bind variable. */
function indexesSql(session: CatalogSession): string {
  return `
SELECT c.oid AS id, n.nspname AS schema, c.relname AS name, i.indrelid AS relation,
       pg_catalog.pg_get_indexdef(c.oid) AS definition, i.indisprimary AS primary, i.indisvalid AS valid,
       i.indimmediate AS immediate, i.indisclustered AS clustered, i.indisreplident AS identity, c.relkind = 'I' AS partitioned,
       ${since(session, 15, "i.indnullsnotdistinct", "false")} AS nulls_not_distinct,
       h.inhparent AS parent, k.oid AS constraint,
       c.reloptions AS options,
       ARRAY(SELECT u.number::pg_catalog.int4
               FROM pg_catalog.unnest(pg_catalog.string_to_array(i.indkey::text, ' ')) WITH ORDINALITY AS u (number, place)
              WHERE u.place <= ${since(session, 11, "i.indnkeyatts", "i.indnatts")} ORDER BY u.place) AS key_columns,
       a.targets AS statistics
FROM pg_catalog.pg_index i
JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
JOIN pg_catalog.pg_class r ON r.oid = i.indrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_inherits h ON h.inhrelid = c.oid
LEFT JOIN pg_catalog.pg_constraint k ON k.conindid = c.oid AND k.conrelid = i.indrelid AND k.contype IN ('p', 'u', 'x')
LEFT JOIN (
  SELECT t.attrelid, pg_catalog.json_agg(pg_catalog.json_build_object('position', t.attnum, 'target', t.attstattarget) ORDER BY t.attnum) AS targets
  FROM pg_catalog.pg_attribute t WHERE t.attstattarget >= 0 AND t.attnum > 0 GROUP BY t.attrelid
) a ON a.attrelid = c.oid
WHERE ${inUserSchema("c.relnamespace")} AND r.relkind IN ('r', 'p', 'm') AND ${notFromExtension("pg_class", "i.indrelid")}
ORDER BY c.oid`;
}

function statisticsSql(session: CatalogSession): string {
  return `
SELECT s.oid AS id, n.nspname AS schema, s.stxname AS name, s.stxrelid AS relation,
       pg_catalog.pg_get_statisticsobjdef(s.oid) AS definition,
       ${since(session, 13, "CASE WHEN s.stxstattarget >= 0 THEN s.stxstattarget END", "NULL::pg_catalog.int4")} AS target
FROM pg_catalog.pg_statistic_ext s
JOIN pg_catalog.pg_namespace n ON n.oid = s.stxnamespace
WHERE ${inUserSchema("s.stxnamespace")} AND ${notFromExtension("pg_statistic_ext", "s.oid")}
ORDER BY s.oid`;
}
