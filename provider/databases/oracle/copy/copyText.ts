import type { OracleValue } from "../driver.js";

/** Counts of what PostgreSQL cannot hold and was taken out. */
export interface TakenOut {
  /** Zero characters in text. */
  zeros: number;
}

/** What stands for itself in COPY's text format only behind a backslash. A zero character has no place in it at all. */
const SPECIAL = /[\\\n\r\t\b\f\v\0]/;

/** Characters of text that become one CopyData message. A server takes messages below 1 GB, a JavaScript string half a gigabyte. */
const MESSAGE_CHARACTERS = 1 << 20;
/** A part of a value's bytes that is written as digits at once. */
const PART_BYTES = MESSAGE_CHARACTERS / 2;

/**
 * Rows as CopyData messages of COPY's text format: one, or more where they hold large values (a COPY's data may be cut anywhere). `\0` is no character
 * of PostgreSQL's text: it is left out and counted.
 */
export function copyTextFrame(rows: readonly (readonly OracleValue[])[], takenOut: TakenOut): Buffer {
  const messages: Buffer[] = [];
  let text = "";
  const flush = () => {
    if (text === "") return;
    messages.push(message(text));
    text = "";
  };
  for (const row of rows) {
    let separator = "";
    for (const value of row) {
      text += separator;
      if (Buffer.isBuffer(value) && value.length > PART_BYTES) {
        text += "\\\\x";
        for (let at = 0; at < value.length; at += PART_BYTES) {
          flush();
          text = value.subarray(at, at + PART_BYTES).toString("hex");
        }
      } else if (typeof value === "string" && value.length > MESSAGE_CHARACTERS) {
        for (let at = 0; at < value.length; ) {
          flush();
          const end = cutAt(value, at + MESSAGE_CHARACTERS);
          text = field(value.slice(at, end), takenOut);
          at = end;
        }
      } else text += field(value, takenOut);
      separator = "\t";
      if (text.length > MESSAGE_CHARACTERS) flush();
    }
    text += "\n";
  }
  flush();
  const [only] = messages;
  return only && messages.length === 1 ? only : Buffer.concat(messages);
}

/** Not between the two halves of a character: each part is encoded on its own. */
function cutAt(value: string, at: number): number {
  const before = value.charCodeAt(at - 1);
  return at < value.length && before >= 0xd800 && before < 0xdc00 ? at - 1 : at;
}

function message(text: string): Buffer {
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
