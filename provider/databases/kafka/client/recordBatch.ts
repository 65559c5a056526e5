import type { Compressor } from "./compression.js";
import { crc32c } from "./crc32c.js";

/** Bytes of another's buffer, lent for a call. */
export interface Slice {
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
}

export interface Header {
  readonly name: string;
  readonly value: Buffer;
}

/** Who writes, as the batch says it; `id` -1n for a producer without an identity (acks leader or none). */
export interface BatchOrigin {
  readonly id: bigint;
  readonly epoch: number;
  readonly transactional: boolean;
  /** Number of the first record among all that this producer sent to the partition. */
  readonly sequence: number;
}

/** A finished batch: what goes into a Produce request as it is. */
export interface RecordBatch {
  readonly bytes: Buffer;
  readonly records: number;
  /** The key of the first record, for messages about a batch of one. */
  readonly firstKey: string;
}

/** Bytes of a batch before its records. */
export const BATCH_HEADER = 61;
const CRC_AT = 17;
const ATTRIBUTES_AT = 21;
const TRANSACTIONAL = 0x10;
/** Length of the record, attributes, timestamp and offset deltas, two lengths and a count: never more than this in varints. */
const RECORD_OVERHEAD = 5 + 1 + 8 + 5 + 5 + 5 + 5;

/**
 * Records of one partition, encoded one behind the other as record batch v2 wants them (https://kafka.apache.org/documentation/#recordbatch), with
 * room for the batch's header before them: an uncompressed batch is sent without being copied again, and no object is made per record.
 */
export class RecordBatchBuilder {
  private bytes: Buffer;
  private used = BATCH_HEADER;
  private count = 0;
  private firstTimestamp = 0;
  private maxTimestamp = 0;
  private firstKey = "";

  constructor(private readonly initialSize = 4096) {
    this.bytes = Buffer.allocUnsafeSlow(initialSize);
  }

  get records(): number {
    return this.count;
  }

  /** What the records take uncompressed, the header included. */
  get size(): number {
    return this.used;
  }

  /** `key` undefined: a record without one. Timestamps are milliseconds since 1970. */
  append(timestamp: number, key: Slice | undefined, value: Slice | undefined, headers: readonly Header[] = NONE): void {
    const keySize = key ? key.end - key.start : 0;
    const valueSize = value ? value.end - value.start : 0;
    if (this.count === 0) {
      this.firstTimestamp = this.maxTimestamp = timestamp;
      this.firstKey = key ? key.bytes.toString("utf8", key.start, Math.min(key.end, key.start + 200)) : "";
    } else if (timestamp > this.maxTimestamp) this.maxTimestamp = timestamp;
    const delta = timestamp - this.firstTimestamp;
    let size = 1 + sizeOfLong(delta) + sizeOf(this.count) + sizeOf(headers.length);
    size += key ? sizeOf(keySize) + keySize : 1;
    size += value ? sizeOf(valueSize) + valueSize : 1;
    for (const header of headers) {
      const name = Buffer.byteLength(header.name);
      size += sizeOf(name) + name + sizeOf(header.value.length) + header.value.length;
    }
    this.room(size + RECORD_OVERHEAD);
    const { bytes } = this;
    let at = writeVarint(bytes, this.used, size);
    bytes[at++] = 0;
    at = writeVarlong(bytes, at, delta);
    at = writeVarint(bytes, at, this.count);
    at = key ? copy(bytes, writeVarint(bytes, at, keySize), key) : writeVarint(bytes, at, -1);
    at = value ? copy(bytes, writeVarint(bytes, at, valueSize), value) : writeVarint(bytes, at, -1);
    at = writeVarint(bytes, at, headers.length);
    for (const { name, value: content } of headers) {
      at = writeVarint(bytes, at, Buffer.byteLength(name));
      at += bytes.write(name, at);
      at = writeVarint(bytes, at, content.length);
      at += content.copy(bytes, at);
    }
    this.used = at;
    this.count++;
  }

