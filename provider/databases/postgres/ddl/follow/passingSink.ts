import type { ChangeSink, Position, StreamedTable } from "../../../../engine/models/change.js";

/** Passes everything on; a sink that takes some changes out or puts others in their place overrides those. */
export class PassingSink<Inner extends ChangeSink = ChangeSink> implements ChangeSink {
  constructor(protected readonly inner: Inner) {}

  table(streamed: StreamedTable): void {
    this.inner.table(streamed);
  }

  begin(commitPosition: Position, commitTimeMs: number, transactionId?: number): void {
    this.inner.begin(commitPosition, commitTimeMs, transactionId);
  }

  insert(tableId: number, data: Buffer, tuple: number, end: number): void {
    this.inner.insert(tableId, data, tuple, end);
  }

  update(tableId: number, data: Buffer, oldTuple: number, newTuple: number, end: number): void {
    this.inner.update(tableId, data, oldTuple, newTuple, end);
  }

  delete(tableId: number, data: Buffer, oldTuple: number, end: number): void {
    this.inner.delete(tableId, data, oldTuple, end);
  }

  truncate(tableIds: readonly number[], cascade: boolean, restartIdentity: boolean): void {
    this.inner.truncate(tableIds, cascade, restartIdentity);
  }

  commit(commitPosition: Position, endPosition: Position, commitTimeMs: number): void {
    this.inner.commit(commitPosition, endPosition, commitTimeMs);
  }

  idle(position: Position): void {
    this.inner.idle(position);
  }

  lull(): void {
    this.inner.lull();
  }

  full(): Promise<void> | undefined {
    return this.inner.full();
  }
}
