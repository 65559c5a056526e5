/** Turns runs of packed rows into the messages of one COPY, its CopyDone included. The result shares no memory with the runs. */
export type RowEncoding = (runs: readonly Buffer[]) => Buffer[];

const COPY_DATA = 0x64;
export const COPY_DONE = Buffer.from([0x63, 0, 0, 0, 4]);
/** Signature, no flags, no header extension. */
const BINARY_HEADER = Buffer.from("5047434f50590aff0d0a000000000000000000", "hex");
const BINARY_TRAILER = Buffer.from([0xff, 0xff]);
/**
 * A server reads a CopyData message whole before it looks at it: large enough to make its own cost vanish, small enough to stay in its cache.
 * The stream of a COPY may be cut anywhere.
 */
const MESSAGE_BYTES = 1 << 16;

/** For a COPY (FORMAT binary): the rows are in its form already. */
export const binaryCopy: RowEncoding = (runs) => {
  let total = BINARY_HEADER.length + BINARY_TRAILER.length;
  for (const run of runs) total += run.length;
  const messages = Math.ceil(total / MESSAGE_BYTES);
  const out = Buffer.allocUnsafe(total + messages * 5 + COPY_DONE.length);
  let at = 0;
  let left = total;
  let room = 0;
  const append = (bytes: Buffer) => {
    for (let from = 0; from < bytes.length; ) {
      if (room === 0) {
        room = Math.min(MESSAGE_BYTES, left);
        left -= room;
        out[at] = COPY_DATA;
        out.writeInt32BE(room + 4, at + 1);
        at += 5;
      }
      const size = Math.min(room, bytes.length - from);
      bytes.copy(out, at, from, from + size);
      at += size;
      room -= size;
      from += size;
    }
  };
  append(BINARY_HEADER);
  for (const run of runs) append(run);
  append(BINARY_TRAILER);
  COPY_DONE.copy(out, at);
  return [out];
};

const TAB = 0x09;
const NEWLINE = 0x0a;
const RETURN = 0x0d;
const BACKSLASH = 0x5c;

/**
 * For a COPY (FORMAT text): values are in their types' text form; tab, newline, return and backslash are escaped. Every run of rows is a CopyData
 * message of at most twice its size.
 */
export const textCopy: RowEncoding = (runs) => {
  const messages: Buffer[] = [];
  for (const run of runs) {
    // A NULL is 4 bytes packed and 3 as text, a value at the worst all escapes: twice its length, and a separator each.
    const out = Buffer.allocUnsafe(run.length * 2 + 64);
    let at = 5;
    for (let from = 0; from < run.length; ) {
      const columns = run.readInt16BE(from);
      from += 2;
      for (let column = 0; column < columns; column++) {
        if (column > 0) out[at++] = TAB;
        const length = run.readInt32BE(from);
        from += 4;
        if (length < 0) {
          out[at++] = BACKSLASH;
          out[at++] = 0x4e; // N
          continue;
        }
        for (const end = from + length; from < end; from++) {
          const byte = run[from] as number;
          if (byte === TAB || byte === NEWLINE || byte === RETURN || byte === BACKSLASH) {
            out[at++] = BACKSLASH;
            out[at++] = byte === TAB ? 0x74 : byte === NEWLINE ? 0x6e : byte === RETURN ? 0x72 : BACKSLASH;
          } else out[at++] = byte;
        }
      }
      out[at++] = NEWLINE;
    }
    out[0] = COPY_DATA;
    out.writeInt32BE(at - 1, 1);
    messages.push(out.subarray(0, at));
  }
  messages.push(COPY_DONE);
  return messages;
};
