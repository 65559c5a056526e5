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

/**
 * The tuple with other values: `replaced` by their places, and `added` behind its last. What it leaves out is filled from the row before it, at `older`,
 * unless that is -1.
 */
export function rewrittenTuple(
  data: Buffer,
  tuple: number,
  replaced: ReadonlyMap<number, Buffer | null>,
  added: readonly (Buffer | null)[],
  older: number,
): Buffer {
  const count = data.readInt16BE(tuple);
  const header = Buffer.allocUnsafe(2);
  header.writeInt16BE(count + added.length);
  const parts: Buffer[] = [header];
  let [from, was] = [tuple + 2, older + 2];
  for (let place = 0; place < count; place++) {
    const { value, next } = valueAt(data, from);
    const before = older < 0 ? undefined : valueAt(data, was);
    const other = replaced.get(place);
    if (other !== undefined) parts.push(packed(other));
    else parts.push(value === undefined && before ? data.subarray(was, before.next) : data.subarray(from, next));
    from = next;
    if (before) was = before.next;
  }
  for (const value of added) parts.push(packed(value));
  return Buffer.concat(parts);
}

function packed(value: Buffer | null): Buffer {
  if (value === null) return NULL;
  const head = Buffer.allocUnsafe(5);
  head[0] = TupleKind.text;
  head.writeInt32BE(value.length, 1);
  return Buffer.concat([head, value]);
}

const NULL = Buffer.from([TupleKind.null]);

function valueAt(data: Buffer, from: number): { readonly value: Value; readonly next: number } {
  const kind = data[from];
  if (kind === TupleKind.null) return { value: null, next: from + 1 };
  if (kind === TupleKind.unchanged) return { value: undefined, next: from + 1 };
  const begin = from + 5;
  const next = begin + data.readInt32BE(from + 1);
  return { value: data.subarray(begin, next), next };
}
