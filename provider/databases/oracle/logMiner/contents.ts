import { literal } from "../sql.js";

/** Operation codes of V$LOGMNR_CONTENTS (Oracle's reference, and what LogMiner-based tools observed of those it leaves out). */
export const Operation = {
  internal: 0,
  insert: 1,
  delete: 2,
  update: 3,
  ddl: 5,
  commit: 7,
  selectLobLocator: 9,
  lobWrite: 10,
  lobTrim: 11,
  lobErase: 29,
  missingScn: 34,
  rollback: 36,
  xmlBegin: 68,
  xmlWrite: 70,
  xmlEnd: 71,
  longStringBegin: 91,
  longStringWrite: 92,
  longStringEnd: 93,
  unsupported: 255,
} as const;

/** Places of the columns in a row of `contentsQuery`. */
export const Column = {
  scn: 0,
  thread: 1,
  rsId: 2,
  ssn: 3,
  operation: 4,
  xid: 5,
  rollback: 6,
  owner: 7,
  table: 8,
  rowId: 9,
  csf: 10,
  time: 11,
  info: 12,
  redo: 13,
  object: 14,
} as const;

/** ROW_ID where LogMiner knows none: parts of a statement with LOBs, and index-organized tables. */
export const NO_ROW_ID = "AAAAAAAAAAAAAAAAAA";

/** TRUNCATE TABLE is DDL to Oracle, and a change like any other to the stream; with CASCADE it is of more tables than it names. */
export function isTruncate(ddl: string): boolean {
  return /^\s*truncate\s+table\b(?!.*\bcascade\b)/is.test(ddl);
}

export interface ContentsFilter {
  readonly tables: readonly { readonly owner: string; readonly name: string }[];
  /** OBJECT_IDs of the same tables, which outlive their names. */
  readonly ids?: readonly number[];
  /** The pluggable database, when a session at the root mines all of them. */
  readonly container?: string;
  /** Each pluggable database has undo of its own: two of them may have transactions of one id, and only this one's ends count. */
  readonly localUndo?: boolean;
}

/** Shared undo (and 12.1, which has no such property): ids are unique, and ends of transactions may be shown as the root's. */
export const LOCAL_UNDO = `SELECT P.PROPERTY_VALUE AS "VALUE" FROM DATABASE_PROPERTIES P WHERE P.PROPERTY_NAME = 'LOCAL_UNDO_ENABLED'`;

/**
 * Redo of a window, in the order of SCNs; binds from_scn and to_scn, both inclusive. Ends of all transactions are in it, because nothing tells
 * whose they are before their changes are known. DDL of whole schemas is in it: a table that joins is not in the list yet. The
 * session mines without COMMITTED_DATA_ONLY, which would lose transactions that span windows.
 */
export function contentsQuery({ tables, ids = [], container, localUndo }: ContentsFilter): string {
  const owners = new Map<string, string[]>();
  for (const { owner, name } of tables) owners.set(owner, [...(owners.get(owner) ?? []), name]);
  // Oracle takes 1000 items in a list.
  const groups = [...owners].flatMap(([owner, names]) =>
    chunked(names, 1000).map((some) => `(C.SEG_OWNER = ${literal(owner)} AND C.TABLE_NAME IN (${some.map(literal).join(", ")}))`),
  );
  const objects = chunked(ids, 1000).map((some) => `C.DATA_OBJ# IN (${some.join(", ")})`);
  const wanted = [...groups, ...objects].join(" OR ") || "1 = 0";
  const rows = `C.OPERATION_CODE IN (0, 1, 2, 3, 9, 10, 11, 29, 68, 70, 71, 91, 92, 93, 255) AND (${wanted})`;
  const schemas = chunked([...owners.keys()], 1000).map((some) => `C.SEG_OWNER IN (${some.map(literal).join(", ")})`);
  const ddl = `C.OPERATION_CODE = 5 AND (C.INFO IS NULL OR C.INFO NOT LIKE 'INTERNAL DDL%') AND (${schemas.join(" OR ") || "1 = 0"})`;
  const within = container === undefined ? "" : ` AND C.SRC_CON_NAME = ${literal(container)}`;
  return `
SELECT C.SCN, C.THREAD#, C.RS_ID, C.SSN, C.OPERATION_CODE, RAWTOHEX(C.XID) AS XID, C.ROLLBACK, C.SEG_OWNER, C.TABLE_NAME, C.ROW_ID, C.CSF,
       TO_CHAR(C.TIMESTAMP, 'YYYY-MM-DD HH24:MI:SS') AS TIME, C.INFO, C.SQL_REDO,
       C.DATA_OBJ#
FROM V$LOGMNR_CONTENTS C
WHERE C.SCN >= :from_scn AND C.SCN <= :to_scn
  AND (C.OPERATION_CODE = 34 OR (C.OPERATION_CODE IN (7, 36)${localUndo ? within : ""}) OR (((${rows}) OR (${ddl}))${within}))`;
}

function chunked<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) => items.slice(index * size, (index + 1) * size));
}
