import type { Client } from "pg";
import type { RowSink } from "../../engine/database.js";
import type { PlannedTable } from "../../engine/models/plan.js";
import { LOAD_STAGE, type LoadDialect } from "../postgres/copy/rowLoader.js";
import { ident, qualified } from "../postgres/sql.js";
import { describeSegmentedTables } from "./apply/segmentedTables.js";
import { distributedClause } from "./distribution.js";
import { exactForms, exactSink } from "./exactFloats.js";
import type { SegmentedServer } from "./serverKind.js";
import { heapClause } from "./storage.js";
import { tableDistribution } from "./tableKeys.js";

/** How rows are loaded into AnalyticDB: by COPY, which the coordinator sends on to the segments. */
export function segmentedLoad(server: SegmentedServer): LoadDialect {
  return {
    // Storage engines other than heap do not know it.
    freezes: false,
    ...(server.major === 6 ? { textSink } : {}),
    createStage(table, columns) {
      // Not LIKE: it would take NOT NULLs of columns that are not copied.
      const as = `SELECT ${columns} FROM ${qualified(table.target)} WITH NO DATA`;
      const by = tableDistribution(table).columns;
      return `CREATE TEMPORARY TABLE godwit_load${heapClause(server)} ON COMMIT DROP AS ${as}${distributedClause(by)}`;
    },
    fromStage,
  };
}

async function textSink(client: Client, table: PlannedTable): Promise<((sink: RowSink) => RowSink) | undefined> {
  const columns = (await describeSegmentedTables(client, [table])).get(table.id)?.columns;
  const forms = exactForms(table.columns.map(({ target }) => columns?.get(target)?.type ?? ""));
  return forms && ((sink) => exactSink(sink, forms));
}

const UNIQUE_KEYS = `
SELECT ARRAY(SELECT a.attname::text FROM pg_catalog.pg_attribute a
              WHERE a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey::pg_catalog.int2[])) AS columns
  FROM pg_catalog.pg_index i
  JOIN pg_catalog.pg_class c ON c.oid = i.indrelid
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname = $1 AND c.relname = $2 AND i.indisunique AND i.indpred IS NULL AND i.indexprs IS NULL`;

/**
 * ON CONFLICT is not in every kernel: rows that collide with one that is there, on any unique key, are left out by asking. A collision on
 * an index over an expression, or a partial one, is an error that names it.
 */
async function fromStage(client: Client, table: PlannedTable, columns: string): Promise<string> {
  const target = qualified(table.target);
  if (columns === "") return `INSERT INTO ${target} SELECT FROM ${LOAD_STAGE}`;
  const { rows } = await client.query<{ columns: string[] }>(UNIQUE_KEYS, [table.target.schema, table.target.name]);
  const staged = new Set(table.columns.map((column) => column.target));
  const free = rows
    .filter((key) => key.columns.every((name) => staged.has(name)))
    .map((key) => {
      const match = key.columns.map((name) => `t.${ident(name)} = s.${ident(name)}`).join(" AND ");
      return `NOT EXISTS (SELECT 1 FROM ${target} t WHERE ${match})`;
    });
  return `INSERT INTO ${target} (${columns}) SELECT ${columns} FROM ${LOAD_STAGE} s${free.length > 0 ? ` WHERE ${free.join(" AND ")}` : ""}`;
}
