import { type RedoRecord, readRecord, recordSize, sizeAt, sizeBefore, writeRecord } from "./redoRecord.js";
import type { Extent, SpillSpace } from "./spillSpace.js";

/** Memory of a log that has just begun: most transactions are small. */
const FIRST_BYTES = 1 << 10;
/** A transaction this large goes on in the file, whatever room there is. */
const LARGE_BYTES = 16 << 20;
/** A part is read back in one piece, also for a rollback to a savepoint that takes records from the log's end one by one. */
const PART_BYTES = 256 << 10;

/**
 * The redo of one transaction in the order it came, part in memory and the older part in a file. Records can be taken from its end, which is how
 * a rollback to a savepoint leaves no trace.
 */
export class TransactionLog {
  private memory: Buffer = Buffer.alloc(0);
  private inMemory = 0;
  /** The parts in the file, in order; a record never lies across two. */
  private readonly parts: Extent[] = [];
  private spilled = 0;

  constructor(private readonly space: SpillSpace) {}

  /** Bytes of all records. */
  get size(): number {
    return this.spilled + this.inMemory;
  }

  /** Bytes of memory it occupies. */
  get occupied(): number {
    return this.memory.length;
  }

  append(record: Pick<RedoRecord, "operation" | "flags" | "table" | "scn" | "rowId">, redo: string): void {
    const size = recordSize(record.rowId, redo);
    this.reserve(size);
    writeRecord(this.memory, this.inMemory, size, record, redo);
    this.inMemory += size;
    if (this.inMemory >= LARGE_BYTES) this.spill();
  }

  /** Moves what is in memory to the file. Errors: GW1727. */
  spill(): void {
    for (let from = 0, to = 0; to < this.inMemory; from = to) {
      while (to < this.inMemory && to - from < PART_BYTES) to += sizeAt(this.memory, to);
      this.parts.push(this.space.write(this.memory.subarray(from, to)));
      this.spilled += to - from;
    }
    this.resize(0);
    this.inMemory = 0;
  }

  /** The record that ends at `end`, an offset in the whole log; undefined at the log's beginning. Brings it back into memory. */
  before(end: number): { readonly record: RedoRecord; readonly start: number } | undefined {
    if (end <= 0) return undefined;
    while (end <= this.spilled) this.unspill();
    const at = end - this.spilled;
    const size = sizeBefore(this.memory, at);
    return { record: readRecord(this.memory, at - size), start: end - size };
  }

  /** Takes everything from `size` on off its end. */
  truncate(size: number): void {
    while (size < this.spilled) this.unspill();
    this.inMemory = size - this.spilled;
  }

  /** Every record, oldest first, with its ordinal. What lies in the file is read part by part. */
  *records(): Generator<RedoRecord> {
    for (const part of this.parts) yield* each(this.space.read(part), part.length);
    yield* each(this.memory, this.inMemory);
  }

  /** Every record, newest first. */
  *backwards(): Generator<RedoRecord> {
    yield* eachBackwards(this.memory, this.inMemory);
    for (let index = this.parts.length - 1; index >= 0; index--) {
      const part = this.parts[index];
      if (part) yield* eachBackwards(this.space.read(part), part.length);
    }
  }

  /** Gives memory and file back. */
  close(): void {
    this.resize(0);
    this.inMemory = 0;
    for (const part of this.parts.splice(0)) this.space.give(part);
    this.spilled = 0;
  }

  /** The newest part of the file comes back in front of what is in memory. */
  private unspill(): void {
    const part = this.parts.pop();
    if (!part) throw new RangeError("a transaction's log has no such record");
    const merged = Buffer.concat([this.space.read(part), this.memory.subarray(0, this.inMemory)]);
    this.space.give(part);
    this.spilled -= part.length;
    this.space.used += merged.length - this.memory.length;
    this.memory = merged;
    this.inMemory = merged.length;
  }

  private reserve(more: number): void {
    const needed = this.inMemory + more;
    if (needed > this.memory.length) this.resize(Math.max(needed, this.memory.length * 2, FIRST_BYTES));
  }

  private resize(size: number): void {
    this.space.used += size - this.memory.length;
    const resized = size === 0 ? Buffer.alloc(0) : Buffer.allocUnsafe(size);
    if (size > 0) this.memory.copy(resized, 0, 0, this.inMemory);
    this.memory = resized;
  }
}

function* each(data: Buffer, length: number): Generator<RedoRecord> {
  for (let at = 0; at < length; at += sizeAt(data, at)) yield readRecord(data, at);
}

function* eachBackwards(data: Buffer, length: number): Generator<RedoRecord> {
  for (let end = length; end > 0; ) {
    const at = end - sizeBefore(data, end);
    yield readRecord(data, at);
    end = at;
  }
}
