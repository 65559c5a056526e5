import { type RedoRecord, readRecord, recordSize, sizeAt, sizeBefore, writeRecord } from "./redoRecord.js";
import { SpillFile } from "./spill.js";

/** What all transactions together may hold in memory, and where the rest goes. */
export interface SpillSpace {
  readonly directory: string;
  /** Bytes held in memory now; each log keeps it up to date. */
  used: number;
}

/** Memory of a log that has just begun: most transactions are small. */
const FIRST_BYTES = 1 << 10;
/** A transaction this large goes on in its file, whatever room there is: a part is read back in one piece. */
const PART_BYTES = 16 << 20;

/**
 * The redo of one transaction in the order it came, part in memory and the older part in a file. Records can be taken from its end, which is how
 * a rollback to a savepoint leaves no trace.
 */
export class TransactionLog {
  private memory: Buffer = Buffer.alloc(0);
  private inMemory = 0;
  private file: SpillFile | undefined;
  /** Lengths of the parts in the file, in order; a record never lies across two. */
  private readonly parts: number[] = [];

  constructor(private readonly space: SpillSpace) {}

  /** Bytes of all records. */
  get size(): number {
    return (this.file?.size ?? 0) + this.inMemory;
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
    if (this.inMemory >= PART_BYTES) this.spill();
  }

  /** Moves what is in memory to the file. Errors: GW1727. */
  spill(): void {
    if (this.inMemory > 0) {
      this.file ??= new SpillFile(this.space.directory);
      this.file.write(this.memory.subarray(0, this.inMemory));
      this.parts.push(this.inMemory);
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
    let offset = 0;
    for (const length of this.parts) {
      yield* each(this.file?.read(offset, length) ?? this.memory, length);
      offset += length;
    }
    yield* each(this.memory, this.inMemory);
  }

  /** Every record, newest first. */
  *backwards(): Generator<RedoRecord> {
    yield* eachBackwards(this.memory, this.inMemory);
    let offset = this.spilled;
    for (let index = this.parts.length - 1; index >= 0; index--) {
      const length = this.parts[index] ?? 0;
      offset -= length;
      yield* eachBackwards(this.file?.read(offset, length) ?? this.memory, length);
    }
  }

  /** Gives memory and file back. */
  close(): void {
    this.resize(0);
    this.inMemory = 0;
    this.parts.length = 0;
    this.file?.close();
    this.file = undefined;
  }

  private get spilled(): number {
    return this.file?.size ?? 0;
  }

  /** The newest part of the file comes back in front of what is in memory. */
  private unspill(): void {
    const { file } = this;
    const length = this.parts.pop();
    if (!file || length === undefined) throw new RangeError("a transaction's log has no such record");
    const start = file.size - length;
    const merged = Buffer.concat([file.read(start, length), this.memory.subarray(0, this.inMemory)]);
    file.truncate(start);
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
