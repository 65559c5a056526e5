import type { Client } from "pg";
import type { PlannedTable } from "../../../engine/models/plan.js";
import { type ColumnRow, type TargetTable, targetColumn } from "../../postgres/apply/targetTables.js";

/**
 * Describes the plan's tables on the target, with what distributes them, by the plan's id. In SQL that PostgreSQL 9.4 has (json_agg, no
 * to_regclass(text), no attidentity column) and that reads catalogs only, so that it runs on the coordinator.
 */
export async function describeSegmentedTables(
  client: Client,
  tables: readonly PlannedTable[],
): Promise<Map<number, TargetTable>> {
  const { rows } = await client.query<{ id: string; kind: string; columns: SegmentedColumnRow[] | null }>(DESCRIBE, [
    tables.map(({ id }) => id),
    tables.map(({ target }) => target.schema),
    tables.map(({ target }) => target.name),
  ]);
  return new Map(
    rows.map(({ id, kind, columns }) => [
      Number(id),
      {
        plain: kind !== "p",
        columns: new Map(
          (columns ?? []).map((column) => [column.name, { ...targetColumn(column), distributed: column.distributed }]),
        ),
      },
    ]),
  );
}

interface SegmentedColumnRow extends ColumnRow {
  readonly distributed: boolean;
}

const DESCRIBE = `
  SELECT w.id, c.relkind AS kind,
         (SELECT pg_catalog.json_agg(pg_catalog.json_build_object(
                   'name', a.attname,
                   'type', pg_catalog.format_type(a.atttypid, a.atttypmod),
                   'bare', pg_catalog.format_type(a.atttypid, -1),
                   'type_id', a.atttypid::text,
                   'identity', coalesce(pg_catalog.row_to_json(a) ->> 'attidentity', ''),
                   'distributed', coalesce(a.attnum = ANY (d.distkey::pg_catalog.int2[]), false),
                   'equals', (SELECT o.oprname
                                FROM pg_catalog.pg_opclass f
                                JOIN pg_catalog.pg_am m ON m.oid = f.opcmethod AND m.amname = 'btree'
                                JOIN pg_catalog.pg_amop p ON p.amopfamily = f.opcfamily AND p.amopstrategy = 3
                                                         AND p.amoplefttype = f.opcintype AND p.amoprighttype = f.opcintype
                                JOIN pg_catalog.pg_operator o ON o.oid = p.amopopr
                               WHERE f.opcdefault AND f.opcintype = a.atttypid),
                   'equals_schema', (SELECT n.nspname
                                FROM pg_catalog.pg_opclass f
                                JOIN pg_catalog.pg_am m ON m.oid = f.opcmethod AND m.amname = 'btree'
                                JOIN pg_catalog.pg_amop p ON p.amopfamily = f.opcfamily AND p.amopstrategy = 3
                                                         AND p.amoplefttype = f.opcintype AND p.amoprighttype = f.opcintype
                                JOIN pg_catalog.pg_operator o ON o.oid = p.amopopr
                                JOIN pg_catalog.pg_namespace n ON n.oid = o.oprnamespace
                               WHERE f.opcdefault AND f.opcintype = a.atttypid)))
            FROM pg_catalog.pg_attribute a
           WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns
    FROM unnest($1::pg_catalog.int8[], $2::text[], $3::text[]) AS w (id, schema, name)
    JOIN pg_catalog.pg_namespace n ON n.nspname = w.schema
    JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = w.name AND c.relkind IN ('r', 'p')
    LEFT JOIN pg_catalog.gp_distribution_policy d ON d.localoid = c.oid`;
