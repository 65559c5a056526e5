import type { PlannedTable, PrecheckItem } from "../../../engine/models/plan.js";
import { displayName } from "../../../engine/selection.js";
import { listed, precheckItem } from "../../postgres/precheck/precheckItem.js";
import type { OracleConnection } from "../driver.js";
import { quoted } from "../sql.js";
import { refusal } from "./rowFilters.js";

/** Whether Oracle takes the expressions that the program gives for values. `refused`: what stands against some of them anyway. */
export async function columnValueChecks(
  connection: OracleConnection,
  tables: readonly PlannedTable[],
  refused: readonly string[],
): Promise<PrecheckItem[]> {
  const rewritten = tables.filter(({ columns }) => columns.some(({ value }) => value));
  if (rewritten.length === 0) return [];
  const failures = [...refused];
  for (const { source, columns } of rewritten) {
    for (const { source: name, value } of columns) {
      if (!value?.expression) continue;
      const sql = `SELECT ${value.expression} AS n FROM ${quoted(source.schema)}.${quoted(source.name)} WHERE 1 = 0`;
      const reason = await refusal(connection, sql);
      if (reason !== undefined) failures.push(`${displayName(source)}.${name}: ${reason}`);
    }
  }
  return [
    precheckItem({
      item: "sourceRowExpressions",
      passed: failures.length === 0,
      message:
        failures.length === 0
          ? `Oracle takes the expressions for values of ${listed(rewritten.map(({ source }) => displayName(source)))}`
          : `\`etl\` can't be used: ${failures.slice(0, 5).join("; ")}`,
      remedy: "write `derive` as expressions on the table's own columns, in Oracle's SQL",
    }),
  ];
}
