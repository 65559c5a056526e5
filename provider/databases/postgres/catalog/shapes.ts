import { createHash } from "node:crypto";
import type { Client } from "pg";
import type { PlannedTable } from "../../../engine/models/plan.js";
import { inUserSchema } from "./query.js";

/** Digests of what tables are like at a moment, and of everything that a plan is made of. */
export interface Shapes {
  readonly all: string;
  /** By the table's oid. */
  readonly tables: ReadonlyMap<number, string>;
}

/**
 * The digests of all user tables, as the query's snapshot has them. They change with any ALTER of the table, its keys, checks, defaults and indexes, and with nothing
 * that VACUUM, TRUNCATE or ANALYZE do. Only comparable with others of the same database: oids are in them.
 */
export async function readShapes(client: Client): Promise<Shapes> {
  const { rows } = await client.query<{ id: string; shape: string }>(
    `SELECT c.oid::text AS id, ${SHAPE} AS shape FROM pg_catalog.pg_class c ${PARTS}
      WHERE c.relkind IN ('r', 'p', 'v', 'm') AND ${inUserSchema("c.relnamespace")}`,
  );
  const { rows: others } = await client.query<{ digest: string }>(
    `SELECT pg_catalog.md5(coalesce(pg_catalog.string_agg(o.digest, ',' ORDER BY o.digest), '')) AS digest FROM (
       SELECT pg_catalog.concat_ws(':', 'p', p.oid, p.proname, p.pronamespace, pg_catalog.md5(p.prosrc)) AS digest FROM pg_catalog.pg_proc p WHERE ${inUserSchema("p.pronamespace")}
       UNION ALL SELECT pg_catalog.concat_ws(':', 't', t.oid, t.typname, t.typnamespace, t.typtype) FROM pg_catalog.pg_type t WHERE ${inUserSchema("t.typnamespace")}
       UNION ALL SELECT pg_catalog.concat_ws(':', 'e', e.oid, e.enumlabel) FROM pg_catalog.pg_enum e
       UNION ALL SELECT pg_catalog.concat_ws(':', 's', q.oid, q.relname, q.relnamespace) FROM pg_catalog.pg_class q WHERE q.relkind = 'S' AND ${inUserSchema("q.relnamespace")}
       UNION ALL SELECT pg_catalog.concat_ws(':', 'n', n.oid, n.nspname) FROM pg_catalog.pg_namespace n WHERE ${inUserSchema("n.oid")}
       UNION ALL SELECT pg_catalog.concat_ws(':', 'g', g.oid, g.tgname, g.tgenabled) FROM pg_catalog.pg_trigger g WHERE NOT g.tgisinternal
       UNION ALL SELECT pg_catalog.concat_ws(':', 'r', r.oid, pg_catalog.md5(r.ev_action::text)) FROM pg_catalog.pg_rewrite r JOIN pg_catalog.pg_class v ON v.oid = r.ev_class
                  WHERE ${inUserSchema("v.relnamespace")}) o`,
  );
  const tables = new Map(rows.map(({ id, shape }) => [Number(id), shape]));
  const list = [...tables].map(([id, shape]) => `${id}:${shape}`).sort();
  return { all: digest([others[0]?.digest ?? "", ...list]), tables };
}

/** Planned tables, each with what it was like before the catalog was read; one that was made since has a shape that no table has. */
export function withShapes(planned: readonly PlannedTable[], { tables }: Shapes): PlannedTable[] {
  return planned.map((table) => ({ ...table, shape: tables.get(table.id) ?? "" }));
}

/** A table as one snapshot has it. */
export interface TableShape {
  readonly schema: string;
  readonly name: string;
  /** The file that holds its rows: a rewrite or a TRUNCATE takes another, and leaves older snapshots an empty table. */
  readonly storage: string;
  readonly columns: readonly {
    readonly number: number;
    readonly name: string;
    readonly type: string;
    readonly notNull: boolean;
  }[];
  readonly shape: string;
}

/** What a table is like in the session's snapshot; undefined: there is none of that oid. */
export async function readTableShape(client: Client, id: number): Promise<TableShape | undefined> {
  const { rows } = await client.query<TableShape>(
    `SELECT n.nspname AS schema, c.relname AS name, c.relfilenode::text AS storage, ${SHAPE} AS shape,
            coalesce((SELECT pg_catalog.json_agg(pg_catalog.json_build_object('number', a.attnum, 'name', a.attname,
                               'type', pg_catalog.format_type(a.atttypid, a.atttypmod), 'notNull', a.attnotnull) ORDER BY a.attnum)
                        FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped), '[]') AS columns
       FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace ${PARTS} WHERE c.oid = $1`,
    [id],
  );
  return rows[0];
}

/** Raw catalog columns, not deparsed texts: those are made from the catalog of now, whatever the snapshot. */
const PARTS = `
  LEFT JOIN LATERAL (SELECT pg_catalog.string_agg(pg_catalog.concat_ws(':', a.attnum, a.attname, a.atttypid, a.atttypmod, a.attnotnull, a.attidentity, a.attcollation), ',' ORDER BY a.attnum) AS text
                       FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0) columns ON true
  LEFT JOIN LATERAL (SELECT pg_catalog.string_agg(pg_catalog.concat(d.adnum, pg_catalog.md5(d.adbin::text)), ',' ORDER BY d.adnum) AS text
                       FROM pg_catalog.pg_attrdef d WHERE d.adrelid = c.oid) defaults ON true
  LEFT JOIN LATERAL (SELECT pg_catalog.string_agg(pg_catalog.concat_ws(':', k.oid, k.conname, k.contype, k.convalidated, k.condeferrable, pg_catalog.md5(k.conbin::text)), ',' ORDER BY k.oid) AS text
                       FROM pg_catalog.pg_constraint k WHERE k.conrelid = c.oid) constraints ON true
  LEFT JOIN LATERAL (SELECT pg_catalog.string_agg(pg_catalog.concat_ws(':', i.indexrelid, x.relname, i.indisunique, i.indkey::text), ',' ORDER BY i.indexrelid) AS text
                       FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid WHERE i.indrelid = c.oid) indexes ON true
  LEFT JOIN LATERAL (SELECT pg_catalog.string_agg(h.inhparent::text, ',' ORDER BY h.inhseqno) AS text
                       FROM pg_catalog.pg_inherits h WHERE h.inhrelid = c.oid) parents ON true`;
const SHAPE = `pg_catalog.md5(pg_catalog.concat_ws('|', c.relnamespace, c.relname, c.relkind, c.relpersistence, columns.text, defaults.text, constraints.text,
  indexes.text, parents.text))`;

function digest(parts: readonly string[]): string {
  return createHash("md5").update(parts.join("\n")).digest("hex");
}
