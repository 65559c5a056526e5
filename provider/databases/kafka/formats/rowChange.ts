import type { FormatTable } from "./recordFormat.js";
import { sameValue, TupleValues, UNCHANGED } from "./tupleValues.js";

/**
 * A change's tuples taken apart, and what they tell together. Shared by the encoders of a table: a call's facts hold until the next call.
 *
 * Under REPLICA IDENTITY FULL the old tuple holds the row with every out-of-line value in it, so a value that the new tuple leaves out as
 * unchanged is taken from there. Under another identity the old tuple is sent only when the identity's columns changed (or one of
 * them lies out of line), holds only these, and has NULL for the others, which says nothing about them.
 */
export class RowChange {
  readonly row: TupleValues;
  readonly old: TupleValues;
  /** 1 for the columns that old tuples hold. */
  readonly inOld: Uint8Array;
  /** 1 for the columns that the records hold. */
  readonly taken: Uint8Array;
  /** 1 for the columns of the last `update` that are known to have changed. */
  readonly changed: Uint8Array;
  /** 1 for the columns of the last `insert` or `update` that have a value or NULL. */
  readonly present: Uint8Array;
  /** Bytes of all values of the last call. */
  size = 0;

  constructor(readonly table: FormatTable) {
    const object = `${table.schema}.${table.name}`;
    const { columns } = table;
    this.row = new TupleValues(columns.length, object);
    this.old = new TupleValues(columns.length, object);
    this.taken = Uint8Array.from(columns, (column) => (column ? 1 : 0));
    const whole = table.oldTuples === "wholeRow";
    this.inOld = Uint8Array.from(columns, (column) => (column && (whole || column.partOfKey) ? 1 : 0));
    this.changed = new Uint8Array(columns.length);
    this.present = new Uint8Array(columns.length);
  }

  /** `older` is -1 or an old tuple to fill unchanged values from. */
  readNew(data: Buffer, tuple: number, older: number): void {
    const { row, present, taken } = this;
    this.size = row.read(data, tuple);
    if (older >= 0) {
      this.size += this.old.read(data, older);
      this.size += row.fillFrom(this.old, this.inOld);
    }
    for (let index = 0; index < present.length; index++) {
      present[index] = (row.lengths[index] as number) === UNCHANGED ? 0 : (taken[index] as number);
    }
  }

  readOld(data: Buffer, older: number): void {
    this.size = this.old.read(data, older);
  }

  readUpdate(data: Buffer, older: number, tuple: number): void {
    this.readNew(data, tuple, older);
    const { changed, inOld, row, old, present } = this;
    for (let index = 0; index < changed.length; index++) {
      changed[index] = older >= 0 && inOld[index] === 1 && present[index] === 1 && !sameValue(data, row, old, index) ? 1 : 0;
    }
  }
}
