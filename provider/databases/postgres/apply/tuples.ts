import { ErrorCode, GodwitError } from "../../../engine/errors.js";
import { TupleKind } from "../../../engine/models/change.js";
import type { ApplyTable } from "./applyTable.js";
import type { KeyIndex } from "./keyIndex.js";
import type { RowSet } from "./rowSet.js";

/** A value of a row taken apart: its bytes, NULL, or undefined for one that the change does not carry. */
export type Value = Buffer | null | undefined;

/**
 * Packs a stream's tuple behind the rows of a set, without the columns that are not applied. False, and nothing packed, when the tuple
 * leaves unchanged values out.
 */
export function packTuple(table: ApplyTable, data: Buffer, tuple: number, end: number, set: RowSet): boolean {
  const { places } = table;
  // A NULL is one byte in the stream and four here.
  set.reserve(end - tuple + places.length * 4 + 2);
  const out = set.bytes;
  let to = set.used;
  out[to++] = table.columns.length >> 8;
  out[to++] = table.columns.length & 0xff;
  let from = tuple + 2;
  for (let index = 0; index < places.length; index++) {
    const kind = data[from++] as number;
    const applied = (places[index] as number) >= 0;
    if (kind === TupleKind.null) {
      if (!applied) continue;
      out[to++] = 0xff;
      out[to++] = 0xff;
      out[to++] = 0xff;
      out[to++] = 0xff;
    } else if (kind === TupleKind.unchanged) {
      if (applied) return false;
    } else {
      const size =
        4 +
        (((data[from] as number) << 24) |
          ((data[from + 1] as number) << 16) |
          ((data[from + 2] as number) << 8) |
          (data[from + 3] as number));
      if (applied) {
        // Below some 32 bytes a loop beats the call into memcpy.
        if (size <= 32) for (let at = 0; at < size; at++) out[to + at] = data[from + at] as number;
        else data.copy(out, to, from, from + size);
        to += size;
      }
      from += size;
    }
  }
  set.used = to;
  set.rows++;
  return true;
}

/** Adds the key's values, as they are packed, to the key being asked for. False when the tuple leaves one out. */
export function addKey(table: ApplyTable, data: Buffer, tuple: number, keys: KeyIndex): boolean {
  const { keyed } = table;
  let left = table.key.length;
  let from = tuple + 2;
  for (let index = 0; left > 0; index++) {
    const kind = data[from++] as number;
    if (kind === TupleKind.text || kind === TupleKind.binary) {
      const end = from + 4 + data.readInt32BE(from);
      if (keyed[index] === 1) {
        keys.add(data, from, end);
        left--;
      }
      from = end;
    } else if (keyed[index] === 1) {
      if (kind === TupleKind.unchanged) {
        keys.forget();
        return false;
      }
      throw new GodwitError(ErrorCode.ProtocolViolation, "a change names its row by a NULL", {
        object: `${table.planned.source.schema}.${table.planned.source.name}`,
      });
    }
  }
  return true;
}

/** A stream's tuple taken apart, in the order of the table's columns. The buffers are parts of `data`. */
export function unpackTuple(table: ApplyTable, data: Buffer, tuple: number): Value[] {
  const values: Value[] = new Array(table.columns.length).fill(null);
  let from = tuple + 2;
  for (const place of table.places) {
    const kind = data[from++];
    let value: Value = null;
    if (kind === TupleKind.unchanged) value = undefined;
    else if (kind !== TupleKind.null) {
      const length = data.readInt32BE(from);
      from += 4;
      value = data.subarray(from, from + length);
      from += length;
    }
    if (place >= 0) values[place] = value;
  }
  return values;
}

/** A packed row taken apart; `places` are the columns it holds. The buffers are copies. */
export function unpackRow(set: RowSet, start: number, places: readonly number[], columns: number): Value[] {
  const values: Value[] = new Array(columns).fill(undefined);
  let from = start + 2;
  for (const place of places) {
    const length = set.bytes.readInt32BE(from);
    from += 4;
    if (length < 0) values[place] = null;
    else {
      values[place] = Buffer.from(set.bytes.subarray(from, from + length));
      from += length;
    }
  }
  return values;
}

/** Packs the values that are there. */
export function packValues(values: readonly Value[], set: RowSet): void {
  let size = 2;
  let count = 0;
  for (const value of values) {
    if (value === undefined) continue;
    count++;
    size += 4 + (value?.length ?? 0);
  }
  set.reserve(size);
  let to = set.bytes.writeInt16BE(count, set.used);
  for (const value of values) {
    if (value === undefined) continue;
    to = set.bytes.writeInt32BE(value?.length ?? -1, to);
    if (value) to += value.copy(set.bytes, to);
  }
  set.used = to;
  set.rows++;
}

/** What `values` leave out, out of `older`. */
export function filled(values: readonly Value[], older: readonly Value[]): Value[] {
  return values.map((value, place) => (value === undefined ? older[place] : value));
}
