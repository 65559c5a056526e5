import type { ChangeSink, Position, StreamedTable } from "../../../engine/models/change.js";

/** Passes on whole transactions up to a position; from the first that commits at it or later on nothing passes any more. */
export class BoundedSink implements ChangeSink {
  /** Resolves at that first one. */
  readonly reached: Promise<void>;
  private over = false;
  private end: () => void = () => undefined;

  constructor(
    private readonly inner: ChangeSink,
    private readonly until: Position,
  ) {
    this.reached = new Promise((resolve) => {
      this.end = resolve;
    });
  }

  table(streamed: StreamedTable): void {
    if (!this.over) this.inner.table(streamed);
  }

  begin(commitPosition: Position, commitTimeMs: number, transactionId?: number): void {
    if (commitPosition >= this.until) {
      this.over = true;
      this.end();
    }
    if (!this.over) this.inner.begin(commitPosition, commitTimeMs, transactionId);
  }

  insert(tableId: number, data: Buffer, tuple: number, end: number): void {
    if (!this.over) this.inner.insert(tableId, data, tuple, end);
  }

  update(tableId: number, data: Buffer, oldTuple: number, newTuple: number, end: number): void {
    if (!this.over) this.inner.update(tableId, data, oldTuple, newTuple, end);
  }

  delete(tableId: number, data: Buffer, oldTuple: number, end: number): void {
    if (!this.over) this.inner.delete(tableId, data, oldTuple, end);
  }

  truncate(tableIds: readonly number[], cascade: boolean, restartIdentity: boolean): void {
    if (!this.over) this.inner.truncate(tableIds, cascade, restartIdentity);
  }

  commit(commitPosition: Position, endPosition: Position, commitTimeMs: number): void {
    if (!this.over) this.inner.commit(commitPosition, endPosition, commitTimeMs);
  }

  /** Past the end it would acknowledge what was not passed on. */
  idle(position: Position): void {
    if (!this.over) this.inner.idle(position);
  }

  lull(): void {
    this.inner.lull();
  }

  full(): Promise<void> | undefined {
    return this.over ? undefined : this.inner.full();
  }
}
