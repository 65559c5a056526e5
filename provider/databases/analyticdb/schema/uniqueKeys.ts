import type { DdlStep, PlannedTable } from "../../../engine/models/plan.js";
import type { PgConstraint, PgRelation } from "../../postgres/catalog/model.js";
import { type SchemaContext, shownTarget } from "../../postgres/schema/draft.js";
import { ident, qualified } from "../../postgres/sql.js";
import { holdsDistribution } from "../distribution.js";
import type { Storage } from "../storage.js";
import { tableDistribution, tableKey } from "../tableKeys.js";

/**
 * Keys beside the one a table is made with: those whose columns hold the distribution key, for others the server can't check ("UNIQUE
 * constraint must contain all columns in the table's distribution key"). The rest are named in `skipped`.
 */
export function uniqueSteps(context: SchemaContext, tables: readonly PlannedTable[], storage: Storage): DdlStep[] {
  const byId = new Map(tables.map((table) => [table.id, table]));
  return context.catalog.constraints.flatMap((constraint): DdlStep[] => {
    const table = byId.get(constraint.relation);
    if (!table || (constraint.kind !== "unique" && constraint.kind !== "primaryKey")) return [];
    const columns = keyColumns(context, table, constraint);
    const first = tableKey(table);
    if (first && sameColumns(first.columns, columns)) return [];
    const name = `${shownTarget(table.target)}.${constraint.name}`;
    const reason = blocked(context, table, constraint, columns, storage);
    if (reason !== undefined) {
      context.skipped.push({ kind: "constraint", name, reason });
      return [];
    }
    return [
      {
        id: `constraint:${name}`,
        stage: "afterRows",
        kind: "constraint",
        name,
        sql: [
          `ALTER TABLE ONLY ${qualified(table.target)} ADD CONSTRAINT ${ident(constraint.name)} UNIQUE (${columns.map(ident).join(", ")})`,
        ],
        dependsOn: [`table:${shownTarget(table.target)}`],
        weight: table.bytes,
      },
    ];
  });
}

/** The columns, in the target's names, that are unique on each table of the plan once the steps have run. */
export function uniqueColumns(context: SchemaContext, table: PlannedTable, storage: Storage): (readonly string[])[] {
  const first = tableKey(table);
  const { columns: distributed } = tableDistribution(table);
  return [
    ...(first && storage.takesKeys && distributed.length > 0 ? [first.columns] : []),
    ...context.catalog.constraints.flatMap((constraint) => {
      if (constraint.relation !== table.id || (constraint.kind !== "unique" && constraint.kind !== "primaryKey")) return [];
      const columns = keyColumns(context, table, constraint);
      return blocked(context, table, constraint, columns, storage) === undefined ? [columns] : [];
    }),
  ];
}

function blocked(
  context: SchemaContext,
  table: PlannedTable,
  constraint: PgConstraint,
  columns: readonly string[],
  storage: Storage,
): string | undefined {
  if (!storage.takesKeys) return `${storage.engine} tables take no keys`;
  if (constraint.deferrable) return "deferrable keys are not moved: rows that swap a value would be refused";
  if (columns.some((name) => !table.columns.some(({ target }) => target === name))) return "one of its columns is not copied";
  const index = context.catalog.indexes.find(({ key }) => key === constraint.index);
  if (index?.nullsNotDistinct || constraint.period) return "its meaning is known to newer servers only";
  const { columns: distributed } = tableDistribution(table);
  if (holdsDistribution(columns, distributed)) return undefined;
  return `its columns do not hold the distribution key (${distributed.join(", ") || "rows lie at random"}): no segment sees all rows of a value`;
}

function keyColumns(context: SchemaContext, table: PlannedTable, constraint: PgConstraint): string[] {
  const relation = context.relations.get(table.id) as PgRelation;
  const names = new Map(relation.columns.map(({ number, name }) => [number, name]));
  return constraint.columns.map((number) => context.resolved.names.column(relation, names.get(number) ?? ""));
}

function sameColumns(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((name) => b.includes(name));
}
