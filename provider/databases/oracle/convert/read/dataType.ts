import type { Cursor } from "./cursor.js";

/** A data type as written; which words are types of Oracle's own and which a user's is decided when it is mapped. */
export interface DataType {
  /** Upper-case words of a type of Oracle's own with several words, else the name's parts as PostgreSQL spells them. */
  readonly name: readonly string[];
  /** (10, -2), (*, 0), (20 CHAR). */
  readonly precision?: number | "*";
  readonly scale?: number;
  readonly withTimeZone?: "zone" | "local";
  /** name%TYPE, name%ROWTYPE. */
  readonly anchor?: "TYPE" | "ROWTYPE";
  readonly ref?: boolean;
  /** A parameter's integer type must stay one, since only that tells two overloads apart. */
  readonly exact?: boolean;
  readonly line: number;
}

/** Reads a data type with its length, anchor and time zone. */
export function readDataType(cursor: Cursor): DataType {
  const line = cursor.line;
  const ref = cursor.at("REF") && !cursor.atAhead(1, "CURSOR", ",", ")", ";") ? cursor.accept("REF") : false;
  if (cursor.at("INTERVAL") && cursor.atAhead(1, "YEAR", "DAY")) return readInterval(cursor, line);
  for (const words of MULTIPLE_WORDS) {
    if (!cursor.accept(...words)) continue;
    return { name: [words.join(" ").toLowerCase()], ...readLength(cursor), line };
  }
  const name = cursor.names();
  if (cursor.accept("@")) cursor.names();
  if (cursor.at("%") && cursor.atAhead(1, "TYPE", "ROWTYPE")) {
    cursor.next();
    return { name, anchor: cursor.next().text === "TYPE" ? "TYPE" : "ROWTYPE", line };
  }
  const length = readLength(cursor);
  const zone = cursor.accept("WITH", "TIME", "ZONE")
    ? "zone"
    : cursor.accept("WITH", "LOCAL", "TIME", "ZONE")
      ? "local"
      : undefined;
  if (cursor.accept("CHARACTER", "SET")) {
    cursor.next();
    if (cursor.accept("%")) cursor.next();
  }
  return { name, ...length, ...(zone ? { withTimeZone: zone } : {}), ...(ref ? { ref } : {}), line };
}

/** Longest first. */
const MULTIPLE_WORDS = [
  ["NATIONAL", "CHARACTER", "VARYING"],
  ["NATIONAL", "CHAR", "VARYING"],
  ["NATIONAL", "CHARACTER"],
  ["NATIONAL", "CHAR"],
  ["NCHAR", "VARYING"],
  ["CHARACTER", "VARYING"],
  ["CHAR", "VARYING"],
  ["DOUBLE", "PRECISION"],
  ["LONG", "RAW"],
  ["LONG", "VARCHAR"],
  ["REF", "CURSOR"],
] as const;

function readLength(cursor: Cursor): Pick<DataType, "precision" | "scale"> {
  if (!cursor.at("(") || !(cursor.peek(1).kind === "number" || cursor.atAhead(1, "*"))) return {};
  cursor.next();
  const precision = cursor.accept("*") ? "*" : Number(cursor.next().value);
  cursor.acceptAny("CHAR", "BYTE");
  let scale: number | undefined;
  if (cursor.accept(",")) {
    const negative = cursor.accept("-");
    cursor.accept("+");
    scale = (negative ? -1 : 1) * Number(cursor.next().value);
  }
  cursor.expect(")");
  return scale === undefined ? { precision } : { precision, scale };
}

function readInterval(cursor: Cursor, line: number): DataType {
  cursor.next();
  cursor.next();
  readLength(cursor);
  cursor.expect("TO");
  if (!cursor.acceptAny("MONTH", "SECOND")) cursor.fail("expected MONTH or SECOND");
  readLength(cursor);
  return { name: ["interval"], line };
}
