import type { PgRelation } from "../catalog/model.js";
import type { SchemaContext } from "./draft.js";

/**
 * How an inheritance child is made.
 * - `inherits`: CREATE TABLE .. INHERITS, so that inherited columns are known as such.
 * - `alter`: made whole, then ALTER TABLE .. INHERIT: where INHERITS would give the columns another order (a parent's column was added
 *   later), or parents disagree about a default. Its columns then count as its own, too.
 * - `none`: no parent of its own (partitions are attached), or none of the parents is moved.
 */
export interface Inheritance {
  readonly form: "inherits" | "alter" | "none";
  readonly parents: readonly PgRelation[];
}

export function inheritance(context: SchemaContext, table: PgRelation): Inheritance {
  if (table.partitionBound !== undefined || table.parents.length === 0) return { form: "none", parents: [] };
  const { names, selection } = context.resolved;
  const parents = table.parents.flatMap((id) => context.relations.get(id) ?? []);
  const moved = parents.filter(({ schema, name }) => selection.pick({ kind: "table", schema, name }) === "selected");
  if (moved.length === 0) return { form: "none", parents: [] };
  if (moved.length < table.parents.length) return { form: "alter", parents: moved };
  const merged: string[] = [];
  for (const parent of moved) {
    for (const { name } of parent.columns) if (!merged.includes(name)) merged.push(name);
  }
  for (const column of table.columns) if (column.local && !merged.includes(column.name)) merged.push(column.name);
  const sameOrder = merged.length === table.columns.length && table.columns.every(({ name }, index) => merged[index] === name);
  const agreed = table.columns.every((column) => {
    const defaults = new Set(
      moved.flatMap((parent) => parent.columns.filter(({ name }) => name === column.name).map(({ expression }) => expression)),
    );
    return defaults.size <= 1 && (!column.generated || column.local || defaults.has(column.expression));
  });
  const whole = table.columns.every(({ name }) => !names.excluded(table, name));
  return { form: sameOrder && agreed && whole ? "inherits" : "alter", parents: moved };
}
