import type { PlannedTable, PrecheckItem } from "../../../engine/models/plan.js";
import { displayName } from "../../../engine/selection.js";
import { migrates, type TaskDefinition } from "../../../engine/taskDefinition.js";
import { listed, precheckItem } from "../../postgres/precheck/precheckItem.js";
import type { OracleConnection } from "../driver.js";
import { oracleCode } from "../oracleErrors.js";
import { quoted } from "../sql.js";

/**
 * Whether Oracle takes the conditions that the program gives for rows. Only loads can use them: Oracle's SQL means something to Oracle alone, and a change in
 * the redo may lack what a condition asks for.
 */
export async function rowFilterChecks(
  connection: OracleConnection,
  tables: readonly PlannedTable[],
  definition: TaskDefinition,
): Promise<PrecheckItem[]> {
  const filtered = tables.filter(({ filter }) => filter);
  if (filtered.length === 0) return [];
  const names = listed(filtered.map(({ source }) => displayName(source)));
  if (migrates(definition, "incremental")) {
    return [
      precheckItem({
        item: "sourceRowFilters",
        passed: false,
        message: `rows of ${names} are chosen by \`where\`, which says nothing of the changes in the redo`,
        remedy:
          "from Oracle only rows that are loaded can be chosen: leave `where` out, or take incremental out of migrationTypes",
      }),
    ];
  }
  const failures: string[] = [];
  for (const table of filtered) {
    const refusal = await refusalOf(connection, table);
    if (refusal !== undefined) failures.push(`${displayName(table.source)}: ${refusal}`);
  }
  return [
    precheckItem({
      item: "sourceRowFilters",
      passed: failures.length === 0,
      message:
        failures.length === 0
          ? `Oracle takes the conditions for rows of ${names}`
          : `conditions for rows can't be used: ${failures.slice(0, 5).join("; ")}`,
      remedy: "write `where` and `drop` as conditions on the table's own columns, in Oracle's SQL",
    }),
  ];
}

function refusalOf(connection: OracleConnection, { source, filter }: PlannedTable): Promise<string | undefined> {
  return refusal(
    connection,
    `SELECT COUNT(*) AS n FROM ${quoted(source.schema)}.${quoted(source.name)} WHERE 1 = 0 AND ${filter?.condition}`,
  );
}

/** What Oracle objects to; undefined: it takes the query. */
export async function refusal(connection: OracleConnection, sql: string): Promise<string | undefined> {
  try {
    await connection.query(sql);
    return undefined;
  } catch (cause) {
    if (oracleCode(cause) === undefined) throw cause;
    return cause instanceof Error ? cause.message : String(cause);
  }
}
