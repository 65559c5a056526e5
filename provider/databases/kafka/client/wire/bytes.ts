/**
 * Kafka's primitive types, big endian, as every version of a request below its first "flexible" one has them.
 * (Source of all requests in this folder: https://kafka.apache.org/protocol.)
 */
export class WireWriter {
  private bytes = Buffer.allocUnsafe(256);
  private used = 0;

  int8(value: number): this {
    this.room(1);
    this.used = this.bytes.writeInt8(value, this.used);
    return this;
  }

  boolean(value: boolean): this {
    return this.int8(value ? 1 : 0);
  }

  int16(value: number): this {
    this.room(2);
    this.used = this.bytes.writeInt16BE(value, this.used);
    return this;
  }

  int32(value: number): this {
    this.room(4);
    this.used = this.bytes.writeInt32BE(value, this.used);
    return this;
  }

  int64(value: bigint): this {
    this.room(8);
    this.used = this.bytes.writeBigInt64BE(value, this.used);
    return this;
  }

  /** NULLABLE_STRING where undefined is allowed. */
  string(value: string | undefined): this {
    if (value === undefined) return this.int16(-1);
    const size = Buffer.byteLength(value);
    this.int16(size).room(size);
    this.used += this.bytes.write(value, this.used);
    return this;
  }

  /** As "flexible" versions have it: the length plus one as an unsigned varint. */
  compactString(value: string): this {
    const size = Buffer.byteLength(value);
    this.room(size + 5);
    let length = size + 1;
    for (; length > 0x7f; length >>>= 7) this.bytes[this.used++] = (length & 0x7f) | 0x80;
    this.bytes[this.used++] = length;
    this.used += this.bytes.write(value, this.used);
    return this;
  }

  bytesField(value: Buffer): this {
    this.int32(value.length).room(value.length);
    this.used += value.copy(this.bytes, this.used);
    return this;
  }

  /** NULLABLE_ARRAY where undefined is allowed. */
  array<T>(values: readonly T[] | undefined, write: (value: T) => void): this {
    this.int32(values?.length ?? -1);
    for (const value of values ?? []) write(value);
    return this;
  }

  finish(): Buffer {
    return this.bytes.subarray(0, this.used);
  }

  private room(size: number): void {
    if (this.used + size <= this.bytes.length) return;
    const grown = Buffer.allocUnsafe(Math.max(this.bytes.length * 2, this.used + size));
    this.bytes.copy(grown, 0, 0, this.used);
    this.bytes = grown;
  }
}

export class WireReader {
  constructor(
    private readonly bytes: Buffer,
    private at = 0,
  ) {}

  int8(): number {
    this.at += 1;
    return this.bytes.readInt8(this.at - 1);
  }

  boolean(): boolean {
    return this.int8() !== 0;
  }

  int16(): number {
    this.at += 2;
    return this.bytes.readInt16BE(this.at - 2);
  }

  int32(): number {
    this.at += 4;
    return this.bytes.readInt32BE(this.at - 4);
  }

  int64(): bigint {
    this.at += 8;
    return this.bytes.readBigInt64BE(this.at - 8);
  }

  string(): string | undefined {
    const size = this.int16();
    if (size < 0) return undefined;
    this.at += size;
    return this.bytes.toString("utf8", this.at - size, this.at);
  }

  /** Unsigned, seven bits a byte: the lengths and tags of "flexible" versions. */
  uvarint(): number {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.bytes.readUInt8(this.at++);
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value >>> 0;
    }
  }

  compactString(): string {
    const size = Math.max(0, this.uvarint() - 1);
    this.at += size;
    return this.bytes.toString("utf8", this.at - size, this.at);
  }

  compactArray<T>(read: () => T): T[] {
    const values: T[] = [];
    for (let left = this.uvarint() - 1; left > 0; left--) values.push(read());
    return values;
  }

  /** Tagged fields by their numbers; each is read from its own bytes. */
  tagged(): Map<number, WireReader> {
    const fields = new Map<number, WireReader>();
    for (let left = this.uvarint(); left > 0; left--) {
      const [tag, size] = [this.uvarint(), this.uvarint()];
      fields.set(tag, new WireReader(this.bytes, this.at));
      this.at += size;
    }
    return fields;
  }

  bytesField(): Buffer {
    const size = Math.max(0, this.int32());
    this.at += size;
    return this.bytes.subarray(this.at - size, this.at);
  }

  array<T>(read: () => T): T[] {
    const values: T[] = [];
    for (let left = this.int32(); left > 0; left--) values.push(read());
    return values;
  }
}