  /** The batch of all records since the last one; the builder is empty afterwards. */
  finish(origin: BatchOrigin, compressor: Compressor | undefined): RecordBatch {
    const bytes = compressor ? this.compressed(compressor) : this.bytes.subarray(0, this.used);
    bytes.writeBigInt64BE(0n, 0);
    bytes.writeInt32BE(bytes.length - 12, 8);
    // The leader's epoch is the broker's to set, and no part of what the checksum covers.
    bytes.writeInt32BE(-1, 12);
    bytes[16] = 2;
    bytes.writeInt16BE((compressor?.id ?? 0) | (origin.transactional ? TRANSACTIONAL : 0), ATTRIBUTES_AT);
    bytes.writeInt32BE(this.count - 1, 23);
    bytes.writeBigInt64BE(BigInt(this.firstTimestamp), 27);
    bytes.writeBigInt64BE(BigInt(this.maxTimestamp), 35);
    bytes.writeBigInt64BE(origin.id, 43);
    bytes.writeInt16BE(origin.epoch, 51);
    bytes.writeInt32BE(origin.id < 0n ? -1 : origin.sequence, 53);
    bytes.writeInt32BE(this.count, 57);
    bytes.writeUInt32BE(crc32c(bytes, ATTRIBUTES_AT, bytes.length), CRC_AT);
    const batch = { bytes, records: this.count, firstKey: this.firstKey };
    // Uncompressed, the buffer is the batch's now. Compressed, it serves the next one.
    if (!compressor) this.bytes = Buffer.allocUnsafeSlow(this.initialSize);
    this.discard();
    return batch;
  }

  discard(): void {
    this.used = BATCH_HEADER;
    this.count = 0;
  }

  /** Gives back memory that one large batch needed, for partitions that rest. */
  shrink(): void {
    if (this.count === 0 && this.bytes.length > this.initialSize) this.bytes = Buffer.allocUnsafeSlow(this.initialSize);
  }

  private compressed(compressor: Compressor): Buffer {
    const records = compressor.compress(this.bytes.subarray(BATCH_HEADER, this.used));
    const bytes = Buffer.allocUnsafeSlow(BATCH_HEADER + records.length);
    records.copy(bytes, BATCH_HEADER);
    return bytes;
  }

  private room(size: number): void {
    if (this.used + size <= this.bytes.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(this.bytes.length * 2, this.used + size));
    this.bytes.copy(grown, 0, 0, this.used);
    this.bytes = grown;
  }
}

const NONE: readonly Header[] = [];

function copy(bytes: Buffer, at: number, { bytes: from, start, end }: Slice): number {
  return at + from.copy(bytes, at, start, end);
}

/** Zigzag: small negative numbers are short too. */
function writeVarint(bytes: Buffer, to: number, value: number): number {
  let at = to;
  let rest = ((value << 1) ^ (value >> 31)) >>> 0;
  for (; rest > 0x7f; rest >>>= 7) bytes[at++] = (rest & 0x7f) | 0x80;
  bytes[at++] = rest;
  return at;
}

/** For deltas of timestamps, which may pass 31 bits: rows that tell of other centuries lie next to each other. */
function writeVarlong(bytes: Buffer, to: number, value: number): number {
  if (value >= -0x40000000 && value < 0x40000000) return writeVarint(bytes, to, value);
  let at = to;
  let rest = BigInt.asUintN(64, (BigInt(value) << 1n) ^ (BigInt(value) >> 63n));
  for (; rest > 0x7fn; rest >>= 7n) bytes[at++] = Number(rest & 0x7fn) | 0x80;
  bytes[at++] = Number(rest);
  return at;
}

function sizeOf(value: number): number {
  const zigzag = ((value << 1) ^ (value >> 31)) >>> 0;
  return zigzag < 0x80 ? 1 : zigzag < 0x4000 ? 2 : zigzag < 0x200000 ? 3 : zigzag < 0x10000000 ? 4 : 5;
}

function sizeOfLong(value: number): number {
  if (value >= -0x40000000 && value < 0x40000000) return sizeOf(value);
  let size = 1;
  for (let rest = BigInt.asUintN(64, (BigInt(value) << 1n) ^ (BigInt(value) >> 63n)) >> 7n; rest > 0n; rest >>= 7n) size++;
  return size;
}
