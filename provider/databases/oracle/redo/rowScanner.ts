import { TupleKind } from "../../../engine/models/change.js";
import { ROWID, readColumn, sameBytes, scanConditions, skipTableName } from "./conditions.js";
import { Form, Place } from "./forms.js";
import { type LiteralOptions, LiteralReader, type RedoCounts } from "./literals.js";
import { RedoProblem } from "./redoProblem.js";
import { isLob, type RedoTable } from "./redoTable.js";
import { Slots } from "./slots.js";

const { absent: ABSENT, emptyLob: EMPTY_LOB, null: NULL, text: TEXT, unknown: UNKNOWN } = Form;
const { set: SET, values: VALUES } = Place;

/** Operation codes of V$LOGMNR_CONTENTS that are statements on one row. */
export const RowOperation = { insert: 1, delete: 2, update: 3 } as const;

/**
 * Reads LogMiner's SQL_REDO (inserts, updates and deletes of one row each) into packed tuples (engine/models/change.ts), values in PostgreSQL's
 * text forms. The text is taken as UTF-8 bytes and each value is copied once: no strings are made, no objects, no regular expressions.
 *
 * The dialect, as two tools in the field know it: identifiers are quoted; every value is a quoted string, NULL, or one of TO_DATE, TO_TIMESTAMP,
 * TO_TIMESTAMP_TZ, TO_YMINTERVAL, TO_DSINTERVAL, HEXTORAW, UNISTR (several joined by ||), EMPTY_CLOB(), EMPTY_BLOB(), and the
 * words Unsupported Type. A condition is `"C" = value` or `"C" IS NULL`, joined by `and`; ROWID may be one of them, and the table
 * may have an alias.
 */
export class RowScanner {
  /** The tuples of the row read last: lent until the next `scan`. */
  tuples: Buffer = Buffer.allocUnsafe(1 << 12);
  /** Offset of the old tuple, -1 when the change does not need one. */
  oldTuple = -1;
  /** Offset of the new tuple, -1 for a delete. */
  newTuple = -1;
  end = 0;
  /** Places of columns whose new value is not in the redo. */
  readonly unknown: number[] = [];
  private readonly reader: LiteralReader;
  private values: Buffer = Buffer.allocUnsafe(1 << 12);
  private slots = new Slots(64);

  constructor(options: LiteralOptions) {
    this.reader = new LiteralReader(options);
  }

  /** The statement named columns "COL 1", "COL 2": by the places they had when it was written, which the table may not have now. */
  get byPlace(): boolean {
    return this.reader.byPlace;
  }

  get counts(): RedoCounts {
    return this.reader.counts;
  }

  /** Scans the statement at `data[from..to]`. Throws RedoProblem. */
  scan(table: RedoTable, operation: number, data: Buffer, from: number, to: number): void {
    const { reader } = this;
    reader.data = data;
    reader.at = from;
    reader.end = to;
    reader.to = 0;
    const columns = table.columns.length;
    const room = (to - from) * 2 + columns * 64;
    if (this.values.length < room) this.values = Buffer.allocUnsafe(room * 2);
    reader.out = this.values;
    if (this.tuples.length < room * 2) this.tuples = Buffer.allocUnsafe(room * 4);
    if (this.slots.size < columns) this.slots = new Slots(columns * 2);
    this.unknown.length = 0;
    reader.byPlace = false;
    reader.skipBlanks();
    if (operation === RowOperation.insert) this.insert(table);
    else if (operation === RowOperation.update) this.update(table);
    else this.remove(table);
  }

  private insert(table: RedoTable): void {
    const { reader, slots } = this;
    const header = this.header(table);
    const columns = table.columns;
    const count = header.places.length;
    let at = 0;
    if (header.inOrder) at = this.begin(columns.length, 0);
    else slots.clear(columns.length);
    for (let index = 0; index < count; index++) {
      const place = header.places[index] as number;
      const column = columns[place < 0 ? 0 : place] as (typeof columns)[number];
      reader.skipBlanks();
      if (header.inOrder) {
        // The value goes where it belongs at once: into the tuple, behind its kind and length.
        reader.out = this.tuples;
        reader.to = at + 5;
        const form = reader.read(column, VALUES);
        at = this.finish(form, at, reader.to, place);
      } else {
        const start = reader.to;
        const form = reader.read(column, VALUES);
        if (place >= 0) slots.setNew(place, form, start, reader.to);
      }
      reader.skipBlanks();
      const byte = reader.data[reader.at];
      if (byte === 0x2c && index + 1 < count) reader.at++;
      else if (index + 1 < count) throw new RedoProblem("unreadable", `an insert with fewer values than columns`);
    }
    this.oldTuple = -1;
    this.newTuple = 0;
    if (header.inOrder) {
      this.end = at;
      return;
    }
    at = this.begin(columns.length, 0);
    for (let place = 0; place < columns.length; place++) {
      const form = slots.newForm[place] as number;
      at = this.put(form === ABSENT ? NULL : form, slots.newFrom[place] as number, slots.newTo[place] as number, at, place);
    }
    this.end = at;
  }

