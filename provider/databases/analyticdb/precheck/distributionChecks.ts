import type { PlannedTable, PrecheckItem } from "../../../engine/models/plan.js";
import { listed, precheckItem } from "../../postgres/precheck/precheckItem.js";
import { holdsDistribution } from "../distribution.js";
import type { Storage } from "../storage.js";
import { tableDistribution, tableKey } from "../tableKeys.js";

/** Whether the tables that are going to be made fit what the task asks for their keys and distribution. Pure. */
export function distributionChecks(tables: readonly PlannedTable[], storage: Storage): PrecheckItem[] {
  const findings = tables.map((table) => ({ table, wrong: misfit(table, storage) }));
  const wrong = findings.flatMap(({ table, wrong }) => (wrong === undefined ? [] : [`${shown(table)}: ${wrong}`]));
  const chosen = tables.flatMap((table) => {
    const { source, columns } = tableDistribution(table);
    if (source === "chosen") return [`${shown(table)} by ${columns.join(", ")}`];
    return source === "random" ? [`${shown(table)} at random`] : [];
  });
  return [
    precheckItem({
      item: "distributionKey",
      passed: wrong.length === 0,
      message: wrong.length === 0 ? "every key holds its table's distribution key" : listed(wrong),
      remedy:
        "in objects[].tables[], set distributedBy to columns of the primary key, or primaryKey to one that holds distributedBy; name columns that are copied",
    }),
    precheckItem({
      item: "distributionChosen",
      severity: "warning",
      passed: chosen.length === 0,
      message:
        chosen.length === 0
          ? "every table is distributed by its key, or as the task says"
          : `tables without a key: ${listed(chosen)}`,
      remedy:
        "name distributedBy for them: columns of many different values, such as those that queries join by (the first column that is NOT NULL and spreads is taken)",
    }),
  ];
}

function misfit(table: PlannedTable, storage: Storage): string | undefined {
  const known = new Set(table.columns.map(({ target }) => target));
  const key = tableKey(table);
  const { columns: distributed } = tableDistribution(table);
  const missing = [...(key?.columns ?? []), ...distributed].filter((name) => !known.has(name));
  if (missing.length > 0) return `${[...new Set(missing)].join(", ")} is not among its columns`;
  const nullable = (key?.kind === "PRIMARY KEY" ? key.columns : []).filter((name) =>
    table.columns.some((column) => column.target === name && column.nullable),
  );
  if (nullable.length > 0) return `${nullable.join(", ")} may be NULL at the source, which no column of a primary key may be`;
  if (!key || !storage.takesKeys || distributed.length === 0 || holdsDistribution(key.columns, distributed)) return undefined;
  return `the key (${key.columns.join(", ")}) does not hold the distribution key (${distributed.join(", ")})`;
}

function shown({ target }: PlannedTable): string {
  return `${target.schema}.${target.name}`;
}
