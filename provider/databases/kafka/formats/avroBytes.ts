/** Avro's binary encoding of the primitives that a record needs; the room must be there (ten bytes for a number). */

/** An int or long, zigzag and base 128. */
export function writeLong(bytes: Buffer, at: number, value: number): number {
  let to = at;
  // 32 bits do for nearly all: only ids and times are longer.
  if (value >= -0x40000000 && value < 0x40000000) {
    let left = (value << 1) ^ (value >> 31);
    while (left > 0x7f) {
      bytes[to++] = (left & 0x7f) | 0x80;
      left >>>= 7;
    }
    bytes[to++] = left;
    return to;
  }
  let left = value < 0 ? -value * 2 - 1 : value * 2;
  while (left > 0x7f) {
    bytes[to++] = (left % 128) | 0x80;
    left = Math.floor(left / 128);
  }
  bytes[to++] = left;
  return to;
}

/** Avro encodings made once, for what does not change from record to record. */
export function encodedLong(value: number): Buffer {
  const bytes = Buffer.alloc(10);
  return bytes.subarray(0, writeLong(bytes, 0, value));
}

export function encodedString(text: string): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([encodedLong(bytes.length), bytes]);
}

export function encodedMap(entries: Readonly<Record<string, string>>): Buffer {
  const pairs = Object.entries(entries);
  const end = encodedLong(0);
  if (pairs.length === 0) return end;
  return Buffer.concat([encodedLong(pairs.length), ...pairs.flat().map(encodedString), end]);
}
