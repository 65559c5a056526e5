import type { Client } from "pg";
import type { PlannedTable } from "../../../engine/models/plan.js";
import { ident, qualified } from "../sql.js";

/** A column of the target as the applier needs to know it. */
export interface TargetColumn {
  /** With its modifiers, qualified where it is not built in. */
  readonly type: string;
  /** Without modifiers, and safe in a cast: a cast to varchar(5) would cut a value silently that an assignment refuses. */
  readonly bareType: string;
  readonly identityAlways: boolean;
  /** The type's number on this server; the same everywhere for built-in types (below 16384). */
  readonly typeId: number;
  /**
   * The equality that the key's index knows, spelled in full: with an empty search_path, an unqualified = on a type out of an extension
   * (citext) finds another type's, and no index.
   */
  readonly equals: string;
  /** Part of what decides which segment a row lies on, where there are segments. */
  readonly distributed?: boolean;
}

export interface TargetTable {
  /** Has rows of its own: statements take ONLY it. A partitioned table's statements go to its partitions. */
  readonly plain: boolean;
  readonly columns: ReadonlyMap<string, TargetColumn>;
}

/** Describes the plan's tables on the target, by the plan's id; those that do not exist are left out. */
export async function describeTargets(client: Client, tables: readonly PlannedTable[]): Promise<Map<number, TargetTable>> {
  const { rows } = await client.query<{ id: string; kind: string; columns: ColumnRow[] | null }>(DESCRIBE, [
    tables.map(({ id }) => id),
    tables.map(({ target }) => qualified(target)),
  ]);
  return new Map(
    rows.map(({ id, kind, columns }) => [
      Number(id),
      { plain: kind !== "p", columns: new Map((columns ?? []).map((column) => [column.name, targetColumn(column)])) },
    ]),
  );
}

export interface ColumnRow {
  readonly name: string;
  readonly type: string;
  readonly bare: string;
  readonly type_id: string;
  readonly identity: string;
  readonly equals: string | null;
  readonly equals_schema: string | null;
}

// format_type(…, -1) rather than (…, NULL): for bit and character the latter gives a name that means length 1.
const DESCRIBE = `
  SELECT w.id, c.relkind AS kind,
         (SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
                   'name', a.attname,
                   'type', pg_catalog.format_type(a.atttypid, a.atttypmod),
                   'bare', pg_catalog.format_type(a.atttypid, -1),
                   'type_id', a.atttypid::text,
                   'identity', a.attidentity,
                   'equals', e.name,
                   'equals_schema', e.schema))
            FROM pg_catalog.pg_attribute a
            LEFT JOIN LATERAL (
                 SELECT o.oprname AS name, n.nspname AS schema
                   FROM pg_catalog.pg_index i
                  CROSS JOIN LATERAL unnest(i.indkey::pg_catalog.int2[], i.indclass::pg_catalog.oid[]) AS k (number, opclass)
                   JOIN pg_catalog.pg_opclass f ON f.oid = k.opclass
                   JOIN pg_catalog.pg_amop m ON m.amopfamily = f.opcfamily AND m.amopstrategy = 3
                                            AND m.amoplefttype = f.opcintype AND m.amoprighttype = f.opcintype
                   JOIN pg_catalog.pg_operator o ON o.oid = m.amopopr
                   JOIN pg_catalog.pg_namespace n ON n.oid = o.oprnamespace
                  WHERE i.indrelid = a.attrelid AND i.indisunique AND i.indisvalid AND k.number = a.attnum
                  ORDER BY i.indisprimary DESC
                  LIMIT 1) e ON true
           WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns
    FROM unnest($1::pg_catalog.int8[], $2::text[]) AS w (id, name)
    JOIN pg_catalog.pg_class c ON c.oid = pg_catalog.to_regclass(w.name)`;

export function targetColumn(row: ColumnRow): TargetColumn {
  return {
    type: row.type,
    bareType: row.bare,
    identityAlways: row.identity === "a",
    typeId: Number(row.type_id),
    equals: `OPERATOR(${ident(row.equals_schema ?? "pg_catalog")}.${row.equals ?? "="})`,
  };
}
