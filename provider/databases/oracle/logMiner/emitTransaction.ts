import { setImmediate } from "node:timers/promises";
import { ErrorCode, GodwitError } from "../../../engine/errors.js";
import type { ChangeSink, Position } from "../../../engine/models/change.js";
import type { LiteralOptions } from "../redo/literals.js";
import { LobScanner, type LobStatement } from "../redo/lobStatement.js";
import { RedoProblem } from "../redo/redoProblem.js";
import type { RedoTable } from "../redo/redoTable.js";
import { RowScanner } from "../redo/rowScanner.js";
import { isTruncate, NO_ROW_ID, Operation } from "./contents.js";
import { LobValue } from "./lobValue.js";
import { type OpenTransaction, opensPieces, undone } from "./openTransaction.js";
import { redoError } from "./redoErrors.js";
import { Flag, type RedoRecord } from "./redoRecord.js";
import type { RedoTables } from "./redoTables.js";
import type { RowLookup } from "./rowLookup.js";
import { type PackedValue, pack, unpack } from "./tupleEdit.js";
import { untilAborted } from "./untilAborted.js";

/** A DDL statement of the source, handed over between the transactions before and after it. */
export interface DdlChange {
  readonly owner: string;
  /** Empty where LogMiner names no object. */
  readonly name: string;
  readonly sql: string;
  readonly scn: bigint;
  readonly position: Position;
  /** Where the stream goes on behind it: what a transaction on the target that carries it over ends with. */
  readonly endPosition: Position;
  readonly timeMs: number;
}

export interface CommittedTransaction {
  readonly transaction: OpenTransaction;
  readonly commitScn: bigint;
  readonly commitTimeMs: number;
  readonly position: Position;
  readonly endPosition: Position;
}

export interface EmitterOptions {
  readonly tables: RedoTables;
  readonly sink: ChangeSink;
  readonly literals: LiteralOptions;
  readonly lookup: RowLookup;
  readonly onDdl: (change: DdlChange) => Promise<void>;
  /** Something that a user should hear of. */
  readonly onWarning: (message: string) => void;
  /** Ends a wait for the sink. */
  readonly signal: AbortSignal;
}

/** Rows between two looks at whether the sink wants a pause, and between two turns of the event loop, on which the rest of the worker lives. */
const ROWS_BETWEEN_PAUSES = 512;
const ROWS_BETWEEN_TURNS = 4096;

/** The row that is being put together: a change, and the pieces of LOBs that came behind it. */
interface Row {
  readonly table: RedoTable;
  readonly record: RedoRecord;
  /** What names the row when there is no change but only pieces. */
  readonly named: ReadonlyMap<number, Buffer | null> | undefined;
  readonly lobs: Map<number, LobValue>;
  /** Places whose value has to be looked up. */
  readonly missing: Set<number>;
}

/** Hands committed transactions to the sink: scans their redo, puts LOBs together, leaves out what was rolled back. */
export class Emitter {
  private readonly rows: RowScanner;
  private readonly pieces: LobScanner;
  private row: Row | undefined;
  /** The LOB column that pieces without a name belong to. */
  private lobColumn: number | undefined;
  /** Tables with LOB pieces that came before their row, and do not say whose they are. */
  private readonly stray = new Set<number>();
  private readonly announced = new WeakSet<RedoTable>();
  private begun = false;
  private count = 0;

  constructor(private readonly options: EmitterOptions) {
    this.rows = new RowScanner(options.literals);
    this.pieces = new LobScanner(options.literals);
  }

  /** Bytes of value 0 left out, and strings with apostrophes that Oracle did not double. */
  get counts(): { readonly zeroBytes: number; readonly loneQuotes: number } {
    const [rows, pieces] = [this.rows.counts, this.pieces.counts];
    return { zeroBytes: rows.zeroBytes + pieces.zeroBytes, loneQuotes: rows.loneQuotes + pieces.loneQuotes };
  }

  /** Errors: GW1502, GW1724, GW1725, GW1726, and what the sink or a look-up throws. */
  async emit(committed: CommittedTransaction): Promise<void> {
    const { tables, sink } = this.options;
    const { transaction, position, endPosition, commitTimeMs } = committed;
    const { has: isUndone, unmatched } = undone(transaction);
    if (unmatched > 0) {
      this.options.onWarning(
        `transaction ${transaction.xid}, committed at SCN ${committed.commitScn}, undid ${unmatched} changes that were not found in its redo`,
      );
    }
    this.begun = false;
    this.stray.clear();
    this.row = undefined;
    let ordinal = 0;
    for (const record of transaction.log.records()) {
      if (isUndone(ordinal++)) continue;
      if (record.flags & Flag.begins) {
        const waiting = this.flush(committed);
        if (waiting) await waiting;
      }
      if (record.operation === Operation.ddl) {
        await this.ddl(record, committed);
        continue;
      }
      const table = tables.at(record.table);
      try {
        const waiting = this.take(table, record, committed);
        if (waiting) await waiting;
      } catch (cause) {
        throw redoError(cause, table, record.scn);
      }
      if (this.count++ % ROWS_BETWEEN_PAUSES === 0) {
        const room = this.pause();
        if (room) await room;
      }
    }
    const waiting = this.flush(committed);
    if (waiting) await waiting;
    if (this.begun) sink.commit(position, endPosition, commitTimeMs);
  }

