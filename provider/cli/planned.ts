import { routeKind } from "../databases/index.js";
import { definitionOf, endsOf, planOptionsOf } from "../resources/taskSpec.js";
import { readTask } from "./taskFile.js";

async function planned(path: string) {
  const inputs = await readTask(path);
  return routeKind(endsOf(inputs)).plan(endsOf(inputs), definitionOf(inputs), planOptionsOf(inputs), new Set());
}

/** Exit status 1 when an item of severity error did not pass. */
export async function showPrecheck(path: string, json: boolean): Promise<number> {
  const { prechecks } = await planned(path);
  if (json) console.log(JSON.stringify(prechecks));
  else {
    for (const { item, severity, passed, message, remedy } of prechecks) {
      console.log(`${passed ? "ok     " : severity.padEnd(7)} ${item}: ${message}${passed ? "" : `\n        remedy: ${remedy}`}`);
    }
  }
  return prechecks.some(({ passed, severity }) => !passed && severity === "error") ? 1 : 0;
}

export async function showPlan(path: string, json: boolean): Promise<number> {
  const { plan } = await planned(path);
  if (json) {
    console.log(JSON.stringify(plan));
    return 0;
  }
  for (const { source, target, columns, estimatedRows, filter } of plan.tables) {
    console.log(
      `table ${source.schema}.${source.name} -> ${target.schema}.${target.name}: ${columns.length} columns, about ${estimatedRows} rows`,
    );
    if (filter) console.log(`  rows: ${filter.given}`);
    for (const { source: name, type, value, derived } of columns) {
      if (!value) continue;
      const made = "expression" in value.given ? value.given.expression : `masked, ${Object.values(value.given).join(" ")}`;
      console.log(`  ${name}${derived ? ` (new, ${type})` : ""}: ${made}`);
    }
  }
  for (const { stage, kind, name, sql } of plan.steps)
    console.log(`-- ${stage}: ${kind} ${name}\n${sql.map((text) => `${text};`).join("\n")}`);
  for (const { kind, name, reason } of plan.skipped) console.log(`-- left out: ${kind} ${name}: ${reason}`);
  return 0;
}
