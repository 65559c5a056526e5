import type { RowEncoding } from "./copyEncoding.js";

/**
 * The rows of one COPY of a batch, packed one behind the other as COPY binary has them (int16 count, then int32 length and bytes for each
 * value, length -1 for NULL), so that sending them is copying memory. A row that a later change made void is marked, and left out.
 */
export class RowSet {
  /** Live rows. */
  rows = 0;
  bytes = Buffer.allocUnsafeSlow(1 << 14);
  used = 0;
  private readonly voidStarts: number[] = [];
  private readonly voidEnds: number[] = [];

  /** Makes room for a row of at most so many bytes. */
  reserve(size: number): void {
    if (this.used + size <= this.bytes.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(this.bytes.length * 2, this.used + size));
    this.bytes.copy(grown, 0, 0, this.used);
    this.bytes = grown;
  }

  void(start: number, end: number): void {
    this.rows--;
    // The last one is simply taken back.
    if (end === this.used) {
      this.used = start;
      return;
    }
    this.voidStarts.push(start);
    this.voidEnds.push(end);
  }

  /** The live rows as CopyData messages, with the COPY's header, trailer and CopyDone. Empties the set. */
  take(encoding: RowEncoding): Buffer[] {
    const runs: Buffer[] = [];
    const order = this.voidStarts.map((_, index) => index);
    order.sort((a, b) => (this.voidStarts[a] as number) - (this.voidStarts[b] as number));
    let from = 0;
    for (const index of order) {
      const start = this.voidStarts[index] as number;
      if (start > from) runs.push(this.bytes.subarray(from, start));
      from = this.voidEnds[index] as number;
    }
    if (this.used > from) runs.push(this.bytes.subarray(from, this.used));
    const messages = encoding(runs);
    this.clear();
    return messages;
  }

  clear(): void {
    this.rows = 0;
    this.used = 0;
    this.voidStarts.length = 0;
    this.voidEnds.length = 0;
    if (this.bytes.length > 1 << 25) this.bytes = Buffer.allocUnsafeSlow(1 << 14);
  }
}