  private take(table: RedoTable, record: RedoRecord, committed: CommittedTransaction): Promise<void> | undefined {
    switch (record.operation) {
      case Operation.insert:
      case Operation.update:
      case Operation.delete:
        if (record.flags & Flag.begins) {
          this.change(table, record);
          return undefined;
        }
        return this.flush(committed)?.then(() => this.change(table, record)) ?? this.change(table, record);
      case Operation.internal:
      case Operation.longStringEnd:
      case Operation.xmlEnd:
        return undefined;
      case Operation.unsupported:
        throw new GodwitError(ErrorCode.RedoUnsupported, "LogMiner cannot read a change of this table", {
          object: `${table.owner}.${table.name}`,
          position: `SCN ${record.scn}`,
          remedy:
            "leave the table or the column out of the task, or load it again after the change; V$LOGMNR_CONTENTS.INFO has the reason (object types, " +
            "nested tables and some compressed or encrypted storage can't be mined)",
        });
      default:
        return this.piece(table, record, committed);
    }
  }

  private change(table: RedoTable, record: RedoRecord): undefined {
    this.rows.scan(table, record.operation, record.data, record.from, record.to);
    if (this.rows.byPlace && record.scn < table.placesSince) {
      throw new RedoProblem("placesUnknown", "its columns are named by places that a change of structure has moved since");
    }
    this.lobColumn = undefined;
    const missing = new Set(this.rows.unknown);
    if (this.stray.has(record.table) && record.operation !== Operation.delete) for (const place of table.lobs) missing.add(place);
    this.row = { table, record, named: undefined, lobs: new Map(), missing };
    return undefined;
  }

  private piece(table: RedoTable, record: RedoRecord, committed: CommittedTransaction): Promise<void> | undefined {
    const statement = this.pieces.scan(table, record.data, record.from, record.to);
    if (statement.column !== undefined && table.indexOrganized && this.row && !this.isRow(table, this.row, statement)) {
      const waiting = this.flush(committed);
      if (waiting) return waiting.then(() => this.steps(table, record, statement));
    }
    this.steps(table, record, statement);
    return undefined;
  }

  /** Whether a locator means the row at hand, where no row id tells it. */
  private isRow(table: RedoTable, row: Row, { row: named }: LobStatement): boolean {
    const values = row.named ? undefined : unpack(this.rows.tuples, this.rows.newTuple);
    return table.columns.every(({ partOfKey }, place) => {
      const own = row.named?.get(place) ?? values?.[place];
      const other = named.get(place);
      return !partOfKey || (own && other ? own.equals(other) : own === other);
    });
  }

  private steps(table: RedoTable, record: RedoRecord, statement: LobStatement): void {
    if (statement.column !== undefined) this.open(table, record, statement, statement.column);
    if (statement.steps.length === 0) return;
    const { row } = this;
    if (!row) {
      this.stray.add(record.table);
      return;
    }
    const [only, ...others] = table.lobs;
    const place = this.lobColumn ?? (others.length === 0 ? only : undefined);
    if (place === undefined) {
      for (const lob of table.lobs) row.missing.add(lob);
      return;
    }
    const value = row.lobs.get(place) ?? new LobValue(table.columns[place]?.kind ?? "clob");
    row.lobs.set(place, value);
    for (const step of statement.steps) value.apply(step);
  }

  /**
   * A locator: the pieces that follow are of this column. A row's own id with it means a change in place, whose rest redo does not hold. An
   * index-organized table's rows have no ids, so that all of its LOBs are taken for such.
   */
  private open(table: RedoTable, record: RedoRecord, { row: named }: LobStatement, column: number): void {
    const before = this.row;
    const row = before ?? { table, record, named, lobs: new Map(), missing: new Set() };
    this.row = row;
    if (this.lobColumn !== column || !row.lobs.has(column))
      row.lobs.set(column, new LobValue(table.columns[column]?.kind ?? "clob"));
    this.lobColumn = column;
    const inPlace = opensPieces(record.operation) ? record.rowId !== NO_ROW_ID || table.indexOrganized : before === undefined;
    if (inPlace || table.columns[column]?.kind === "json") row.missing.add(column);
  }

