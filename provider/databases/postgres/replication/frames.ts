/** Called for every whole message: its type byte, and where its body lies in `data`. */
export type OnFrame = (type: number, data: Buffer, at: number, end: number) => void;

export interface FrameReader {
  push(chunk: Buffer): void;
}

/**
 * Cuts a server's byte stream into messages (type byte, int32 length that counts itself, body) without copying those that lie within a
 * chunk. One that straddles chunks is gathered in a buffer of its own size, so that a 50 MB row costs one copy, not one for each chunk.
 */
export function createFrameReader(onFrame: OnFrame): FrameReader {
  /** A message of known length that is not whole yet. */
  let partial: Buffer | undefined;
  let filled = 0;
  /** Fewer than the 5 bytes that tell the length. */
  let start: Buffer | undefined;

  return {
    push(received) {
      let chunk = received;
      let at = 0;
      if (partial) {
        const copied = chunk.copy(partial, filled);
        filled += copied;
        if (filled < partial.length) return;
        const whole = partial;
        partial = undefined;
        at = copied;
        onFrame(whole[0] ?? 0, whole, 5, whole.length);
      } else if (start) {
        chunk = Buffer.concat([start, chunk]);
        start = undefined;
      }
      const size = chunk.length;
      while (size - at >= 5) {
        const end = at + 1 + chunk.readUInt32BE(at + 1);
        if (end > size) {
          partial = Buffer.allocUnsafe(end - at);
          filled = chunk.copy(partial, 0, at);
          return;
        }
        onFrame(chunk[at] ?? 0, chunk, at + 5, end);
        at = end;
      }
      if (at < size) start = Buffer.from(chunk.subarray(at));
    },
  };
}
