import type { ObjectKey, PgDependency, PgExtension, PgNamespace } from "./model.js";
import { type CatalogSession, inUserSchema, rows } from "./query.js";

export async function readNamespaces(session: CatalogSession): Promise<PgNamespace[]> {
  const found = await rows<{ id: number; name: string }>(session, NAMESPACES);
  return found.map(({ id, name }) => ({ key: `pg_namespace/${id}`, name }));
}

export async function readExtensions(session: CatalogSession): Promise<PgExtension[]> {
  const found = await rows<{ id: number; name: string; schema: string }>(session, EXTENSIONS);
  return found.map(({ id, name, schema }) => ({ key: `pg_extension/${id}`, name, schema }));
}

/**
 * What needs what. An array type stands for its element, a multirange for its range and an extension's member for the extension,
 * so that every edge ends at something that is created by a statement of its own.
 */
export async function readDependencies(session: CatalogSession): Promise<Map<ObjectKey, PgDependency[]>> {
  const standsFor = new Map<ObjectKey, ObjectKey>();
  for (const { alias, object } of await rows<{ alias: ObjectKey; object: ObjectKey }>(session, aliases(session)))
    standsFor.set(alias, object);
  const edges = await rows<{ dependent: ObjectKey; on: ObjectKey; column: number }>(session, EDGES);
  const dependencies = new Map<ObjectKey, PgDependency[]>();
  for (const { dependent, on, column } of edges) {
    const meant = resolve(on, standsFor);
    const list = dependencies.get(dependent);
    if (list) list.push({ on: meant, column });
    else dependencies.set(dependent, [{ on: meant, column }]);
  }
  return dependencies;
}

export async function readComments(session: CatalogSession): Promise<Map<string, string>> {
  return new Map((await rows<{ key: string; text: string }>(session, COMMENTS)).map(({ key, text }) => [key, text]));
}

/** An array over an extension's type stands for the type, which stands for the extension. */
function resolve(key: ObjectKey, standsFor: ReadonlyMap<ObjectKey, ObjectKey>): ObjectKey {
  let meant = key;
  for (let next = standsFor.get(meant); next !== undefined && next !== meant; next = standsFor.get(meant)) meant = next;
  return meant;
}

const NAMESPACES = `
SELECT n.oid AS id, n.nspname AS name FROM pg_catalog.pg_namespace n
WHERE ${inUserSchema("n.oid")} AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend e
  WHERE e.classid = 'pg_catalog.pg_namespace'::pg_catalog.regclass AND e.objid = n.oid AND e.deptype = 'e')
ORDER BY n.oid`;

/** plpgsql and whatever else initdb brings has an oid below the users'. */
const EXTENSIONS = `
SELECT x.oid AS id, x.extname AS name, n.nspname AS schema
FROM pg_catalog.pg_extension x JOIN pg_catalog.pg_namespace n ON n.oid = x.extnamespace
WHERE x.oid >= 16384
ORDER BY x.oid`;

function aliases({ version }: CatalogSession): string {
  const multiranges =
    version >= 14
      ? "UNION ALL SELECT 'pg_type/' || r.rngmultitypid, 'pg_type/' || r.rngtypid FROM pg_catalog.pg_range r WHERE r.rngtypid >= 16384"
      : "";
  return `
SELECT 'pg_type/' || t.oid AS alias, 'pg_type/' || t.typelem AS object
FROM pg_catalog.pg_type t WHERE t.typcategory = 'A' AND t.typelem >= 16384
${multiranges}
UNION ALL
SELECT d.classid::pg_catalog.regclass || '/' || d.objid, 'pg_extension/' || d.refobjid
FROM pg_catalog.pg_depend d WHERE d.deptype = 'e' AND d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass`;
}

/**
 * n: normal, a: automatic (an index on its column, a view's rule on what it reads). Internal ones tie the parts of one object.
 * The automatic edge of a sequence is OWNED BY, which is set after both exist.
 */
const EDGES = `
SELECT d.classid::pg_catalog.regclass || '/' || d.objid AS dependent,
       d.refclassid::pg_catalog.regclass || '/' || d.refobjid AS on, d.refobjsubid AS column
FROM pg_catalog.pg_depend d
LEFT JOIN pg_catalog.pg_class s ON d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND s.oid = d.objid AND s.relkind = 'S'
WHERE d.deptype IN ('n', 'a') AND d.objid >= 16384 AND d.refobjid >= 16384
  AND d.refclassid <> 'pg_catalog.pg_namespace'::pg_catalog.regclass
  AND NOT (d.deptype = 'a' AND s.oid IS NOT NULL)`;

const COMMENTS = `
SELECT d.classoid::pg_catalog.regclass || '/' || d.objoid || CASE WHEN d.objsubid = 0 THEN '' ELSE '/' || d.objsubid END AS key,
       d.description AS text
FROM pg_catalog.pg_description d WHERE d.objoid >= 16384`;
