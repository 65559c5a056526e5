import type { Cursor } from "../read/cursor.js";

/** Kinds of objects that no conversion makes, by the words that name them behind ALTER or DROP; longer ones first. */
const KINDS: readonly (readonly [words: string, what: string])[] = [
  ["ROLLBACK SEGMENT", "rollback segments"],
  ["RESOURCE COST", "resource costs"],
  ["INMEMORY JOIN GROUP", "tables in memory by declaration"],
  ["PRIVATE OUTLINE", "stored plans"],
  ["PUBLIC OUTLINE", "stored plans"],
  ["OUTLINE", "stored plans"],
  ["FLASHBACK ARCHIVE", "archives of earlier rows"],
  ["RESTORE POINT", "restore points that are dropped"],
  ["LOCKDOWN PROFILE", "lockdown profiles"],
  ["PROFILE", "profiles of users"],
  ["AUDIT POLICY", "audit policies"],
  ["PMEM FILESTORE", "file stores"],
  ["DISKGROUP", "disk groups"],
  ["EDITION", "editions"],
  ["CONTEXT", "contexts that are declared"],
  ["DIRECTORY", "directories with a name"],
  ["LIBRARY", "libraries with a name"],
  ["JAVA", "Java in the database"],
  ["OPERATOR", "operators of indextypes"],
  ["INDEXTYPE", "indextypes"],
  ["ATTRIBUTE DIMENSION", "dimensions"],
  ["DIMENSION", "dimensions"],
  ["HIERARCHY", "hierarchies of dimensions"],
  ["ANALYTIC VIEW", "analytic views"],
  ["MATERIALIZED ZONEMAP", "zone maps that are declared"],
  ["MATERIALIZED VIEW LOG", "logs of materialized views"],
  ["CLUSTER", "clusters of tables"],
  ["SHARED DATABASE LINK", "database links"],
  ["SHARED PUBLIC DATABASE LINK", "database links"],
  ["PUBLIC DATABASE LINK", "database links"],
  ["DATABASE LINK", "database links"],
  ["PLUGGABLE DATABASE", "pluggable databases"],
  ["TABLESPACE SET", "sets of tablespaces"],
];

/**
 * Steps over an ALTER or DROP of what PostgreSQL has nothing of, so that there is nothing to be changed or dropped; the reason, or
 * undefined when the words at the cursor name another kind.
 */
export function skipOracleOnly(cursor: Cursor): string | undefined {
  for (const [words, what] of KINDS) {
    if (!cursor.at(...words.split(" "))) continue;
    while (!cursor.done) cursor.next();
    return `PostgreSQL has no ${what}`;
  }
  return undefined;
}
