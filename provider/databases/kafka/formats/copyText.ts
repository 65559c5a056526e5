import { ErrorCode, GodwitError } from "../../../engine/errors.js";
import { TupleKind } from "../../../engine/models/change.js";

/** Takes one row as a packed tuple (models/change.ts) in `data` from `tuple` to `end`; the buffer is lent for the call. */
export type TakeTuple = (data: Buffer, tuple: number, end: number) => void;

/** What follows a backslash in COPY's text format, and what it stands for; any other byte stands for itself. */
const ESCAPED = new Uint8Array(256).map((_, byte) => byte);
for (const [letter, byte] of [
  ["b", 0x08],
  ["f", 0x0c],
  ["n", 0x0a],
  ["r", 0x0d],
  ["t", 0x09],
  ["v", 0x0b],
] as const) {
  ESCAPED[letter.charCodeAt(0)] = byte;
}

const TAB = 0x09;
const NEWLINE = 0x0a;
const BACKSLASH = 0x5c;
const N = 0x4e;
const HEADER = 5;
/** A row of this size is an exception, and the next one need not be larger. */
const LARGE = 1 << 20;

/**
 * Turns COPY ... (FORMAT text) rows, in CopyData frames as they come off the socket (copyOut.ts), into packed tuples. A frame holds one
 * row (the server sends each in a CopyData of its own); what is passed may end anywhere within one.
 *
 * COPY TO writes only `\N` and the escapes of backslash, tab, newline, return, \b, \f and \v; the octal and hexadecimal ones are
 * for input.
 */
export class CopyTextRows {
  private tuple = Buffer.allocUnsafeSlow(1 << 12);
  /** The part of a frame that has come, when it was cut. */
  private cut: Buffer | undefined;
  private cutUsed = 0;

  constructor(
    private readonly columns: number,
    private readonly take: TakeTuple,
    /** Names the table in errors. */
    private readonly object: string,
  ) {}

  /** Hands over every row that ends in these bytes, in order. Errors: GW1401 for a row with another number of columns. */
  push(frames: Buffer): void {
    let at = 0;
    if (this.cut) {
      at = this.complete(frames);
      if (this.cut) return;
    }
    while (at < frames.length) {
      const end = at + frameLength(frames, at);
      if (end > frames.length || Number.isNaN(end)) {
        this.keep(frames, at, end);
        return;
      }
      this.row(frames, at + HEADER, end);
      at = end;
    }
  }

  /** Whether a row's beginning has come and its end has not: after the last `push` that is a broken stream. */
  get unfinished(): boolean {
    return this.cut !== undefined;
  }

  private keep(frames: Buffer, at: number, end: number): void {
    const have = frames.length - at;
    this.cut = Buffer.allocUnsafeSlow(Number.isNaN(end) ? HEADER : end - at);
    frames.copy(this.cut, 0, at);
    this.cutUsed = have;
  }

  /** Adds to the cut frame; returns where the next one begins. `cut` is undefined when it was completed. */
  private complete(frames: Buffer): number {
    let at = 0;
    for (;;) {
      const cut = this.cut as Buffer;
      const size = Math.min(cut.length - this.cutUsed, frames.length - at);
      frames.copy(cut, this.cutUsed, at, at + size);
      at += size;
      this.cutUsed += size;
      if (this.cutUsed < cut.length) return at;
      const length = frameLength(cut, 0);
      if (length > cut.length) {
        // Only the header had come.
        const whole = Buffer.allocUnsafeSlow(length);
        cut.copy(whole);
        this.cut = whole;
        continue;
      }
      this.cut = undefined;
      this.row(cut, HEADER, length);
      return at;
    }
  }

  private row(data: Buffer, start: number, frameEnd: number): void {
    const { columns } = this;
    const end = data[frameEnd - 1] === NEWLINE ? frameEnd - 1 : frameEnd;
    const most = 2 + columns * HEADER + (end - start);
    if (this.tuple.length < most) this.tuple = Buffer.allocUnsafeSlow(most < LARGE ? most * 2 : most);
    const { tuple } = this;
    tuple[0] = columns >> 8;
    tuple[1] = columns & 0xff;
    let to = 2;
    let from = start;
    // An empty line is a row of no columns, or of one that is empty text.
    let count = 0;
    while (count < columns) {
      count++;
      if (data[from] === BACKSLASH && data[from + 1] === N && (from + 2 === end || data[from + 2] === TAB)) {
        tuple[to++] = TupleKind.null;
        from += 2;
      } else {
        tuple[to] = TupleKind.text;
        const valueStart = to + HEADER;
        to = valueStart;
        while (from < end) {
          const byte = data[from] as number;
          if (byte === TAB) break;
          from++;
          if (byte === BACKSLASH) tuple[to++] = ESCAPED[data[from++] as number] as number;
          else tuple[to++] = byte;
        }
        const length = to - valueStart;
        tuple[valueStart - 4] = length >>> 24;
        tuple[valueStart - 3] = (length >>> 16) & 0xff;
        tuple[valueStart - 2] = (length >>> 8) & 0xff;
        tuple[valueStart - 1] = length & 0xff;
      }
      if (count === columns || from >= end) break;
      from++;
    }
    if (count !== columns || from < end) {
      throw new GodwitError(ErrorCode.RowsUnreadable, `a row of the copy has not ${columns} columns`, { object: this.object });
    }
    this.take(tuple, 0, to);
  }
}

/** NaN when the header is not whole. */
function frameLength(frames: Buffer, at: number): number {
  return at + HEADER > frames.length ? Number.NaN : frames.readInt32BE(at + 1) + 1;
}
