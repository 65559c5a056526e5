import { performance } from "node:perf_hooks";
import { NO_ROW_ID, Operation } from "./contents.js";
import { Flag } from "./redoRecord.js";
import type { SpillSpace } from "./spillSpace.js";
import { TransactionLog } from "./transactionLog.js";

/** A line of redo on its way into a transaction. */
export interface RedoLine {
  readonly operation: number;
  readonly table: number;
  readonly scn: bigint;
  readonly rowId: string;
  /** ROLLBACK = 1: it undoes an earlier change of this transaction. */
  readonly undo: boolean;
  readonly redo: string;
  /** TIMESTAMP, in the server's zone. */
  readonly time: string;
}

/** The statement at the log's end: what the next line may belong to, or undo. */
interface Statement {
  readonly table: number;
  readonly operation: number;
  /** Its row, once a line of it said so; a statement with LOBs says so at its end. */
  readonly rowId: string;
  /** Offset of its first record. */
  readonly start: number;
}

/**
 * A transaction that has not ended, as redo tells of it. Facts that shape this (seen by LogMiner-based tools on Oracle 19c to 26ai):
 * - A statement on a table with LOBs is several lines: the INSERT or UPDATE without a row id, the pieces of each value without one, then an
 *   UPDATE with the values that fit the row, or an INTERNAL line, with the row's id.
 * - A rollback to a savepoint (or of a failed statement) writes the inverse of each change with ROLLBACK = 1 and the row's id, newest first: one for
 *   a whole statement of several lines, a DELETE for an INSERT, an INSERT for a DELETE, an UPDATE for an UPDATE.
 */
export class OpenTransaction {
  readonly log: TransactionLog;
  /** Undo lines that were kept, because what they undo was not at the log's end: resolved when the transaction is read. */
  pendingUndos = 0;
  private last: Statement | undefined;
  /** An undo line stands at the log's end: known without reading it back from the file for each of a rollback's many. */
  private undoAtEnd = false;
  /** The state when a window began, to go back to when the window has to be read again. */
  private mark: { readonly window: number; readonly size: number; readonly pendingUndos: number } | undefined;

  constructor(
    readonly xid: string,
    /** SCN of its first change: where redo has to be read from as long as it is open. */
    readonly firstScn: bigint,
    /** TIMESTAMP of its first change, in the server's zone. */
    readonly firstTime: string,
    space: SpillSpace,
    /** When it was first read of, by `performance.now()`. */
    readonly readSinceMs = performance.now(),
  ) {
    this.log = new TransactionLog(space);
  }

  /** `window` counts the windows; the first line of each leaves a mark. */
  add(line: RedoLine, window: number): void {
    if (this.mark?.window !== window) this.mark = { window, size: this.log.size, pendingUndos: this.pendingUndos };
    if (line.undo) this.undo(line);
    else this.change(line);
  }

  /** Back to how it was before this window. False when it began in it. */
  revert(window: number): boolean {
    if (this.mark?.window !== window) return true;
    this.log.truncate(this.mark.size);
    this.pendingUndos = this.mark.pendingUndos;
    this.last = undefined;
    this.undoAtEnd = false;
    const begun = this.mark.size > 0;
    this.mark = undefined;
    return begun;
  }

  private change(line: RedoLine): void {
    const last = this.tail();
    const joins = last !== undefined && last.table === line.table && belongs(line, last);
    // An INTERNAL line only says where the statement before it ended.
    if (line.operation === Operation.internal && (!joins || line.rowId === NO_ROW_ID)) return;
    const flags = (joins ? 0 : Flag.begins) | (line.operation === Operation.internal ? Flag.ends : 0);
    const start = this.log.size;
    this.undoAtEnd = false;
    this.log.append({ ...line, flags }, line.operation === Operation.internal ? "" : line.redo);
    this.last = joins
      ? { ...last, rowId: last.rowId === NO_ROW_ID ? line.rowId : last.rowId }
      : { table: line.table, operation: line.operation, rowId: line.rowId, start };
  }

  private undo(line: RedoLine): void {
    const last = this.tail();
    // What came before this window stays, so that the window can be read again.
    if (last && undoes(line, last) && last.start >= (this.mark?.size ?? 0)) {
      this.log.truncate(last.start);
      this.last = undefined;
      return;
    }
    this.log.append({ ...line, flags: Flag.begins | Flag.undo }, "");
    this.pendingUndos++;
    this.last = undefined;
    this.undoAtEnd = true;
  }

