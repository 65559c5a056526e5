import type { PlannedTable } from "../../engine/models/plan.js";
import { type Distribution, distribution } from "./distribution.js";

/** The key that a table is made with, in the target's column names; undefined: it has none. */
export interface TableKey {
  readonly kind: "PRIMARY KEY" | "UNIQUE";
  readonly columns: readonly string[];
}

/** What the task says, else the key that the source's changes name rows by. Pure. */
export function tableKey({ options, key, columns }: PlannedTable): TableKey | undefined {
  const target = targetName({ columns });
  if (options?.primaryKey && options.primaryKey.length > 0) {
    return { kind: "PRIMARY KEY", columns: options.primaryKey.map(target) };
  }
  if (key.source === "none") return undefined;
  return { kind: key.source === "primaryKey" ? "PRIMARY KEY" : "UNIQUE", columns: key.columns.map(target) };
}

/** By the source's types, so that the plan and the precheck, which know no other, come to the same. Pure. */
export function tableDistribution(table: PlannedTable): Distribution {
  return distribution({
    columns: table.columns.map(({ target, type, nullable }) => ({ name: target, type, nullable })),
    distributedBy: table.options?.distributedBy?.map(targetName(table)),
    key: tableKey(table)?.columns ?? [],
  });
}

/** A column that is not copied keeps its name, to be named in what the precheck says of it. */
function targetName({ columns }: Pick<PlannedTable, "columns">): (source: string) => string {
  const names = new Map(columns.map(({ source, target }) => [source, target]));
  return (source) => names.get(source) ?? source;
}
