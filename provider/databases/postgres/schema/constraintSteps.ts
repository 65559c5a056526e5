import type { PgConstraint, PgIndex, PgRelation } from "../catalog/model.js";
import { ident } from "../sql.js";
import { type Draft, optionList, type SchemaContext, shown } from "./draft.js";
import { indexSettings } from "./indexSteps.js";
import { constraintBlocked } from "./tableChecks.js";

/** Primary keys, unique and exclusion constraints: each with its index, after the rows. */
export function keyDrafts(context: SchemaContext): Draft[] {
  const indexes = new Map(context.catalog.indexes.map((index) => [index.key, index]));
  const before = new Map<number, string>();
  return context.catalog.constraints.flatMap((constraint): Draft[] => {
    if (!["primaryKey", "unique", "exclusion"].includes(constraint.kind)) return [];
    const table = context.relations.get(constraint.relation);
    const index = constraint.index === undefined ? undefined : indexes.get(constraint.index);
    if (!table || !index) return [];
    const draft = keyDraft(context, table, constraint, index);
    if (draft.blocked !== undefined) return [draft];
    // One key of a table at a time: two that built their indexes at once would each wait for the other's lock.
    const previous = before.get(table.id);
    before.set(table.id, constraint.key);
    return [previous === undefined ? draft : { ...draft, requires: [...draft.requires, previous] }];
  });
}

/** Foreign keys; those of partitions are made by the one of their parent. */
export function foreignKeyDrafts(context: SchemaContext): Draft[] {
  const partial = partialTables(context);
  const rewritten = rewrittenColumns(context);
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
          referencedBlocked(referenced, selected, partial) ??
          rewrittenBlocked(table, constraint, rewritten) ??
          partitionedNotValid(context, table, constraint),
      },
    ];
  });
}

function referencedBlocked(referenced: PgRelation, selected: boolean, partial: ReadonlySet<string>): string | undefined {
  const name = `${referenced.schema}.${referenced.name}`;
  if (!selected) return `it references ${name}, which is not selected`;
  return partial.has(referenced.key) ? `it references ${name}, of which only some rows move` : undefined;
}

/** What a column refers to has its own values on the target: keys are neither derived nor masked. */
function rewrittenBlocked(
  table: PgRelation,
  constraint: PgConstraint,
  rewritten: ReadonlyMap<number, ReadonlySet<string>>,
): string | undefined {
  const column = table.columns.find(
    ({ number, name }) => constraint.columns.includes(number) && rewritten.get(table.id)?.has(name),
  );
  return column && `\`etl\` gives its column ${column.name} other values than the source has`;
}

/** Columns that are derived or masked, by table; those of partitioned tables are their partitions'. */
function rewrittenColumns(context: SchemaContext): ReadonlyMap<number, ReadonlySet<string>> {
  const rewritten = new Map<number, Set<string>>();
  for (const { id, columns } of context.resolved.tables) {
    const names = columns.flatMap(({ source, value }) => (value ? [source] : []));
    if (names.length === 0) continue;
    const pending = [id];
    for (let at = pending.shift(); at !== undefined; at = pending.shift()) {
      rewritten.set(at, new Set([...(rewritten.get(at) ?? []), ...names]));
      pending.push(...(context.relations.get(at)?.parents ?? []));
    }
  }
  return rewritten;
}

/** Tables whose rows are filtered, and what they are partitions of. */
function partialTables(context: SchemaContext): ReadonlySet<string> {
  const filtered = new Set(context.resolved.tables.filter(({ filter }) => filter).map(({ id }) => id));
  const partial = new Set<string>();
  const pending = [...context.relations.values()].filter(({ id }) => filtered.has(id));
  for (let relation = pending.pop(); relation; relation = pending.pop()) {
    partial.add(relation.key);
    pending.push(...relation.parents.flatMap((parent) => context.relations.get(parent) ?? []));
  }
  return partial;
}

function keyDraft(context: SchemaContext, table: PgRelation, constraint: PgConstraint, index: PgIndex): Draft {
  const name = context.name(table);
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
      ...(takesIndex(table, constraint)
        ? indexThenKey(context, table, constraint, index)
        : keyWithIndex(context, table, constraint, index)),
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

/**
 * Not those of partitioned tables, whose index is on no rows, nor those that only the constraint's own clause can say. Nor those of children:
 * USING INDEX makes their inherited NOT NULLs their own (PostgreSQL 18).
 */
function takesIndex(table: PgRelation, constraint: PgConstraint): boolean {
  return table.kind === "table" && table.parents.length === 0 && constraint.kind !== "exclusion" && !constraint.period;
}

/**
 * ADD PRIMARY KEY locks the table against everything while it builds, the table's other indexes included; CREATE UNIQUE INDEX lets them build
 * beside it, and what is left to lock for is a moment.
 */
function indexThenKey(context: SchemaContext, table: PgRelation, constraint: PgConstraint, index: PgIndex): string[] {
  const kind = constraint.kind === "primaryKey" ? "PRIMARY KEY" : "UNIQUE";
  const when = TIMING.exec(constraint.definition)?.[0] ?? "";
  return [
    context.sql.onTable(index.definition, table),
    `ALTER TABLE ONLY ${context.name(table)} ADD CONSTRAINT ${ident(constraint.name)} ${kind} USING INDEX ${ident(index.name)}${when}`,
  ];
}

function keyWithIndex(context: SchemaContext, table: PgRelation, constraint: PgConstraint, index: PgIndex): string[] {
  const definition = context.sql.onTable(constraint.definition, table);
  const options = index.options.length > 0 ? optionList(index.options) : undefined;
  // pg_get_constraintdef leaves the index's storage parameters out. An exclusion's WHERE follows them, so there they are set afterwards.
  const late = constraint.kind === "exclusion";
  const written = options !== undefined && !late ? insertParameters(definition, ` WITH (${options})`) : definition;
  return [
    `ALTER TABLE ONLY ${context.name(table)} ADD CONSTRAINT ${ident(constraint.name)} ${written}`,
    ...(options !== undefined && late ? [`ALTER INDEX ${context.name(index)} SET (${options})`] : []),
  ];
}

const TIMING = / (?:DEFERRABLE|INITIALLY DEFERRED)[A-Z ]*$/;

function insertParameters(definition: string, parameters: string): string {
  const tail = TIMING.exec(definition);
  return tail ? `${definition.slice(0, tail.index)}${parameters}${tail[0]}` : `${definition}${parameters}`;
}

function partitionedNotValid(context: SchemaContext, table: PgRelation, constraint: PgConstraint): string | undefined {
  if (constraint.validated || table.kind !== "partitionedTable" || context.target >= 18) return undefined;
  return "foreign keys of partitioned tables that are NOT VALID are known from PostgreSQL 18 on";
}
