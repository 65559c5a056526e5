import { SpillFile } from "./spill.js";

/** Gaps that are looked at before the file grows: a search among many thousands would take longer than the space is worth. */
const GAPS_TRIED = 256;

/** A piece of the file. */
export interface Extent {
  readonly offset: number;
  readonly length: number;
}

/**
 * What all open transactions together hold in memory, and the one file for the rest. One file for all: a hundred thousand open transactions would take as
 * many descriptors, of which a process has a thousand. What is given back is used again, and the file is emptied when nothing of it is in use.
 */
export class SpillSpace {
  /** Bytes held in memory now; each log keeps it up to date. */
  used = 0;
  private file: SpillFile | undefined;
  /** Bytes of the file in use. */
  private held = 0;
  /** Gaps in the file, by offset. */
  private gaps: Extent[] = [];

  constructor(private readonly directory: string) {}

  /** Errors: GW1727. */
  write(bytes: Buffer): Extent {
    this.file ??= new SpillFile(this.directory);
    const extent = this.reserve(bytes.length, this.file.size);
    this.file.write(bytes, extent.offset);
    this.held += bytes.length;
    return extent;
  }

  read({ offset, length }: Extent): Buffer {
    if (!this.file) throw new RangeError("nothing was put aside");
    return this.file.read(offset, length);
  }

  give(extent: Extent): void {
    this.held -= extent.length;
    if (this.held === 0) {
      this.gaps = [];
      this.file?.truncate(0);
      return;
    }
    const at = this.placeOf(extent.offset);
    const before = this.gaps[at - 1];
    const after = this.gaps[at];
    const joinsBefore = before !== undefined && before.offset + before.length === extent.offset;
    const joinsAfter = after !== undefined && extent.offset + extent.length === after.offset;
    const from = joinsBefore ? before.offset : extent.offset;
    const to = joinsAfter ? after.offset + after.length : extent.offset + extent.length;
    const first = joinsBefore ? at - 1 : at;
    this.gaps.splice(first, (joinsBefore ? 1 : 0) + (joinsAfter ? 1 : 0), { offset: from, length: to - from });
  }

  close(): void {
    this.file?.close();
    this.file = undefined;
    this.held = 0;
    this.gaps = [];
  }

  /** The first gap that is large enough, or the end of the file. */
  private reserve(length: number, end: number): Extent {
    const at = this.gaps.slice(0, GAPS_TRIED).findIndex((gap) => gap.length >= length);
    const gap = this.gaps[at];
    if (!gap) return { offset: end, length };
    if (gap.length === length) this.gaps.splice(at, 1);
    else this.gaps[at] = { offset: gap.offset + length, length: gap.length - length };
    return { offset: gap.offset, length };
  }

  /** Where in the gaps one of this offset belongs. */
  private placeOf(offset: number): number {
    let low = 0;
    let high = this.gaps.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.gaps[middle]?.offset ?? 0) < offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
