import type { Position } from "../../../engine/models/change.js";
import type { ApplyTable } from "./applyTable.js";
import type { TransactionEnd } from "./batchPath.js";
import { applyChange, type CarefulRules, type RowChange } from "./careful.js";
import { truncate } from "./statements.js";
import type { TargetConnection } from "./targetConnection.js";

type Step =
  | { readonly kind: "change"; readonly change: RowChange; readonly position: Position; readonly bytes: number }
  | { readonly kind: "truncate"; readonly tables: readonly ApplyTable[]; readonly restartIdentity: boolean }
  | { readonly kind: "work"; readonly work: () => Promise<void> }
  | { readonly kind: "commit"; readonly end: TransactionEnd; readonly sent: number };

export interface CarefulPathOptions {
  readonly connection: TargetConnection;
  readonly rules: CarefulRules;
  readonly checkpoint: (position: Position, commitTimeMs: number) => string;
  readonly onDurable: (end: TransactionEnd, sent: number) => void;
  readonly onSend: () => number;
  readonly onFailed: (cause: unknown) => void;
  /** Everything that was given is done. */
  readonly onEmpty: () => void;
}

const QUEUE_BYTES = 8 << 20;

/** One source transaction at a time, one change at a time, each awaited. Slow, and what the target says is about that change. */
export class CarefulPath {
  private readonly queue: Step[] = [];
  private bytes = 0;
  private running = false;
  private failed = false;
  private changes = 0;
  private open: Position = 0n;
  private room: { promise: Promise<void>; resolve: () => void } | undefined;

  constructor(private readonly options: CarefulPathOptions) {}

  get empty(): boolean {
    return this.queue.length === 0 && !this.running;
  }

  begin(commitPosition: Position): void {
    this.changes = 0;
    this.open = commitPosition;
  }

  changed(change: RowChange, bytes: number): void {
    this.changes++;
    this.push({ kind: "change", change, position: this.open, bytes }, bytes);
  }

  truncate(tables: readonly ApplyTable[], restartIdentity: boolean): void {
    this.changes++;
    this.push({ kind: "truncate", tables, restartIdentity }, 0);
  }

  /** Runs `work` inside the open transaction, in its turn. Its failure is the caller's to tell. */
  between(work: () => Promise<void>): Promise<void> {
    this.changes++;
    return new Promise((resolve, reject) => {
      this.push({ kind: "work", work: () => work().then(resolve, reject) }, 0);
    });
  }

  commit(end: TransactionEnd): void {
    if (this.changes > 0) this.push({ kind: "commit", end, sent: this.options.onSend() }, 0);
  }

  /** `settled`: only when all of it is done, for the batch path to take over. */
  full(settled: boolean): Promise<void> | undefined {
    if (this.failed || (settled ? this.empty : this.bytes < QUEUE_BYTES)) return undefined;
    if (!this.room) {
      let resolve: () => void = () => undefined;
      const promise = new Promise<void>((settle) => {
        resolve = settle;
      });
      this.room = { promise, resolve };
    }
    return this.room.promise;
  }

  stop(): void {
    this.failed = true;
    this.queue.length = 0;
    this.room?.resolve();
  }

  private push(step: Step, bytes: number): void {
    if (this.failed) return;
    this.queue.push(step);
    this.bytes += bytes;
    if (!this.running) void this.run();
  }

  private async run(): Promise<void> {
    this.running = true;
    try {
      let inTransaction = false;
      for (;;) {
        const steps = this.queue.splice(0);
        if (steps.length === 0 && !inTransaction) break;
        if (steps.length === 0) await new Promise((resolve) => setTimeout(resolve, 1)); // The rest of the transaction is on its way.
        for (const step of steps) {
          if (this.failed) return;
          if (!inTransaction) await this.options.connection.query("BEGIN", []);
          inTransaction = step.kind !== "commit";
          await this.take(step);
        }
        if (this.failed) return;
      }
    } catch (cause) {
      if (!this.failed) {
        this.stop();
        this.options.onFailed(cause);
      }
    } finally {
      this.running = false;
      this.room?.resolve();
      this.room = undefined;
      if (!this.failed) this.options.onEmpty();
    }
  }

  private async take(step: Step): Promise<void> {
    const { connection, rules, checkpoint, onDurable } = this.options;
    if (step.kind === "change") {
      await applyChange(connection, step.change, step.position, rules);
      this.bytes -= step.bytes;
      if (this.bytes < QUEUE_BYTES / 2) {
        this.room?.resolve();
        this.room = undefined;
      }
    } else if (step.kind === "work") await step.work();
    else if (step.kind === "truncate") await connection.query(truncate(step.tables, step.restartIdentity), []);
    else {
      await connection.query(`${checkpoint(step.end.endPosition, step.end.commitTimeMs)};\nCOMMIT`, []);
      onDurable(step.end, step.sent);
    }
  }
}
