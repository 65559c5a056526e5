import { setTimeout as pause } from "node:timers/promises";
import type { Position } from "../../../engine/models/change.js";
import type { Throttle } from "../../../engine/throttle.js";
import type { ApplyTable } from "./applyTable.js";
import { addBatch, type BatchRules, type Message } from "./batchStatements.js";
import type { KeyedBatch } from "./keyedBatch.js";
import { Stages } from "./stages.js";
import { truncate } from "./statements.js";
import type { TargetConnection } from "./targetConnection.js";
import type { WholeRowBatch } from "./wholeRowBatch.js";

export interface BatchedTable {
  readonly serial: number;
  readonly table: ApplyTable;
  readonly batch: KeyedBatch | WholeRowBatch;
}

export interface BatchLimits {
  /** A batch this large is sent as soon as its last transaction is whole and one of the two places in flight is free. */
  readonly batchRows: number;
  readonly batchBytes: number;
  /** A transaction larger than this is sent in parts, under BEGIN and COMMIT. What is held in memory is a small multiple of it. */
  readonly partBytes: number;
}

/**
 * 20,000 changes take a target some 0.06 s: long against a commit, short against anyone's patience. Of 600,000 changes the backend's CPU was 2.1 s in
 * batches of 5,000, and 1.5 s in batches of 20,000 as of 60,000.
 */
export const DEFAULT_LIMITS: BatchLimits = { batchRows: 20_000, batchBytes: 8 << 20, partBytes: 32 << 20 };

/** A transaction's end, as the batch that holds it reports it. */
export interface TransactionEnd {
  readonly commitPosition: Position;
  readonly endPosition: Position;
  readonly commitTimeMs: number;
}

export interface BatchPathOptions {
  readonly connection: TargetConnection;
  readonly rules: BatchRules;
  readonly limits: BatchLimits;
  readonly throttle: Throttle;
  readonly checkpoint: (position: Position, commitTimeMs: number) => string;
  /** `sent` is what `onSend` gave when the batch left. */
  readonly onDurable: (end: TransactionEnd, sent: number) => void;
  readonly onSend: () => number;
  readonly onFailed: (cause: unknown, commitPosition: Position) => void;
  /** Whether the connection is this path's to use. */
  readonly ready: () => boolean;
}

/** How long a small batch waits for more before it is sent: catching up, it saves a round trip for a handful of rows. */
const LINGER_MS = 2;
const IN_FLIGHT = 2;

/**
 * Collects whole source transactions into batches and sends them, two ahead at the most.
 *
 * A batch is one simple query, hence one transaction, that ends with the checkpoint; a source transaction above `partBytes` is
 * several queries between BEGIN and COMMIT. A query sent ahead is run by the server even when the one before has failed. Therefore each transaction
 * begins with a guard: a session setting, transactional as settings are, holds the number of the last committed one, and any other than the
 * predecessor's number is an error.
 */
export class BatchPath {
  private message: Message = { statements: [], copies: [] };
  private readonly dirty = new Set<BatchedTable>();
  private readonly stages = new Stages();
  private rows = 0;
  private bytes = 0;
  private open: Position | undefined;
  private end: TransactionEnd | undefined;
  private spanning = false;
  private number = 0;
  private inFlight = 0;
  private failed = false;
  private held: Promise<void> | undefined;
  private linger: NodeJS.Timeout | undefined;
  private wake: (() => void) | undefined;
  private woken: Promise<void> | undefined;

  constructor(private readonly options: BatchPathOptions) {}

  /** Nothing is waiting or under way. */
  get empty(): boolean {
    return this.rows === 0 && !this.spanning && this.inFlight === 0;
  }

  begin(commitPosition: Position): void {
    this.open = commitPosition;
  }

  /** After each change. */
  changed(table: BatchedTable, bytes: number): void {
    this.dirty.add(table);
    this.rows++;
    this.bytes += bytes;
    if (this.bytes > this.options.limits.partBytes && this.options.ready()) this.send(undefined);
  }

  truncate(tables: readonly ApplyTable[], restartIdentity: boolean): void {
    this.closeSegment();
    this.message.statements.push(truncate(tables, restartIdentity));
    this.rows++;
  }

