import type { Client } from "pg";

/** Everything a catalog query needs to know about where it runs. */
export interface CatalogSession {
  readonly client: Client;
  /** Major version of the server. */
  readonly version: number;
}

export async function rows<Row>({ client }: CatalogSession, sql: string): Promise<Row[]> {
  const { rows: found } = await client.query(sql);
  return found as Row[];
}

/** An expression that only servers from `version` on understand, with what older ones answer instead. */
export function since({ version }: CatalogSession, from: number, expression: string, before: string): string {
  return version >= from ? expression : before;
}

/**
 * Condition on a namespace oid: schemas that belong to users. pg_temp and pg_toast schemas start with pg_ as well, which no user's may;
 * schema godwit holds this provider's own objects. What initdb makes, but for public, is the server's (numbers below 16384): members
 * of the family bring more such schemas than PostgreSQL does. Those that keep packages as schemas within a schema say so in nspparent, a column
 * that others lack.
 */
export function inUserSchema(namespace: string): string {
  return `${namespace} IN (SELECT n.oid FROM pg_catalog.pg_namespace n
    WHERE n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'godwit', 'godwit_capture') AND (n.oid >= 16384 OR n.nspname = 'public')
      AND coalesce(pg_catalog.to_jsonb(n) ->> 'nspparent', '0') = '0')`;
}

/** Condition: not a member of an extension, which brings its members itself. */
export function notFromExtension(catalog: string, oid: string): string {
  return `NOT EXISTS (SELECT FROM pg_catalog.pg_depend e
    WHERE e.classid = 'pg_catalog.${catalog}'::pg_catalog.regclass AND e.objid = ${oid} AND e.deptype = 'e')`;
}

/** Condition: not a part of something else that brings it along, as the constructor functions and casts of a range type are. */
export function notPartOfAnother(catalog: string, oid: string): string {
  return `NOT EXISTS (SELECT FROM pg_catalog.pg_depend e
    WHERE e.classid = 'pg_catalog.${catalog}'::pg_catalog.regclass AND e.objid = ${oid} AND e.deptype IN ('e', 'i'))`;
}

/** A name as it goes into a statement: qualified, quoted. */
export function qualifiedName(namespace: string, name: string): string {
  return `(SELECT pg_catalog.quote_ident(q.nspname) FROM pg_catalog.pg_namespace q WHERE q.oid = ${namespace}) || '.' || pg_catalog.quote_ident(${name})`;
}

/** Name of a non-default collation, or NULL. */
export function collationName(collation: string, unless: string): string {
  return `CASE WHEN ${collation} <> 0 AND ${collation} <> ${unless} THEN
    (SELECT ${qualifiedName("co.collnamespace", "co.collname")} FROM pg_catalog.pg_collation co WHERE co.oid = ${collation}) END`;
}

/** pg gives NULL; the models say undefined. */
export function optional<T>(value: T | null | undefined): T | undefined {
  return value ?? undefined;
}
