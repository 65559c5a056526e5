/**
 * Numbers the distinct keys of a batch, 0 and up. Keys are compared as bytes, which is exact here: every change names its row by the
 * very bytes that are stored. (Two spellings that a type calls equal, numeric 1.0 and 1.00, never name the same row at once.)
 *
 * Open addressing over typed arrays: a Map with string keys costs a string and a rehash for every change, a fifth of the whole decoding.
 */
export class KeyIndex {
  /** How many keys there are. */
  count = 0;
  private bytes = Buffer.allocUnsafeSlow(1 << 16);
  private used = 0;
  private writing = 0;
  private slots = new Int32Array(1 << 11);
  private hashes = new Int32Array(1 << 10);
  private starts = new Int32Array(1 << 10);
  private ends = new Int32Array(1 << 10);

  /** Appends a part of the key that is being asked for. */
  add(data: Buffer, at: number, end: number): void {
    const size = end - at;
    if (this.writing + size > this.bytes.length) this.growBytes(this.writing + size);
    const { bytes } = this;
    let to = this.writing;
    if (size <= 32) for (let from = at; from < end; from++) bytes[to++] = data[from] as number;
    else data.copy(bytes, to, at, end);
    this.writing += size;
  }

  /** Drops the parts added since the last question. */
  forget(): void {
    this.writing = this.used;
  }

  /** The number of the key whose parts were added; a new one is numbered `count` before the call. */
  find(): number {
    const { used, writing, bytes } = this;
    let hash = 0x811c9dc5 | 0;
    for (let at = used; at < writing; at++) hash = Math.imul(hash ^ (bytes[at] as number), 0x01000193);
    hash ^= hash >>> 15;
    hash = Math.imul(hash, 0x2c1b3c6d);
    hash ^= hash >>> 13;
    const mask = this.slots.length - 1;
    let slot = hash & mask;
    for (;;) {
      const entry = (this.slots[slot] as number) - 1;
      if (entry < 0) break;
      if (this.hashes[entry] === hash && this.isAt(entry)) {
        this.writing = used;
        return entry;
      }
      slot = (slot + 1) & mask;
    }
    const entry = this.count++;
    if (entry === this.hashes.length) this.growEntries();
    this.slots[slot] = entry + 1;
    this.hashes[entry] = hash;
    this.starts[entry] = used;
    this.ends[entry] = writing;
    this.used = writing;
    if (this.count * 2 > this.slots.length) this.rehash();
    return entry;
  }

  /** Where a key's bytes lie; valid until the next call of `add`. */
  bytesOf(entry: number): Buffer {
    return this.bytes.subarray(this.starts[entry], this.ends[entry]);
  }

  clear(): void {
    this.count = 0;
    this.used = 0;
    this.writing = 0;
    this.slots.fill(0);
    // A single huge key must not be held on to for ever.
    if (this.bytes.length > 1 << 24) this.bytes = Buffer.allocUnsafeSlow(1 << 16);
  }

  private isAt(entry: number): boolean {
    const { bytes, used } = this;
    const start = this.starts[entry] as number;
    const size = this.writing - used;
    if ((this.ends[entry] as number) - start !== size) return false;
    if (size > 64) return bytes.compare(bytes, used, used + size, start, start + size) === 0;
    for (let at = 0; at < size; at++) if (bytes[start + at] !== bytes[used + at]) return false;
    return true;
  }

  private growBytes(needed: number): void {
    const grown = Buffer.allocUnsafeSlow(Math.max(this.bytes.length * 2, needed));
    this.bytes.copy(grown, 0, 0, this.writing);
    this.bytes = grown;
  }

  private growEntries(): void {
    this.hashes = doubled(this.hashes);
    this.starts = doubled(this.starts);
    this.ends = doubled(this.ends);
  }

  private rehash(): void {
    const slots = new Int32Array(this.slots.length * 4);
    const mask = slots.length - 1;
    for (let entry = 0; entry < this.count; entry++) {
      let slot = (this.hashes[entry] as number) & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = entry + 1;
    }
    this.slots = slots;
  }
}

export function doubled(array: Int32Array): Int32Array<ArrayBuffer> {
  const grown = new Int32Array(array.length * 2);
  grown.set(array);
  return grown;
}
