import type { PlannedColumn, PlannedTable } from "../../../engine/models/plan.js";
import { ident } from "../sql.js";

/** Whether any column's values are expressions. */
export function hasValues({ columns }: Pick<PlannedTable, "columns">): boolean {
  return columns.some(({ value }) => value);
}

/** Whether rows of the table move only in part, or with other values. */
export function hasRules(table: Pick<PlannedTable, "columns" | "filter">): boolean {
  return table.filter !== undefined || hasValues(table);
}

/** What is read of the source for a column: itself, or the expression that stands for it, of the type that the column has by now. */
export function columnSql({ source, type, value }: PlannedColumn): string {
  return value ? `CAST(${value.expression} AS ${castType(type)})` : ident(source);
}

/**
 * The type without what would cut a value silently: the target refuses one that is too long. `character` and `bit` alone would mean a length of one.
 */
export function castType(type: string): string {
  const [, name, array = ""] =
    /^(character varying|character|bit varying|bit|n?varchar2)(?:\(\d+[^)]*\))?((?:\[\])*)$/.exec(type) ?? [];
  if (name === undefined) return type;
  return `${{ character: "pg_catalog.bpchar", bit: 'pg_catalog."bit"' }[name] ?? name}${array}`;
}
