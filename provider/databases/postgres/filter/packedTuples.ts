import { TupleKind } from "../../../engine/models/change.js";
import type { Value } from "../apply/tuples.js";

/**
 * The values of some columns of a packed tuple in the text form; `places` in ascending order. A value that the change left out is taken from
 * `older`, the same columns of the row before it. The buffers are parts of `data`.
 */
export function valuesAt(
  data: Buffer,
  tuple: number,
  places: readonly number[],
  older?: readonly (Buffer | null)[],
): (Buffer | null)[] {
  const values: (Buffer | null)[] = [];
  const last = places.at(-1) ?? -1;
  let from = tuple + 2;
  for (let place = 0; place <= last; place++) {
    const { value, next } = valueAt(data, from);
    if (place === places[values.length]) values.push(value === undefined ? (older?.[values.length] ?? null) : value);
    from = next;
  }
  return values;
}

/** The tuple with what it leaves out filled from the row before it. */
export function filledTuple(data: Buffer, oldTuple: number, newTuple: number): Buffer {
  const count = data.readInt16BE(newTuple);
  const parts: Buffer[] = [data.subarray(newTuple, newTuple + 2)];
  let [older, newer] = [oldTuple + 2, newTuple + 2];
  for (let place = 0; place < count; place++) {
    const was = valueAt(data, older);
    const is = valueAt(data, newer);
    parts.push(is.value === undefined ? data.subarray(older, was.next) : data.subarray(newer, is.next));
    [older, newer] = [was.next, is.next];
  }
  return Buffer.concat(parts);
}

/** Whether a value lies out of line and the change did not touch it. */
export function leavesOut(data: Buffer, tuple: number): boolean {
  let from = tuple + 2;
  for (let left = data.readInt16BE(tuple); left > 0; left--) {
    const { value, next } = valueAt(data, from);
    if (value === undefined) return true;
    from = next;
  }
  return false;
}

function valueAt(data: Buffer, from: number): { readonly value: Value; readonly next: number } {
  const kind = data[from];
  if (kind === TupleKind.null) return { value: null, next: from + 1 };
  if (kind === TupleKind.unchanged) return { value: undefined, next: from + 1 };
  const begin = from + 5;
  const next = begin + data.readInt32BE(from + 1);
  return { value: data.subarray(begin, next), next };
}
