import type { PgColumn, PgRelation } from "../../postgres/catalog/model.js";
import { type SchemaContext, shown } from "../../postgres/schema/draft.js";
import type { ConvertType } from "./types.js";

/** Says of every column that moves which type it gets, where that is another. */
export function noteTypes(context: SchemaContext, convert: ConvertType): void {
  for (const { table, column } of movedColumns(context)) {
    const converted = convert(column.type);
    if (converted === undefined) continue;
    context.skipped.push({
      kind: "columnType",
      name: `${shown(context, table)}.${column.name}`,
      reason: `${column.type} is ${converted} on the target`,
    });
  }
}

/** A DEFAULT '' means NULL where '' is NULL: under NOT NULL, an INSERT that leaves the column out fails. */
export function noteEmptyDefaults(context: SchemaContext): void {
  for (const { table, column } of movedColumns(context)) {
    if (!column.notNull || !/^''(::|$)/.test(column.expression ?? "")) continue;
    context.skipped.push({
      kind: "emptyDefault",
      name: `${shown(context, table)}.${column.name}`,
      reason: "the column is NOT NULL with DEFAULT '', which is NULL on the target; give it another default there",
    });
  }
}

function movedColumns(context: SchemaContext): { readonly table: PgRelation; readonly column: PgColumn }[] {
  return context.catalog.relations.flatMap((table) => {
    const { schema, name } = table;
    if (table.kind !== "table" && table.kind !== "partitionedTable") return [];
    if (context.resolved.selection.pick({ kind: "table", schema, name }) !== "selected") return [];
    return table.columns
      .filter((column) => !context.resolved.names.excluded(table, column.name))
      .map((column) => ({ table, column }));
  });
}
