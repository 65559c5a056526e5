import type { BaseType } from "./columnTypes.js";
import type { RecordBytes } from "./recordBytes.js";

/** What a table is to a record: final names (renamed, capitalised), columns in the order of the stream's tuples. */
export interface FormatTable {
  readonly database: string;
  readonly schema: string;
  readonly name: string;
  /** One for each column of the tuples; undefined: the tuples hold it, the records do not. */
  readonly columns: readonly (FormatColumn | undefined)[];
  /** Column names in key order; empty without a primary key. */
  readonly primaryKey: readonly string[];
  readonly uniqueKeys: readonly { readonly name: string; readonly columns: readonly string[] }[];
  /** What old tuples hold: the whole row, or the columns of the replica identity with NULL for the others. */
  readonly oldTuples: "wholeRow" | "identity";
}

export interface FormatColumn {
  readonly name: string;
  /** PostgreSQL oid, as the stream gives it. */
  readonly typeId: number;
  /** The type with its modifiers, such as "numeric(10,2)". */
  readonly type: string;
  /** Part of the replica identity. */
  readonly partOfKey: boolean;
  /** What the type comes down to (`readBaseTypes`). Absent: `typeId` itself, which a type made by users needs more than. */
  readonly baseType?: BaseType;
}

/**
 * Where and when a record's change was made. One object may serve a whole transaction: the encoders read it at each call, and keep
 * the text of a position only as long as it stays the same.
 */
export interface SourceFacts {
  /** LSN of the transaction's commit; of a row of the full load, the snapshot's. */
  commitPosition: bigint;
  /** Milliseconds since 1970; of a row of the full load, when the snapshot was taken. */
  commitTimeMs: number;
  /** PostgreSQL xid, where known. */
  transactionId?: number;
  /** The change's place in its transaction, from 1. */
  sequence: number;
  /** Changes in the transaction, where known: a stream does not tell before its end. */
  transactionSize?: number;
  /** Grows by one with each record of the task, and is the same again when a record is written again after a restart. */
  recordId: number;
  /** When the record is written, milliseconds since 1970. */
  nowMs: number;
}

/**
 * Writes the records of one table; everything that depends only on the table was encoded when it was made. Each call appends one
 * record's value to `out`: it lies from the former `out.used` to the new one. `tuple` and `older` are offsets of packed tuples in `data`
 * (models/change.ts), `older` is -1 when the stream sent none. Errors: GW1502 when a tuple has another number of columns, GW1504 for
 * values in binary form; `out.used` is then as it was.
 */
export interface TableEncoder {
  /** `older` only fills unchanged values in: it is given when a row that moves to another partition is written as DELETE and INSERT. */
  insert(data: Buffer, tuple: number, older: number, facts: SourceFacts, out: RecordBytes): void;
  update(data: Buffer, older: number, tuple: number, facts: SourceFacts, out: RecordBytes): void;
  delete(data: Buffer, older: number, facts: SourceFacts, out: RecordBytes): void;
  /** A row of the full load. */
  load(data: Buffer, tuple: number, facts: SourceFacts, out: RecordBytes): void;
}

/** A statement that changes structure, or empties a table; `schema` and `table` are what it is about, where it is about one. */
export interface DdlStatement {
  readonly database: string;
  readonly schema?: string;
  readonly table?: string;
  readonly sql: string;
  readonly truncates?: boolean;
}

export interface RecordFormat {
  table(table: FormatTable): TableEncoder;
  ddl(statement: DdlStatement, facts: SourceFacts, out: RecordBytes): void;
}
