import type { PgColumn, PgConstraint, PgRelation } from "../catalog/model.js";
import { ident } from "../sql.js";
import { type Draft, type SchemaContext, schemaStep, shown, withOptions } from "./draft.js";
import { inheritance } from "./inheritance.js";
import { checkClause, constraintBlocked, isInlineCheck } from "./tableChecks.js";
import { columnDefinition, columnName, columnSettings, hasLateDefault } from "./tableColumns.js";

/** Types that PostgreSQL 12 removed. */
const REMOVED_TYPES = /^(abstime|reltime|tinterval|opaque)(\[\])?$/;

/** Bare tables, their defaults that wait for functions, and the partitions' places in their trees. */
export function tableDrafts(context: SchemaContext): Draft[] {
  return context.catalog.relations.flatMap((relation) => {
    if (relation.kind !== "table" && relation.kind !== "partitionedTable") return [];
    const create = createTable(context, relation);
    const defaults = defaultDrafts(context, relation);
    const checks = lateChecks(context, relation);
    return [create, ...defaults, ...checks, ...attachDrafts(context, relation, [...defaults, ...checks])];
  });
}

/** View columns may have defaults, too. */
export function defaultDrafts(context: SchemaContext, relation: PgRelation): Draft[] {
  const isView = relation.kind === "view";
  return keptColumns(context, relation)
    .filter(
      (column) =>
        column.expression !== undefined && column.expressionKey !== undefined && (isView || hasLateDefault(context, column)),
    )
    .map((column) => ({
      id: `default:${shown(context, relation)}.${column.name}`,
      stage: "beforeRows",
      kind: isView ? "view" : "table",
      name: shown(context, relation),
      subject: { kind: isView ? "view" : "table", schema: relation.schema, name: relation.name },
      provides: [],
      uses: [column.expressionKey ?? ""],
      requires: [relation.key],
      sql: [
        `ALTER TABLE ONLY ${context.name(relation)} ALTER COLUMN ${columnName(context, relation, column)} SET DEFAULT ${context.sql.definition(column.expression ?? "")}`,
      ],
    }));
}

function createTable(context: SchemaContext, table: PgRelation): Draft {
  const name = context.name(table);
  const isPartition = table.partitionBound !== undefined;
  const columns = keptColumns(context, table);
  const { parents, form } = inheritance(context, table);
  const inherits = form === "inherits";
  // The columns that INHERITS brings are not listed; a partition is made whole and attached, so it lists all.
  const listed = inherits ? columns.filter((column) => column.local) : columns;
  const own = (constraint: PgConstraint): boolean => constraint.local || !inherits;
  const checks = (context.checks.get(table.id) ?? []).filter((check) => own(check) && isInlineCheck(context, check));
  const notNulls =
    context.target >= 18
      ? (context.notNulls.get(table.id) ?? []).filter((constraint) => constraint.validated && own(constraint))
      : [];
  const kept = (constraint: PgConstraint): boolean =>
    constraint.columns.every((number) => columns.some((column) => column.number === number));
  const elements = [
    ...listed.map((column) => columnDefinition(context, table, column)),
    ...[...notNulls, ...checks].filter(kept).map((constraint) => checkClause(context, table, constraint)),
  ];
  const partitionBy = table.partitionKey === undefined ? "" : ` PARTITION BY ${context.sql.onTable(table.partitionKey, table)}`;
  const inheritsFrom = inherits ? ` INHERITS (${parents.map((parent) => context.name(parent)).join(", ")})` : "";
  const attributes = columns.flatMap((column) => (column.generated && column.expressionKey ? [column.expressionKey] : []));
  noteConversions(context, table, columns);
  return {
    id: `table:${shown(context, table)}`,
    stage: "beforeRows",
    kind: "table",
    name: shown(context, table),
    subject: { kind: "table", schema: table.schema, name: table.name },
    provides: [
      table.key,
      table.rowType,
      ...[...checks, ...(context.notNulls.get(table.id) ?? [])].map(({ key }) => key),
      ...columns.flatMap(({ expressionKey }) => (expressionKey ? [expressionKey] : [])),
    ],
    uses: [
      table.key,
      ...attributes,
      ...columns.flatMap((column) =>
        column.expressionKey && !column.generated && !hasLateDefault(context, column) ? [column.expressionKey] : [],
      ),
      ...checks.map(({ key }) => key),
    ],
    ignores: (key) => isPartition && table.parents.some((id) => key === `pg_class/${id}`),
    requires: [schemaStep(context, table.schema), ...(form === "none" ? [] : parents.map((parent) => parent.key))],
    sql: [
      `CREATE${table.unlogged ? " UNLOGGED" : ""} TABLE ${name} (${elements.join(", ")})${inheritsFrom}${partitionBy}${withOptions(knownOptions(table.options, context.target))}`,
      ...(inherits ? inheritedDifferences(context, table, columns, parents) : []),
      ...(form === "alter" ? parents.map((parent) => `ALTER TABLE ONLY ${name} INHERIT ${context.name(parent)}`) : []),
      ...(table.ofType === undefined ? [] : [`ALTER TABLE ONLY ${name} OF ${context.sql.definition(table.ofType)}`]),
      ...columnSettings(context, table, columns),
      ...context.comment(table.key, `TABLE ${name}`),
      ...columns.flatMap((column) =>
        context.comment(`${table.key}/${column.number}`, `COLUMN ${name}.${columnName(context, table, column)}`),
      ),
      ...checks.filter(kept).flatMap((check) => context.comment(check.key, `CONSTRAINT ${ident(check.name)} ON ${name}`)),
    ],
    blocked: removedType(columns),
  };
}

