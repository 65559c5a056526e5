import type { PgColumn, PgRelation } from "../catalog/model.js";
import { ident } from "../sql.js";
import { optionList, type SchemaContext } from "./draft.js";
import { sequenceOptions } from "./sequenceSteps.js";
import { needsRoutine } from "./typeSteps.js";

/** One column of CREATE TABLE. */
export function columnDefinition(context: SchemaContext, table: PgRelation, column: PgColumn): string {
  const { sql } = context;
  return [
    columnName(context, table, column),
    context.type(column.type),
    ...(column.compression && context.target >= 14 ? [`COMPRESSION ${column.compression}`] : []),
    ...(column.collation ? [`COLLATE ${sql.definition(column.collation)}`] : []),
    ...generatedClause(context, table, column),
    ...(column.expression !== undefined && !column.generated && !hasLateDefault(context, column)
      ? [`DEFAULT ${sql.definition(column.expression)}`]
      : []),
    ...identityClause(context, table, column),
    ...(column.notNull && !notNullElsewhere(context, table, column) ? ["NOT NULL"] : []),
  ].join(" ");
}

export function columnName(context: SchemaContext, table: PgRelation, column: PgColumn): string {
  return ident(context.resolved.names.column(table, column.name));
}

/** A default that calls a user's function is set in a step of its own: the function may need the table. */
export function hasLateDefault(context: SchemaContext, column: PgColumn): boolean {
  return column.expressionKey !== undefined && column.generated === "" && needsRoutine(context, column.expressionKey);
}

/** What CREATE TABLE cannot say about columns in every supported version. */
export function columnSettings(context: SchemaContext, table: PgRelation, columns: readonly PgColumn[]): string[] {
  const name = context.name(table);
  return columns.flatMap((column) => {
    const alter = `ALTER TABLE ONLY ${name} ALTER COLUMN ${columnName(context, table, column)}`;
    return [
      ...(column.storage ? [`${alter} SET STORAGE ${column.storage}`] : []),
      ...(column.statistics === undefined ? [] : [`${alter} SET STATISTICS ${column.statistics}`]),
      ...(column.options.length > 0 ? [`${alter} SET (${optionList(column.options)})`] : []),
    ];
  });
}

/** A virtual column has the same values when it is stored; only its place differs. */
function generatedClause(context: SchemaContext, table: PgRelation, column: PgColumn): string[] {
  if (!column.generated || column.expression === undefined) return [];
  const stored = column.generated === "s" || context.target < 18;
  return [`GENERATED ALWAYS AS (${context.sql.onTable(column.expression, table)}) ${stored ? "STORED" : "VIRTUAL"}`];
}

/**
 * From PostgreSQL 17 on partitions take the identity of their parent with ATTACH, which refuses a table that has one of its own;
 * before, a partition has none.
 */
function identityClause(context: SchemaContext, table: PgRelation, column: PgColumn): string[] {
  const sequence = context.identities.get(`${table.id}/${column.number}`);
  if (!column.identity || !sequence || (table.partitionBound !== undefined && context.target >= 17)) return [];
  const kind = column.identity === "a" ? "ALWAYS" : "BY DEFAULT";
  return [`GENERATED ${kind} AS IDENTITY (SEQUENCE NAME ${context.name(sequence)} ${sequenceOptions(sequence)})`];
}

/** From PostgreSQL 18 on it is a constraint with a name, among the others; one that is not valid has to let the rows in first. */
function notNullElsewhere(context: SchemaContext, table: PgRelation, column: PgColumn): boolean {
  const constraint = context.notNulls.get(table.id)?.find(({ columns }) => columns[0] === column.number);
  return constraint !== undefined && (context.target >= 18 || !constraint.validated);
}
