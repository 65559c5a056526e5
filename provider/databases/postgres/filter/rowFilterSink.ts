import { ErrorCode, GodwitError } from "../../../engine/errors.js";
import type { ChangeSink, Position, StreamedTable } from "../../../engine/models/change.js";
import type { PlannedTable, RowFilter } from "../../../engine/models/plan.js";
import { displayName } from "../../../engine/selection.js";
import { type DdlEvent, isDdlTable, readDdlEvent } from "../ddl/ddlEvent.js";
import { HeldSink } from "../ddl/follow/heldSink.js";
import { PassingSink } from "../ddl/follow/passingSink.js";
import { withPresentNames } from "../ddl/follow/replan.js";
import { qualified } from "../sql.js";
import { filledTuple, leavesOut, valuesAt } from "./packedTuples.js";
import { type FilteredTable, type RowJudge, RowQuestions } from "./rowJudge.js";

/** What a change was and is to the condition; unasked: false. */
interface Verdict {
  before: boolean;
  after: boolean;
}

export interface RowFilterOptions {
  readonly inner: ChangeSink;
  readonly tables: readonly PlannedTable[];
  readonly judge: Pick<RowJudge, "judge">;
}

/** Undefined where no table's rows are filtered: then nothing stands in the stream's way. */
export function rowFilterSink(options: RowFilterOptions): RowFilterSink | undefined {
  return options.tables.some(({ filter, streamed }) => filter && streamed) ? new RowFilterSink(options) : undefined;
}

/**
 * Passes on only what concerns rows that meet their table's condition. An update that takes a row out of them is passed on as a delete, one that brings
 * a row in as an insert of the whole row. Rows are judged by the source, a piece of the stream at a time; meanwhile the rest waits.
 */
export class RowFilterSink implements ChangeSink {
  /** Of each table whose rows are filtered, as its columns are called at this place of the stream. */
  private readonly filters = new Map<number, { readonly planned: PlannedTable; filter: RowFilter }>();
  private readonly filtered = new Map<number, FilteredTable>();
  /** Of the changes of filtered tables that wait, in their order. */
  private readonly verdicts: Verdict[] = [];
  private readonly held: HeldSink;
  private carrier: number | undefined;
  private open: { readonly questions: RowQuestions; readonly close: () => void } | undefined;

  constructor(private readonly options: RowFilterOptions) {
    for (const planned of options.tables) if (planned.filter) this.filters.set(planned.id, { planned, filter: planned.filter });
    this.held = new HeldSink(new JudgedSink(options.inner, this.filtered, this.verdicts));
  }

  /** Rejects with GW1507 or the failure of the connection that is asked. */
  get failed(): Promise<never> {
    return this.held.failed;
  }

  /** Resolves when nothing waits for an answer. */
  idled(): Promise<void> {
    return this.held.idled();
  }

  table(streamed: StreamedTable): void {
    if (isDdlTable(streamed)) this.carrier = streamed.id;
    const known = this.filters.get(streamed.id);
    // What waits keeps the shape it came in.
    if (known) this.filtered.set(streamed.id, filteredTable(known.planned, known.filter, streamed));
    this.held.table(streamed);
  }

  begin(commitPosition: Position, commitTimeMs: number, transactionId?: number): void {
    this.held.begin(commitPosition, commitTimeMs, transactionId);
  }

  insert(tableId: number, data: Buffer, tuple: number, end: number): void {
    if (tableId === this.carrier) this.restructured(readDdlEvent(data, tuple));
    const table = this.filtered.get(tableId);
    if (table) this.ask(table, { after: kept(valuesAt(data, tuple, placesOf(table))) });
    this.held.insert(tableId, data, tuple, end);
  }

  update(tableId: number, data: Buffer, oldTuple: number, newTuple: number, end: number): void {
    const table = this.filtered.get(tableId);
    if (table) {
      const places = placesOf(table);
      const before = kept(valuesAt(data, oldTuple, places));
      this.ask(table, { before, after: kept(valuesAt(data, newTuple, places, before)) });
    }
    this.held.update(tableId, data, oldTuple, newTuple, end);
  }

  delete(tableId: number, data: Buffer, oldTuple: number, end: number): void {
    const table = this.filtered.get(tableId);
    if (table) this.ask(table, { before: kept(valuesAt(data, oldTuple, placesOf(table))) });
    this.held.delete(tableId, data, oldTuple, end);
  }

  truncate(tableIds: readonly number[], cascade: boolean, restartIdentity: boolean): void {
    this.held.truncate(tableIds, cascade, restartIdentity);
  }

