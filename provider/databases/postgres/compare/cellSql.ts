import type { CellRequest, KeyRange } from "../../../engine/validation/comparison.js";
import { literal } from "../sql.js";

/** What is read of a table on one side, as SQL. */
export interface SideSql {
  /** The table, with ONLY where its rows are its own. */
  readonly table: string;
  /** Rows that do not meet it are none of the task's. */
  readonly filter: string | undefined;
  /** Each column's canonical text, in the plan's order. */
  readonly columns: readonly string[];
  /** The key's canonical texts; empty where there is none. */
  readonly key: readonly string[];
  /** Columns that ranges go by, quoted, with the types that their bounds are read as. */
  readonly bounds: readonly { readonly column: string; readonly type: string }[];
  /** A digest is made of bytes: where the servers keep texts in different encodings, of those in UTF-8. */
  readonly recode: boolean;
  /** Hexadecimal digits of a bucket's name. */
  readonly bucketDigits: number;
  /** Whether cells finer than a range are stamped: by where each row lies and who wrote it. */
  readonly stamped: boolean;
  /** False: rows are only counted. */
  readonly checksums: boolean;
}

/** Gives `cell`, `rows`, `digest` and, of a stamped side, `stamp`, all of them text. */
export function cellsSql(side: SideSql, { range, level, buckets }: CellRequest): string {
  const from = `FROM ${side.table}${whereSql(side, range)}`;
  if (level === "range") {
    if (!side.checksums) return `SELECT '' AS cell, pg_catalog.count(*)::text AS rows, '' AS digest ${from}`;
    return `SELECT '' AS cell, ${COUNTED} FROM (SELECT ${hash(digest(side, rowText(side)))} AS hash ${from}) r`;
  }
  const keyless = side.key.length === 0;
  const stamp = side.stamped ? `, ${STAMP} AS stamp` : "";
  const stamps = side.stamped ? ", pg_catalog.sum(r.stamp)::text AS stamp" : "";
  if (level === "buckets") {
    const cell = bucketSql(side, digest(side, keyless ? rowText(side) : keyText(side)));
    const counted = side.checksums && !keyless ? COUNTED : "pg_catalog.count(*)::text AS rows, '' AS digest";
    const hashed = side.checksums && !keyless ? hash(digest(side, rowText(side))) : "0";
    return `SELECT r.cell, ${counted}${stamps} FROM (SELECT ${cell} AS cell, ${hashed} AS hash${stamp} ${from}) r${among(buckets)} GROUP BY r.cell`;
  }
  if (keyless) {
    const rows = `SELECT ${digest(side, rowText(side))} AS hash${stamp} ${from}`;
    return `SELECT r.cell || ':' || r.hash AS cell, pg_catalog.count(*)::text AS rows, '' AS digest${stamps}
      FROM (SELECT ${bucketSql(side, "h.hash")} AS cell, h.* FROM (${rows}) h) r${among(buckets)} GROUP BY r.cell, r.hash`;
  }
  const hashed = side.checksums ? digest(side, rowText(side)) : "''";
  return `SELECT r.cell || ':' || r.name AS cell, '1' AS rows, r.hash AS digest${side.stamped ? ", r.stamp::text AS stamp" : ""}
    FROM (SELECT ${bucketSql(side, digest(side, keyText(side)))} AS cell, ${keyText(side)} AS name, ${hashed} AS hash${stamp} ${from}) r${among(buckets)}`;
}

const STAMP = "pg_catalog.hashtext(ctid::pg_catalog.text || ' ' || xmin::pg_catalog.text)::pg_catalog.int8";

/** Rows of a table without a key, by the digest in their cells' names. */
export function showSql(side: SideSql, range: KeyRange | undefined, digests: readonly string[]): string {
  const rows = `SELECT ${digest(side, rowText(side))} AS hash, pg_catalog.left(${rowText(side)}, ${SHOWN_CHARACTERS}) AS text FROM ${side.table}${whereSql(side, range)}`;
  return `SELECT DISTINCT r.hash, r.text FROM (${rows}) r WHERE r.hash IN (SELECT pg_catalog.unnest(${textArray(digests)}))`;
}

const SHOWN_CHARACTERS = 200;

/** The bounds of the range that begins after `after` and holds so many rows; no row: it is the last. */
export function boundSql({ table, bounds }: SideSql, after: readonly string[] | undefined, rows: number): string {
  const columns = bounds.map(({ column }) => column).join(", ");
  const texts = bounds.map(({ column }) => `${column}::pg_catalog.text`).join(", ");
  const where = after ? ` WHERE ${beyond(bounds, after, ">")}` : "";
  return `SELECT ARRAY[${texts}] AS bound FROM ${table}${where} ORDER BY ${columns} OFFSET ${rows - 1} LIMIT 1`;
}

function whereSql({ filter, bounds }: SideSql, range: KeyRange | undefined): string {
  const conditions = [
    range?.after ? beyond(bounds, range.after, ">") : undefined,
    range?.upTo ? beyond(bounds, range.upTo, "<=") : undefined,
    filter,
  ].filter((condition) => condition !== undefined);
  return conditions.length > 0 ? ` WHERE ${conditions.join(" AND ")}` : "";
}

function beyond(bounds: SideSql["bounds"], values: readonly string[], operator: ">" | "<="): string {
  const columns = bounds.map(({ column }) => column).join(", ");
  const texts = bounds.map(({ type }, index) => `${literal(values[index] ?? "")}::${type}`).join(", ");
  return `(${columns}) ${operator} (${texts})`;
}

/** The text of a row tells NULL from '' and quotes what needs it: no two different rows share it. */
function rowText({ columns }: SideSql): string {
  return `ROW(${columns.join(", ")})::pg_catalog.text`;
}

/** Also what a row is called: a JSON array of its key's texts. */
function keyText({ key }: SideSql): string {
  return `pg_catalog.json_build_array(${key.join(", ")})::pg_catalog.text`;
}

function digest({ recode }: SideSql, text: string): string {
  return `pg_catalog.md5(${recode ? `pg_catalog.convert_to(${text}, 'UTF8')` : text})`;
}

/**
 * Half of the digest as a number, so that sums of them do not depend on the order of the rows. Half a million rows a second of six columns; sums
 * of two halves, or a digest over sorted texts, cost a fifth more and tell nothing more.
 */
function hash(md5: string): string {
  return `('x' || pg_catalog.left(${md5}, 16))::pg_catalog.bit(64)::pg_catalog.int8`;
}

const COUNTED = "pg_catalog.count(*)::text AS rows, coalesce(pg_catalog.sum(r.hash), 0)::text AS digest";

function bucketSql({ bucketDigits }: SideSql, md5: string): string {
  return `pg_catalog.left(${md5}, ${bucketDigits})`;
}

/** A subquery, which is hashed on every version; = ANY is so from 14 on. */
function among(buckets: readonly string[] | undefined): string {
  return buckets ? ` WHERE r.cell IN (SELECT pg_catalog.unnest(${textArray(buckets)}))` : "";
}

function textArray(texts: readonly string[]): string {
  return `ARRAY[${texts.map(literal).join(", ")}]::pg_catalog.text[]`;
}
