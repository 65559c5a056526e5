import { ident } from "../sql.js";
import type { ApplyTable } from "./applyTable.js";

/**
 * The SQL that applies a batch of one table. Rows come by COPY: new ones straight into the target, changed and deleted ones into a temporary
 * stage that one statement then joins to the target.
 */

/** An unknown setting: reading it is an error that names it, and that no planner computes ahead of time. */
export const ROWS_MISSING = "godwit.rows_missing";

/** Fails unless all the rows were found: after exactly-once delivery a missing one means that the target was changed by hand. */
function counted(statement: string, expected: number | undefined): string {
  if (expected === undefined) return statement;
  return `WITH hit AS (${statement} RETURNING 1)
SELECT CASE WHEN pg_catalog.count(*) < ${expected} THEN pg_catalog.current_setting('${ROWS_MISSING}') END FROM hit`;
}

/** Stage columns are called after their places: c0, c1, ... `places` absent: all of them. */
export function createStage(table: ApplyTable, stage: string, places: readonly number[] = allPlaces(table)): string {
  return stageOf(
    table,
    stage,
    places.map((place) => staged(table, place, "c")),
  );
}

/** The same with the old key beside the row: o0, o1, ... after the key's places. */
export function createMoveStage(table: ApplyTable, stage: string): string {
  return stageOf(table, stage, [
    ...allPlaces(table).map((place) => staged(table, place, "c")),
    ...table.key.map((place) => staged(table, place, "o")),
  ]);
}

function staged(table: ApplyTable, place: number, prefix: "c" | "o"): string {
  const column = at(table, place);
  return `${column.direct ? `t.${ident(column.name)}` : `NULL::${column.sourceType}`} AS ${prefix}${place}`;
}

function stageOf(table: ApplyTable, stage: string, columns: readonly string[]): string {
  // As the target has them: type, modifiers and collation, but no default, constraint or index.
  return `CREATE TEMPORARY TABLE ${stage} ON COMMIT DELETE ROWS AS SELECT ${columns.join(", ")} FROM ${table.only} t WITH NO DATA`;
}

export function copyToStage(stage: string, places: readonly number[], binary: boolean): string {
  return `COPY ${stage} (${places.map((place) => `c${place}`).join(", ")}) FROM STDIN (FORMAT ${binary ? "binary" : "text"})`;
}

export function copyToMoveStage(table: ApplyTable, stage: string, places: readonly number[], binary: boolean): string {
  const columns = [...places.map((place) => `c${place}`), ...table.key.map((place) => `o${place}`)];
  return `COPY ${stage} (${columns.join(", ")}) FROM STDIN (FORMAT ${binary ? "binary" : "text"})`;
}

/** COPY writes GENERATED ALWAYS identity columns as OVERRIDING SYSTEM VALUE would. */
export function copyToTarget(table: ApplyTable, binary: boolean): string {
  return `COPY ${table.name} (${names(table)}) FROM STDIN (FORMAT ${binary ? "binary" : "text"})`;
}

export function insertFromStage(table: ApplyTable, stage: string, onlyMissing: boolean): string {
  const values = table.columns.map((_, place) => value(table, place)).join(", ");
  const filter = onlyMissing ? ` WHERE NOT EXISTS (SELECT FROM ${table.only} t WHERE ${keysMatch(table)})` : "";
  return `INSERT INTO ${table.name} (${names(table)}) OVERRIDING SYSTEM VALUE SELECT ${values} FROM ${stage} s${filter}`;
}

/** Sets the columns at `places` that are no part of the key; undefined when there are none. */
export function updateFromStage(
  table: ApplyTable,
  stage: string,
  places: readonly number[],
  expected: number | undefined,
): string | undefined {
  const set = places
    .filter((place) => !at(table, place).key)
    .map((place) => `${ident(at(table, place).name)} = ${value(table, place)}`);
  if (set.length === 0) return undefined;
  return counted(`UPDATE ${table.only} AS t SET ${set.join(", ")} FROM ${stage} s WHERE ${keysMatch(table)}`, expected);
}

