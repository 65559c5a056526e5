import type { PlannedTable } from "../../../engine/models/plan.js";
import type { PgColumn, PgRelation } from "../../postgres/catalog/model.js";
import { type SchemaContext, shownTarget } from "../../postgres/schema/draft.js";
import { needsRoutine } from "../../postgres/schema/typeSteps.js";
import { ident } from "../../postgres/sql.js";
import { columnType } from "../columnTypes.js";
import type { TargetCapabilities } from "./planTables.js";

/** The column definitions of CREATE TABLE. What a column loses is said in the context's `skipped`. */
export function columnElements(
  context: SchemaContext,
  relation: PgRelation,
  table: PlannedTable,
  { types, server }: TargetCapabilities,
): string[] {
  const { names } = context.resolved;
  const baseOf = domainBases(context);
  return relation.columns.flatMap((column) => {
    if (names.excluded(relation, column.name)) return [];
    const target = names.column(relation, column.name);
    const lost = (kind: string, reason: string): void => {
      context.skipped.push({ kind, name: `${shownTarget(table.target)}.${target}`, reason });
    };
    const generated = column.generated === "" ? undefined : generatedClause(context, relation, column, server.generatedColumns);
    if (generated?.reason !== undefined) {
      lost("generatedColumn", generated.reason);
      return [];
    }
    const { type, note } = columnType(context.sql.definition(column.type), types, baseOf);
    if (note !== undefined) lost("type", note);
    if (column.identity) lost("identity", "values come from the source: the target's column gives none of its own");
    if (column.collation) lost("collation", `${column.collation} is not moved: the column has the database's`);
    const value = column.generated === "" ? plainDefault(column.expression) : undefined;
    if (column.generated === "" && column.expression !== undefined && value === undefined)
      lost("default", `${column.expression} is not moved: only constants and the current time are`);
    return [
      [
        ident(target),
        type,
        ...(generated?.clause ? [generated.clause] : []),
        ...(value === undefined ? [] : [`DEFAULT ${value}`]),
        ...(column.notNull ? ["NOT NULL"] : []),
      ].join(" "),
    ];
  });
}

/** Constants without their cast (the column's type may be another here) and the clock; everything else may need what the target lacks. */
export function plainDefault(expression: string | undefined): string | undefined {
  if (expression === undefined) return undefined;
  const constant = /^('(?:[^'\\]|'')*'|\(?-?\d+(?:\.\d+)?\)?|true|false|NULL)(?:::[^()]+(?:\([\d,]+\))?(?:\[\])*)?$/.exec(
    expression,
  );
  if (constant) return constant[1];
  return /^(?:now\(\)|CURRENT_TIMESTAMP|CURRENT_DATE|CURRENT_TIME|LOCALTIMESTAMP|LOCALTIME)$/.test(expression)
    ? expression
    : undefined;
}

function generatedClause(
  context: SchemaContext,
  relation: PgRelation,
  column: PgColumn,
  known: boolean,
): { readonly clause?: string; readonly reason?: string } {
  if (!known) return { reason: "generated columns are known from AnalyticDB 7 on; compute it in queries" };
  if (column.expressionKey !== undefined && needsRoutine(context, column.expressionKey))
    return { reason: "its expression calls a function, and functions are not moved" };
  return { clause: `GENERATED ALWAYS AS (${context.sql.onTable(column.expression ?? "", relation)}) STORED` };
}

/** The type below each domain, by the name the domain would have on the target. */
function domainBases(context: SchemaContext): (type: string) => string | undefined {
  const bases = new Map<string, string>();
  for (const type of context.catalog.types) {
    if (type.kind !== "domain") continue;
    const { schema, name } = context.resolved.names.relation(type);
    bases.set(`${schema}.${name}`, context.sql.definition(type.base));
  }
  return (type) => bases.get(type.replaceAll('"', ""));
}
