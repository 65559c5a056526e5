/**
 * Java's String.hashCode of the text that these UTF-8 bytes are, or of a text before (`hash`) followed by it: 31 times the former, plus
 * each UTF-16 unit, in 32 bits. Bytes that are no UTF-8 are counted one by one.
 */
export function javaHash(data: Buffer, start = 0, end = data.length, hash = 0): number {
  let result = hash;
  for (let at = start; at < end; at++) {
    const byte = data[at] as number;
    if (byte < 0x80) {
      result = (Math.imul(result, 31) + byte) | 0;
    } else if (byte >= 0xc2 && byte < 0xe0 && at + 1 < end) {
      result = (Math.imul(result, 31) + (((byte & 0x1f) << 6) | continuation(data, ++at))) | 0;
    } else if (byte >= 0xe0 && byte < 0xf0 && at + 2 < end) {
      const unit = ((byte & 0x0f) << 12) | (continuation(data, at + 1) << 6) | continuation(data, at + 2);
      at += 2;
      result = (Math.imul(result, 31) + unit) | 0;
    } else if (byte >= 0xf0 && byte < 0xf5 && at + 3 < end) {
      const high = ((byte & 0x07) << 18) | (continuation(data, at + 1) << 12);
      const point = (high | (continuation(data, at + 2) << 6) | continuation(data, at + 3)) - 0x10000;
      at += 3;
      result = (Math.imul(result, 31) + (0xd800 | (point >> 10))) | 0;
      result = (Math.imul(result, 31) + (0xdc00 | (point & 0x3ff))) | 0;
    } else {
      result = (Math.imul(result, 31) + byte) | 0;
    }
  }
  return result;
}

function continuation(data: Buffer, at: number): number {
  return (data[at] as number) & 0x3f;
}
