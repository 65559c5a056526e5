import { Form, Place } from "./forms.js";
import type { LiteralReader } from "./literals.js";
import { RedoProblem } from "./redoProblem.js";
import type { RedoTable } from "./redoTable.js";

const { null: NULL } = Form;
const { where: WHERE } = Place;

/** What a condition on ROWID gives in place of a column's place. */
export const ROWID = -2;

/** `"C" = value and "D" IS NULL ...` up to the end, or to `for update`. Values of hidden columns and of ROWID are passed over. */
export function scanConditions(
  reader: LiteralReader,
  table: RedoTable,
  found: (place: number, form: number, from: number, to: number) => void,
): void {
  const { columns } = table;
  let expected = 0;
  for (;;) {
    reader.skipBlanks();
    const place = readColumn(reader, table, expected);
    if (place >= 0) expected = place + 1;
    reader.skipBlanks();
    if (reader.data[reader.at] === 0x3d) {
      reader.at++;
      reader.skipBlanks();
      const from = reader.to;
      const form = reader.read(columns[place < 0 ? 0 : place] as (typeof columns)[number], WHERE);
      if (place >= 0) found(place, form, from, reader.to);
    } else if (reader.isWord("IS NULL")) {
      reader.at += 7;
      if (place >= 0) found(place, NULL, reader.to, reader.to);
    } else throw new RedoProblem("unreadable", "a condition that is neither = nor IS NULL");
    reader.skipBlanks();
    if (!reader.isWord("and ")) return;
    reader.at += 4;
  }
}

/** Over `"OWNER"."TABLE"` and the alias after it. */
export function skipTableName(reader: LiteralReader): void {
  const { data, end } = reader;
  let at = reader.at;
  while (data[at] === 0x22) {
    at++;
    while (at < end && data[at] !== 0x22) at++;
    at++;
    if (data[at] !== 0x2e) break;
    at++;
  }
  if (at === reader.at || at >= end) throw new RedoProblem("unreadable", "a statement without its table");
  reader.at = at;
  reader.skipBlanks();
  // An alias is one letter.
  if (isLetter(data[reader.at]) && !isLetter(data[reader.at + 1])) {
    reader.at++;
    reader.skipBlanks();
  }
}

/**
 * The place of the column named at the reader, which moves behind it. Columns come in the table's order, so the search begins at the one
 * expected. ROWID for the row's address, -1 for a column that Oracle made for itself.
 */
export function readColumn(reader: LiteralReader, table: RedoTable, expected: number): number {
  const { data, end } = reader;
  if (isLetter(data[reader.at]) && data[reader.at + 1] === 0x2e) reader.at += 2;
  const from = reader.at;
  if (data[from] !== 0x22) {
    if (!reader.isWord("ROWID")) throw new RedoProblem("unreadable", "a column without its name");
    reader.at += 5;
    return ROWID;
  }
  const { names } = table;
  const count = names.length;
  for (let tried = 0; tried < count; tried++) {
    let place = expected + tried;
    if (place >= count) place -= count;
    const name = names[place] as Buffer;
    if (from + name.length <= end && sameBytes(data, from, name)) {
      reader.at = from + name.length;
      return place;
    }
  }
  let to = from + 1;
  while (to < end && data[to] !== 0x22) to++;
  reader.at = to + 1;
  const name = data.toString("utf8", from + 1, to);
  const numbered = name.startsWith("COL ") ? Number(name.slice(4)) : Number.NaN;
  if (Number.isInteger(numbered) && numbered >= 1 && numbered <= count) {
    reader.byPlace = true;
    return numbered - 1;
  }
  if (name.startsWith("SYS_")) return -1;
  throw new RedoProblem("unknownColumn", `column "${name}" is not known`);
}

export function sameBytes(data: Buffer, from: number, bytes: Buffer): boolean {
  for (let index = 0; index < bytes.length; index++) if (data[from + index] !== bytes[index]) return false;
  return true;
}

function isLetter(byte: number | undefined): boolean {
  return byte !== undefined && ((byte >= 0x41 && byte <= 0x5a) || (byte >= 0x61 && byte <= 0x7a));
}
