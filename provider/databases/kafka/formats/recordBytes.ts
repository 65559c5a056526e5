/** Records written one behind the other; `used` is where the next one begins. Owners set it back to 0, or take `bytes` and start anew. */
export class RecordBytes {
  bytes: Buffer;
  used = 0;

  constructor(size = 1 << 16) {
    this.bytes = Buffer.allocUnsafeSlow(size);
  }

  /** Makes room for so many more bytes; `bytes` may be another buffer afterwards. */
  reserve(size: number): void {
    if (this.used + size <= this.bytes.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(this.bytes.length * 2, this.used + size));
    this.bytes.copy(grown, 0, 0, this.used);
    this.bytes = grown;
  }
}

/** Copies bytes and returns where they end. Below some 32 bytes a loop beats the call into memcpy. */
export function copyBytes(bytes: Buffer, to: number, from: Buffer, start: number, end: number): number {
  const size = end - start;
  if (size <= 32) for (let at = 0; at < size; at++) bytes[to + at] = from[start + at] as number;
  else from.copy(bytes, to, start, end);
  return to + size;
}

/** Writes a whole number from 0 to 2^53 in decimal digits and returns where they end; 16 bytes must be free. */
export function writeDecimal(bytes: Buffer, to: number, value: number): number {
  if (value >= 1_000_000_000) {
    const high = Math.floor(value / 100_000_000);
    let low = value - high * 100_000_000;
    const start = writeDecimal(bytes, to, high);
    for (let at = start + 7; at >= start; at--) {
      const rest = (low / 10) | 0;
      bytes[at] = 48 + low - rest * 10;
      low = rest;
    }
    return start + 8;
  }
  let digits = 1;
  for (let bound = 10; bound <= value; bound *= 10) digits++;
  let left = value | 0;
  for (let at = to + digits - 1; at >= to; at--) {
    const rest = (left / 10) | 0;
    bytes[at] = 48 + left - rest * 10;
    left = rest;
  }
  return to + digits;
}
