import type { ObjectKey, PgConstraint, PgRelation, PgType } from "../catalog/model.js";
import { ident, literal } from "../sql.js";
import { type Draft, type SchemaContext, schemaStep, shown } from "./draft.js";

/** Enum, domain, range and composite types. */
export function typeDrafts(context: SchemaContext): Draft[] {
  const checks = new Map<ObjectKey, PgConstraint[]>();
  for (const constraint of context.catalog.constraints) {
    if (constraint.domain === undefined) continue;
    checks.set(constraint.domain, [...(checks.get(constraint.domain) ?? []), constraint]);
  }
  return [
    ...context.catalog.types.flatMap((type) =>
      type.kind === "domain" ? domainDrafts(context, type, checks.get(type.key) ?? []) : [typeDraft(context, type)],
    ),
    ...context.catalog.relations
      .filter(({ kind }) => kind === "compositeType")
      .map((relation) => compositeDraft(context, relation)),
  ];
}

function common(context: SchemaContext, type: PgType): Omit<Draft, "sql" | "uses"> {
  const kind = type.kind === "domain" ? "domain" : "type";
  return {
    id: `type:${shown(context, type)}`,
    stage: "beforeRows",
    kind,
    name: shown(context, type),
    subject: { kind, schema: type.schema, name: type.name },
    provides: [type.key],
    requires: [schemaStep(context, type.schema)],
  };
}

function typeDraft(context: SchemaContext, type: Exclude<PgType, { kind: "domain" }>): Draft {
  const name = context.name(type);
  const comment = context.comment(type.key, `TYPE ${name}`);
  if (type.kind === "enum") {
    return {
      ...common(context, type),
      uses: [],
      sql: [`CREATE TYPE ${name} AS ENUM (${type.labels.map((label) => literal(label)).join(", ")})`, ...comment],
    };
  }
  const { sql, target } = context;
  const options = [
    `SUBTYPE = ${context.type(type.subtype)}`,
    ...(type.operatorClass ? [`SUBTYPE_OPCLASS = ${sql.definition(type.operatorClass)}`] : []),
    ...(type.collation ? [`COLLATION = ${sql.definition(type.collation)}`] : []),
    ...(type.difference ? [`SUBTYPE_DIFF = ${sql.definition(type.difference)}`] : []),
    ...(type.multirange && target >= 14
      ? [`MULTIRANGE_TYPE_NAME = ${ident(context.resolved.names.schema(type.schema))}.${type.multirange}`]
      : []),
  ];
  return {
    ...common(context, type),
    uses: [type.key],
    sql: [`CREATE TYPE ${name} AS RANGE (${options.join(", ")})`, ...comment],
    blocked:
      type.canonical === undefined
        ? undefined
        : "its canonical function needs the type and the type needs it: only a library in C can make both",
  };
}

/**
 * A domain's default and checks may use functions that take the domain itself, so those that use a function are set once both exist.
 * The server records a default's dependencies on the domain.
 */
function domainDrafts(
  context: SchemaContext,
  type: Extract<PgType, { kind: "domain" }>,
  constraints: readonly PgConstraint[],
): Draft[] {
  const { sql } = context;
  const name = context.name(type);
  const isRoutine = (key: ObjectKey): boolean => key.startsWith("pg_proc/") || key.startsWith("pg_operator/");
  const lateDefault = type.expression !== undefined && needsRoutine(context, type.key);
  const checks = constraints.filter(({ kind }) => kind === "check");
  const inline = checks.filter((check) => check.validated && !needsRoutine(context, check.key));
  const clause = (check: PgConstraint): string => `CONSTRAINT ${ident(check.name)} ${sql.definition(check.definition)}`;
  const notNull = constraints.find(({ kind }) => kind === "notNull");
  const create = [
    `CREATE DOMAIN ${name} AS ${context.type(type.base)}`,
    ...(type.collation ? [`COLLATE ${sql.definition(type.collation)}`] : []),
    ...(type.expression !== undefined && !lateDefault ? [`DEFAULT ${sql.definition(type.expression)}`] : []),
    ...(type.notNull ? [notNull && context.target >= 17 ? `CONSTRAINT ${ident(notNull.name)} NOT NULL` : "NOT NULL"] : []),
    ...inline.map(clause),
  ].join(" ");
  const base = common(context, type);
  const commentOn = (check: PgConstraint): string[] =>
    context.comment(check.key, `CONSTRAINT ${ident(check.name)} ON DOMAIN ${name}`);
  return [
    {
      ...base,
      uses: [type.key, ...inline.map(({ key }) => key)],
      ...(lateDefault ? { ignores: isRoutine } : {}),
      sql: [create, ...context.comment(type.key, `DOMAIN ${name}`), ...inline.flatMap(commentOn)],
    },
    ...(lateDefault
      ? [
          {
            ...base,
            id: `default:${shown(context, type)}`,
            provides: [],
            uses: [type.key],
            requires: [base.id],
            sql: [`ALTER DOMAIN ${name} SET DEFAULT ${sql.definition(type.expression ?? "")}`],
          },
        ]
      : []),
    ...checks
      .filter((check) => !inline.includes(check))
      .map(
        (check): Draft => ({
          ...base,
          id: `check:${shown(context, type)}.${check.name}`,
          kind: "constraint",
          provides: [check.key],
          uses: [check.key],
          requires: [base.id],
          sql: [`ALTER DOMAIN ${name} ADD ${clause(check)}`, ...commentOn(check)],
        }),
      ),
  ];
}

/** The server records what a composite type's fields need under its pg_class entry. */
function compositeDraft(context: SchemaContext, relation: PgRelation): Draft {
  const name = context.name(relation);
  const fields = relation.columns.map(
    (column) =>
      `${ident(column.name)} ${context.type(column.type)}${column.collation ? ` COLLATE ${context.sql.definition(column.collation)}` : ""}`,
  );
  return {
    id: `type:${shown(context, relation)}`,
    stage: "beforeRows",
    kind: "type",
    name: shown(context, relation),
    subject: { kind: "type", schema: relation.schema, name: relation.name },
    provides: [relation.rowType, relation.key],
    uses: [relation.key, relation.rowType],
    requires: [schemaStep(context, relation.schema)],
    sql: [
      `CREATE TYPE ${name} AS (${fields.join(", ")})`,
      ...context.comment(relation.rowType, `TYPE ${name}`),
      ...relation.columns.flatMap((column) =>
        context.comment(`${relation.key}/${column.number}`, `COLUMN ${name}.${ident(column.name)}`),
      ),
    ],
  };
}

export function needsRoutine(context: SchemaContext, key: ObjectKey): boolean {
  return (context.catalog.dependencies.get(key) ?? []).some(
    ({ on }) => on.startsWith("pg_proc/") || on.startsWith("pg_operator/"),
  );
}
