import { Form } from "./forms.js";
import { internalText } from "./internalForm.js";
import { dayToSecondText, yearToMonthText } from "./intervals.js";
import { readDate } from "./literalDates.js";
import { endsLiteral } from "./literalEnd.js";
import { readUnistr } from "./literalUnistr.js";
import { RedoProblem } from "./redoProblem.js";
import type { RedoColumn } from "./redoTable.js";

const { emptyLob: EMPTY_LOB, null: NULL, text: TEXT, unknown: UNKNOWN } = Form;

const QUOTE = 0x27;
const BACKSLASH = 0x5c;
const BLANK = 0x20;

/** What a scanner met that its user should hear of, counted since it was made. */
export interface RedoCounts {
  /** Bytes of value 0 taken out of text: PostgreSQL cannot hold them. */
  zeroBytes: number;
  /** Literals with an apostrophe that Oracle did not double. */
  loneQuotes: number;
}

/** `remove`: zero bytes are taken out of text and counted. `refuse`: they are an error. */
export type ZeroBytes = "remove" | "refuse";

export interface LiteralOptions {
  readonly zeroBytes: ZeroBytes;
  /** Text of a VARCHAR2's bytes in the database's character set, for values that redo shows raw. */
  readonly decodeText: (bytes: Buffer) => string;
}

/**
 * Reads the literals of redo into PostgreSQL's text forms, from one buffer into another, byte by byte. The caller sees to room in the
 * output: a literal never becomes longer than twice what it was plus 64 bytes.
 */
export class LiteralReader {
  data: Buffer = Buffer.alloc(0);
  at = 0;
  end = 0;
  out: Buffer = Buffer.allocUnsafe(1 << 12);
  to = 0;
  /** A column was named by its place. */
  byPlace = false;
  readonly counts: RedoCounts = { zeroBytes: 0, loneQuotes: 0 };

  constructor(private readonly options: LiteralOptions) {}

  /** Reads the literal at `at` and leaves `at` after it; its text lies from where `to` was to where it is. */
  read(column: RedoColumn, place: number): number {
    const start = this.to;
    let form = this.one(column, place);
    // UNISTR('..') || UNISTR('..'): LogMiner cuts long national text.
    for (;;) {
      let next = this.at;
      while (this.data[next] === BLANK && next < this.end) next++;
      if (next + 1 >= this.end || this.data[next] !== 0x7c || this.data[next + 1] !== 0x7c) break;
      this.at = next + 2;
      this.skipBlanks();
      const more = this.one(column, place);
      if (more === UNKNOWN) form = more;
      else if (more === TEXT) form = form === UNKNOWN ? form : TEXT;
    }
    if (form === TEXT && this.to === start && column.kind !== "clob" && column.kind !== "blob") return NULL;
    return form;
  }

  skipBlanks(): void {
    const { data, end } = this;
    let at = this.at;
    while (at < end) {
      const byte = data[at] as number;
      if (byte !== BLANK && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) break;
      at++;
    }
    this.at = at;
  }

  /** Whether the bytes at `at` are this ASCII word, in any case. */
  isWord(word: string, at: number = this.at): boolean {
    const { data } = this;
    if (at + word.length > this.end) return false;
    for (let index = 0; index < word.length; index++) {
      const byte = data[at + index] as number;
      const wanted = word.charCodeAt(index);
      if (byte !== wanted && (byte | 0x20) !== (wanted | 0x20)) return false;
    }
    return true;
  }

  private one(column: RedoColumn, place: number): number {
    const first = this.data[this.at];
    if (first === QUOTE) return this.quoted(place);
    switch (first) {
      case 0x4e: // N
        if (this.data[this.at + 1] === QUOTE) {
          this.at++;
          return this.quoted(place);
        }
        if (this.isWord("NULL")) {
          this.at += 4;
          return NULL;
        }
        break;
      case 0x54: // T
        return this.conversion(column);
      case 0x48: // H
        if (this.isWord("HEXTORAW(")) {
          this.at += 9;
          return this.hex(column);
        }
        break;
      case 0x45: // E
        if (this.isWord("EMPTY_CLOB()") || this.isWord("EMPTY_BLOB()")) {
          this.at += 12;
          if (column.kind === "blob") {
            this.out[this.to++] = BACKSLASH;
            this.out[this.to++] = 0x78;
          }
          return EMPTY_LOB;
        }
        break;
      case 0x55: // U
        if (this.isWord("Unsupported Type")) {
          this.at += 16;
          return UNKNOWN;
        }
        if (this.isWord("UNISTR(")) {
          this.at += 7;
          return readUnistr(this);
        }
        break;
      default:
        if (first !== undefined && isNumeric(first)) return this.bareNumber();
    }
    throw new RedoProblem("unreadable", `a value of column "${column.name}" that is no literal known in redo`);
  }

