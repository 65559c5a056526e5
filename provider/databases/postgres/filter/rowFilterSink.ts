import type { ChangeSink, Position, StreamedTable } from "../../../engine/models/change.js";
import type { PlannedTable } from "../../../engine/models/plan.js";
import { type DdlEvent, isDdlTable, readDdlEvent } from "../ddl/ddlEvent.js";
import { HeldSink } from "../ddl/follow/heldSink.js";
import { PassingSink } from "../ddl/follow/passingSink.js";
import { withPresentRules } from "../ddl/follow/replan.js";
import { hasRules } from "../etl/valueSql.js";
import { rewrittenTuple, valuesAt } from "./packedTuples.js";
import { type Answer, type RowJudge, RowQuestions } from "./rowJudge.js";
import { type RuledTable, ruledTable } from "./ruledTable.js";

/** What a change was and is to the table's rules. */
interface Verdict {
  readonly table: RuledTable;
  before: Answer;
  after: Answer;
}

export interface RowFilterOptions {
  readonly inner: ChangeSink;
  readonly tables: readonly PlannedTable[];
  readonly judge: Pick<RowJudge, "judge">;
}

/** Whether the source is asked about the table's rows: which of them move, and with what values. */
export function isRuled(table: PlannedTable): boolean {
  return table.streamed && hasRules(table);
}

/** Undefined where no table's rows are filtered or rewritten: then nothing stands in the stream's way. */
export function rowFilterSink(options: RowFilterOptions): RowFilterSink | undefined {
  return options.tables.some(isRuled) ? new RowFilterSink(options) : undefined;
}

/**
 * Passes on only what concerns rows that meet their table's condition, with the values that its expressions give. An update that takes a row out of them is
 * passed on as a delete, one that brings a row in as an insert of the whole row. Rows are judged and rewritten by the source, a piece of the stream
 * at a time; meanwhile the rest waits. What comes after knows nothing of it: to it, columns that are made are the source's.
 */
export class RowFilterSink implements ChangeSink {
  /** Tables with rules, their columns as they are called at this place of the stream. */
  private readonly plans = new Map<number, PlannedTable>();
  private readonly ruled = new Map<number, RuledTable>();
  /** Of the changes of such tables that wait, in their order. */
  private readonly verdicts: Verdict[] = [];
  private readonly held: HeldSink;
  private carrier: number | undefined;
  private open: { readonly questions: RowQuestions; readonly close: () => void } | undefined;

  constructor(private readonly options: RowFilterOptions) {
    for (const planned of options.tables) if (isRuled(planned)) this.plans.set(planned.id, planned);
    this.held = new HeldSink(new JudgedSink(options.inner, this.ruled, this.verdicts));
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
    const planned = this.plans.get(streamed.id);
    // What waits keeps the shape it came in.
    const ruled = planned && ruledTable(planned, streamed);
    if (ruled) this.ruled.set(streamed.id, ruled);
    this.held.table(ruled?.announced ?? streamed);
  }

  begin(commitPosition: Position, commitTimeMs: number, transactionId?: number): void {
    this.held.begin(commitPosition, commitTimeMs, transactionId);
  }

  insert(tableId: number, data: Buffer, tuple: number, end: number): void {
    if (tableId === this.carrier) this.restructured(readDdlEvent(data, tuple));
    const table = this.ruled.get(tableId);
    if (table) this.ask(table, { after: kept(valuesAt(data, tuple, placesOf(table))) });
    this.held.insert(tableId, data, tuple, end);
  }

  update(tableId: number, data: Buffer, oldTuple: number, newTuple: number, end: number): void {
    const table = this.ruled.get(tableId);
    if (table) {
      const places = placesOf(table);
      const before = kept(valuesAt(data, oldTuple, places));
      this.ask(table, { before, after: kept(valuesAt(data, newTuple, places, before)) });
    }
    this.held.update(tableId, data, oldTuple, newTuple, end);
  }

  delete(tableId: number, data: Buffer, oldTuple: number, end: number): void {
    const table = this.ruled.get(tableId);
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
    const known = this.plans.get(event.id);
    const before = event.before?.type === "table" ? event.before : undefined;
    if (known) this.plans.set(event.id, withPresentRules(known, before, event.after));
  }

