import type { Client } from "pg";
import { ident, qualified } from "../../provider/databases/postgres/sql.js";

export interface TableName {
  readonly schema: string;
  readonly name: string;
}

export interface ComparedColumn {
  readonly name: string;
  /**
   * The built-in send function for types made of floats, whose text differs between servers before and after 12 (shortest
   * form); its bytes are the same everywhere. Absent: the text form is compared.
   */
  readonly send: string | null;
}

export interface TableDigest {
  readonly rows: bigint;
  /** Sums of the two halves of each row's MD5: the same whatever the order, and different when a row appears twice. */
  readonly checksum: string;
}

export const SERVER_VERSION = "SELECT current_setting('server_version_num')::int AS version";

/** Every ordinary table with rows of its own: leaves of partitioned ones, parents and children of inheritance. */
export const USER_TABLES = `
  SELECT n.nspname AS schema, c.relname AS name
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind = 'r' AND c.relpersistence <> 't'
    AND n.nspname NOT IN ('information_schema', 'godwit_capture') AND n.nspname NOT LIKE 'pg\\_%'
  ORDER BY 1, 2`;

/** The base of a domain, the element of an array: float4, float8 and the geometric types are made of floats. */
const COLUMNS = `
  SELECT a.attname AS name,
    CASE WHEN b.oid < 10000
          AND (CASE WHEN b.typcategory = 'A' THEN b.typelem ELSE b.oid END) IN (
            'float4'::regtype, 'float8'::regtype, 'point'::regtype, 'lseg'::regtype, 'path'::regtype,
            'box'::regtype, 'polygon'::regtype, 'line'::regtype, 'circle'::regtype)
         THEN b.typsend::text END AS send
  FROM pg_attribute a
  JOIN pg_type t ON t.oid = a.atttypid
  JOIN pg_type b ON b.oid = CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.oid END
  WHERE a.attrelid = $1::regclass AND a.attnum > 0 AND NOT a.attisdropped
  ORDER BY a.attname::text COLLATE "C"`;

export async function readColumns(client: Client, table: TableName): Promise<ComparedColumn[]> {
  return (await client.query<ComparedColumn>(COLUMNS, [qualified(table)])).rows;
}

export async function digestTable(client: Client, table: TableName, columns: readonly ComparedColumn[]): Promise<TableDigest> {
  const { rows } = await client.query<{ rows: string; checksum: string }>(
    `SELECT count(*)::text AS rows, ${CHECKSUM} AS checksum
     FROM (SELECT md5(${rowText(columns)}) AS hash FROM ONLY ${qualified(table)}) AS hashed`,
  );
  return { rows: BigInt(rows[0]?.rows ?? 0), checksum: rows[0]?.checksum ?? "" };
}

/** The same in 4096 buckets by hash: what differs is read from the buckets that differ, not from the whole table. */
export async function digestBuckets(
  client: Client,
  table: TableName,
  columns: readonly ComparedColumn[],
): Promise<Map<string, string>> {
  const { rows } = await client.query<{ bucket: string; checksum: string }>(
    `SELECT left(hash, 3) AS bucket, ${CHECKSUM} AS checksum
     FROM (SELECT md5(${rowText(columns)}) AS hash FROM ONLY ${qualified(table)}) AS hashed
     GROUP BY 1`,
  );
  return new Map(rows.map(({ bucket, checksum }) => [bucket, checksum]));
}

export async function readBucket(
  client: Client,
  table: TableName,
  columns: readonly ComparedColumn[],
  bucket: string,
): Promise<string[]> {
  const { rows } = await client.query<{ text: string }>(
    `SELECT text FROM (SELECT ${rowText(columns)} AS text FROM ONLY ${qualified(table)}) AS written WHERE left(md5(text), 3) = $1`,
    [bucket],
  );
  return rows.map(({ text }) => text);
}

const CHECKSUM = `
  coalesce(sum(('x' || substr(hash, 1, 16))::bit(64)::bigint::numeric), 0) || ':' ||
  coalesce(sum(('x' || substr(hash, 17, 16))::bit(64)::bigint::numeric), 0)`;

/** One text that no two different rows share: an array's text form tells NULL from 'NULL' and quotes what needs it. */
function rowText(columns: readonly ComparedColumn[]): string {
  const texts = columns.map(({ name, send }) => (send ? `${send}(${ident(name)})::text` : `${ident(name)}::text`));
  return `ARRAY[${texts.join(", ")}]::text[]::text`;
}
