import type { ChangeSink, Position, StreamedTable } from "../../../../engine/models/change.js";

/**
 * Keeps the stream back while a change of structure is being applied: what arrives meanwhile waits its turn, copied, for the buffers are
 * lent. That is at most what the socket gave at once, as the stream pauses while `full` is pending.
 */
export class HeldSink implements ChangeSink {
  /** Rejects with what a piece of held work failed with. */
  readonly failed: Promise<never>;
  private readonly waiting: (() => void)[] = [];
  private holding: Promise<void> | undefined;
  private over = false;
  private fail: (cause: unknown) => void = () => undefined;

  constructor(private readonly inner: ChangeSink) {
    this.failed = new Promise<never>((_, reject) => {
      this.fail = reject;
    });
    this.failed.catch(() => undefined);
  }

  /**
   * Starts `work` at once, or when its turn has come; whatever comes after it waits for its end. After a failure nothing is passed on any
   * more.
   */
  hold(work: () => Promise<void>): void {
    if (!this.direct) {
      this.pass(() => this.hold(work));
      return;
    }
    this.holding = work().then(
      () => {
        this.holding = undefined;
        while (!this.holding && !this.over) {
          const next = this.waiting.shift();
          if (!next) break;
          this.attempt(next);
        }
        if (!this.holding && !this.over) this.inner.lull();
      },
      (cause: unknown) => this.end(cause),
    );
  }

  table(streamed: StreamedTable): void {
    this.pass(() => this.inner.table(streamed));
  }

  begin(commitPosition: Position, commitTimeMs: number, transactionId?: number): void {
    this.pass(() => this.inner.begin(commitPosition, commitTimeMs, transactionId));
  }

  insert(tableId: number, data: Buffer, tuple: number, end: number): void {
    if (this.direct) this.inner.insert(tableId, data, tuple, end);
    else {
      const copy = Buffer.from(data.subarray(tuple, end));
      this.pass(() => this.inner.insert(tableId, copy, 0, copy.length));
    }
  }

  update(tableId: number, data: Buffer, oldTuple: number, newTuple: number, end: number): void {
    if (this.direct) this.inner.update(tableId, data, oldTuple, newTuple, end);
    else {
      const start = oldTuple < 0 ? newTuple : oldTuple;
      const copy = Buffer.from(data.subarray(start, end));
      this.pass(() => this.inner.update(tableId, copy, oldTuple < 0 ? -1 : 0, newTuple - start, copy.length));
    }
  }

  delete(tableId: number, data: Buffer, oldTuple: number, end: number): void {
    if (this.direct) this.inner.delete(tableId, data, oldTuple, end);
    else {
      const copy = Buffer.from(data.subarray(oldTuple, end));
      this.pass(() => this.inner.delete(tableId, copy, 0, copy.length));
    }
  }

  truncate(tableIds: readonly number[], cascade: boolean, restartIdentity: boolean): void {
    this.pass(() => this.inner.truncate(tableIds, cascade, restartIdentity));
  }

  commit(commitPosition: Position, endPosition: Position, commitTimeMs: number): void {
    this.pass(() => this.inner.commit(commitPosition, endPosition, commitTimeMs));
  }

  idle(position: Position): void {
    if (this.direct) this.inner.idle(position);
  }

  lull(): void {
    if (this.direct) this.inner.lull();
  }

  full(): Promise<void> | undefined {
    return this.over ? undefined : (this.holding ?? this.inner.full());
  }

  /** Resolves when nothing is held back any more. */
  async idled(): Promise<void> {
    while (this.holding && !this.over) await this.holding;
  }

  private get direct(): boolean {
    return this.holding === undefined && !this.over;
  }

  private pass(call: () => void): void {
    if (this.direct) call();
    else if (!this.over) this.waiting.push(call);
  }

  private attempt(call: () => void): void {
    try {
      call();
    } catch (cause) {
      this.end(cause);
    }
  }

  private end(cause: unknown): void {
    this.over = true;
    this.waiting.length = 0;
    this.fail(cause);
  }
}
