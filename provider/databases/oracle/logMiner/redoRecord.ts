/**
 * One line of redo in a transaction's log: int32 length of the whole record, operation byte, flags byte, int32 place of its table, int64 SCN,
 * length byte and row id, the SQL as UTF-8, and the length again, so that the log can be read from its end.
 */
export interface RedoRecord {
  readonly operation: number;
  readonly flags: number;
  readonly table: number;
  readonly scn: bigint;
  readonly rowId: string;
  /** Where the SQL lies in `data`. */
  readonly data: Buffer;
  readonly from: number;
  readonly to: number;
}

export const Flag = {
  /** Begins a statement's records: a row change, and the pieces of LOBs that belong to it. */
  begins: 1,
  /** Undoes an earlier record of the transaction. */
  undo: 2,
  /** Says how a statement ended and nothing else (INTERNAL). */
  ends: 4,
} as const;

const FIXED = 4 + 1 + 1 + 4 + 8 + 1 + 4;

export function recordSize(rowId: string, redo: string): number {
  return FIXED + rowId.length + Buffer.byteLength(redo);
}

/** Writes a record of the size that `recordSize` said. */
export function writeRecord(
  out: Buffer,
  at: number,
  size: number,
  record: Pick<RedoRecord, "operation" | "flags" | "table" | "scn" | "rowId">,
  redo: string,
): void {
  out.writeInt32LE(size, at);
  out[at + 4] = record.operation;
  out[at + 5] = record.flags;
  out.writeInt32LE(record.table, at + 6);
  out.writeBigInt64LE(record.scn, at + 10);
  out[at + 18] = record.rowId.length;
  out.write(record.rowId, at + 19, "latin1");
  out.write(redo, at + 19 + record.rowId.length, "utf8");
  out.writeInt32LE(size, at + size - 4);
}

export function readRecord(data: Buffer, at: number): RedoRecord {
  const size = data.readInt32LE(at);
  const rowIdLength = data[at + 18] ?? 0;
  return {
    operation: data[at + 4] ?? 0,
    flags: data[at + 5] ?? 0,
    table: data.readInt32LE(at + 6),
    scn: data.readBigInt64LE(at + 10),
    rowId: data.toString("latin1", at + 19, at + 19 + rowIdLength),
    data,
    from: at + 19 + rowIdLength,
    to: at + size - 4,
  };
}

/** The length of the record at `at`. */
export function sizeAt(data: Buffer, at: number): number {
  return data.readInt32LE(at);
}

/** The length of the record that ends at `end`. */
export function sizeBefore(data: Buffer, end: number): number {
  return data.readInt32LE(end - 4);
}
