import type { ApplyTable } from "../../postgres/apply/applyTable.js";
import { allPlaces, at, keysMatch, names, value } from "../../postgres/apply/statements.js";
import { ident } from "../../postgres/sql.js";
import { distributedClause } from "../distribution.js";

/**
 * The SQL that applies a batch of one table on segments. What differs from PostgreSQL's: stages say how they are stored and distributed; counting is
 * plpgsql's, since only one WITH clause of a query may write ("only one modifying WITH clause allowed per query"); a row's place is its segment and
 * its ctid, which repeats on each segment; no OVERRIDING, which PostgreSQL 9.4 lacks (the precheck refuses GENERATED ALWAYS columns).
 */

/** SQLSTATE of rows that should have been there: a rejection, so the batch is applied again change by change. */
export const ROWS_MISSING_SQLSTATE = "GW003";

/**
 * Stage columns are called after their places: c0, c1, ...; `old`: the key before beside them, o0, o1, ... Typed as the target's are, and distributed by
 * the same columns where they are staged (the old ones of a row that moves), so that the join needs no motion; by the key where not.
 */
export function createSegmentedStage(
  table: ApplyTable,
  stage: string,
  places: readonly number[],
  old: boolean,
  heap: string,
): string {
  const typed = (prefix: "c" | "o") => (place: number) => {
    const column = at(table, place);
    return `${prefix}${place} ${column.direct ? column.target.type : column.sourceType}`;
  };
  const columns = [...places.map(typed("c")), ...(old ? table.key.map(typed("o")) : [])];
  const distributed = allPlaces(table).filter((place) => at(table, place).target.distributed);
  const staged = old ? table.key : places;
  const by = distributed.length > 0 && distributed.every((place) => staged.includes(place)) ? distributed : table.key;
  // Without a key whole rows are compared by their text: no column puts equal ones on one segment.
  const clause = distributedClause(by.map((place) => `${old ? "o" : "c"}${place}`));
  return `CREATE TEMPORARY TABLE ${stage} (${columns.join(", ")})${heap} ON COMMIT DELETE ROWS${clause}`;
}

export function deleteStagedRows(table: ApplyTable, stage: string, expected: number | undefined): string {
  return deleteSegmentedRows(table, stage, "c", expected);
}

/**
 * Rows that are there in another form: the staged ones are completed by what the change did not send, the target's are deleted, and the staged ones
 * inserted. `rules.overwrite`: rows may be missing; one of them that is not whole is left alone, for it would get NULLs.
 */
export function replaceStagedRows(
  table: ApplyTable,
  stage: string,
  places: readonly number[],
  prefix: "c" | "o",
  rules: { readonly overwrite: boolean; readonly rowsMustExist: boolean },
  rows: number,
): string[] {
  const unsent = allPlaces(table).filter((place) => !places.includes(place));
  const match = keysMatch(table, prefix);
  const complete = unsent.map((place) => {
    const column = at(table, place);
    return `c${place} = t.${ident(column.name)}${column.direct ? "" : `::text::${column.sourceType}`}`;
  });
  return [
    ...(unsent.length > 0 ? [`UPDATE ${stage} AS s SET ${complete.join(", ")} FROM ${table.only} AS t WHERE ${match}`] : []),
    ...(unsent.length > 0 && rules.overwrite
      ? [`DELETE FROM ${stage} AS s WHERE NOT EXISTS (SELECT 1 FROM ${table.only} AS t WHERE ${match})`]
      : []),
    deleteSegmentedRows(table, stage, prefix, rules.rowsMustExist ? rows : undefined),
    insertStagedRows(table, stage),
  ];
}

export function deleteSegmentedRows(table: ApplyTable, stage: string, prefix: "c" | "o", expected: number | undefined): string {
  return atLeast(`DELETE FROM ${table.only} AS t USING ${stage} AS s WHERE ${keysMatch(table, prefix)}`, expected);
}

export function insertStagedRows(table: ApplyTable, stage: string): string {
  const values = allPlaces(table).map((place) => value(table, place));
  return `INSERT INTO ${table.name} (${names(table)}) SELECT ${values.join(", ")} FROM ${stage} AS s`;
}

/**
 * Deletes one target row for each staged one of the same content, in one scan. Compared by the rows' text, as on PostgreSQL. The joins of a whole
 * table, by hashing or merging, are allowed for this one statement.
 */
export function deleteSegmentedWholeRows(table: ApplyTable, stage: string, expected: number | undefined): string[] {
  const mine = `ROW(${table.columns.map(({ name }) => `t.${ident(name)}`).join(", ")})::text`;
  const staged = `ROW(${allPlaces(table)
    .map((place) => value(table, place))
    .join(", ")})::text`;
  const doomed = `
    SELECT a.segment, a.place, a.part
      FROM (SELECT t.gp_segment_id AS segment, t.ctid AS place, t.tableoid AS part, ${mine} AS content,
                   pg_catalog.row_number() OVER (PARTITION BY ${mine}) AS nth
              FROM ${table.only} AS t
             WHERE ${mine} IN (SELECT ${staged} FROM ${stage} AS s)) a
      JOIN (SELECT ${staged} AS content, pg_catalog.row_number() OVER (PARTITION BY ${staged}) AS nth FROM ${stage} AS s) b
        ON a.content = b.content AND a.nth = b.nth`;
  return [
    "SET enable_hashjoin = on",
    "SET enable_mergejoin = on",
    atLeast(
      `DELETE FROM ${table.only} AS t USING (${doomed}) AS d
 WHERE t.gp_segment_id = d.segment AND t.ctid = d.place AND t.tableoid = d.part`,
      expected,
    ),
    "SET enable_mergejoin = off",
    "SET enable_hashjoin = off",
  ];
}

/** For a table without columns, whose rows are nothing but their number. */
export function deleteSegmentedEmptyRows(table: ApplyTable, rows: number, expected: number | undefined): string {
  return atLeast(
    `DELETE FROM ${table.only} AS t
 WHERE (t.gp_segment_id, t.ctid) IN (SELECT e.gp_segment_id, e.ctid FROM ${table.only} AS e LIMIT ${rows})`,
    expected,
  );
}

/** Fails unless at least so many rows were met: after exactly-once delivery a missing one means that the target was changed by hand. */
function atLeast(statement: string, expected: number | undefined): string {
  if (expected === undefined) return statement;
  let tag = "$godwit$";
  while (statement.includes(tag)) tag = `${tag.slice(0, -1)}_$`;
  return `DO ${tag}
#variable_conflict use_column
DECLARE godwit_met bigint;
BEGIN
${statement};
GET DIAGNOSTICS godwit_met = ROW_COUNT;
IF godwit_met < ${expected} THEN
  RAISE EXCEPTION 'rows to change are missing' USING ERRCODE = '${ROWS_MISSING_SQLSTATE}';
END IF;
END ${tag}`;
}
