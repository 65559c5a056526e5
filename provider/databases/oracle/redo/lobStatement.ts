import { ROWID, readColumn, scanConditions, skipTableName } from "./conditions.js";
import { Form, Place } from "./forms.js";
import { type LiteralOptions, LiteralReader, type RedoCounts } from "./literals.js";
import { RedoProblem } from "./redoProblem.js";
import type { RedoColumn, RedoTable } from "./redoTable.js";

/** One step on a LOB. Offsets count from 0, in characters of a CLOB (UTF-16 units, as Oracle counts) and bytes of a BLOB. */
export type LobStep =
  | { readonly kind: "write"; readonly offset: number | "append"; readonly data: Buffer }
  | { readonly kind: "trim"; readonly length: number }
  | { readonly kind: "erase"; readonly offset: number; readonly length: number }
  | { readonly kind: "null" };

/** What a statement about a LOB, a long string or an XML document says. */
export interface LobStatement {
  /** The column's place; undefined in a statement that leaves it to the one before. */
  readonly column: number | undefined;
  /** The row's values that the statement names it by, by place; NULL is null. */
  readonly row: ReadonlyMap<number, Buffer | null>;
  readonly steps: readonly LobStep[];
}

const TEXT: RedoColumn = { name: "buffer", kind: "clob", partOfKey: false };
const BYTES: RedoColumn = { name: "buffer", kind: "blob", partOfKey: false };
const XML: RedoColumn = { name: "XML_REDO", kind: "text", partOfKey: false };

/**
 * Reads the redo of operations 9, 10, 11 and 29 (a PL/SQL block: the locator's select, `buf_c := '...'`, calls of dbms_lob, any of
 * which may be missing), 91 and 92 (strings over 4000 bytes: the update that will be run, `buf_c := '...'`) and 68 and 70 (XML:
 * the row, then `XML_REDO := ...`).
 */
export class LobScanner {
  private readonly reader: LiteralReader;

  constructor(options: LiteralOptions) {
    this.reader = new LiteralReader(options);
  }

  get counts(): RedoCounts {
    return this.reader.counts;
  }

  /** Throws RedoProblem. */
  scan(table: RedoTable, data: Buffer, from: number, to: number): LobStatement {
    const { reader } = this;
    reader.data = data;
    reader.at = from;
    reader.end = to;
    reader.to = 0;
    const room = (to - from) * 2 + table.columns.length * 64;
    if (reader.out.length < room) reader.out = Buffer.allocUnsafe(room);
    const statement = find(data, "Stmt := '", from, to);
    if (statement >= 0) return this.longString(table, data, statement, to);
    reader.skipBlanks();
    if (reader.isWord("XML DOC BEGIN:") || reader.isWord("update ")) return this.xmlBegin(table);
    if (reader.isWord("XML_REDO")) return { column: undefined, row: new Map(), steps: [this.xmlStep()] };
    return this.block(table);
  }

  private block(table: RedoTable): LobStatement {
    const { reader } = this;
    let column: number | undefined;
    let row: ReadonlyMap<number, Buffer | null> = new Map();
    const steps: LobStep[] = [];
    let buffer: Buffer = Buffer.alloc(0);
    let erased = 0;
    while (reader.at < reader.end) {
      reader.skipBlanks();
      if (reader.isWord('select "')) {
        reader.at += 7;
        column = this.column(table);
        this.skipTo('from "');
        reader.at += 5;
        skipTableName(reader);
        row = this.conditions(table);
      } else if (this.assigns("e_len")) {
        erased = Number.parseInt(reader.data.toString("latin1", reader.at, Math.min(reader.at + 20, reader.end)), 10);
      } else if (this.assigns("buf_c") || this.assigns("buf_nc") || this.assigns("buf_b")) {
        buffer = this.literal(reader.isWord("HEXTORAW(") ? BYTES : TEXT);
      } else if (reader.isWord("dbms_lob.write(")) {
        const [, offset] = this.numbers();
        steps.push({ kind: "write", offset: (offset ?? 1) - 1, data: buffer });
      } else if (reader.isWord("dbms_lob.writeappend(")) {
        this.skipTo(")");
        steps.push({ kind: "write", offset: "append", data: buffer });
      } else if (reader.isWord("dbms_lob.trim(")) {
        const [length] = this.numbers();
        steps.push({ kind: "trim", length: length ?? 0 });
      } else if (reader.isWord("dbms_lob.erase(")) {
        const given = this.numbers();
        const length = given.length > 1 ? given[0] : erased;
        steps.push({ kind: "erase", length: length ?? 0, offset: (given[given.length - 1] ?? 1) - 1 });
      } else if (!this.skipStep()) break;
    }
    // A long string's pieces come without the call that appends them.
    if (steps.length === 0 && buffer.length > 0) steps.push({ kind: "write", offset: "append", data: buffer });
    return { column, row, steps };
  }

