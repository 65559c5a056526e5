import { Form } from "./forms.js";
import type { LiteralReader } from "./literals.js";
import { RedoProblem } from "./redoProblem.js";

const { text: TEXT } = Form;

const QUOTE = 0x27;
const BACKSLASH = 0x5c;

/** UNISTR('..'): \XXXX is a UTF-16 code unit, two backslashes are one. */
export function readUnistr(reader: LiteralReader): number {
  const { data, end } = reader;
  if (data[reader.at] !== QUOTE) throw new RedoProblem("unreadable", "UNISTR without its text");
  let at = reader.at + 1;
  let text = "";
  let from = at;
  for (;;) {
    if (at >= end) throw new RedoProblem("unreadable", "a string that does not end");
    const byte = data[at];
    if (byte === QUOTE) {
      text += data.toString("utf8", from, at);
      if (data[at + 1] !== QUOTE) break;
      text += "'";
      at += 2;
      from = at;
    } else if (byte === BACKSLASH) {
      text += data.toString("utf8", from, at);
      if (data[at + 1] === BACKSLASH) {
        text += "\\";
        at += 2;
      } else {
        text += String.fromCharCode(Number.parseInt(data.toString("latin1", at + 1, at + 5), 16));
        at += 5;
      }
      from = at;
    } else at++;
  }
  reader.at = at + 1;
  if (reader.data[reader.at] === 0x29) reader.at++;
  reader.put(text);
  return TEXT;
}