/** Where an inherited column has a default or NOT NULL of its own, or lost its parent's. */
function inheritedDifferences(
  context: SchemaContext,
  table: PgRelation,
  columns: readonly PgColumn[],
  parents: readonly PgRelation[],
): string[] {
  return columns.flatMap((column) => {
    if (column.local || column.generated) return [];
    const above = parents.flatMap((parent) => parent.columns.filter(({ name }) => name === column.name));
    const alter = `ALTER TABLE ONLY ${context.name(table)} ALTER COLUMN ${columnName(context, table, column)}`;
    const statements: string[] = [];
    if (above.every(({ expression }) => expression !== column.expression) && !hasLateDefault(context, column)) {
      statements.push(
        column.expression === undefined
          ? `${alter} DROP DEFAULT`
          : `${alter} SET DEFAULT ${context.sql.definition(column.expression)}`,
      );
    }
    // With PostgreSQL 18 constraints of their own say so.
    if (column.notNull && !above.some(({ notNull }) => notNull) && !(context.notNulls.has(table.id) && context.target >= 18)) {
      statements.push(`${alter} SET NOT NULL`);
    }
    return statements;
  });
}

function lateChecks(context: SchemaContext, table: PgRelation): Draft[] {
  const late = [
    ...(context.checks.get(table.id) ?? []).filter((check) => !isInlineCheck(context, check)),
    ...(context.notNulls.get(table.id) ?? []).filter((constraint) => !constraint.validated),
  ];
  return late
    .filter((check) => check.local || (check.validated && table.partitionBound !== undefined))
    .map((check) => ({
      id: `check:${shown(context, table)}.${check.name}`,
      // A constraint that is not valid would be valid if it were made with the empty table, and then refuse its rows.
      stage: check.validated ? "beforeRows" : "afterRows",
      kind: "constraint",
      name: `${shown(context, table)}.${check.name}`,
      subject: { kind: "constraint", schema: table.schema, name: check.name, on: { schema: table.schema, name: table.name } },
      provides: [check.key],
      uses: [check.key],
      requires: [table.key],
      sql: [
        `ALTER TABLE ${context.name(table)} ADD ${checkClause(context, table, check)}`,
        ...context.comment(check.key, `CONSTRAINT ${ident(check.name)} ON ${context.name(table)}`),
      ],
      blocked: constraintBlocked(context, check),
    }));
}

/** ATTACH runs on empty tables, after both sides have the constraints that it compares. */
function attachDrafts(context: SchemaContext, table: PgRelation, late: readonly Draft[]): Draft[] {
  const parent = table.parents[0] === undefined ? undefined : context.relations.get(table.parents[0]);
  if (table.partitionBound === undefined || !parent) return [];
  return [
    {
      id: `attach:${shown(context, table)}`,
      stage: "beforeRows",
      kind: "table",
      name: shown(context, table),
      subject: { kind: "table", schema: table.schema, name: table.name },
      provides: [],
      uses: [],
      requires: [table.key, parent.key, ...late.filter(({ stage }) => stage === "beforeRows").map(({ id }) => id)],
      sql: [
        `ALTER TABLE ONLY ${context.name(parent)} ATTACH PARTITION ${context.name(table)} ${context.sql.definition(table.partitionBound)}`,
      ],
    },
  ];
}

function keptColumns(context: SchemaContext, relation: PgRelation): readonly PgColumn[] {
  return relation.columns.filter((column) => !context.resolved.names.excluded(relation, column.name));
}

function removedType(columns: readonly PgColumn[]): string | undefined {
  const column = columns.find(({ type }) => REMOVED_TYPES.test(type));
  return column && `column ${column.name} is of type ${column.type}, which PostgreSQL 12 removed`;
}

/** Storage parameters by the version that brought them, where a supported target may not know them. */
const OPTIONS_SINCE: Readonly<Record<string, number>> = {
  autovacuum_vacuum_max_threshold: 18,
  vacuum_max_eager_freeze_failure_rate: 18,
  security_invoker: 15,
};

export function knownOptions(options: readonly string[], target: number): readonly string[] {
  return options.filter(
    (option) => (OPTIONS_SINCE[option.replace(/^toast\./, "").split("=")[0] ?? ""] ?? 0) <= target && !option.startsWith("oids="),
  );
}

function noteConversions(context: SchemaContext, table: PgRelation, columns: readonly PgColumn[]): void {
  if (context.resolved.selection.pick({ kind: "table", schema: table.schema, name: table.name }) !== "selected") return;
  const note = (kind: string, name: string, reason: string): number => context.skipped.push({ kind, name, reason });
  for (const column of columns) {
    if (column.generated !== "v" || context.target >= 18) continue;
    note(
      "virtualColumn",
      `${shown(context, table)}.${column.name}`,
      "virtual generated columns are known from PostgreSQL 18 on; it is stored on the target",
    );
  }
  if (table.accessMethod !== undefined && table.accessMethod !== "heap") {
    note(
      "accessMethod",
      shown(context, table),
      `access method ${table.accessMethod} is not moved; the table uses the target's default`,
    );
  }
}
