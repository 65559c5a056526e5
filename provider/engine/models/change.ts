/**
 * The neutral change: what an incremental stream carries from a source to a target.
 *
 * Positions are int64 at this level (an LSN and an SCN both fit); a database formats them for people.
 * Rows travel as packed tuples so that nothing is parsed without need: int16 column count, then per column of the
 * table's streamed columns one kind byte, and for `t` and `b` an int32 length and that many bytes (big endian). This is
 * the layout of pgoutput's TupleData, the hottest path there is.
 */
export type Position = bigint;

/** Past every position: the load position of a table that is not loaded yet, so that none of the stream's rows count for it. */
export const NOT_LOADED: Position = 2n ** 63n - 1n;

export const TupleKind = {
  /** SQL NULL. */
  null: 0x6e,
  /** An out-of-line value that the change did not touch: not sent, to be left alone. */
  unchanged: 0x75,
  /** The type's text form. */
  text: 0x74,
  /** The type's binary form (send/recv). */
  binary: 0x62,
} as const;

/** A table as the stream describes it: which columns the tuples of the changes that follow hold, in order. */
export interface StreamedTable {
  readonly id: number;
  readonly schema: string;
  readonly name: string;
  readonly columns: readonly StreamedColumn[];
  /** Whether old tuples hold the whole row rather than the key columns only. */
  readonly fullIdentity: boolean;
}

export interface StreamedColumn {
  readonly name: string;
  /** Part of the replica identity, which is what old tuples hold. */
  readonly partOfKey: boolean;
  /** The source's number of the type (PostgreSQL oid). */
  readonly typeId: number;
}

/**
 * What takes the stream, called synchronously in stream order. Buffers are lent for the call only: what is kept is copied.
 * `tuple`, `oldTuple` and `newTuple` are offsets of packed tuples in `data`; `end` is where the change ends there.
 */
export interface ChangeSink {
  table(table: StreamedTable): void;
  /** `transactionId` is the source's own number of the transaction (PostgreSQL xid), where it tells. */
  begin(commitPosition: Position, commitTimeMs: number, transactionId?: number): void;
  insert(tableId: number, data: Buffer, tuple: number, end: number): void;
  /** `oldTuple` is -1 when neither the key changed nor the identity is full. */
  update(tableId: number, data: Buffer, oldTuple: number, newTuple: number, end: number): void;
  delete(tableId: number, data: Buffer, oldTuple: number, end: number): void;
  truncate(tableIds: readonly number[], cascade: boolean, restartIdentity: boolean): void;
  /** `endPosition` is where the stream goes on after this transaction. */
  commit(commitPosition: Position, endPosition: Position, commitTimeMs: number): void;
  /** Nothing to stream up to here. */
  idle(position: Position): void;
  /** What has arrived so far is handed over; more may follow at once or never. */
  lull(): void;
  /** Resolves when the sink can take more; undefined when it can now. */
  full(): Promise<void> | undefined;
}
