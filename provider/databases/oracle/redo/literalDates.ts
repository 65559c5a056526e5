import { DATE_FORMAT, dateText } from "./dates.js";
import { Form } from "./forms.js";
import type { LiteralReader } from "./literals.js";
import { RedoProblem } from "./redoProblem.js";
import type { RedoColumn } from "./redoTable.js";

const { text: TEXT } = Form;

const QUOTE = 0x27;
const BLANK = 0x20;

/** The arguments of TO_DATE and its like, up to the closing parenthesis, as PostgreSQL's text. */
export function readDate(reader: LiteralReader, column: RedoColumn): number {
  const { data, end } = reader;
  if (data[reader.at] !== QUOTE) throw new RedoProblem("unreadable", `a date of column "${column.name}" without its text`);
  const from = reader.at + 1;
  let to = from;
  while (to < end && data[to] !== QUOTE) to++;
  let at = to + 1;
  while (at < end && (data[at] === BLANK || data[at] === 0x2c)) at++;
  if (data[at] === QUOTE) {
    const formatFrom = at + 1;
    let formatTo = formatFrom;
    while (formatTo < end && data[formatTo] !== QUOTE) formatTo++;
    at = formatTo + 1;
    if (!isSessionFormat(reader, formatFrom, formatTo)) {
      reader.at = at;
      reader.close(column);
      reader.put(dateText(data.toString("utf8", from, to), data.toString("utf8", formatFrom, formatTo)));
      return TEXT;
    }
  }
  reader.at = at;
  reader.close(column);
  sessionDate(reader, from, to);
  return TEXT;
}

/** The session's own format, or the same without the sign. */
function isSessionFormat(reader: LiteralReader, from: number, to: number): boolean {
  if (to - from === DATE_FORMAT.length) return reader.isWord(DATE_FORMAT, from);
  return to - from === DATE_FORMAT.length - 1 && reader.isWord("YYYY-MM-DD HH24:MI:SS", from);
}

/** ` 2020-02-01 00:00:00.` with its fraction and offset, as PostgreSQL reads it. Precision 0 leaves a bare point. */
function sessionDate(reader: LiteralReader, from: number, end: number): void {
  const { data, out } = reader;
  let at = from;
  let to = reader.to;
  const beforeChrist = data[at] === 0x2d;
  if (beforeChrist || data[at] === BLANK || data[at] === 0x2b) at++;
  for (; at < end; at++) {
    const byte = data[at] as number;
    if (byte === 0x2e && (at + 1 === end || data[at + 1] === BLANK)) continue;
    out[to++] = byte;
  }
  if (beforeChrist) {
    out[to++] = BLANK;
    out[to++] = 0x42;
    out[to++] = 0x43;
  }
  reader.to = to;
}