  commit(end: TransactionEnd): void {
    this.open = undefined;
    if (this.rows === 0 && !this.spanning) return;
    this.end = end;
    if (this.spanning || (this.isLarge() && this.mayFly())) this.send(end);
  }

  /**
   * Runs `work` inside the open transaction on the target, after everything that was collected. Whoever feeds this path feeds nothing until it is
   * done.
   */
  async between(work: () => Promise<void>): Promise<void> {
    while (!this.failed && (this.inFlight > 0 || !this.options.ready())) await pause(1);
    this.send(undefined);
    while (!this.failed && this.inFlight > 0) await pause(1);
    if (this.failed) throw new Error("what came before was rejected");
    await work();
  }

  /** Sends what is whole when the target has nothing to do. */
  lull(): void {
    if (this.inFlight > 0 || !this.end || this.open !== undefined || !this.mayFly()) return;
    if (this.rows >= this.options.limits.batchRows / 10) this.send(this.end);
    else this.linger ??= setTimeout(() => this.flush(), LINGER_MS);
  }

  full(): Promise<void> | undefined {
    if (this.failed) return undefined;
    if (this.inFlight < IN_FLIGHT || !this.isLarge()) return this.held;
    this.woken ??= new Promise((resolve) => {
      this.wake = resolve;
    });
    return this.woken;
  }

  /** Rows collected so far become statements, so that what follows comes after them. */
  closeSegment(): void {
    const { rules } = this.options;
    const add = rules.sql?.addBatch ?? addBatch;
    for (const { table, serial, batch } of this.dirty) add(this.message, table, serial, batch, this.stages, rules);
    this.dirty.clear();
  }

  stop(): void {
    this.failed = true;
    clearTimeout(this.linger);
    this.wakeUp();
  }

  flush(): void {
    clearTimeout(this.linger);
    this.linger = undefined;
    if (this.end && this.open === undefined && this.mayFly()) this.send(this.end);
  }

  private mayFly(): boolean {
    return this.inFlight < IN_FLIGHT && !this.failed && this.options.ready();
  }

  private isLarge(): boolean {
    return this.rows >= this.options.limits.batchRows || this.bytes >= this.options.limits.batchBytes;
  }

  /** `end` undefined: a part of the open transaction. */
  private send(end: TransactionEnd | undefined): void {
    if (this.failed) return;
    const { connection, throttle, checkpoint, onSend, onDurable, onFailed } = this.options;
    this.closeSegment();
    const statements: string[] = [];
    if (!this.spanning) {
      if (!end) statements.push("BEGIN");
      statements.push(guard(this.number, ++this.number));
    }
    statements.push(...this.message.statements);
    if (end) {
      statements.push(checkpoint(end.endPosition, end.commitTimeMs));
      if (this.spanning) statements.push("COMMIT");
      this.stages.committed();
    }
    const position = end?.commitPosition ?? this.open ?? 0n;
    const sent = onSend();
    this.hold(throttle.admit(this.rows, this.bytes));
    this.inFlight++;
    connection.query(statements.join(";\n"), this.message.copies).then(
      () => {
        this.inFlight--;
        if (end) onDurable(end, sent);
        this.wakeUp();
        if (this.isLarge()) this.flush();
        else this.lull();
      },
      (cause: unknown) => {
        if (this.failed) return;
        this.stop();
        onFailed(cause, position);
      },
    );
    this.message = { statements: [], copies: [] };
    this.rows = 0;
    this.bytes = 0;
    this.end = undefined;
    this.spanning = !end;
  }

  private hold(wait: Promise<void> | undefined): void {
    if (!wait) return;
    const held = wait.then(() => {
      if (this.held === held) this.held = undefined;
    });
    this.held = held;
  }

  private wakeUp(): void {
    this.wake?.();
    this.wake = undefined;
    this.woken = undefined;
  }
}

/** Set once for the session before the first batch. */
export const FIRST_BATCH = "SET godwit.batch = '0'";

/** Reading a setting that does not exist is the error; no planner computes it ahead of time. */
function guard(before: number, now: number): string {
  return (
    `SELECT pg_catalog.set_config('godwit.batch', CASE pg_catalog.current_setting('godwit.batch') WHEN '${before}' THEN '${now}' ` +
    "ELSE pg_catalog.current_setting('godwit.previous_batch_failed') END, false)"
  );
}