  commit(commitPosition: Position, endPosition: Position, commitTimeMs: number): void {
    this.held.commit(commitPosition, endPosition, commitTimeMs);
  }

  idle(position: Position): void {
    this.held.idle(position);
  }

  /** The piece of the stream is at its end: what it asks is asked. */
  lull(): void {
    const { open } = this;
    this.open = undefined;
    if (open) open.close();
    else this.held.lull();
  }

  full(): Promise<void> | undefined {
    return this.held.full();
  }

  /** Columns that were renamed are found under their new names. */
  private restructured(event: DdlEvent): void {
    if (event.kind !== "change" || event.after?.type !== "table") return;
    const known = this.filters.get(event.id);
    const before = event.before?.type === "table" ? event.before : undefined;
    if (known) known.filter = withPresentNames(known.filter, before, event.after);
  }

  private ask(table: FilteredTable, rows: { readonly before?: (Buffer | null)[]; readonly after?: (Buffer | null)[] }): void {
    const open = this.open ?? this.begun();
    this.open = open;
    const { questions } = open;
    const verdict: Verdict = { before: false, after: false };
    this.verdicts.push(verdict);
    if (rows.before) questions.ask(table, rows.before, (meets) => (verdict.before = meets));
    if (rows.after) questions.ask(table, rows.after, (meets) => (verdict.after = meets));
  }

  /** From here on the stream waits, until the questions that come now are answered. */
  private begun(): NonNullable<RowFilterSink["open"]> {
    const questions = new RowQuestions();
    let close: () => void = () => undefined;
    const closed = new Promise<void>((resolve) => {
      close = resolve;
    });
    this.held.hold(() => closed.then(() => this.options.judge.judge(questions)));
    return { questions, close };
  }
}

/** What comes after the questions: the changes again, with the answers beside them. */
class JudgedSink extends PassingSink {
  constructor(
    inner: ChangeSink,
    private readonly filtered: ReadonlyMap<number, unknown>,
    private readonly verdicts: Verdict[],
  ) {
    super(inner);
  }

  override insert(tableId: number, data: Buffer, tuple: number, end: number): void {
    if (!this.filtered.has(tableId) || this.next().after) this.inner.insert(tableId, data, tuple, end);
  }

  override update(tableId: number, data: Buffer, oldTuple: number, newTuple: number, end: number): void {
    const { before, after } = this.filtered.has(tableId) ? this.next() : { before: true, after: true };
    if (before && after) this.inner.update(tableId, data, oldTuple, newTuple, end);
    else if (before) this.inner.delete(tableId, data, oldTuple, newTuple - 1);
    else if (after) {
      const row = leavesOut(data, newTuple) ? filledTuple(data, oldTuple, newTuple) : data.subarray(newTuple, end);
      this.inner.insert(tableId, row, 0, row.length);
    }
  }

  override delete(tableId: number, data: Buffer, oldTuple: number, end: number): void {
    if (!this.filtered.has(tableId) || this.next().before) this.inner.delete(tableId, data, oldTuple, end);
  }

  private next(): Verdict {
    const verdict = this.verdicts.shift();
    if (!verdict) throw new Error("a change of a filtered table was not judged");
    return verdict;
  }
}

function filteredTable(planned: PlannedTable, filter: RowFilter, streamed: StreamedTable): FilteredTable {
  const object = displayName(streamed);
  if (!streamed.fullIdentity) {
    throw new GodwitError(
      ErrorCode.RowFilterFailed,
      "changes of a table whose rows are filtered do not carry the whole old row any more",
      {
        object,
        remedy: `ALTER TABLE ${qualified(streamed)} REPLICA IDENTITY FULL, then exclude the table, run pulumi up, and take it in again: it is copied anew`,
      },
    );
  }
  const columns = filter.columns.map(({ name, source }) => {
    const place = streamed.columns.findIndex((column) => column.name === source);
    const column = streamed.columns[place];
    if (column) return { place, name, typeId: column.typeId };
    throw new GodwitError(
      ErrorCode.StructureChanged,
      `the condition for the table's rows names column "${source}", which is gone`,
      {
        object,
        remedy: "write `where` with the columns that there are, and run pulumi up",
      },
    );
  });
  return { planned, filter, columns: columns.sort((one, other) => one.place - other.place) };
}

function placesOf({ columns }: FilteredTable): number[] {
  return columns.map(({ place }) => place);
}

/** The buffers of a change are lent. */
function kept(values: readonly (Buffer | null)[]): (Buffer | null)[] {
  return values.map((value) => value && Buffer.from(value));
}
