import type { PgIndex, PgRelation } from "../catalog/model.js";
import { ident } from "../sql.js";
import { type Draft, type SchemaContext, shown } from "./draft.js";

/**
 * Indexes that no constraint makes. On a partitioned table the index is made ON ONLY the parent, those of the leaves by themselves (so that
 * they build in parallel), and each is attached: the parent's becomes valid with the last one.
 */
export function indexDrafts(context: SchemaContext): Draft[] {
  const byKey = new Map(context.catalog.indexes.map((index) => [index.key, index]));
  return context.catalog.indexes.flatMap((index): Draft[] => {
    const table = context.relations.get(index.relation);
    if (!table) return [];
    const parent = index.parent === undefined ? undefined : byKey.get(index.parent);
    return [
      ...(index.constraint === undefined ? [indexDraft(context, table, index)] : []),
      ...(parent ? [attachDraft(context, table, index, parent)] : []),
      ...(table.replicaIdentity === "index" && index.replicaIdentity ? [identityDraft(context, table, index)] : []),
    ];
  });
}

/** REPLICA IDENTITY FULL and NOTHING: the target's table is to be replicated as the source's was. */
export function identityDrafts(context: SchemaContext): Draft[] {
  return context.catalog.relations.flatMap((table) => {
    // Views have identity `nothing` in the catalog and take no other.
    if (table.kind !== "table" && table.kind !== "partitionedTable") return [];
    const { replicaIdentity: identity } = table;
    return identity === "full" || identity === "nothing" ? [replicaIdentity(context, table, identity.toUpperCase(), [])] : [];
  });
}

/** What CREATE INDEX and ADD CONSTRAINT cannot say. */
export function indexSettings(context: SchemaContext, table: PgRelation, index: PgIndex): string[] {
  return [
    ...index.statistics.map(
      ({ position, target }) => `ALTER INDEX ${context.name(index)} ALTER COLUMN ${position} SET STATISTICS ${target}`,
    ),
    ...(index.clustered ? [`ALTER TABLE ONLY ${context.name(table)} CLUSTER ON ${ident(index.name)}`] : []),
  ];
}

function indexDraft(context: SchemaContext, table: PgRelation, index: PgIndex): Draft {
  return {
    id: `index:${shown(context, index)}`,
    stage: "afterRows",
    kind: "index",
    name: shown(context, index),
    subject: part(table, index.name),
    provides: [index.key],
    uses: [index.key],
    requires: [table.key],
    sql: [
      context.sql.onTable(index.definition, table),
      ...indexSettings(context, table, index),
      ...context.comment(index.key, `INDEX ${context.name(index)}`),
    ],
    weight: table.bytes,
    blocked: indexBlocked(context, index),
  };
}

function attachDraft(context: SchemaContext, table: PgRelation, index: PgIndex, parent: PgIndex): Draft {
  return {
    id: `attachIndex:${shown(context, index)}`,
    stage: "afterRows",
    kind: "index",
    name: shown(context, index),
    subject: part(table, index.name),
    provides: [],
    uses: [],
    requires: [index.key, parent.key, `attach:${shown(context, table)}`],
    sql: [`ALTER INDEX ${context.name(parent)} ATTACH PARTITION ${context.name(index)}`],
  };
}

function identityDraft(context: SchemaContext, table: PgRelation, index: PgIndex): Draft {
  return replicaIdentity(context, table, `USING INDEX ${ident(index.name)}`, [index.key]);
}

function replicaIdentity(context: SchemaContext, table: PgRelation, clause: string, requires: readonly string[]): Draft {
  return {
    id: `identity:${shown(context, table)}`,
    stage: "afterRows",
    kind: "table",
    name: shown(context, table),
    subject: { kind: "table", schema: table.schema, name: table.name },
    provides: [],
    uses: [],
    requires: [table.key, ...requires],
    sql: [`ALTER TABLE ONLY ${context.name(table)} REPLICA IDENTITY ${clause}`],
  };
}

function part(table: PgRelation, name: string): Draft["subject"] {
  return { kind: "index", schema: table.schema, name, on: { schema: table.schema, name: table.name } };
}

function indexBlocked(context: SchemaContext, index: PgIndex): string | undefined {
  if (index.nullsNotDistinct && context.target < 15) return "NULLS NOT DISTINCT is known from PostgreSQL 15 on";
  // A partitioned index is invalid while one of its leaves is missing: it is so on the target, too.
  return index.valid || index.partitioned ? undefined : "it is invalid at the source (a CREATE INDEX CONCURRENTLY that failed)";
}
