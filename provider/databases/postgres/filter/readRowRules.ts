import type { Client } from "pg";
import type { PlannedColumn, PlannedTable, PrecheckItem } from "../../../engine/models/plan.js";
import { bracketed } from "../../../engine/plan.js";
import { displayName } from "../../../engine/selection.js";
import { migrates, type TaskDefinition, usersPublication } from "../../../engine/taskDefinition.js";
import { serverVersion } from "../clients.js";
import { isConnectionError } from "../connectionErrors.js";
import { type MaskedTypes, readMaskedTypes } from "../etl/maskedTypes.js";
import { maskSql } from "../etl/maskSql.js";
import { valueChecks } from "../etl/valueChecks.js";
import { castType, hasRules, hasValues } from "../etl/valueSql.js";
import { listed, precheckItem } from "../precheck/precheckItem.js";
import { withWholeRows } from "../replication/wholeRows.js";
import { qualified } from "../sql.js";
import { type TableCopy, withCopy } from "./tableCopy.js";

export interface ReadRowRules {
  readonly tables: readonly PlannedTable[];
  readonly checks: readonly PrecheckItem[];
}

/**
 * Has the source read the expressions that the program gives for rows, conditions and values: which columns each names, and what it says in the server's
 * own words. Such tables, when they are streamed, get REPLICA IDENTITY FULL for the task: whether a row was among the filtered ones before a change,
 * and what its values were, depends on all that it was, and a row may bring values that the change itself leaves out. Changes nothing.
 */
export async function readRowRules(
  client: Client,
  tables: readonly PlannedTable[],
  definition: TaskDefinition,
): Promise<ReadRowRules> {
  const followed = migrates(definition, "incremental");
  const ruled = tables.filter(hasRules);
  if (ruled.length === 0) return { tables, checks: [] };
  const types = await readMaskedTypes(client, ruled);
  const reading: Reading = { client, followed, types, version: await serverVersion(client), conditions: [], values: [] };
  const read: PlannedTable[] = [];
  for (const table of tables) {
    if (!ruled.includes(table)) read.push(table);
    else {
      const understood = await readTable(reading, table);
      read.push(followed ? withWholeRows(understood) : understood);
    }
  }
  const filtered = read.filter(({ filter }) => filter);
  const now = read.filter(hasRules);
  return {
    tables: read,
    checks: [
      ...(filtered.length > 0 ? [conditionsCheck(filtered, reading.conditions)] : []),
      ...(await valueChecks(client, read.filter(hasValues), reading.values, followed)),
      ...(followed ? [identityCheck(now, definition)] : []),
    ],
  };
}

interface Reading {
  readonly client: Client;
  readonly followed: boolean;
  readonly types: MaskedTypes;
  readonly version: number;
  /** What stands against conditions, and against values. */
  readonly conditions: string[];
  readonly values: string[];
}

async function readTable(reading: Reading, table: PlannedTable): Promise<PlannedTable> {
  const { client, followed, conditions, values } = reading;
  const streamed = followed && table.streamed;
  const name = displayName(table.source);
  const { filter } = table;
  try {
    return await withCopy(client, table, async (copy) => {
      let understood = table;
      if (filter) {
        const condition = await copy.condition(filter.condition, streamed);
        if (typeof condition === "string") conditions.push(`${name}: ${condition}`);
        else understood = { ...table, filter: { ...filter, condition: `(${condition.text})`, columns: condition.columns } };
      }
      const columns: PlannedColumn[] = [];
      for (const column of table.columns) {
        const outcome = await readValue(reading, copy, table, column, streamed);
        if (typeof outcome === "string") values.push(`${name}.${column.source}: ${outcome}`);
        columns.push(typeof outcome === "string" ? column : outcome);
      }
      return { ...understood, columns };
    });
  } catch (cause) {
    if (isConnectionError(cause) || !("severity" in (cause as object))) throw cause;
    (filter ? conditions : values).push(`${name}: ${(cause as Error).message}`);
    return table;
  }
}

/** The column with its expression read, or what stands against it. */
async function readValue(
  { types, version }: Reading,
  copy: TableCopy,
  table: PlannedTable,
  column: PlannedColumn,
  streamed: boolean,
): Promise<PlannedColumn | string> {
  const { value } = column;
  if (!value) return column;
  let expression: string;
  if ("expression" in value.given) expression = bracketed(value.given.expression);
  else {
    const type = types.get(table.id)?.get(column.source);
    if (!type) return "the column is gone";
    const made = maskSql(value.given, column, { ...type, version });
    if ("refused" in made) return made.refused;
    expression = made.expression;
  }
  const read = await copy.value(`CAST(${expression} AS ${castType(column.type)})`, streamed);
  if (typeof read === "string") return read;
  // A column that is gone can't be rewritten any more, whatever the expression names.
  const itself = { name: column.source, source: column.source };
  const named = column.derived || read.columns.some(({ name }) => name === column.source);
  return { ...column, value: { ...value, expression: read.text, columns: named ? read.columns : [...read.columns, itself] } };
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
      "write `where` and `drop` as conditions on the table's own columns; with incremental only with immutable functions, so that a row is judged the same at any time (a time zone or the present moment is not)",
  });
}

function identityCheck(ruled: readonly PlannedTable[], definition: TaskDefinition): PrecheckItem {
  const lacking = ruled.filter(({ streamed, replicaIdentity }) => streamed && replicaIdentity.was !== "full");
  const names = listed(lacking.map(nameOf));
  const given = usersPublication(definition);
  return precheckItem({
    item: "sourceFilteredIdentity",
    severity: given ? "error" : "warning",
    passed: lacking.length === 0,
    message:
      lacking.length === 0
        ? "every table whose rows are filtered or rewritten has REPLICA IDENTITY FULL"
        : given
          ? `${names}: rows can't be filtered or rewritten, for their changes do not carry the whole old row`
          : `${names}: REPLICA IDENTITY FULL is set for the task, so that a change tells whether its row met the condition and what its values were; updates and deletes write more WAL`,
    remedy: lacking
      .slice(0, 5)
      .map(({ source }) => `ALTER TABLE ${qualified(source)} REPLICA IDENTITY FULL`)
      .join("; "),
  });
}

function nameOf({ source }: PlannedTable): string {
  return displayName(source);
}
