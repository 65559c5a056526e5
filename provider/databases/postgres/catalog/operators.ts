import type { PgCast, PgOperator, PgOperatorClass, PgOperatorFamily } from "./model.js";
import { type CatalogSession, inUserSchema, notFromExtension, notPartOfAnother, optional, qualifiedName, rows } from "./query.js";

interface OperatorRow {
  id: number;
  schema: string;
  name: string;
  left: string | null;
  right: string | null;
  routine: string;
  commutator: string | null;
  negator: string | null;
  restriction: string | null;
  join: string | null;
  hashes: boolean;
  merges: boolean;
}

export async function readOperators(session: CatalogSession): Promise<PgOperator[]> {
  return (await rows<OperatorRow>(session, OPERATORS)).map((row) => ({
    key: `pg_operator/${row.id}`,
    schema: row.schema,
    name: row.name,
    left: optional(row.left),
    right: optional(row.right),
    clauses: [
      `PROCEDURE = ${row.routine}`,
      ...(row.left ? [`LEFTARG = ${row.left}`] : []),
      ...(row.right ? [`RIGHTARG = ${row.right}`] : []),
      ...(row.restriction ? [`RESTRICT = ${row.restriction}`] : []),
      ...(row.join ? [`JOIN = ${row.join}`] : []),
      ...(row.hashes ? ["HASHES"] : []),
      ...(row.merges ? ["MERGES"] : []),
    ],
    promises: [
      ...(row.commutator ? [`COMMUTATOR = OPERATOR(${row.commutator})`] : []),
      ...(row.negator ? [`NEGATOR = OPERATOR(${row.negator})`] : []),
    ],
  }));
}

export async function readOperatorFamilies(session: CatalogSession): Promise<PgOperatorFamily[]> {
  const found = await rows<Omit<PgOperatorFamily, "key"> & { id: number }>(session, FAMILIES);
  return found.map(({ id, ...row }) => ({ ...row, key: `pg_opfamily/${id}` }));
}

interface ClassRow extends Omit<PgOperatorClass, "key" | "isDefault" | "storage"> {
  id: number;
  is_default: boolean;
  storage: string | null;
}

export async function readOperatorClasses(session: CatalogSession): Promise<PgOperatorClass[]> {
  return (await rows<ClassRow>(session, CLASSES)).map(({ id, is_default, storage, ...row }) => ({
    ...row,
    key: `pg_opclass/${id}`,
    isDefault: is_default,
    storage: optional(storage),
  }));
}

export async function readCasts(session: CatalogSession): Promise<PgCast[]> {
  const found = await rows<Omit<PgCast, "key"> & { id: number }>(session, CASTS);
  return found.map(({ id, ...row }) => ({ ...row, key: `pg_cast/${id}` }));
}

const operatorName = (oid: string): string => `(SELECT pg_catalog.quote_ident(m.nspname) || '.' || x.oprname
    FROM pg_catalog.pg_operator x JOIN pg_catalog.pg_namespace m ON m.oid = x.oprnamespace WHERE x.oid = ${oid})`;

/** oprcode 0 is a shell that only a COMMUTATOR or NEGATOR promised. */
const OPERATORS = `
SELECT o.oid AS id, n.nspname AS schema, o.oprname AS name, o.oprcode::text AS routine,
       CASE WHEN o.oprleft <> 0 THEN pg_catalog.format_type(o.oprleft, NULL) END AS left,
       CASE WHEN o.oprright <> 0 THEN pg_catalog.format_type(o.oprright, NULL) END AS right,
       ${operatorName("o.oprcom")} AS commutator, ${operatorName("o.oprnegate")} AS negator,
       CASE WHEN o.oprrest <> 0 THEN o.oprrest::text END AS restriction,
       CASE WHEN o.oprjoin <> 0 THEN o.oprjoin::text END AS join,
       o.oprcanhash AS hashes, o.oprcanmerge AS merges
FROM pg_catalog.pg_operator o
JOIN pg_catalog.pg_namespace n ON n.oid = o.oprnamespace
WHERE o.oprcode <> 0 AND ${inUserSchema("o.oprnamespace")} AND ${notFromExtension("pg_operator", "o.oid")}
ORDER BY o.oid`;