  /** `Stmt := 'update "S"."T" set "C" = :C where ...;';` with its apostrophes doubled. */
  private longString(table: RedoTable, data: Buffer, from: number, to: number): LobStatement {
    const { reader } = this;
    const quoted = data.toString("utf8", from + 9, to);
    const ends = quoted.lastIndexOf("';");
    reader.data = Buffer.from((ends < 0 ? quoted : quoted.slice(0, ends)).replaceAll("''", "'"));
    reader.at = 0;
    reader.end = reader.data.length;
    this.skipTo('"');
    skipTableName(reader);
    this.skipTo("set ");
    reader.at += 4;
    const column = this.column(table);
    return { column, row: this.toWhere(table), steps: [] };
  }

  private xmlBegin(table: RedoTable): LobStatement {
    const { reader } = this;
    this.skipTo('"');
    let column: number;
    if (reader.isWord("XML DOC BEGIN:", reader.at) || find(reader.data, ' from "', reader.at, reader.end) >= 0) {
      column = this.column(table);
    } else {
      skipTableName(reader);
      this.skipTo("set ");
      reader.at += 4;
      column = this.column(table);
    }
    return { column, row: this.toWhere(table), steps: [] };
  }

  /** `XML_REDO := HEXTORAW('3c61..'):15`, `XML_REDO := '<a/>'` or `XML_REDO := NULL`; the number behind is a length. */
  private xmlStep(): LobStep {
    const { reader } = this;
    this.skipTo(":=");
    reader.at += 2;
    reader.skipBlanks();
    if (reader.isWord("NULL")) return { kind: "null" };
    return { kind: "write", offset: "append", data: this.literal(XML) };
  }

  private toWhere(table: RedoTable): ReadonlyMap<number, Buffer | null> {
    if (find(this.reader.data, "where ", this.reader.at, this.reader.end) < 0) return new Map();
    this.skipTo("where ");
    return this.conditions(table);
  }

  private conditions(table: RedoTable): ReadonlyMap<number, Buffer | null> {
    const { reader } = this;
    const row = new Map<number, Buffer | null>();
    reader.skipBlanks();
    if (!reader.isWord("where ")) return row;
    reader.at += 6;
    scanConditions(reader, table, (place, form, from, to) => {
      if (form === Form.text) row.set(place, Buffer.from(reader.out.subarray(from, to)));
      else if (form === Form.null) row.set(place, null);
    });
    return row;
  }

  /** Over `name :=`, when that stands here. */
  private assigns(name: string): boolean {
    const { reader } = this;
    if (!reader.isWord(name)) return false;
    let at = reader.at + name.length;
    while (reader.data[at] === 0x20) at++;
    if (reader.data[at] !== 0x3a || reader.data[at + 1] !== 0x3d) return false;
    reader.at = at + 2;
    reader.skipBlanks();
    return true;
  }

  private literal(as: RedoColumn): Buffer {
    const { reader } = this;
    const start = reader.to;
    const form = reader.read(as, Place.block);
    // HEXTORAW of a BLOB is read into PostgreSQL's \x form.
    const text = reader.out.subarray(start, reader.to);
    if (form === Form.unknown) throw new RedoProblem("unreadable", "a piece of a LOB that is no literal");
    return as === BYTES ? Buffer.from(text.toString("latin1", 2), "hex") : Buffer.from(text);
  }

  private column(table: RedoTable): number {
    this.reader.skipBlanks();
    const place = readColumn(this.reader, table, 0);
    if (place === ROWID || place < 0) throw new RedoProblem("unreadable", "a LOB statement without its column");
    return place;
  }

  /** The numbers among a call's arguments; leaves the reader behind the call. */
  private numbers(): number[] {
    const { reader } = this;
    const from = reader.at;
    this.skipTo(")");
    const text = reader.data.toString("latin1", from, reader.at);
    const inside = text.slice(text.indexOf("(") + 1).split(",");
    return inside.map((argument) => Number.parseInt(argument.trim(), 10)).filter((value) => Number.isInteger(value));
  }

  private skipTo(text: string): void {
    const found = find(this.reader.data, text, this.reader.at, this.reader.end);
    if (found < 0) throw new RedoProblem("unreadable", `a LOB statement without ${text}`);
    this.reader.at = found;
  }

  /** Over what is of no interest: declarations, BEGIN, END. False at the end. */
  private skipStep(): boolean {
    const { reader } = this;
    if (reader.isWord("BEGIN")) {
      reader.at += 5;
      return true;
    }
    const next = find(reader.data, ";", reader.at, reader.end);
    if (next < 0) return false;
    const begin = find(reader.data, "BEGIN", reader.at, next);
    reader.at = begin >= 0 ? begin : next + 1;
    return true;
  }
}

function find(data: Buffer, text: string, from: number, to: number): number {
  const found = data.indexOf(text, from, "latin1");
  return found >= 0 && found + text.length <= to ? found : -1;
}
