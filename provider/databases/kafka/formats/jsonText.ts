import { copyBytes } from "./recordBytes.js";

/** 0: stands for itself; 1: \u00XX; else the letter after the backslash. */
const ESCAPES = new Uint8Array(256);
ESCAPES.fill(1, 0, 0x20);
for (const [byte, letter] of [
  [0x08, "b"],
  [0x09, "t"],
  [0x0a, "n"],
  [0x0c, "f"],
  [0x0d, "r"],
  [0x22, '"'],
  [0x5c, "\\"],
] as const) {
  ESCAPES[byte] = letter.charCodeAt(0);
}

const HEX = Buffer.from("0123456789abcdef");

/**
 * Writes UTF-8 as the inside of a JSON string and returns where it ends. The room must be there: `escapedLength` bytes, or six for each
 * byte. Bytes outside ASCII go as they are: the session's client_encoding is UTF8, so they are UTF-8 already.
 */
export function writeEscaped(bytes: Buffer, at: number, data: Buffer, start: number, end: number): number {
  let to = at;
  let from = start;
  while (from < end) {
    let plain = from;
    while (plain < end && ESCAPES[data[plain] as number] === 0) plain++;
    if (plain > from) {
      to = copyBytes(bytes, to, data, from, plain);
      from = plain;
      if (from === end) break;
    }
    const byte = data[from++] as number;
    const letter = ESCAPES[byte] as number;
    bytes[to++] = 0x5c;
    if (letter > 1) {
      bytes[to++] = letter;
    } else {
      bytes[to++] = 0x75;
      bytes[to++] = 0x30;
      bytes[to++] = 0x30;
      bytes[to++] = HEX[byte >> 4] as number;
      bytes[to++] = HEX[byte & 15] as number;
    }
  }
  return to;
}

export function escapedLength(data: Buffer, start: number, end: number): number {
  let length = end - start;
  for (let at = start; at < end; at++) {
    const letter = ESCAPES[data[at] as number] as number;
    if (letter !== 0) length += letter > 1 ? 1 : 5;
  }
  return length;
}