  private update(table: RedoTable): void {
    const { reader, slots } = this;
    const columns = table.columns;
    slots.clear(columns.length);
    this.word("update");
    this.tableName();
    this.word("set");
    let expected = 0;
    for (;;) {
      const place = this.column(table, expected);
      if (place >= 0) expected = place + 1;
      this.equals();
      const start = reader.to;
      const form = reader.read(columns[place < 0 ? 0 : place] as (typeof columns)[number], SET);
      if (place >= 0) slots.setNew(place, form, start, reader.to);
      reader.skipBlanks();
      if (reader.data[reader.at] !== 0x2c || reader.at >= reader.end) break;
      reader.at++;
    }
    this.where(table);
    let at = 0;
    this.oldTuple = -1;
    if (table.fullIdentity) {
      this.oldTuple = 0;
      at = this.oldRow(table, at, true);
    } else if (this.keyChanged(table)) {
      this.oldTuple = 0;
      at = this.oldRow(table, at, false);
    }
    this.newTuple = at;
    at = this.begin(columns.length, at);
    for (let place = 0; place < columns.length; place++) {
      const set = slots.newForm[place] as number;
      const known = slots.oldForm[place] as number;
      if (set !== ABSENT) at = this.put(set, slots.newFrom[place] as number, slots.newTo[place] as number, at, place);
      else if (known === TEXT || known === NULL)
        at = this.put(known, slots.oldFrom[place] as number, slots.oldTo[place] as number, at, place);
      else {
        const { partOfKey, name } = columns[place] as (typeof columns)[number];
        if (partOfKey && !table.fullIdentity) throw keyMissing(name);
        this.tuples[at++] = TupleKind.unchanged;
      }
    }
    this.end = at;
  }

  private remove(table: RedoTable): void {
    this.slots.clear(table.columns.length);
    this.word("delete");
    this.word("from");
    this.tableName();
    this.where(table);
    this.oldTuple = 0;
    this.newTuple = -1;
    this.end = this.oldRow(table, 0, table.fullIdentity);
  }

  /** Packs the row before the change: all of it, or its key with NULL for the rest, as PostgreSQL's own stream does. */
  private oldRow(table: RedoTable, from: number, whole: boolean): number {
    const { slots } = this;
    let at = this.begin(table.columns.length, from);
    for (let place = 0; place < table.columns.length; place++) {
      const { partOfKey, name, kind } = table.columns[place] as (typeof table.columns)[number];
      const form = slots.oldForm[place] as number;
      if (!whole && !partOfKey) this.tuples[at++] = TupleKind.null;
      else if (form === TEXT || form === NULL) {
        at = this.put(form, slots.oldFrom[place] as number, slots.oldTo[place] as number, at, -1);
      } else if (!whole) throw keyMissing(name);
      else if (isLob(kind)) this.tuples[at++] = TupleKind.unchanged;
      else {
        throw new RedoProblem("rowIncomplete", `column "${name}" is not in the row before the change, which no key names`);
      }
    }
    return at;
  }

  private keyChanged(table: RedoTable): boolean {
    const { slots, reader } = this;
    for (let place = 0; place < table.columns.length; place++) {
      if (!table.columns[place]?.partOfKey) continue;
      const form = slots.newForm[place] as number;
      if (form === ABSENT) continue;
      if (form !== slots.oldForm[place]) return true;
      const from = slots.newFrom[place] as number;
      const to = slots.newTo[place] as number;
      const oldFrom = slots.oldFrom[place] as number;
      if (to - from !== (slots.oldTo[place] as number) - oldFrom) return true;
      for (let index = 0; index < to - from; index++) {
        if (reader.out[from + index] !== reader.out[oldFrom + index]) return true;
      }
    }
    return false;
  }