/** Sets the key and the columns at `places` of the row that has the old key. */
export function moveFromStage(table: ApplyTable, stage: string, places: readonly number[], expected: number | undefined): string {
  const set = places.map((place) => `${ident(at(table, place).name)} = ${value(table, place)}`).join(", ");
  return counted(`UPDATE ${table.only} AS t SET ${set} FROM ${stage} s WHERE ${keysMatch(table, "o")}`, expected);
}

export function deleteFromStage(table: ApplyTable, stage: string, expected: number | undefined): string {
  return counted(`DELETE FROM ${table.only} AS t USING ${stage} s WHERE ${keysMatch(table)}`, expected);
}

/**
 * Deletes one target row for each staged one of the same content, in one scan. Compared by the rows' text, which every type has and which tells
 * apart what = does not (numeric 1.0 and 1.00, json, no equality at all); NULLs are equal there. The batch runs with hash joins off, which
 * here are the only sensible ones.
 */
export function deleteWholeRows(table: ApplyTable, stage: string, expected: number | undefined): string[] {
  const mine = `ROW(${table.columns.map(({ name }) => `t.${ident(name)}`).join(", ")})::text`;
  const staged = `ROW(${table.columns.map((_, place) => value(table, place)).join(", ")})::text`;
  const doomed = `
    SELECT a.ctid, a.tableoid
      FROM (SELECT t.ctid, t.tableoid, ${mine} AS content, pg_catalog.row_number() OVER (PARTITION BY ${mine}) AS nth
              FROM ${table.only} t
             WHERE ${mine} IN (SELECT ${staged} FROM ${stage} s)) a
      JOIN (SELECT ${staged} AS content, pg_catalog.row_number() OVER (PARTITION BY ${staged}) AS nth FROM ${stage} s) b
     USING (content, nth)`;
  return [
    "SET enable_hashjoin = on",
    counted(`DELETE FROM ${table.only} AS t USING (${doomed}) d WHERE t.ctid = d.ctid AND t.tableoid = d.tableoid`, expected),
    "SET enable_hashjoin = off",
  ];
}

/** For a table without columns, whose rows are nothing but their number. */
export function insertEmptyRows(table: ApplyTable, rows: number): string {
  return `INSERT INTO ${table.name} SELECT FROM pg_catalog.generate_series(1, ${rows})`;
}

export function deleteEmptyRows(table: ApplyTable, rows: number, expected: number | undefined): string {
  return counted(`DELETE FROM ${table.only} WHERE ctid = ANY (ARRAY(SELECT ctid FROM ${table.only} LIMIT ${rows}))`, expected);
}

/**
 * All tables in one statement, as at the source: they may refer to each other. Never CASCADE, whatever the source said: the stream names
 * every table that the source's CASCADE reached, and what else refers to them on the target is not ours to empty.
 */
export function truncate(tables: readonly ApplyTable[], restartIdentity: boolean): string {
  return `TRUNCATE ${tables.map(({ only }) => only).join(", ")}${restartIdentity ? " RESTART IDENTITY" : ""}`;
}

export function allPlaces(table: ApplyTable): number[] {
  return table.columns.map((_, place) => place);
}

/** The join of the target's rows `t` to staged ones `s` by the key, or by the old key staged beside them. */
export function keysMatch(table: ApplyTable, prefix: "c" | "o" = "c"): string {
  return table.key
    .map((place) => `t.${ident(at(table, place).name)} ${at(table, place).target.equals} ${value(table, place, prefix)}`)
    .join(" AND ");
}

export function value(table: ApplyTable, place: number, prefix: "c" | "o" = "c"): string {
  const column = at(table, place);
  return column.direct ? `s.${prefix}${place}` : `s.${prefix}${place}::text::${column.target.bareType}`;
}

export function names(table: ApplyTable): string {
  return table.columns.map(({ name }) => ident(name)).join(", ");
}

export function at(table: ApplyTable, place: number) {
  const column = table.columns[place];
  if (!column) throw new RangeError(`no column at ${place} of ${table.name}`);
  return column;
}
