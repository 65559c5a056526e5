import { Place } from "./forms.js";
import type { LiteralReader } from "./literals.js";

const { block: BLOCK, set: SET, values: VALUES } = Place;

const QUOTE = 0x27;
const BLANK = 0x20;

/** Whether what stands at `at` is what follows a literal in this part of a statement. */
export function endsLiteral(reader: LiteralReader, at: number, place: number): boolean {
  const { data, end } = reader;
  if (at >= end) return true;
  const byte = data[at];
  if (place === VALUES) {
    if (byte === 0x2c) return beginsValue(reader, at + 1);
    if (byte === 0x29) return endsStatement(reader, at + 1);
  } else if (place === BLOCK) {
    if (byte === 0x3b || byte === 0x29) return beginsStep(reader, at + 1);
  } else {
    if (byte === 0x3b) return endsStatement(reader, at + 1);
    if (place === SET && byte === 0x2c) {
      const next = data[at + 1] === BLANK ? at + 2 : at + 1;
      return data[next] === 0x22 || (data[next + 1] === 0x2e && data[next + 2] === 0x22);
    }
    if (byte === BLANK) {
      if (place === SET) {
        if (reader.isWord("where ", at + 1)) return beginsCondition(reader, at + 7);
      } else if (reader.isWord("and ", at + 1)) return beginsCondition(reader, at + 5);
      else if (reader.isWord("for update", at + 1)) return true;
    }
  }
  if (byte === BLANK || byte === 0x7c) {
    let next = at;
    while (data[next] === BLANK && next < end) next++;
    if (data[next] === 0x7c && data[next + 1] === 0x7c) return true;
  }
  return endsStatement(reader, at);
}

function endsStatement(reader: LiteralReader, from: number): boolean {
  const { data, end } = reader;
  let at = from;
  while (at < end) {
    const byte = data[at] as number;
    if (byte !== BLANK && byte !== 0x3b && byte !== 0x0a && byte !== 0x0d) break;
    at++;
  }
  // One quote too many at the very end is seen in the field.
  return at >= end || (at === end - 1 && data[at] === QUOTE);
}

function beginsValue(reader: LiteralReader, from: number): boolean {
  const at = reader.data[from] === BLANK ? from + 1 : from;
  const byte = reader.data[at];
  switch (byte) {
    case QUOTE:
      return true;
    case 0x4e:
      return reader.isWord("NULL", at) || reader.data[at + 1] === QUOTE;
    case 0x54:
      return reader.isWord("TO_", at);
    case 0x48:
      return reader.isWord("HEXTORAW(", at);
    case 0x45:
      return reader.isWord("EMPTY_", at);
    case 0x55:
      return reader.isWord("UNISTR(", at) || reader.isWord("Unsupported Type", at);
    default:
      return false;
  }
}

/** A column, maybe behind an alias, or ROWID. */
function beginsCondition(reader: LiteralReader, at: number): boolean {
  const { data } = reader;
  return (
    data[at] === 0x22 ||
    (data[at + 1] === 0x2e && reader.isWord("rowid", at + 2)) ||
    data[at + 2] === 0x22 ||
    reader.isWord("rowid", at)
  );
}

/** In a PL/SQL block: the next step, or nothing more. */
function beginsStep(reader: LiteralReader, from: number): boolean {
  const { data, end } = reader;
  let at = from;
  while (at < end && (data[at] === BLANK || data[at] === 0x0a || data[at] === 0x0d || data[at] === 0x3b)) at++;
  return (
    at >= end || reader.isWord("dbms_lob.", at) || reader.isWord("end", at) || data[at] === 0x3a || endsStatement(reader, at)
  );
}
