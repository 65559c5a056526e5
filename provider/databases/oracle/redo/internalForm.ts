import type { RedoColumn } from "./redoTable.js";

/**
 * A value as Oracle stores it, as PostgreSQL's text. LogMiner prints these bytes as HEXTORAW for rows from before a change of their table's
 * structure, which its dictionary no longer describes: columns are "COL 1", "COL 2" there, values are raw. Undefined: no value of this kind
 * (the caller looks it up).
 *
 * The layouts are those that DUMP() shows and Oracle's Call Interface guide describes: NUMBER is an exponent byte (offset 193 in base
 * 100) and base-100 digits plus one, for negative numbers complemented (101 less the digit, 102 at the end); DATE is seven bytes (century and
 * year plus 100, month, day, hour, minute and second plus one); TIMESTAMP adds four bytes of nanoseconds, WITH TIME ZONE two of offset (hours plus
 * 20, minutes plus 60) over a time in UTC; BINARY_FLOAT and BINARY_DOUBLE are IEEE with the sign bit turned, so that they sort as bytes.
 */
export function internalText(bytes: Buffer, column: RedoColumn, decodeText: (bytes: Buffer) => string): string | undefined {
  switch (column.kind) {
    case "text":
      return column.national ? utf16(bytes) : decodeText(bytes);
    case "number":
      return numberText(bytes);
    case "date":
    case "timestamp":
    case "timestampLtz":
      return dateText(bytes);
    case "timestampTz":
      // A region in place of an offset has the top bit set: its number is of Oracle's own list.
      return bytes.length === 13 && ((bytes[11] ?? 0) & 0x80) === 0 ? dateText(bytes, "+00") : undefined;
    case "float":
      return floatText(bytes);
    case "bytes":
      return `\\x${bytes.toString("hex")}`;
    default:
      return undefined;
  }
}

export function numberText(bytes: Buffer): string | undefined {
  const first = bytes[0];
  if (first === undefined) return undefined;
  if (first === 0x80 && bytes.length === 1) return "0";
  const positive = first >= 0x80;
  if (first === 0xff && bytes[1] === 0x65) return "Infinity";
  if (first === 0x00 && bytes.length === 1) return "-Infinity";
  const exponent = positive ? first - 193 : 62 - first;
  let digits = "";
  for (let at = 1; at < bytes.length; at++) {
    const byte = bytes[at] ?? 0;
    if (!positive && byte === 102 && at === bytes.length - 1) break;
    const pair = positive ? byte - 1 : 101 - byte;
    if (pair < 0 || pair > 99) return undefined;
    digits += String(pair).padStart(2, "0");
  }
  if (digits === "") return undefined;
  // An integer column of PostgreSQL takes no exponent: written in full, 126 digits at most on either side.
  const whole = (exponent + 1) * 2;
  const integer = whole <= 0 ? "" : digits.slice(0, whole).padEnd(whole, "0").replace(/^0+/, "");
  const fraction = `${"0".repeat(Math.max(0, -whole))}${digits.slice(Math.max(0, whole))}`.replace(/0+$/, "");
  return `${positive ? "" : "-"}${integer === "" ? "0" : integer}${fraction === "" ? "" : `.${fraction}`}`;
}

function dateText(bytes: Buffer, zone = ""): string | undefined {
  if (bytes.length < 7) return undefined;
  const [century = 0, year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = bytes;
  const full = (century - 100) * 100 + (year - 100);
  const two = (value: number) => String(value).padStart(2, "0");
  const nanos = bytes.length >= 11 ? String(bytes.readUInt32BE(7)).padStart(9, "0") : "";
  return (
    `${String(Math.abs(full)).padStart(4, "0")}-${two(month)}-${two(day)} ${two(hour - 1)}:${two(minute - 1)}:${two(second - 1)}` +
    `${nanos === "" ? "" : `.${nanos}`}${zone}${full < 0 ? " BC" : ""}`
  );
}

function floatText(bytes: Buffer): string | undefined {
  if (bytes.length !== 4 && bytes.length !== 8) return undefined;
  const ieee = Buffer.from(bytes);
  const first = ieee[0] ?? 0;
  if (first & 0x80) ieee[0] = first & 0x7f;
  else for (let at = 0; at < ieee.length; at++) ieee[at] = ~(ieee[at] ?? 0) & 0xff;
  return String(bytes.length === 4 ? ieee.readFloatBE(0) : ieee.readDoubleBE(0));
}

function utf16(bytes: Buffer): string {
  const swapped = Buffer.from(bytes.subarray(0, bytes.length & ~1)).swap16();
  return swapped.toString("utf16le");
}
