import { NO_ROW_ID, Operation } from "../../../provider/databases/oracle/logMiner/contents.js";
import { isLob } from "../../../provider/databases/oracle/redo/redoTable.js";
import { type EmulatedTable, type LiveRow, loggedColumns, type OracleEmulator } from "./emulator.js";
import { ENCODED } from "./internalBytes.js";
import {
  byPlace,
  deleteRedo,
  insertRedo,
  lobTrimRedo,
  lobWriteRedo,
  locatorRedo,
  type TextColumn,
  type TextRow,
  updateRedo,
} from "./redoText.js";

/** LOBs up to so many characters are kept in the row: their value comes in an update behind the insert. */
const INLINE_CHARACTERS = 1000;
/** One LOB_WRITE holds so many characters. */
const PIECE_CHARACTERS = 1500;

/** Writes redo with the columns shown by name or by place. */
type Redo = (shown: (columns: readonly TextColumn[]) => readonly TextColumn[]) => string;

interface Change {
  readonly operation: number;
  readonly table: EmulatedTable;
  readonly rowId: string;
  readonly before: LiveRow | undefined;
  readonly after: LiveRow | undefined;
}

/** A transaction of the script. Rows it has changed are locked until it ends; other transactions must leave them alone. */
export class EmulatedTransaction {
  private readonly changes: Change[] = [];
  /** Each changed row as it was before this transaction. */
  private readonly first = new Map<string, LiveRow | undefined>();
  private ended = false;

  constructor(
    private readonly emulator: OracleEmulator,
    readonly xid: string,
    readonly thread: number,
  ) {}

  before(): ReadonlyMap<string, LiveRow | undefined> {
    return this.first;
  }

  /** Values in PostgreSQL's text forms; columns left out are NULL. Returns the row's id. */
  insert(table: EmulatedTable, values: TextRow): string {
    const rowId = this.emulator.newRowId();
    const after = { table, values: normal(table, values) };
    const lobs = this.lobsOf(
      table,
      after.values,
      table.columns.map(({ name }) => name),
    );
    if (lobs.length === 0) {
      this.write(Operation.insert, table, rowId, (shown) =>
        insertRedo(table.owner, table.name, shown(table.columns), after.values),
      );
    } else {
      const bare = { ...after.values, ...Object.fromEntries(lobs.map(({ name, kind }) => [name, kind === "blob" ? "\\x" : ""])) };
      this.write(Operation.insert, table, NO_ROW_ID, (shown) => insertRedo(table.owner, table.name, shown(table.columns), bare));
      this.writeLobs(table, rowId, after.values, lobs);
    }
    this.apply({ operation: Operation.insert, table, rowId, before: undefined, after });
    return rowId;
  }

  update(rowId: string, changed: TextRow): void {
    const before = this.row(rowId);
    const { table } = before;
    const after = { table, values: normal(table, { ...before.values, ...changed }) };
    const names = Object.keys(changed);
    const lobs = this.lobsOf(table, after.values, names);
    const plain = table.columns.filter(({ name }) => names.includes(name) && !lobs.some((lob) => lob.name === name));
    if (plain.length > 0) {
      const redo: Redo = (shown) =>
        updateRedo(table.owner, table.name, shown(plain), after.values, shown(loggedColumns(table)), before.values);
      // With a LOB's value behind it, the statement's row is named at its end only.
      this.write(Operation.update, table, lobs.length > 0 ? NO_ROW_ID : rowId, redo);
    }
    if (lobs.length > 0) this.writeLobs(table, rowId, after.values, lobs);
    this.apply({ operation: Operation.update, table, rowId, before, after });
  }

  delete(rowId: string): void {
    const before = this.row(rowId);
    const { table } = before;
    this.write(Operation.delete, table, rowId, (shown) =>
      deleteRedo(table.owner, table.name, shown(loggedColumns(table)), before.values),
    );
    this.apply({ operation: Operation.delete, table, rowId, before, after: undefined });
  }

  /** DBMS_LOB.WRITE: changes a CLOB in place. Redo has the piece only. `offset` from 0, in characters. */
  writeLob(rowId: string, column: string, offset: number, piece: string): void {
    const before = this.row(rowId);
    const lob = this.lob(before.table, column);
    const { table } = before;
    const old = before.values[column] ?? "";
    const value = old.slice(0, offset).padEnd(offset) + piece + old.slice(offset + piece.length);
    this.write(Operation.selectLobLocator, table, rowId, () =>
      locatorRedo(table.owner, table.name, lob, loggedColumns(table), before.values),
    );
    this.write(Operation.lobWrite, table, rowId, () => lobWriteRedo(lob, piece, offset + 1));
    this.apply({
      operation: Operation.update,
      table,
      rowId,
      before,
      after: { table, values: { ...before.values, [column]: value } },
    });
  }

  /** DBMS_LOB.TRIM. */
  trimLob(rowId: string, column: string, length: number): void {
    const before = this.row(rowId);
    const lob = this.lob(before.table, column);
    const { table } = before;
    this.write(Operation.selectLobLocator, table, rowId, () =>
      locatorRedo(table.owner, table.name, lob, loggedColumns(table), before.values),
    );
    this.write(Operation.lobTrim, table, rowId, () => lobTrimRedo(lob, length));
    const value = (before.values[column] ?? "").slice(0, length);
    this.apply({
      operation: Operation.update,
      table,
      rowId,
      before,
      after: { table, values: { ...before.values, [column]: value } },
    });
  }

  /** A line that LogMiner marks as unsupported. */
  unsupported(rowId: string): void {
    this.write(Operation.unsupported, this.row(rowId).table, rowId, () => "Unsupported");
  }