const FAMILIES = `
SELECT f.oid AS id, n.nspname AS schema, f.opfname AS name, m.amname AS method
FROM pg_catalog.pg_opfamily f
JOIN pg_catalog.pg_namespace n ON n.oid = f.opfnamespace
JOIN pg_catalog.pg_am m ON m.oid = f.opfmethod
WHERE ${inUserSchema("f.opfnamespace")} AND ${notFromExtension("pg_opfamily", "f.oid")}
ORDER BY f.oid`;

/** A class's own operators and functions are those that depend on it; the family's others are no part of it. */
const CLASSES = `
SELECT c.oid AS id, n.nspname AS schema, c.opcname AS name, m.amname AS method, c.opcdefault AS is_default,
       pg_catalog.format_type(c.opcintype, NULL) AS type,
       (SELECT ${qualifiedName("f.opfnamespace", "f.opfname")} FROM pg_catalog.pg_opfamily f WHERE f.oid = c.opcfamily) AS family,
       CASE WHEN c.opckeytype NOT IN (0, c.opcintype) THEN pg_catalog.format_type(c.opckeytype, NULL) END AS storage,
       ARRAY(
         SELECT 'OPERATOR ' || o.amopstrategy || ' ' || o.amopopr::pg_catalog.regoperator || coalesce(' FOR ORDER BY ' ||
                  (SELECT ${qualifiedName("f.opfnamespace", "f.opfname")} FROM pg_catalog.pg_opfamily f WHERE f.oid = o.amopsortfamily), '')
         FROM pg_catalog.pg_amop o
         JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_amop'::pg_catalog.regclass AND d.objid = o.oid
          AND d.refclassid = 'pg_catalog.pg_opclass'::pg_catalog.regclass AND d.refobjid = c.oid
         ORDER BY o.amopstrategy)
       || ARRAY(
         SELECT 'FUNCTION ' || p.amprocnum || ' (' || pg_catalog.format_type(p.amproclefttype, NULL) || ', '
                  || pg_catalog.format_type(p.amprocrighttype, NULL) || ') ' || p.amproc::pg_catalog.regprocedure
         FROM pg_catalog.pg_amproc p
         JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_amproc'::pg_catalog.regclass AND d.objid = p.oid
          AND d.refclassid = 'pg_catalog.pg_opclass'::pg_catalog.regclass AND d.refobjid = c.oid
         ORDER BY p.amprocnum) AS items,
       ARRAY(SELECT d.classid::pg_catalog.regclass || '/' || d.objid FROM pg_catalog.pg_depend d
              WHERE d.refclassid = 'pg_catalog.pg_opclass'::pg_catalog.regclass AND d.refobjid = c.oid
                AND d.classid IN ('pg_catalog.pg_amop'::pg_catalog.regclass, 'pg_catalog.pg_amproc'::pg_catalog.regclass)) AS "itemKeys"
FROM pg_catalog.pg_opclass c
JOIN pg_catalog.pg_namespace n ON n.oid = c.opcnamespace
JOIN pg_catalog.pg_am m ON m.oid = c.opcmethod
WHERE ${inUserSchema("c.opcnamespace")} AND ${notFromExtension("pg_opclass", "c.oid")}
ORDER BY c.oid`;

/** Casts have no schema; those made after initdb are the users'. */
const CASTS = `
SELECT c.oid AS id, pg_catalog.format_type(c.castsource, NULL) AS source, pg_catalog.format_type(c.casttarget, NULL) AS target,
       CASE c.castmethod WHEN 'f' THEN 'WITH FUNCTION ' || c.castfunc::pg_catalog.regprocedure
                         WHEN 'i' THEN 'WITH INOUT' ELSE 'WITHOUT FUNCTION' END AS how,
       CASE c.castcontext WHEN 'a' THEN ' AS ASSIGNMENT' WHEN 'i' THEN ' AS IMPLICIT' ELSE '' END AS context
FROM pg_catalog.pg_cast c
WHERE c.oid >= 16384 AND ${notPartOfAnother("pg_cast", "c.oid")}
ORDER BY c.oid`;
