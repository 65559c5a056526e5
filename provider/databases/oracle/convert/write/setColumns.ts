import { operand } from "./coercion.js";
import type { Leaning } from "./leanings.js";
import type { Column } from "./selects.js";
import { isMoment, isNumeric, NUMERIC, TEXT, type Type } from "./types.js";

const OPEN = "\uE001";
const CLOSE = "\uE002";

/** Marks an item of a select list whose type is not known, to be cast when the other lists of its UNION are written, too. */
export function mark(sql: string, position: number): string {
  return `${OPEN}${position} ${sql}${CLOSE}`;
}

/**
 * Gives the columns of UNION, MINUS and INTERSECT one type each. PostgreSQL takes two sides at a time, so that two NULLs on top are a text
 * for good, and finds no common type for a number and a column that it takes for a text.
 */
export function unifyColumns(
  sql: string,
  rows: readonly (readonly Column[])[],
  isRecursive: boolean,
): { readonly sql: string; readonly columns: readonly Column[] } {
  const [first = []] = rows;
  const isOpen = rows.some((row) => row.length !== first.length || row.some(({ name }) => name === "*"));
  const kinds = first.map((_, at) => (isOpen ? undefined : kindOf(rows.map((row) => row[at]?.type))));
  const unified = sql.replace(MARKED, (_, position: string, item: string) => {
    const kind = kinds[Number(position)];
    if (kind === undefined || (isRecursive && isAlike(rows.map((row) => row[Number(position)]?.type)))) return item;
    return `${operand(item)}::${CASTS[kind].name}`;
  });
  const columns = first.map((column, at) => {
    const kind = kinds[at];
    const isCast = kind !== undefined && isRecursive && kind !== "moment" && column.type.family !== "integer";
    return isCast || (kind !== undefined && column.type.family === "unknown") ? { ...column, type: CASTS[kind].type } : column;
  });
  return { sql: unified, columns };
}

/** Of one type, which has no length or scale that the two sides of a recursion could differ in. */
function isAlike(types: readonly (Type | undefined)[]): boolean {
  return types.every(
    (type) => type !== undefined && (type.family === "integer" || type.family === "date") && type.sql === types[0]?.sql,
  );
}

const MARKED = new RegExp(`${OPEN}(\\d+) ([^${OPEN}${CLOSE}]*)${CLOSE}`, "g");

const CASTS: Readonly<Record<Leaning, { readonly name: string; readonly type: Type }>> = {
  number: { name: "numeric", type: NUMERIC },
  moment: { name: "timestamp", type: { sql: "timestamp", family: "timestamp" } },
  text: { name: "text", type: TEXT },
};

/** The one kind that the known ones among these types are of. */
function kindOf(types: readonly (Type | undefined)[]): Leaning | undefined {
  const kinds = new Set<Leaning | "other">();
  for (const type of types) {
    if (!type || type.family === "unknown") continue;
    kinds.add(isNumeric(type) ? "number" : isMoment(type) ? "moment" : type.family === "string" ? "text" : "other");
  }
  const [kind, ...others] = kinds;
  return others.length > 0 || kind === "other" ? undefined : kind;
}
