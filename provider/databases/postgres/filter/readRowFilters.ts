import type { Client } from "pg";
import type { PlannedTable, PrecheckItem, RowFilter } from "../../../engine/models/plan.js";
import { displayName } from "../../../engine/selection.js";
import { migrates, type TaskDefinition, usersPublication } from "../../../engine/taskDefinition.js";
import { isConnectionError } from "../connectionErrors.js";
import { listed, precheckItem } from "../precheck/precheckItem.js";
import { withWholeRows } from "../replication/wholeRows.js";
import { ident, literal, qualified } from "../sql.js";

export interface ReadRowFilters {
  readonly tables: readonly PlannedTable[];
  readonly checks: readonly PrecheckItem[];
}

/**
 * Has the source read the conditions that the program gives for rows: which columns each names, and what it says in the server's own words. Filtered
 * tables that are streamed get REPLICA IDENTITY FULL for the task: whether a row was among the filtered ones before a change depends on all
 * that it was, and a row that joins them brings values that the change itself leaves out. Changes nothing.
 */
export async function readRowFilters(
  client: Client,
  tables: readonly PlannedTable[],
  definition: TaskDefinition,
): Promise<ReadRowFilters> {
  const followed = migrates(definition, "incremental");
  const failures: string[] = [];
  const read: PlannedTable[] = [];
  for (const table of tables) {
    const { filter } = table;
    if (!filter) {
      read.push(table);
      continue;
    }
    const outcome = await readFilter(client, table, filter, followed && table.streamed);
    if (typeof outcome === "string") failures.push(`${nameOf(table)}: ${outcome}`);
    const filtered = typeof outcome === "string" ? table : { ...table, filter: outcome };
    read.push(followed ? withWholeRows(filtered) : filtered);
  }
  const filtered = read.filter(({ filter }) => filter);
  if (filtered.length === 0) return { tables: read, checks: [] };
  return {
    tables: read,
    checks: [conditionsCheck(filtered, failures), ...(followed ? [identityCheck(filtered, definition)] : [])],
  };
}

function conditionsCheck(filtered: readonly PlannedTable[], failures: readonly string[]): PrecheckItem {
  return precheckItem({
    item: "sourceRowFilters",
    passed: failures.length === 0,
    message:
      failures.length === 0
        ? `the source takes the conditions for rows of ${listed(filtered.map(nameOf))}`
        : `conditions for rows can't be used: ${failures.slice(0, 5).join("; ")}`,
    remedy:
      "write `where` as a condition on the table's own columns; with incremental only with immutable functions, so that a row is judged the same at any time (a time zone or the present moment is not)",
  });
}

function identityCheck(filtered: readonly PlannedTable[], definition: TaskDefinition): PrecheckItem {
  const lacking = filtered.filter(({ streamed, replicaIdentity }) => streamed && replicaIdentity.was !== "full");
  const names = listed(lacking.map(nameOf));
  const given = usersPublication(definition);
  return precheckItem({
    item: "sourceFilteredIdentity",
    severity: given ? "error" : "warning",
    passed: lacking.length === 0,
    message:
      lacking.length === 0
        ? "every table whose rows are filtered has REPLICA IDENTITY FULL"
        : given
          ? `${names}: rows can't be filtered, for their changes do not carry the whole old row`
          : `${names}: REPLICA IDENTITY FULL is set for the task, so that a change tells whether its row met the condition; updates and deletes write more WAL`,
    remedy: lacking
      .slice(0, 5)
      .map(({ source }) => `ALTER TABLE ${qualified(source)} REPLICA IDENTITY FULL`)
      .join("; "),
  });
}

/**
 * The condition as the server understands it, or what it objects to. A check constraint of a temporary table takes what a condition may be (no subquery,
 * columns of one table) and tells its columns; the predicate of an index takes only immutable functions.
 */
async function readFilter(
  client: Client,
  table: PlannedTable,
  { given, condition }: RowFilter,
  immutable: boolean,
): Promise<RowFilter | string> {
  const name = ident(table.source.name);
  const copy = `pg_temp.${name}`;
  try {
    await client.query("BEGIN");
    await client.query(`CREATE TEMPORARY TABLE ${name} (LIKE ${qualified(table.source)})`);
    // One statement, whatever the condition holds: the simple protocol would run all that stand in it.
    const constraint = { text: `ALTER TABLE ${copy} ADD CONSTRAINT godwit_filter CHECK ${condition}`, queryMode: "extended" };
    await client.query(constraint);
    const { rows } = await client.query<{ condition: string; columns: string[] }>(
      `SELECT pg_catalog.pg_get_expr(c.conbin, c.conrelid) AS condition,
              ARRAY(SELECT a.attname::text FROM pg_catalog.pg_attribute a
                     WHERE a.attrelid = c.conrelid AND a.attnum = ANY (c.conkey) ORDER BY a.attnum) AS columns
         FROM pg_catalog.pg_constraint c
        WHERE c.conrelid = ${literal(copy)}::pg_catalog.regclass AND c.conname = 'godwit_filter'`,
    );
    const [found] = rows;
    if (!found || found.columns.length === 0) return "the condition names no column";
    if (immutable) {
      await client.query(`CREATE INDEX ON ${copy} ((1)) WHERE (${found.condition})`);
      const generated = await generatedColumns(client, table, found.columns);
      if (generated.length > 0) return `changes do not hold the generated column ${listed(generated)}`;
    }
    return {
      given,
      condition: `(${found.condition})`,
      columns: found.columns.map((column) => ({ name: column, source: column })),
    };
  } catch (cause) {
    if (isConnectionError(cause) || !("severity" in (cause as object))) throw cause;
    return (cause as Error).message;
  } finally {
    await client.query("ROLLBACK").catch(() => undefined);
  }
}

async function generatedColumns(client: Client, { id }: PlannedTable, names: readonly string[]): Promise<string[]> {
  // As JSON, for PostgreSQL before 12 has no such attribute.
  const { rows } = await client.query<{ name: string }>(
    `SELECT a.attname AS name FROM pg_catalog.pg_attribute a
      WHERE a.attrelid = $1::pg_catalog.oid AND a.attname = ANY ($2) AND pg_catalog.to_jsonb(a) ->> 'attgenerated' <> ''`,
    [id, names],
  );
  return rows.map(({ name }) => name);
}

function nameOf({ source }: PlannedTable): string {
  return displayName(source);
}