  private where(table: RedoTable): void {
    const { reader, slots } = this;
    reader.skipBlanks();
    if (!reader.isWord("where ")) return;
    reader.at += 6;
    scanConditions(reader, table, (place, form, from, to) => slots.setOld(place, form, from, to));
  }

  /** The place of the column named at the reader, -1 for a hidden one. */
  private column(table: RedoTable, expected: number): number {
    this.reader.skipBlanks();
    const place = readColumn(this.reader, table, expected);
    if (place === ROWID) throw new RedoProblem("unreadable", "an update that sets ROWID");
    return place;
  }

  private equals(): void {
    const { reader } = this;
    reader.skipBlanks();
    if (reader.data[reader.at] !== 0x3d) throw new RedoProblem("unreadable", "a column without a value");
    reader.at++;
    reader.skipBlanks();
  }

  private word(word: string): void {
    const { reader } = this;
    reader.skipBlanks();
    if (!reader.isWord(word)) throw new RedoProblem("unreadable", `a statement that lacks the word ${word}`);
    reader.at += word.length;
    reader.skipBlanks();
  }

  private tableName(): void {
    skipTableName(this.reader);
  }

  /** The column list of an insert. Statements on one table have nearly always the same: it is compared as bytes with the last one. */
  private header(table: RedoTable): { readonly places: Int32Array; readonly inOrder: boolean } {
    const { reader } = this;
    const { data, end } = reader;
    this.word("insert");
    this.word("into");
    this.tableName();
    const from = reader.at;
    const known = table.insertHeader;
    if (known && from + known.bytes.length <= end && sameBytes(data, from, known.bytes)) {
      reader.at = from + known.bytes.length;
      reader.byPlace = known.byPlace;
      return known;
    }
    if (data[from] !== 0x28) throw new RedoProblem("unreadable", "an insert without its columns");
    reader.at++;
    const places: number[] = [];
    for (;;) {
      reader.skipBlanks();
      places.push(this.column(table, places.length));
      reader.skipBlanks();
      const byte = data[reader.at++];
      if (byte === 0x29) break;
      if (byte !== 0x2c || reader.at >= end) throw new RedoProblem("unreadable", "an insert whose columns do not end");
    }
    this.word("values");
    if (data[reader.at] !== 0x28) throw new RedoProblem("unreadable", "an insert without its values");
    reader.at++;
    const inOrder = places.length === table.columns.length && places.every((place, index) => place === index);
    table.insertHeader = {
      bytes: Buffer.from(data.subarray(from, reader.at)),
      places: Int32Array.from(places),
      inOrder,
      byPlace: reader.byPlace,
    };
    return table.insertHeader;
  }

  private begin(columns: number, at: number): number {
    this.tuples[at] = columns >> 8;
    this.tuples[at + 1] = columns & 0xff;
    return at + 2;
  }

  private put(form: number, from: number, to: number, at: number, place: number): number {
    if (form === TEXT || form === EMPTY_LOB) {
      const { out } = this.reader;
      const { tuples } = this;
      let target = at + 5;
      if (to - from > 48) {
        out.copy(tuples, target, from, to);
        target += to - from;
      } else for (let index = from; index < to; index++) tuples[target++] = out[index] as number;
      return this.finish(form, at, target, place);
    }
    return this.finish(form, at, at + 5, place);
  }

  /** Writes kind and length in front of a value that lies from `at + 5` to `to`. */
  private finish(form: number, at: number, to: number, place: number): number {
    const { tuples } = this;
    if (form === TEXT || form === EMPTY_LOB) {
      const length = to - at - 5;
      tuples[at] = TupleKind.text;
      tuples[at + 1] = length >>> 24;
      tuples[at + 2] = (length >>> 16) & 0xff;
      tuples[at + 3] = (length >>> 8) & 0xff;
      tuples[at + 4] = length & 0xff;
      return to;
    }
    if (form === UNKNOWN) {
      this.unknown.push(place);
      tuples[at] = TupleKind.unchanged;
    } else tuples[at] = TupleKind.null;
    return at + 1;
  }
}

function keyMissing(column: string): RedoProblem {
  return new RedoProblem("keyMissing", `key column "${column}" is not in the redo`);
}
