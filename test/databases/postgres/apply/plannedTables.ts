import type { Client } from "pg";
import type { CatalogKey } from "../../../../provider/engine/models/catalog.js";
import type { PlannedColumn, PlannedTable } from "../../../../provider/engine/models/plan.js";

/** The plan for every table of schema public, as the planner would make it, without the planner. */
export async function plannedTables(client: Client, major: number): Promise<PlannedTable[]> {
  const generated = major >= 12 ? "a.attgenerated = ''" : "true";
  const { rows } = await client.query<{
    id: string;
    name: string;
    columns: (PlannedColumn & { portable: boolean })[];
    key: string[] | null;
  }>(
    `SELECT c.oid::text AS id, c.relname AS name,
            coalesce((SELECT jsonb_agg(jsonb_build_object(
                       'source', a.attname, 'target', a.attname, 'number', a.attnum, 'nullable', NOT a.attnotnull, 'generated', false,
                       'type', format_type(a.atttypid, a.atttypmod),
                       'binaryPortable', NOT (t.typcategory = 'A' AND e.oid >= 16384) AND t.typtype <> 'c' AND t.typname !~ '^reg') ORDER BY a.attnum)
                        FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid LEFT JOIN pg_type e ON e.oid = t.typelem
                       WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND ${generated}), '[]') AS columns,
            (SELECT jsonb_agg(a.attname ORDER BY k.o)
               FROM pg_index i CROSS JOIN unnest(i.indkey::int2[]) WITH ORDINALITY k (n, o)
               JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.n
              WHERE i.indrelid = c.oid AND i.indisprimary) AS key
       FROM pg_class c
      WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'
      ORDER BY c.oid`,
  );
  return rows.map(({ id, name, columns, key }) => ({
    id: Number(id),
    source: { schema: "public", name },
    target: { schema: "public", name },
    columns: columns.map((column) => ({ ...column, identity: undefined })),
    leftOut: [],
    key: key ? { source: "primaryKey", columns: key } : ({ source: "none", columns: [] } satisfies CatalogKey),
    replicaIdentity: { was: "default", needs: key ? "keep" : "full" },
    streamed: true,
    operations: { insert: true, update: true, delete: true, truncate: true },
    estimatedRows: 0,
    bytes: 0,
  }));
}
