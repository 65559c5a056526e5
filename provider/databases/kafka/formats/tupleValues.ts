import { ErrorCode, GodwitError } from "../../../engine/errors.js";
import { TupleKind } from "../../../engine/models/change.js";

/** Lengths of what is not there. */
export const NULL = -1;
export const UNCHANGED = -2;

/** Where the values of a packed tuple lie in its buffer: `starts` and `lengths` by column, filled anew by each `read`. */
export class TupleValues {
  readonly starts: Int32Array;
  readonly lengths: Int32Array;

  /** `object` names the table in errors. */
  constructor(
    readonly columns: number,
    private readonly object: string,
  ) {
    this.starts = new Int32Array(columns);
    this.lengths = new Int32Array(columns);
  }

  /** Returns how many bytes the values have together. */
  read(data: Buffer, tuple: number): number {
    const { starts, lengths, columns } = this;
    if ((((data[tuple] as number) << 8) | (data[tuple + 1] as number)) !== columns) {
      throw new GodwitError(ErrorCode.StructureChanged, `a change holds another number of columns than ${columns}`, {
        object: this.object,
        remedy: "run pulumi up: it takes the table's new structure over",
      });
    }
    let at = tuple + 2;
    let total = 0;
    for (let index = 0; index < columns; index++) {
      const kind = data[at++] as number;
      if (kind === TupleKind.text) {
        const length =
          ((data[at] as number) << 24) |
          ((data[at + 1] as number) << 16) |
          ((data[at + 2] as number) << 8) |
          (data[at + 3] as number);
        at += 4;
        starts[index] = at;
        lengths[index] = length;
        at += length;
        total += length;
      } else if (kind === TupleKind.null) {
        lengths[index] = NULL;
      } else if (kind === TupleKind.unchanged) {
        lengths[index] = UNCHANGED;
      } else {
        throw new GodwitError(ErrorCode.ProtocolViolation, "a change holds a value in binary form, which was not asked for", {
          object: this.object,
        });
      }
    }
    return total;
  }

  /** Takes values that this tuple leaves out as unchanged from an older tuple of the same buffer, where that one has them. */
  fillFrom(older: TupleValues, has: Uint8Array): number {
    let added = 0;
    for (let index = 0; index < this.columns; index++) {
      if (this.lengths[index] !== UNCHANGED || has[index] !== 1) continue;
      const length = older.lengths[index] as number;
      this.lengths[index] = length;
      this.starts[index] = older.starts[index] as number;
      if (length > 0) added += length;
    }
    return added;
  }
}

/** Whether two values, both of the same buffer, are the same bytes (or both NULL, or both not there). */
export function sameValue(data: Buffer, one: TupleValues, other: TupleValues, index: number): boolean {
  const length = one.lengths[index] as number;
  if (length !== other.lengths[index]) return false;
  const start = one.starts[index] as number;
  const otherStart = other.starts[index] as number;
  if (length <= 0 || start === otherStart) return true;
  if (length > 64) return data.compare(data, otherStart, otherStart + length, start, start + length) === 0;
  for (let at = 0; at < length; at++) if (data[start + at] !== data[otherStart + at]) return false;
  return true;
}