  private ask(table: RuledTable, rows: { readonly before?: (Buffer | null)[]; readonly after?: (Buffer | null)[] }): void {
    const open = this.open ?? this.begun();
    this.open = open;
    const { questions } = open;
    const verdict: Verdict = { table, before: UNASKED, after: UNASKED };
    this.verdicts.push(verdict);
    const { before, after } = rows;
    if (before && after && before.every((value, index) => isSame(value, after[index] ?? null))) {
      // Whatever the change touched, the rules do not see it.
      questions.ask(table, after, (answer) => {
        verdict.before = answer;
        verdict.after = answer;
      });
      return;
    }
    if (before) questions.ask(table, before, (answer) => (verdict.before = answer));
    if (after) questions.ask(table, after, (answer) => (verdict.after = answer));
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

const UNASKED: Answer = { meets: false, values: [] };

function isSame(one: Buffer | null, other: Buffer | null): boolean {
  return one === null || other === null ? one === other : one.equals(other);
}

/** What comes after the questions: the changes again, with the answers beside them. */
class JudgedSink extends PassingSink<ChangeSink> {
  constructor(
    inner: ChangeSink,
    private readonly ruled: ReadonlyMap<number, unknown>,
    private readonly verdicts: Verdict[],
  ) {
    super(inner);
  }

  override insert(tableId: number, data: Buffer, tuple: number, end: number): void {
    const verdict = this.next(tableId);
    if (!verdict) this.inner.insert(tableId, data, tuple, end);
    else if (verdict.after.meets) this.inserted(tableId, rewritten(verdict.table, verdict.after, data, tuple, end, -1));
  }

  override update(tableId: number, data: Buffer, oldTuple: number, newTuple: number, end: number): void {
    const verdict = this.next(tableId);
    if (!verdict) {
      this.inner.update(tableId, data, oldTuple, newTuple, end);
      return;
    }
    const { table, before, after } = verdict;
    if (before.meets && after.meets) {
      if (table.values.length === 0) {
        this.inner.update(tableId, data, oldTuple, newTuple, end);
        return;
      }
      // The protocol has the new tuple's mark between the two.
      const older = rewritten(table, before, data, oldTuple, newTuple - 1, -1);
      const newer = rewritten(table, after, data, newTuple, end, -1);
      const both = Buffer.concat([older, data.subarray(newTuple - 1, newTuple), newer]);
      this.inner.update(tableId, both, 0, older.length + 1, both.length);
    } else if (before.meets) this.deleted(tableId, rewritten(table, before, data, oldTuple, newTuple - 1, -1));
    else if (after.meets) this.inserted(tableId, rewritten(table, after, data, newTuple, end, oldTuple));
  }

  override delete(tableId: number, data: Buffer, oldTuple: number, end: number): void {
    const verdict = this.next(tableId);
    if (!verdict) this.inner.delete(tableId, data, oldTuple, end);
    else if (verdict.before.meets) this.deleted(tableId, rewritten(verdict.table, verdict.before, data, oldTuple, end, -1));
  }

  private inserted(tableId: number, row: Buffer): void {
    this.inner.insert(tableId, row, 0, row.length);
  }

  private deleted(tableId: number, row: Buffer): void {
    this.inner.delete(tableId, row, 0, row.length);
  }

  /** Undefined: the table has no rules. */
  private next(tableId: number): Verdict | undefined {
    if (!this.ruled.has(tableId)) return undefined;
    const verdict = this.verdicts.shift();
    if (!verdict) throw new Error("a change of a filtered table was not judged");
    return verdict;
  }
}

/** The row as it moves; `older` other than -1: with what the change left out, from the row before. */
function rewritten(table: RuledTable, answer: Answer, data: Buffer, tuple: number, end: number, older: number): Buffer {
  if (table.values.length === 0 && older < 0) return data.subarray(tuple, end);
  const count = data.readInt16BE(tuple);
  const replaced = new Map<number, Buffer | null>();
  const added: (Buffer | null)[] = [];
  for (const [index, { place }] of table.values.entries()) {
    const value = answer.values[index] ?? null;
    if (place < count) replaced.set(place, value);
    else added.push(value);
  }
  return rewrittenTuple(data, tuple, replaced, added, older);
}

function placesOf({ columns }: RuledTable): number[] {
  return columns.map(({ place }) => place);
}

/** The buffers of a change are lent. */
function kept(values: readonly (Buffer | null)[]): (Buffer | null)[] {
  return values.map((value) => value && Buffer.from(value));
}
