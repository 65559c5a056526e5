import type { PgConstraint, PgIndex, PgRelation } from "../catalog/model.js";
import { ident } from "../sql.js";
import { type Draft, optionList, type SchemaContext, shown } from "./draft.js";
import { indexSettings } from "./indexSteps.js";
import { constraintBlocked } from "./tableChecks.js";

/** Primary keys, unique and exclusion constraints: each with its index, after the rows. */
export function keyDrafts(context: SchemaContext): Draft[] {
  const indexes = new Map(context.catalog.indexes.map((index) => [index.key, index]));
  return context.catalog.constraints.flatMap((constraint): Draft[] => {
    if (!["primaryKey", "unique", "exclusion"].includes(constraint.kind)) return [];
    const table = context.relations.get(constraint.relation);
    const index = constraint.index === undefined ? undefined : indexes.get(constraint.index);
    return table && index ? [keyDraft(context, table, constraint, index)] : [];
  });
}

/** Foreign keys; those of partitions are made by the one of their parent. */
export function foreignKeyDrafts(context: SchemaContext): Draft[] {
  return context.catalog.constraints.flatMap((constraint): Draft[] => {
    const table = context.relations.get(constraint.relation);
    const referenced = context.relations.get(constraint.referenced);
    if (constraint.kind !== "foreignKey" || constraint.parent !== undefined || !table || !referenced) return [];
    const name = context.name(table);
    const definition = context.sql.foreignKey(constraint.definition, table, referenced);
    // A partitioned table takes no ONLY: its partitions get the key with it.
    const only = table.kind === "partitionedTable" ? "" : "ONLY ";
    const selected =
      context.resolved.selection.pick({ kind: "table", schema: referenced.schema, name: referenced.name }) === "selected";
    return [
      {
        id: `foreignKey:${shown(context, table)}.${constraint.name}`,
        stage: "foreignKeys",
        kind: "foreignKey",
        name: `${shown(context, table)}.${constraint.name}`,
        subject: {
          kind: "foreignKey",
          schema: table.schema,
          name: constraint.name,
          on: { schema: table.schema, name: table.name },
        },
        provides: [constraint.key],
        uses: [constraint.key],
        requires: [table.key, referenced.key],
        sql: [
          `ALTER TABLE ${only}${name} ADD CONSTRAINT ${ident(constraint.name)} ${definition}`,
          ...context.comment(constraint.key, `CONSTRAINT ${ident(constraint.name)} ON ${name}`),
        ],
        weight: table.bytes,
        blocked:
          constraintBlocked(context, constraint) ??
          (selected
            ? partitionedNotValid(context, table, constraint)
            : `it references ${referenced.schema}.${referenced.name}, which is not selected`),
      },
    ];
  });
}

function keyDraft(context: SchemaContext, table: PgRelation, constraint: PgConstraint, index: PgIndex): Draft {
  const name = context.name(table);
  const definition = context.sql.onTable(constraint.definition, table);
  // pg_get_constraintdef leaves the index's storage parameters out. An exclusion's WHERE follows them, so there they are set afterwards.
  const inline = constraint.kind !== "exclusion" && index.options.length > 0;
  const withParameters = inline ? insertParameters(definition, ` WITH (${optionList(index.options)})`) : definition;
  return {
    id: `constraint:${shown(context, table)}.${constraint.name}`,
    stage: "afterRows",
    kind: "constraint",
    name: `${shown(context, table)}.${constraint.name}`,
    subject: { kind: "constraint", schema: table.schema, name: constraint.name, on: { schema: table.schema, name: table.name } },
    provides: [constraint.key, index.key],
    uses: [constraint.key, index.key],
    requires: [table.key],
    sql: [
      `ALTER TABLE ONLY ${name} ADD CONSTRAINT ${ident(constraint.name)} ${withParameters}`,
      ...(constraint.kind === "exclusion" && index.options.length > 0
        ? [`ALTER INDEX ${context.name(index)} SET (${optionList(index.options)})`]
        : []),
      ...indexSettings(context, table, index),
      ...context.comment(constraint.key, `CONSTRAINT ${ident(constraint.name)} ON ${name}`),
      ...context.comment(index.key, `INDEX ${context.name(index)}`),
    ],
    weight: table.bytes,
    blocked:
      constraintBlocked(context, constraint) ??
      (index.nullsNotDistinct && context.target < 15 ? "NULLS NOT DISTINCT is known from PostgreSQL 15 on" : undefined),
  };
}

function insertParameters(definition: string, parameters: string): string {
  const tail = / (?:DEFERRABLE|INITIALLY DEFERRED)[A-Z ]*$/.exec(definition);
  return tail ? `${definition.slice(0, tail.index)}${parameters}${tail[0]}` : `${definition}${parameters}`;
}

function partitionedNotValid(context: SchemaContext, table: PgRelation, constraint: PgConstraint): string | undefined {
  if (constraint.validated || table.kind !== "partitionedTable" || context.target >= 18) return undefined;
  return "foreign keys of partitioned tables that are NOT VALID are known from PostgreSQL 18 on";
}