  /** A quoted string. Oracle does not always double the apostrophes in it: one that nothing of the statement follows is a letter. */
  private quoted(place: number): number {
    const { data, out, end } = this;
    let at = this.at + 1;
    let to = this.to;
    let lone = false;
    for (;;) {
      if (at >= end) throw new RedoProblem("unreadable", "a string that does not end");
      const byte = data[at] as number;
      if (byte === QUOTE) {
        if (data[at + 1] === QUOTE && at + 1 < end) {
          if (lone && endsLiteral(this, at + 2, place)) {
            out[to++] = QUOTE;
            at += 2;
            break;
          }
          out[to++] = QUOTE;
          at += 2;
          continue;
        }
        if (endsLiteral(this, at + 1, place)) {
          at++;
          break;
        }
        lone = true;
        out[to++] = QUOTE;
      } else if (byte === 0) this.zero();
      else out[to++] = byte;
      at++;
    }
    if (lone) this.counts.loneQuotes++;
    this.at = at;
    this.to = to;
    return TEXT;
  }

  private zero(): void {
    if (this.options.zeroBytes === "refuse") {
      throw new RedoProblem("unreadable", "a byte of value 0 in text, which PostgreSQL cannot hold");
    }
    this.counts.zeroBytes++;
  }

  private bareNumber(): number {
    const { data, out, end } = this;
    while (this.at < end) {
      const byte = data[this.at] as number;
      if (!isNumeric(byte) && byte !== 0x45 && byte !== 0x65) break;
      out[this.to++] = byte;
      this.at++;
    }
    return TEXT;
  }

  /** TO_DATE, TO_TIMESTAMP, TO_TIMESTAMP_TZ, TO_YMINTERVAL, TO_DSINTERVAL and their arguments. */
  private conversion(column: RedoColumn): number {
    if (this.isWord("TO_DATE(")) {
      this.at += 8;
      return readDate(this, column);
    }
    if (this.isWord("TO_TIMESTAMP(")) {
      this.at += 13;
      return readDate(this, column);
    }
    if (this.isWord("TO_TIMESTAMP_TZ(")) {
      this.at += 16;
      return readDate(this, column);
    }
    if (this.isWord("TO_YMINTERVAL(") || this.isWord("TO_DSINTERVAL(")) {
      const years = this.isWord("TO_YM");
      this.at += 14;
      const text = this.argument(column);
      this.close(column);
      this.put(years ? yearToMonthText(text) : dayToSecondText(text));
      return TEXT;
    }
    if (this.isWord("TO_NUMBER(") || this.isWord("TO_NCHAR(") || this.isWord("TO_CLOB(") || this.isWord("TO_NCLOB(")) {
      while (this.data[this.at] !== 0x28) this.at++;
      this.at++;
      this.put(this.argument(column));
      this.close(column);
      return TEXT;
    }
    throw new RedoProblem("unreadable", `a value of column "${column.name}" by a function that is not known in redo`);
  }

  private hex(column: RedoColumn): number {
    const { data, end } = this;
    if (data[this.at] !== QUOTE) throw new RedoProblem("unreadable", `raw bytes of column "${column.name}" without their text`);
    const from = this.at + 1;
    let to = from;
    while (to < end && data[to] !== QUOTE) to++;
    this.at = to + 1;
    this.close(column);
    const { out } = this;
    if (column.kind === "bytes" || column.kind === "blob") {
      if (to === from && column.kind === "bytes") return NULL;
      out[this.to++] = BACKSLASH;
      out[this.to++] = 0x78;
      if ((to - from) % 2 === 1) out[this.to++] = 0x30;
      for (let at = from; at < to; at++) out[this.to++] = data[at] as number;
      return TEXT;
    }
    if (to === from) return NULL;
    const digits = data.toString("latin1", from, to);
    const text = internalText(
      Buffer.from(digits.length % 2 === 1 ? `0${digits}` : digits, "hex"),
      column,
      this.options.decodeText,
    );
    if (text === undefined) return UNKNOWN;
    this.put(text);
    return TEXT;
  }

  /** The text of a quoted argument. */
  private argument(column: RedoColumn): string {
    const { data, end } = this;
    if (data[this.at] !== QUOTE) throw new RedoProblem("unreadable", `a value of column "${column.name}" without its text`);
    let at = this.at + 1;
    while (at < end && (data[at] !== QUOTE || data[at + 1] === QUOTE)) at += data[at] === QUOTE ? 2 : 1;
    const text = data.toString("utf8", this.at + 1, at).replaceAll("''", "'");
    this.at = at + 1;
    return text;
  }

  /** To after the closing parenthesis; a calendar may stand before it. */
  close(column: RedoColumn): void {
    const { data, end } = this;
    let at = this.at;
    while (at < end && data[at] !== 0x29) at++;
    if (at >= end) throw new RedoProblem("unreadable", `a value of column "${column.name}" that does not end`);
    this.at = at + 1;
  }

  /** Adds text to the output, without bytes of value 0. */
  put(text: string): void {
    let kept = text;
    if (text.includes("\0")) {
      const zeros = text.split("\0");
      for (let count = 1; count < zeros.length; count++) this.zero();
      kept = zeros.join("");
    }
    this.to += this.out.write(kept, this.to);
  }
}

function isNumeric(byte: number): boolean {
  return (byte >= 0x30 && byte <= 0x39) || byte === 0x2d || byte === 0x2b || byte === 0x2e;
}
