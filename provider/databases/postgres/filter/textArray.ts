/** OID of the type text. */
const TEXT = 25;

/** An array of text in PostgreSQL's binary form, for a parameter: the bytes as they are, with nothing to escape and nothing to decode. */
export function textArray(values: readonly (Buffer | null)[]): Buffer {
  let size = 20;
  for (const value of values) size += 4 + (value?.length ?? 0);
  const bytes = Buffer.allocUnsafe(size);
  bytes.writeInt32BE(values.length === 0 ? 0 : 1, 0); // dimensions
  bytes.writeInt32BE(1, 4); // may hold NULLs
  bytes.writeInt32BE(TEXT, 8);
  if (values.length === 0) return bytes.subarray(0, 12);
  bytes.writeInt32BE(values.length, 12);
  bytes.writeInt32BE(1, 16); // lower bound
  let to = 20;
  for (const value of values) {
    to = bytes.writeInt32BE(value?.length ?? -1, to);
    if (value) to += value.copy(bytes, to);
  }
  return bytes;
}
