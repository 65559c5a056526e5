import type { Client } from "pg";
import type { PlannedColumn, PlannedTable, PrecheckItem } from "../../../engine/models/plan.js";
import { listed, precheckItem } from "../../postgres/precheck/precheckItem.js";
import { ident, qualified } from "../../postgres/sql.js";

/** Types whose '' the target reads as NULL. A character(n) is filled with blanks and never empty. */
const TEXT = /^(text|character varying|"?citext"?|varchar2|nvarchar2|clob|nclob)\b/;
/** Rows of a column that are named one by one. */
const NAMED_ROWS = 5;
/** Seconds that counting may take, over all tables: it reads every row. */
const BUDGET_SECONDS = 60;

interface Counted {
  readonly table: PlannedTable;
  readonly column: PlannedColumn;
  readonly rows: bigint;
  /** Keys of the first such rows, as text. */
  readonly keys: readonly string[];
}

/**
 * Counts empty strings, column by column, on a source that tells '' from NULL, for a target that does not. One scan a table, small tables first,
 * within a budget; what was not counted is named.
 */
export async function emptyStringChecks(source: Client, tables: readonly PlannedTable[]): Promise<PrecheckItem[]> {
  const counted: Counted[] = [];
  const uncounted: string[] = [];
  const end = Date.now() + BUDGET_SECONDS * 1000;
  for (const table of [...tables].sort((a, b) => a.bytes - b.bytes)) {
    // What expressions make is not counted: one that fails would fail the plan.
    const columns = table.columns.filter(({ type, value }) => TEXT.test(type) && !value);
    if (columns.length === 0) continue;
    const left = end - Date.now();
    const found = left > 0 ? await countTable(source, table, columns, left) : undefined;
    if (found) counted.push(...found);
    else uncounted.push(`${table.source.schema}.${table.source.name}`);
  }
  const refused = counted.filter(({ column }) => !column.nullable);
  const changed = counted.filter(({ column }) => column.nullable);
  return [
    precheckItem({
      item: "emptyStringsNotNull",
      ignorable: true,
      passed: refused.length === 0,
      message:
        refused.length === 0
          ? "no NOT NULL column that was counted holds ''"
          : `'' is NULL on the target, and these columns are NOT NULL: ${listed(refused.map(described))}`,
      remedy:
        "give those rows another value, drop NOT NULL, leave the columns out, or set the target's empty-string parameter off (polar_empty_string_is_null_enable in 1.0, polar_enable_empty_string_is_null in 2.0)",
    }),
    precheckItem({
      item: "emptyStrings",
      severity: "warning",
      passed: changed.length === 0 && uncounted.length === 0,
      message: [
        changed.length === 0
          ? "no nullable column that was counted holds ''"
          : `'' becomes NULL: ${listed(changed.map(described))}`,
        ...(uncounted.length === 0 ? [] : [`not counted within ${BUDGET_SECONDS} s: ${listed(uncounted)}`]),
      ].join("; "),
      remedy: "nothing, where the applications take '' for NULL as Oracle does",
    }),
  ];
}

/** Undefined when it took longer than `milliseconds`. */
async function countTable(
  source: Client,
  table: PlannedTable,
  columns: readonly PlannedColumn[],
  milliseconds: number,
): Promise<Counted[] | undefined> {
  try {
    await source.query(`SET statement_timeout = ${Math.max(1, Math.floor(milliseconds))}`);
    const counts = columns.map((column, at) => `pg_catalog.count(*) FILTER (WHERE ${isEmpty(column)})::text AS c${at}`);
    const { rows } = await source.query<Record<string, string>>(
      `SELECT ${counts.join(", ")} FROM ONLY ${qualified(table.source)}`,
    );
    const found: Counted[] = [];
    for (const [at, column] of columns.entries()) {
      const rowCount = BigInt(rows[0]?.[`c${at}`] ?? "0");
      if (rowCount > 0n) found.push({ table, column, rows: rowCount, keys: await firstKeys(source, table, column) });
    }
    return found;
  } catch (cause) {
    if ((cause as { code?: string }).code === "57014") return undefined;
    throw cause;
  } finally {
    await source.query("SET statement_timeout = 0").catch(() => undefined);
  }
}

async function firstKeys(source: Client, table: PlannedTable, column: PlannedColumn): Promise<string[]> {
  if (table.key.columns.length === 0 || column.nullable) return [];
  const key = table.key.columns.map(ident).join(", ");
  const { rows } = await source.query<{ key: string }>(
    `SELECT ROW(${key})::text AS key FROM ONLY ${qualified(table.source)} WHERE ${isEmpty(column)} ORDER BY ${key} LIMIT ${NAMED_ROWS}`,
  );
  return rows.map((row) => row.key);
}

function isEmpty({ source }: PlannedColumn): string {
  return `${ident(source)}::pg_catalog.text = ''`;
}

function described({ table, column, rows, keys }: Counted): string {
  const where = `${table.source.schema}.${table.source.name}.${column.source}: ${rows} row${rows === 1n ? "" : "s"}`;
  if (keys.length === 0) return where;
  return `${where}, with key ${keys.join(", ")}${rows > BigInt(keys.length) ? " and so on" : ""}`;
}
