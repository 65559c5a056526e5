import type { PgCollation } from "../catalog/model.js";
import { ident, literal } from "../sql.js";
import { type Draft, type SchemaContext, schemaStep, shown } from "./draft.js";

/** Schemas: IF NOT EXISTS, for `public` and what the target already uses. Two source schemas may share one on the target. */
export function schemaDrafts(context: SchemaContext): Draft[] {
  const { names } = context.resolved;
  const drafts = new Map<string, Draft>();
  for (const { key, name } of context.catalog.namespaces) {
    const target = names.schema(name);
    const id = `schema:${target}`;
    const former = drafts.get(id);
    const selected = context.resolved.selection.pick({ kind: "schema", schema: "", name }) === "selected";
    drafts.set(id, {
      id,
      stage: "beforeRows",
      kind: "schema",
      name: target,
      subject: former && !selected ? former.subject : { kind: "schema", schema: "", name },
      provides: [...(former?.provides ?? []), key],
      uses: [],
      requires: [],
      sql: [`CREATE SCHEMA IF NOT EXISTS ${ident(target)}`, ...context.comment(key, `SCHEMA ${ident(target)}`)],
    });
  }
  return [...drafts.values()];
}

export function extensionDrafts(context: SchemaContext): Draft[] {
  const { catalog, offered, resolved } = context;
  const userSchemas = new Set(catalog.schemas);
  return catalog.extensions.map(({ key, schema, name }) => ({
    id: `extension:${name}`,
    stage: "beforeRows",
    kind: "extension",
    name,
    subject: { kind: "extension", schema, name },
    provides: [key],
    uses: [key],
    requires: userSchemas.has(schema) ? [schemaStep(context, schema)] : [],
    // An extension that makes its schema itself (its control file names one) would refuse another; pg_catalog is there anyway.
    sql: [
      `CREATE EXTENSION IF NOT EXISTS ${ident(name)}${userSchemas.has(schema) || schema === "pg_catalog" ? ` SCHEMA ${ident(resolved.names.schema(schema))}` : ""}`,
    ],
    blocked:
      offered && !offered.has(name)
        ? "the target does not offer this extension; install its package on the target's server"
        : undefined,
  }));
}

export function collationDrafts(context: SchemaContext): Draft[] {
  return context.catalog.collations.map((collation) => ({
    id: `collation:${shown(context, collation)}`,
    stage: "beforeRows",
    kind: "collation",
    name: shown(context, collation),
    subject: { kind: "collation", schema: collation.schema, name: collation.name },
    provides: [collation.key],
    uses: [],
    requires: [schemaStep(context, collation.schema)],
    sql: [
      `CREATE COLLATION ${context.name(collation)} (${collationOptions(collation).join(", ")})`,
      ...context.comment(collation.key, `COLLATION ${context.name(collation)}`),
    ],
    blocked: collationBlocked(collation, context.target),
  }));
}

function collationOptions(collation: PgCollation): string[] {
  const provider = { c: "libc", i: "icu", b: "builtin", d: "default" }[collation.provider];
  const deterministic = collation.deterministic ? [] : ["deterministic = false"];
  if (collation.provider === "c") {
    return [
      `provider = ${provider}`,
      `lc_collate = ${literal(collation.collate ?? "")}`,
      `lc_ctype = ${literal(collation.ctype ?? "")}`,
      ...deterministic,
    ];
  }
  return [
    `provider = ${provider}`,
    `locale = ${literal(collation.locale ?? "")}`,
    ...deterministic,
    ...(collation.rules === undefined ? [] : [`rules = ${literal(collation.rules)}`]),
  ];
}

function collationBlocked({ provider, rules }: PgCollation, target: number): string | undefined {
  if (provider === "b" && target < 17) return "the builtin collation provider is known from PostgreSQL 17 on";
  return rules !== undefined && target < 16 ? "collation rules are known from PostgreSQL 16 on" : undefined;
}