  savepoint(): number {
    return this.changes.length;
  }

  /** Undoes the changes since, newest first; each writes its inverse with ROLLBACK = 1. */
  rollbackTo(savepoint: number): void {
    while (this.changes.length > savepoint) {
      const change = this.changes.pop();
      if (change) this.undo(change);
    }
  }

  /** At an SCN of its own, or at one that it shares (`OracleEmulator.commitTogether`). Returns the SCN. */
  commit(scn?: bigint): bigint {
    this.end();
    const at = this.emulator.line(this.xid, this.thread, { operation: Operation.commit, ...(scn === undefined ? {} : { scn }) });
    this.emulator.ended(this, at);
    return at;
  }

  rollback(): void {
    this.rollbackTo(0);
    this.end();
    this.emulator.line(this.xid, this.thread, { operation: Operation.rollback });
    this.emulator.ended(this, undefined);
  }

  /** Of a row that this transaction may change. */
  values(rowId: string): TextRow {
    return this.row(rowId).values;
  }

  /** Rows of a table that this transaction may change. */
  free(table: EmulatedTable): string[] {
    return [...this.emulator.rows].flatMap(([rowId, row]) =>
      row.table.id === table.id && !this.emulator.isLocked(rowId, this) ? [rowId] : [],
    );
  }

  private undo({ operation, table, rowId, before, after }: Change): void {
    // Undo lines name the row by its id and nothing else.
    const [inverse, redo] =
      operation === Operation.insert
        ? [Operation.delete, deleteRedo(table.owner, table.name, [], {})]
        : operation === Operation.delete
          ? [Operation.insert, insertRedo(table.owner, table.name, table.columns, before?.values ?? {})]
          : [Operation.update, updateRedo(table.owner, table.name, table.columns, before?.values ?? {}, [], after?.values ?? {})];
    this.emulator.line(this.xid, this.thread, { operation: inverse, table, rowId, undo: true, redo });
    if (before) this.emulator.rows.set(rowId, before);
    else this.emulator.rows.delete(rowId);
  }

  /** Pieces of the values that do not fit the row, then the line that says which row it was. */
  private writeLobs(table: EmulatedTable, rowId: string, values: TextRow, lobs: readonly TextColumn[]): void {
    const where = loggedColumns(table);
    const inline = lobs.filter(({ name }) => (values[name] ?? "").length <= INLINE_CHARACTERS);
    for (const lob of lobs) {
      if (inline.includes(lob)) continue;
      const whole = (values[lob.name] ?? "").slice(lob.kind === "blob" ? 2 : 0);
      const step = lob.kind === "blob" ? PIECE_CHARACTERS * 2 : PIECE_CHARACTERS;
      this.write(Operation.selectLobLocator, table, NO_ROW_ID, () => locatorRedo(table.owner, table.name, lob, where, values));
      for (let at = 0; at < whole.length; at += step) {
        const offset = (lob.kind === "blob" ? at / 2 : at) + 1;
        this.write(Operation.lobWrite, table, NO_ROW_ID, () => lobWriteRedo(lob, whole.slice(at, at + step), offset));
      }
    }
    if (inline.length > 0)
      this.write(Operation.update, table, rowId, (shown) =>
        updateRedo(table.owner, table.name, shown(inline), values, shown(where), values),
      );
    else this.write(Operation.internal, table, rowId, undefined);
  }

  private write(operation: number, table: EmulatedTable, rowId: string, redo: Redo | undefined): void {
    if (this.ended) throw new Error("the transaction has ended");
    this.emulator.changed(this);
    const plain = table.columns.every(({ kind }) => ENCODED.has(kind));
    this.emulator.line(this.xid, this.thread, {
      operation,
      table,
      rowId,
      ...(redo === undefined ? {} : { redo: redo((columns) => columns) }),
      ...(redo === undefined || !plain
        ? {}
        : { byPlace: redo((columns) => columns.map((column) => byPlace(column, table.columns))) }),
    });
  }

  private apply(change: Change): void {
    const { rowId, before, after } = change;
    this.emulator.lock(rowId, this);
    if (!this.first.has(rowId)) this.first.set(rowId, before);
    this.changes.push(change);
    if (after) this.emulator.rows.set(rowId, after);
    else this.emulator.rows.delete(rowId);
  }

  private row(rowId: string): LiveRow {
    const row = this.emulator.rows.get(rowId);
    if (!row) throw new Error(`there is no row ${rowId}`);
    if (this.emulator.isLocked(rowId, this)) throw new Error(`row ${rowId} is locked by another transaction`);
    return row;
  }

  private lob(table: EmulatedTable, name: string): TextColumn {
    const column = table.columns.find((candidate) => candidate.name === name);
    if (!column) throw new Error(`table ${table.name} has no column ${name}`);
    return column;
  }

  private lobsOf(table: EmulatedTable, values: TextRow, names: readonly string[]): TextColumn[] {
    return table.columns.filter(
      ({ name, kind }) => isLob(kind) && names.includes(name) && values[name] != null && !isEmpty(values[name]),
    );
  }

  private end(): void {
    if (this.ended) throw new Error("the transaction has ended");
    this.ended = true;
  }
}

/** Every column, with NULL for what is left out and for empty strings. */
function normal(table: EmulatedTable, values: TextRow): TextRow {
  return Object.fromEntries(
    table.columns.map(({ name, kind }) => {
      const value = values[name] ?? null;
      return [name, value === "" && kind !== "clob" ? null : value];
    }),
  );
}

function isEmpty(value: string | null | undefined): boolean {
  return value === "" || value === "\\x";
}
