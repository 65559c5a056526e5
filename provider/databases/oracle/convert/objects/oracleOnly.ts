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

/** What CREATE makes of these changes no row and no result, so that nothing is missing where they are not. */
const MADE_FOR_NOTHING: readonly (readonly [words: string, reason: string])[] = [
  ...["", "BIGFILE ", "SMALLFILE ", "TEMPORARY ", "UNDO ", "BIGFILE TEMPORARY ", "BIGFILE UNDO ", "SMALLFILE TEMPORARY "].map(
    (word): readonly [string, string] => [`${word}TABLESPACE`, "where rows are stored is the target's own affair"],
  ),
  ["ROLLBACK SEGMENT", "PostgreSQL keeps old rows in the tables"],
  ["PUBLIC ROLLBACK SEGMENT", "PostgreSQL keeps old rows in the tables"],
  ["PROFILE", "PostgreSQL has no profiles of users"],
  ["RESTORE POINT", "PostgreSQL has no flashback"],
  ["FLASHBACK ARCHIVE", "PostgreSQL has no archives of earlier rows"],
  ["EDITION", "PostgreSQL has no editions"],
  ["DISKGROUP", "PostgreSQL has no disk groups"],
  ["CLUSTER", "tables of a cluster are tables of their own here"],
  ["CONTEXT", "PostgreSQL's settings need no declaration: SYS_CONTEXT reads them"],
  ["DIMENSION", "a dimension only tells the optimizer how columns depend on each other"],
  ["INMEMORY JOIN GROUP", "PostgreSQL has no tables in memory by declaration"],
  ["MATERIALIZED ZONEMAP", "PostgreSQL's BRIN indexes are made per table"],
  ["SPFILE", "a file of the instance"],
  ["PFILE", "a file of the instance"],
  ["CONTROLFILE", "a file of the instance"],
];

/** Steps over a CREATE of what PostgreSQL does without; undefined where another kind is at the cursor, or one that would be missed. */
export function skipNeedless(
  cursor: Cursor,
): { readonly kind: string; readonly name: string; readonly nothing: string } | undefined {
  for (const [words, nothing] of MADE_FOR_NOTHING) {
    if (!cursor.accept(...words.split(" "))) continue;
    const name = cursor.atName() ? cursor.names().join(".") : "";
    while (!cursor.done) cursor.next();
    return { kind: words.toLowerCase(), name, nothing };
  }
  return undefined;
}

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
