import { TupleKind } from "../../../engine/models/change.js";

/** A value to be packed: text form, NULL, or undefined for one that the change leaves alone. */
export type PackedValue = Buffer | null | undefined;

/** The values of a packed tuple. The buffers are parts of `data`. */
export function unpack(data: Buffer, tuple: number): PackedValue[] {
  const values: PackedValue[] = [];
  let at = tuple + 2;
  for (let left = data.readInt16BE(tuple); left > 0; left--) {
    const kind = data[at++];
    if (kind === TupleKind.null) values.push(null);
    else if (kind === TupleKind.unchanged) values.push(undefined);
    else {
      const length = data.readInt32BE(at);
      values.push(data.subarray(at + 4, at + 4 + length));
      at += 4 + length;
    }
  }
  return values;
}

export function pack(values: readonly PackedValue[]): Buffer {
  const size = values.reduce((total, value) => total + 1 + (value ? 4 + value.length : 0), 2);
  const out = Buffer.allocUnsafe(size);
  let at = out.writeInt16BE(values.length, 0);
  for (const value of values) {
    if (value === null) out[at++] = TupleKind.null;
    else if (value === undefined) out[at++] = TupleKind.unchanged;
    else {
      out[at++] = TupleKind.text;
      at = out.writeInt32BE(value.length, at);
      at += value.copy(out, at);
    }
  }
  return out;
}