  /** The statement at the log's end, undefined when an undo line is there. */
  private tail(): Statement | undefined {
    if (this.last || this.undoAtEnd) return this.last;
    let end = this.log.size;
    let rowId = NO_ROW_ID;
    for (;;) {
      const found = this.log.before(end);
      if (!found || found.record.flags & Flag.undo) return undefined;
      const { record, start } = found;
      if (rowId === NO_ROW_ID) rowId = record.rowId;
      if (record.flags & Flag.begins) {
        this.last = { table: record.table, operation: record.operation, rowId, start };
        return this.last;
      }
      end = start;
    }
  }
}

export interface Undone {
  /** Whether a record, by its ordinal, was undone by a rollback to a savepoint, or is an undo line itself. */
  readonly has: (ordinal: number) => boolean;
  /** Undo lines whose change is not there: it came before what was mined, or was not recognized. */
  readonly unmatched: number;
}

/** What the undo lines that were kept mean. */
export function undone(transaction: OpenTransaction): Undone {
  if (transaction.pendingUndos === 0) return { has: () => false, unmatched: 0 };
  let count = 0;
  for (const _ of transaction.log.records()) count++;
  // A bit each: a Set of the millions that a large rollback undoes takes 40 bytes each, and ends at 16 million.
  const dropped = new Uint8Array((count >> 3) + 1);
  const drop = (at: number) => {
    dropped[at >> 3] = (dropped[at >> 3] ?? 0) | (1 << (at & 7));
  };
  const waiting = new Map<string, number>();
  let ordinal = count;
  /** The records of the statement being read, newest first. */
  let statement: { ordinals: number[]; rowId: string } = { ordinals: [], rowId: NO_ROW_ID };
  for (const record of transaction.log.backwards()) {
    ordinal--;
    if (record.flags & Flag.undo) {
      drop(ordinal);
      const key = undoKey(record.table, record.operation, record.rowId);
      waiting.set(key, (waiting.get(key) ?? 0) + 1);
      continue;
    }
    statement.ordinals.push(ordinal);
    if (statement.rowId === NO_ROW_ID) statement.rowId = record.rowId;
    if (!(record.flags & Flag.begins)) continue;
    const key = undoKey(record.table, inverse(record.operation), statement.rowId);
    const left = waiting.get(key);
    if (left) {
      for (const one of statement.ordinals) drop(one);
      if (left === 1) waiting.delete(key);
      else waiting.set(key, left - 1);
    }
    statement = { ordinals: [], rowId: NO_ROW_ID };
  }
  const has = (at: number) => ((dropped[at >> 3] ?? 0) & (1 << (at & 7))) !== 0;
  return { has, unmatched: [...waiting.values()].reduce((total, left) => total + left, 0) };
}

/** Whether a line goes on with the statement before it. */
function belongs(line: RedoLine, last: Statement): boolean {
  if (isPiece(line.operation)) return line.rowId === NO_ROW_ID || last.rowId === NO_ROW_ID || line.rowId === last.rowId;
  const open = last.rowId === NO_ROW_ID && last.operation !== Operation.delete;
  if (opensPieces(line.operation)) return open && line.rowId === NO_ROW_ID;
  return open && line.rowId !== NO_ROW_ID && (line.operation === Operation.update || line.operation === Operation.internal);
}

function undoes(line: RedoLine, last: Statement): boolean {
  return (
    line.table === last.table &&
    line.operation === inverse(last.operation) &&
    (line.rowId === last.rowId || line.rowId === NO_ROW_ID || last.rowId === NO_ROW_ID)
  );
}

/** The operation of the undo line of a statement that began with this one. */
function inverse(operation: number): number {
  if (operation === Operation.insert) return Operation.delete;
  if (operation === Operation.delete) return Operation.insert;
  return Operation.update;
}

function undoKey(table: number, operation: number, rowId: string): string {
  return `${table}/${operation}/${rowId}`;
}

function isPiece(operation: number): boolean {
  switch (operation) {
    case Operation.lobWrite:
    case Operation.lobTrim:
    case Operation.lobErase:
    case Operation.longStringWrite:
    case Operation.longStringEnd:
    case Operation.xmlWrite:
    case Operation.xmlEnd:
      return true;
    default:
      return false;
  }
}

/** Names a LOB column whose pieces follow. */
export function opensPieces(operation: number): boolean {
  return operation === Operation.selectLobLocator || operation === Operation.longStringBegin || operation === Operation.xmlBegin;
}
