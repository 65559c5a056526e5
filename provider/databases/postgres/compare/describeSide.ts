import type { Client } from "pg";
import type { QualifiedName } from "../../../engine/models/catalog.js";
import type { PlannedTable } from "../../../engine/models/plan.js";
import type { SideType } from "./canonicalText.js";

/** What one server says of a table that is to be compared. */
export interface DescribedSide {
  readonly columns: ReadonlyMap<string, SideType>;
  /** A partitioned table has its rows in others. */
  readonly partitioned: boolean;
  readonly rows: number;
  readonly bytes: number;
  /** First columns of indexes that ranges of rows can be found by. */
  readonly indexed: ReadonlySet<string>;
  /** Of a column's order with that of the rows on disk: 1 and -1 are the same order, 0 none. Undefined: not known. */
  readonly correlations: ReadonlyMap<string, number>;
}

/** Undefined: there is no such table. Understood by every member of the family from 9.4 on. */
export async function describeSide(client: Client, { schema, name }: QualifiedName): Promise<DescribedSide | undefined> {
  const { rows } = await client.query<TableRow>(DESCRIBE, [schema, name]);
  const [row] = rows;
  if (!row) return undefined;
  return {
    columns: new Map(row.columns.map((column) => [column.name, sideType(column)])),
    partitioned: row.kind === "p",
    rows: Math.max(0, row.rows),
    bytes: Number(row.bytes),
    indexed: new Set(row.indexed),
    correlations: new Map((row.correlations ?? []).map(({ column, correlation }) => [column, correlation])),
  };
}

/** The source's side with the columns that expressions of the task make there. */
export async function withDerived(client: Client, side: DescribedSide, { columns }: PlannedTable): Promise<DescribedSide> {
  const derived = columns.flatMap(({ source, type, derived: made }) => (made ? [{ source, type, id: made.typeId }] : []));
  if (derived.length === 0) return side;
  // unnest of several arrays is only known by its bare name.
  const { rows } = await client.query<TypeRow>(
    `SELECT w.name, w.type, pg_catalog.format_type(b.oid, NULL) AS base, ${SEND} AS send
       FROM unnest($1::text[], $2::text[], $3::pg_catalog.oid[]) AS w (name, type, id) ${typesOf("w.id")}`,
    [derived.map(({ source }) => source), derived.map(({ type }) => type), derived.map(({ id }) => id)],
  );
  return { ...side, columns: new Map([...side.columns, ...rows.map((row) => [row.name, sideType(row)] as const)]) };
}

function sideType({ type, base, send }: TypeRow): SideType {
  return { type, base, send: send ?? undefined };
}

interface TypeRow {
  name: string;
  type: string;
  base: string;
  send: string | null;
}

interface TableRow {
  kind: string;
  rows: number;
  bytes: string;
  columns: TypeRow[];
  indexed: string[];
  correlations: { column: string; correlation: number }[] | null;
}

/** A domain's base type may be a domain; a third one on top of that would be compared under its own name, by its text. */
const typesOf = (id: string): string => `
     JOIN pg_catalog.pg_type t ON t.oid = ${id}
     JOIN pg_catalog.pg_type u ON u.oid = CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.oid END
     JOIN pg_catalog.pg_type b ON b.oid = CASE WHEN u.typtype = 'd' THEN u.typbasetype ELSE u.oid END`;

const SEND = `CASE WHEN b.oid < 10000 AND (CASE WHEN b.typcategory = 'A' THEN b.typelem ELSE b.oid END) IN (
                      'pg_catalog.float4'::pg_catalog.regtype, 'pg_catalog.float8'::pg_catalog.regtype, 'pg_catalog.point'::pg_catalog.regtype,
                      'pg_catalog.lseg'::pg_catalog.regtype, 'pg_catalog.path'::pg_catalog.regtype, 'pg_catalog.box'::pg_catalog.regtype,
                      'pg_catalog.polygon'::pg_catalog.regtype, 'pg_catalog.line'::pg_catalog.regtype, 'pg_catalog.circle'::pg_catalog.regtype)
                    THEN b.typsend::text END`;

const DESCRIBE = `
SELECT c.relkind::text AS kind, c.reltuples::float8 AS rows, pg_catalog.pg_table_size(c.oid)::text AS bytes,
  (SELECT coalesce(pg_catalog.json_agg(pg_catalog.json_build_object(
            'name', a.attname::text, 'type', pg_catalog.format_type(a.atttypid, a.atttypmod), 'base', pg_catalog.format_type(b.oid, NULL),
            'send', ${SEND})), '[]')
     FROM pg_catalog.pg_attribute a ${typesOf("a.atttypid")}
    WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns,
  ARRAY(SELECT a.attname::text FROM pg_catalog.pg_index i JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
         WHERE i.indrelid = c.oid AND i.indisvalid AND i.indpred IS NULL) AS indexed,
  (SELECT pg_catalog.json_agg(pg_catalog.json_build_object('column', s.attname::text, 'correlation', s.correlation))
     FROM pg_catalog.pg_stats s
    WHERE s.schemaname = n.nspname AND s.tablename = c.relname AND s.correlation IS NOT NULL) AS correlations
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname = $1 AND c.relname = $2`;
