import type { PgCollation, PgType } from "./model.js";
import {
  type CatalogSession,
  collationName,
  inUserSchema,
  notFromExtension,
  optional,
  qualifiedName,
  rows,
  since,
} from "./query.js";

interface TypeRow {
  id: number;
  schema: string;
  name: string;
  kind: "e" | "d" | "r";
  labels: string[] | null;
  base: string | null;
  not_null: boolean;
  expression: string | null;
  collation: string | null;
  subtype: string | null;
  range_collation: string | null;
  operator_class: string | null;
  canonical: string | null;
  difference: string | null;
  multirange: string | null;
}

/** Enums, domains and ranges; composite types are relations. */
export async function readTypes(session: CatalogSession): Promise<PgType[]> {
  return (await rows<TypeRow>(session, typesSql(session))).map((row) => {
    const named = { key: `pg_type/${row.id}`, schema: row.schema, name: row.name };
    if (row.kind === "e") return { ...named, kind: "enum", labels: row.labels ?? [] };
    if (row.kind === "d") {
      return {
        ...named,
        kind: "domain",
        base: row.base ?? "",
        notNull: row.not_null,
        expression: optional(row.expression),
        collation: optional(row.collation),
      };
    }
    return {
      ...named,
      kind: "range",
      subtype: row.subtype ?? "",
      operatorClass: optional(row.operator_class),
      collation: optional(row.range_collation),
      canonical: optional(row.canonical),
      difference: optional(row.difference),
      multirange: optional(row.multirange),
    };
  });
}

export async function readCollations(session: CatalogSession): Promise<PgCollation[]> {
  const found = await rows<
    Omit<PgCollation, "key" | "collate" | "ctype" | "locale" | "rules"> &
      Record<"collate" | "ctype" | "locale" | "rules", string | null> & { id: number }
  >(session, collationsSql(session));
  return found.map(({ id, collate, ctype, locale, rules, ...row }) => ({
    ...row,
    key: `pg_collation/${id}`,
    collate: optional(collate),
    ctype: optional(ctype),
    locale: optional(locale),
    rules: optional(rules),
  }));
}

function typesSql(session: CatalogSession): string {
  return `
SELECT t.oid AS id, n.nspname AS schema, t.typname AS name, t.typtype AS kind,
       CASE WHEN t.typtype = 'e' THEN
         ARRAY(SELECT e.enumlabel::text FROM pg_catalog.pg_enum e WHERE e.enumtypid = t.oid ORDER BY e.enumsortorder) END AS labels,
       CASE WHEN t.typtype = 'd' THEN pg_catalog.format_type(t.typbasetype, t.typtypmod) END AS base,
       t.typnotnull AS not_null,
       CASE WHEN t.typtype = 'd' THEN pg_catalog.pg_get_expr(t.typdefaultbin, 0) END AS expression,
       ${collationName("t.typcollation", "coalesce(b.typcollation, 0)")} AS collation,
       pg_catalog.format_type(r.rngsubtype, NULL) AS subtype,
       ${collationName("r.rngcollation", "s.typcollation")} AS range_collation,
       CASE WHEN NOT o.opcdefault THEN ${qualifiedName("o.opcnamespace", "o.opcname")} END AS operator_class,
       CASE WHEN r.rngcanonical <> 0 THEN r.rngcanonical::text END AS canonical,
       CASE WHEN r.rngsubdiff <> 0 THEN r.rngsubdiff::text END AS difference,
       ${since(session, 14, "(SELECT pg_catalog.quote_ident(m.typname) FROM pg_catalog.pg_type m WHERE m.oid = r.rngmultitypid)", "NULL")} AS multirange
FROM pg_catalog.pg_type t
JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
LEFT JOIN pg_catalog.pg_type b ON b.oid = t.typbasetype
LEFT JOIN pg_catalog.pg_range r ON r.rngtypid = t.oid
LEFT JOIN pg_catalog.pg_type s ON s.oid = r.rngsubtype
LEFT JOIN pg_catalog.pg_opclass o ON o.oid = r.rngsubopc
WHERE t.typtype IN ('e', 'd', 'r') AND ${inUserSchema("t.typnamespace")} AND ${notFromExtension("pg_type", "t.oid")}
ORDER BY t.oid`;
}

function collationsSql(session: CatalogSession): string {
  return `
SELECT c.oid AS id, n.nspname AS schema, c.collname AS name, c.collprovider AS provider,
       ${since(session, 12, "c.collisdeterministic", "true")} AS deterministic,
       c.collcollate AS collate, c.collctype AS ctype,
       ${since(session, 17, "c.colllocale", since(session, 15, "c.colliculocale", "CASE WHEN c.collprovider = 'i' THEN c.collcollate END"))} AS locale,
       ${since(session, 16, "c.collicurules", "NULL")} AS rules
FROM pg_catalog.pg_collation c
JOIN pg_catalog.pg_namespace n ON n.oid = c.collnamespace
WHERE ${inUserSchema("c.collnamespace")} AND ${notFromExtension("pg_collation", "c.oid")}
ORDER BY c.oid`;
}
