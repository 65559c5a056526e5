import { type ChangeSink, type Position, type StreamedTable, TupleKind } from "../../../provider/engine/models/change.js";

type Values = (string | null)[];

interface Table {
  readonly streamed: StreamedTable;
  readonly key: readonly number[];
  /** By the text of the key, or of the whole row with a count where there is no key. */
  readonly rows: Map<string, { readonly values: Values; readonly count: number }>;
}

/** Thrown into the stream to end it where a test wants it to. */
export class Interrupted extends Error {}

/**
 * A target in memory, as strict as the applier: an insert of a row that is there, or a change of one that is not, is an error, so that nothing can be
 * applied twice or be lost unseen. What a transaction did counts from its commit on; a stream that breaks before leaves no trace.
 */
export class ModelSink implements ChangeSink {
  /** Everything before it is done. */
  position: Position = 0n;
  readonly commits: { readonly position: Position; readonly changes: number }[] = [];
  /** Ends the stream when it says so: asked at each commit, before and after it counts. */
  interrupt: (when: "before" | "after", commits: number) => boolean = () => false;
  /** Transactions that commit before this are in what the tables were loaded from. */
  loadPosition: Position = 0n;
  private readonly tables = new Map<number, Table>();
  private undo: (() => void)[] = [];
  private current: Position = -1n;
  private changes = 0;
  private waiting: { readonly position: Position; readonly resolve: () => void }[] = [];

  /** A new stream begins at `position`: what an earlier one had not committed is gone. */
  restart(): void {
    for (const undo of this.undo.reverse()) undo();
    this.undo = [];
    this.current = -1n;
  }

  rows(tableId: number): Values[] {
    return [...(this.tables.get(tableId)?.rows.values() ?? [])].flatMap(({ values, count }) =>
      Array.from({ length: count }, () => values),
    );
  }

  /** Resolves once everything before `position` is done. */
  reached(position: Position): Promise<void> {
    if (this.position >= position) return Promise.resolve();
    return new Promise((resolve) => this.waiting.push({ position, resolve }));
  }

  load(streamed: StreamedTable, rows: readonly Values[]): void {
    this.table(streamed);
    for (const values of rows) this.put(this.of(streamed.id), values, 1);
    this.undo = [];
  }

  table(streamed: StreamedTable): void {
    const known = this.tables.get(streamed.id);
    const key = streamed.columns.flatMap(({ partOfKey }, place) => (partOfKey && !streamed.fullIdentity ? [place] : []));
    this.tables.set(streamed.id, { streamed, key, rows: known?.rows ?? new Map() });
  }

  begin(commitPosition: Position): void {
    if (this.current >= 0n) throw new Error("a transaction begins within another");
    if (commitPosition < this.position) throw new Error(`a transaction at ${commitPosition} that was done at ${this.position}`);
    this.current = commitPosition;
    this.changes = 0;
  }

  insert(tableId: number, data: Buffer, tuple: number, end: number): void {
    if (this.skips()) return;
    const values = this.unpack(data, tuple, end);
    if (values.includes(undefined)) throw new Error("an insert that leaves a value out");
    this.put(this.of(tableId), values as Values, 1);
  }

  update(tableId: number, data: Buffer, oldTuple: number, newTuple: number, end: number): void {
    if (this.skips()) return;
    const table = this.of(tableId);
    const values = this.unpack(data, newTuple, end);
    const old = oldTuple < 0 ? values : this.unpack(data, oldTuple, newTuple);
    const before = this.take(table, old);
    this.put(
      table,
      values.map((value, place) => (value === undefined ? (before[place] ?? null) : value)),
      1,
    );
  }

  delete(tableId: number, data: Buffer, oldTuple: number, end: number): void {
    if (this.skips()) return;
    this.take(this.of(tableId), this.unpack(data, oldTuple, end));
  }

  truncate(tableIds: readonly number[]): void {
    if (this.skips()) return;
    for (const id of tableIds) {
      const { rows } = this.of(id);
      const before = [...rows];
      rows.clear();
      this.undo.push(() => {
        for (const [key, row] of before) rows.set(key, row);
      });
    }
  }

  commit(commitPosition: Position, endPosition: Position): void {
    if (commitPosition !== this.current) throw new Error("a commit of another transaction than the one that began");
    if (endPosition <= commitPosition) throw new Error("the stream goes on before the transaction that ended");
    if (this.interrupt("before", this.commits.length)) throw new Interrupted();
    this.undo = [];
    this.current = -1n;
    this.commits.push({ position: commitPosition, changes: this.changes });
    this.advance(endPosition);
    if (this.interrupt("after", this.commits.length)) throw new Interrupted();
  }

  idle(position: Position): void {
    this.advance(position);
  }

  lull(): void {}

  full(): undefined {
    return undefined;
  }

  private skips(): boolean {
    this.changes++;
    return this.current < this.loadPosition;
  }

  private advance(position: Position): void {
    if (position > this.position) this.position = position;
    for (const waiting of this.waiting) if (this.position >= waiting.position) waiting.resolve();
    this.waiting = this.waiting.filter(({ position: wanted }) => wanted > this.position);
  }

  private of(id: number): Table {
    const table = this.tables.get(id);
    if (!table) throw new Error(`table ${id} was never described`);
    return table;
  }

  private put(table: Table, values: Values, count: number): void {
    const key = name(table, values);
    const known = table.rows.get(key);
    if (known && table.key.length > 0) throw new Error(`a row that is there already: ${table.streamed.name} ${key}`);
    table.rows.set(key, { values, count: (known?.count ?? 0) + count });
    this.undo.push(() => (known ? table.rows.set(key, known) : table.rows.delete(key)));
  }

  private take(table: Table, values: (string | null | undefined)[]): Values {
    const key = name(table, values);
    const known = table.rows.get(key);
    if (!known) throw new Error(`a row that is not there: ${table.streamed.name} ${key}`);
    if (known.count > 1) table.rows.set(key, { values: known.values, count: known.count - 1 });
    else table.rows.delete(key);
    this.undo.push(() => table.rows.set(key, known));
    return known.values;
  }

  private unpack(data: Buffer, tuple: number, end: number): (string | null | undefined)[] {
    const values: (string | null | undefined)[] = [];
    let at = tuple + 2;
    for (let left = data.readInt16BE(tuple); left > 0; left--) {
      const kind = data[at++];
      if (kind === TupleKind.null) values.push(null);
      else if (kind === TupleKind.unchanged) values.push(undefined);
      else {
        const length = data.readInt32BE(at);
        values.push(data.toString("utf8", at + 4, at + 4 + length));
        at += 4 + length;
      }
    }
    if (at !== end) throw new Error("a tuple that does not end where it should");
    return values;
  }
}

function name({ key }: Table, values: readonly (string | null | undefined)[]): string {
  return JSON.stringify(key.length > 0 ? key.map((place) => values[place]) : values);
}
