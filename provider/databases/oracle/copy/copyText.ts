import type { OracleValue } from "../driver.js";

/** Counts of what PostgreSQL cannot hold and was taken out. */
export interface TakenOut {
  /** Zero characters in text. */
  zeros: number;
}

/** What stands for itself in COPY's text format only behind a backslash. A zero character has no place in it at all. */
const SPECIAL = /[\\\n\r\t\b\f\v\0]/;

/**
 * Rows as one CopyData message of COPY's text format. `\0` is no character of PostgreSQL's text: it is left out and counted.
 */
export function copyTextFrame(rows: readonly (readonly OracleValue[])[], takenOut: TakenOut): Buffer {
  let text = "";
  for (const row of rows) {
    let separator = "";
    for (const value of row) {
      text += separator + field(value, takenOut);
      separator = "\t";
    }
    text += "\n";
  }
  const length = Buffer.byteLength(text);
  const frame = Buffer.allocUnsafe(5 + length);
  frame[0] = 0x64; // d
  frame.writeInt32BE(4 + length, 1);
  frame.write(text, 5);
  return frame;
}

function field(value: OracleValue, takenOut: TakenOut): string {
  if (value === null || value === undefined) return "\\N";
  if (typeof value === "number") return String(value);
  if (Buffer.isBuffer(value)) return `\\\\x${value.toString("hex")}`;
  // An empty LOB: Oracle's '' is NULL everywhere else.
  if (value === "") return "";
  return SPECIAL.test(value) ? escaped(value, takenOut) : value;
}

function escaped(value: string, takenOut: TakenOut): string {
  return value.replace(/[\\\n\r\t\b\f\v\0]/g, (character) => {
    if (character !== "\0") return ESCAPES[character] ?? character;
    takenOut.zeros++;
    return "";
  });
}

const ESCAPES: Readonly<Record<string, string>> = {
  "\\": "\\\\",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\b": "\\b",
  "\f": "\\f",
  "\v": "\\v",
};
