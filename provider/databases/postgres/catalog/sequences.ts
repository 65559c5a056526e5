import type { PgSequence } from "./model.js";
import { type CatalogSession, inUserSchema, notFromExtension, rows } from "./query.js";

interface SequenceRow extends Omit<PgSequence, "key" | "owner"> {
  id: number;
  relation: number | null;
  column: number | null;
  identity: boolean | null;
}

/** Sequences with all their parameters. Their current values are SequenceSync's business. */
export async function readSequences(session: CatalogSession): Promise<PgSequence[]> {
  return (await rows<SequenceRow>(session, SEQUENCES)).map(({ id, relation, column, identity, ...row }) => ({
    ...row,
    key: `pg_class/${id}`,
    owner: relation === null || column === null ? undefined : { relation, column, identity: identity === true },
  }));
}

/** deptype a: OWNED BY; i: the sequence of an identity column. */
const SEQUENCES = `
SELECT c.oid AS id, n.nspname AS schema, c.relname AS name, pg_catalog.format_type(s.seqtypid, NULL) AS type,
       s.seqstart::text AS start, s.seqincrement::text AS increment, s.seqmin::text AS minimum, s.seqmax::text AS maximum,
       s.seqcache::text AS cache, s.seqcycle AS cycle, c.relpersistence = 'u' AS unlogged,
       d.refobjid AS relation, d.refobjsubid AS column, d.deptype = 'i' AS identity
FROM pg_catalog.pg_sequence s
JOIN pg_catalog.pg_class c ON c.oid = s.seqrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid AND d.objsubid = 0
  AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i')
WHERE ${inUserSchema("c.relnamespace")} AND ${notFromExtension("pg_class", "c.oid")}
ORDER BY c.oid`;