  /** Hands the finished row over. A promise when something of it has to be looked up. */
  private flush(committed: CommittedTransaction): Promise<void> | undefined {
    const { row } = this;
    if (!row) return undefined;
    this.row = undefined;
    if (row.lobs.size > 0 || row.missing.size > 0 || row.named) return this.completed(row, committed);
    const { sink } = this.options;
    const { rows } = this;
    this.begin(committed);
    const { id } = row.table;
    if (row.record.operation === Operation.insert) sink.insert(id, rows.tuples, rows.newTuple, rows.end);
    else if (row.record.operation === Operation.delete) sink.delete(id, rows.tuples, rows.oldTuple, rows.end);
    else sink.update(id, rows.tuples, rows.oldTuple, rows.newTuple, rows.end);
    return undefined;
  }

  private async completed(row: Row, committed: CommittedTransaction): Promise<void> {
    const { table, record, named } = row;
    const { sink, lookup } = this.options;
    const { rows } = this;
    const isInsert = !named && record.operation === Operation.insert;
    const values: PackedValue[] = named
      ? table.columns.map((_, place) => named.get(place))
      : unpack(rows.tuples, rows.newTuple).map((value) => value && Buffer.from(value));
    const old = oldTuple(row, rows, values);
    for (const [place, value] of row.lobs) {
      if (!row.missing.has(place)) values[place] = value.toBytes((count) => this.zeros(count));
    }
    if (row.missing.size > 0) {
      const places = [...row.missing];
      const found = await lookup(table, places, { rowId: record.rowId, values }, committed.commitScn);
      for (const place of places) {
        const value = typeof found === "string" ? undefined : found.get(place);
        if (value === undefined && (isInsert || found === "columnGone")) this.lost(table, record, isInsert);
        // An insert can't leave a value out.
        values[place] = value === undefined && isInsert ? null : value;
      }
    }
    this.begin(committed);
    const tuple = pack(values);
    if (isInsert) sink.insert(table.id, tuple, 0, tuple.length);
    else if (old) {
      const both = Buffer.concat([old, tuple]);
      sink.update(table.id, both, 0, old.length, both.length);
    } else sink.update(table.id, tuple, -1, 0, tuple.length);
  }

  private async ddl(record: RedoRecord, committed: CommittedTransaction): Promise<void> {
    const [owner = "", name = "", sql = ""] = record.data.toString("utf8", record.from, record.to).split("\u0000");
    const table = record.table < 0 ? undefined : this.options.tables.at(record.table);
    if (table && isTruncate(sql)) {
      this.begin(committed);
      this.options.sink.truncate([table.id], false, false);
      return;
    }
    await this.options.onDdl({
      owner,
      name,
      sql,
      scn: record.scn,
      position: committed.position,
      endPosition: committed.endPosition,
      timeMs: committed.commitTimeMs,
    });
    this.announce();
  }

  /** Describes tables to the sink that it does not know in this structure. */
  announce(): void {
    for (const table of this.options.tables.all()) {
      if (this.announced.has(table)) continue;
      this.announced.add(table);
      this.options.sink.table(table.streamed());
    }
  }

  private begin({ position, commitTimeMs }: CommittedTransaction): void {
    if (this.begun) return;
    this.begun = true;
    this.options.sink.begin(position, commitTimeMs);
  }

  private pause(): Promise<void> | undefined {
    const { sink, signal } = this.options;
    const room = sink.full();
    if (!room) return this.count % ROWS_BETWEEN_TURNS === 1 ? setImmediate() : undefined;
    sink.lull();
    return untilAborted(room, signal);
  }

  private lost(table: RedoTable, record: RedoRecord, isInsert: boolean): void {
    const name = `${table.owner}.${table.name}`;
    const became = isInsert ? "it became NULL" : "the target keeps the one it had";
    this.options.onWarning(`a value of ${name} at SCN ${record.scn} is in neither redo nor table any more: ${became}`);
  }

  private zeros(count: number): void {
    if (this.options.literals.zeroBytes === "refuse") {
      throw new GodwitError(ErrorCode.RedoUnreadable, "a LOB holds bytes of value 0, which PostgreSQL cannot hold as text");
    }
    this.pieces.counts.zeroBytes += count;
  }
}

/** The old tuple of a row that is put together, undefined when it needs none. */
function oldTuple(row: Row, rows: RowScanner, values: readonly PackedValue[]): Buffer | undefined {
  if (row.named) return row.table.fullIdentity ? pack(values) : undefined;
  if (row.record.operation !== Operation.update || rows.oldTuple < 0) return undefined;
  return Buffer.from(rows.tuples.subarray(rows.oldTuple, rows.newTuple));
}
