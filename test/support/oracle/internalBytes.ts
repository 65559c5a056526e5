import type { RedoKind } from "../../../provider/databases/oracle/redo/redoTable.js";

/** Kinds whose stored bytes the emulator can write. */
export const ENCODED: ReadonlySet<RedoKind> = new Set<RedoKind>(["text", "number", "date", "timestamp", "bytes"]);

/** A value, in PostgreSQL's text form, as Oracle stores it (what DUMP() shows). */
export function internalBytes(kind: RedoKind, national: boolean, value: string): Buffer {
  switch (kind) {
    case "number":
      return numberBytes(value);
    case "date":
    case "timestamp":
      return dateBytes(value);
    case "bytes":
      return Buffer.from(value.slice(2), "hex");
    default:
      return national ? Buffer.from(value, "utf16le").swap16() : Buffer.from(value);
  }
}

/** An exponent byte and digits of base 100, plus one; complemented and closed by 102 when negative. */
function numberBytes(text: string): Buffer {
  const negative = text.startsWith("-");
  const [whole = "", fraction = ""] = text.replace("-", "").split(".");
  const left = whole.replace(/^0+/, "");
  const padded = (left.length % 2 === 1 ? `0${left}` : left) + (fraction.length % 2 === 1 ? `${fraction}0` : fraction);
  const pairs = padded.match(/../g)?.map(Number) ?? [];
  let exponent = Math.ceil(left.length / 2) - 1;
  while (pairs[0] === 0) {
    pairs.shift();
    exponent--;
  }
  while (pairs.at(-1) === 0) pairs.pop();
  if (pairs.length === 0) return Buffer.from([0x80]);
  if (!negative) return Buffer.from([193 + exponent, ...pairs.map((pair) => pair + 1)]);
  return Buffer.from([62 - exponent, ...pairs.map((pair) => 101 - pair), ...(pairs.length < 20 ? [102] : [])]);
}

/** Century and year plus 100, month, day, time plus one; a timestamp's nanoseconds behind. */
function dateBytes(text: string): Buffer {
  const [, year = "", month, day, hour, minute, second, fraction = ""] =
    /^(\d+)-(\d+)-(\d+) (\d+):(\d+):(\d+)(?:\.(\d+))?$/.exec(text) ?? [];
  const head = [100 + Math.floor(Number(year) / 100), 100 + (Number(year) % 100), Number(month), Number(day)];
  const time = [hour, minute, second].map((part) => Number(part) + 1);
  const nanos = Buffer.alloc(fraction === "" ? 0 : 4);
  if (fraction !== "") nanos.writeUInt32BE(Number(fraction.padEnd(9, "0")));
  return Buffer.concat([Buffer.from([...head, ...time]), nanos]);
}
