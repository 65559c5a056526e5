import type { PgConstraint, PgRelation } from "../catalog/model.js";
import { ident } from "../sql.js";
import type { SchemaContext } from "./draft.js";
import { needsRoutine } from "./typeSteps.js";

/** A check that CREATE TABLE can hold: valid, and calling nothing that may need the table itself. COPY evaluates it row by row. */
export function isInlineCheck(context: SchemaContext, check: PgConstraint): boolean {
  return (
    (check.validated || !check.enforced) && constraintBlocked(context, check) === undefined && !needsRoutine(context, check.key)
  );
}

export function checkClause(context: SchemaContext, table: PgRelation, check: PgConstraint): string {
  return `CONSTRAINT ${ident(check.name)} ${context.sql.onTable(check.definition, table)}`;
}

/** Why a constraint cannot be made on the target's version. */
export function constraintBlocked(context: SchemaContext, constraint: PgConstraint): string | undefined {
  if (context.target >= 18) return undefined;
  if (!constraint.enforced) return "constraints that are NOT ENFORCED are known from PostgreSQL 18 on";
  if (constraint.period) return "temporal constraints (WITHOUT OVERLAPS, PERIOD) are known from PostgreSQL 18 on";
  if (constraint.kind === "notNull") return "not-null constraints that are NOT VALID are known from PostgreSQL 18 on";
  return undefined;
}
