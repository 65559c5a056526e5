import type { FlowCounts } from "../../../engine/database.js";
import { ErrorCode, GodwitError } from "../../../engine/errors.js";
import type { ChangeSink, Position, StreamedTable } from "../../../engine/models/change.js";
import type { PlannedTable } from "../../../engine/models/plan.js";
import type { Throttle } from "../../../engine/throttle.js";
import type { ApplySql } from "./applyDialect.js";
import { type ApplyTable, applyTable } from "./applyTable.js";
import { type BatchedTable, type BatchLimits, BatchPath, DEFAULT_LIMITS, type TransactionEnd } from "./batchPath.js";
import type { BatchRules } from "./batchStatements.js";
import { type CarefulRules, isRejection, type RowChange } from "./careful.js";
import { CarefulPath } from "./carefulPath.js";
import { KeyedBatch, NotBatchable } from "./keyedBatch.js";
import type { TargetConnection } from "./targetConnection.js";
import type { TargetTable } from "./targetTables.js";
import { filled, unpackTuple } from "./tuples.js";
import { WholeRowBatch } from "./wholeRowBatch.js";

export interface ApplierOptions {
  readonly connection: TargetConnection;
  readonly tables: readonly { readonly table: PlannedTable; readonly loadPosition: Position | undefined }[];
  readonly targets: ReadonlyMap<number, TargetTable>;
  readonly binary: boolean;
  /** conflictMode ignoreAndProceed: the source's row wins, missing rows are no error. */
  readonly overwrite: boolean;
  /** session_replication_role is replica: no trigger and no cascade of the target fires. */
  readonly quiet: boolean;
  readonly start: Position;
  /** Transactions up to this commit position are applied change by change. */
  readonly carefulUntil: Position | undefined;
  /** The statement that makes a position durable with the rows; raises SQLSTATE GW001 once another worker took over. */
  readonly checkpoint: (position: Position, commitTimeMs: number) => string;
  readonly throttle: Throttle;
  readonly onProgress: (counts: FlowCounts) => void;
  readonly limits?: BatchLimits;
  /** Where the target is not PostgreSQL itself. */
  readonly sql?: NonNullable<ApplySql["rules"]>;
}

/** A batch was rejected, or can't be expressed as sets: read again from the checkpoint, carefully up to this commit position. */
export class CarefulNeeded extends Error {
  constructor(
    readonly until: Position,
    options: { cause: unknown },
  ) {
    super("the batch must be applied change by change", options);
  }
}

interface AppliedTable extends BatchedTable {
  readonly loadPosition: Position | undefined;
  /** The stream has passed the load position: every later change counts. */
  live: boolean;
}

type Counts = { -readonly [K in "inserts" | "updates" | "deletes" | "truncates" | "bytes"]: FlowCounts[K] };

/** The SQLSTATE by which the checkpoint statement refuses a worker that was taken over. */
const FENCED = "GW001";

/**
 * Applies a stream to the target, exactly once: each target transaction writes its checkpoint. Changes of tables outside the plan, of
 * operations that were not asked for, and those that a table's load has seen already are passed over.
 */
export class Applier implements ChangeSink {
  /** Rejects with CarefulNeeded, a GodwitError (GW1501, GW1503, GW1602) or the connection's failure. */
  readonly failed: Promise<never>;
  private readonly tables = new Map<number, AppliedTable>();
  private readonly planned: Map<number, ApplierOptions["tables"][number]>;
  private readonly targets: Map<number, TargetTable>;
  /** Every table as the stream described it last. */
  private readonly streamed = new Map<number, StreamedTable>();
  private readonly batches: BatchPath;
  private readonly careful: CarefulPath;
  private readonly counts: Counts = { inserts: 0, updates: 0, deletes: 0, truncates: 0, bytes: 0 };
  /** What the counts were when a transaction was handed to the target, until it is durable. */
  private readonly sent = new Map<number, Counts>();
  private sentNumber = 0;
  private durableCounts: Counts = { ...this.counts };
  private durablePosition: Position;
  private horizon: Position;
  private lastCommitMs: number | undefined;
  private carefulNow = false;
  private isOpen = false;
  private commitPosition: Position = 0n;
  private serial = 0;
  private fail: (cause: unknown) => void = () => undefined;
  private settled: (() => void)[] = [];

  constructor(private readonly options: ApplierOptions) {
    this.durablePosition = options.start;
    this.horizon = options.start;
    this.planned = new Map(options.tables.map((entry) => [entry.table.id, entry]));
    this.targets = new Map(options.targets);
    this.failed = new Promise<never>((_, reject) => {
      this.fail = reject;
    });
    this.failed.catch(() => undefined);
    const rules: BatchRules & CarefulRules = {
      binary: options.binary,
      overwrite: options.overwrite,
      rowsMustExist: !options.overwrite,
      deletedMustExist: !options.overwrite && options.quiet,
      ...(options.sql ? { sql: options.sql } : {}),
    };
    const shared = {
      connection: options.connection,
      rules,
      checkpoint: options.checkpoint,
      onDurable: (end: TransactionEnd, sent: number) => this.durable(end, sent),
      onSend: () => this.note(),
      onFailed: (cause: unknown, position?: Position) => this.reject(cause, position),
    };
    this.careful = new CarefulPath({ ...shared, onEmpty: () => this.carefulDone() });
    this.batches = new BatchPath({
      ...shared,
      limits: options.limits ?? DEFAULT_LIMITS,
      throttle: options.throttle,
      ready: () => this.careful.empty,
    });
  }

  /** Everything before it is on the target, or did not concern it. */
  get position(): Position {
    return this.durablePosition;
  }

  /** Commit position of the transaction that arrived last. */
  get arriving(): Position {
    return this.commitPosition;
  }

  table(streamed: StreamedTable): void {
    this.streamed.set(streamed.id, streamed);
    const entry = this.planned.get(streamed.id);
    // A plan that is newer than the stream need not fit what the table was like before its load.
    if (!entry || !this.isReached(entry)) return;
    const known = this.tables.get(streamed.id);
    const met = known?.table.columns.map(({ name }) => name);
    const table = applyTable(streamed, entry.table, this.targets.get(streamed.id), this.options.binary, met);
    // The server describes tables again for reasons of its own; only another shape ends what was collected.
    if (known && shape(known.table) === shape(table)) return;
    this.batches.closeSegment();
    this.tables.set(streamed.id, {
      serial: this.serial++,
      table,
      batch: table.key.length > 0 ? new KeyedBatch(table, this.options.overwrite, this.options.quiet) : new WholeRowBatch(table),
      loadPosition: entry.loadPosition,
      live: known?.live ?? entry.loadPosition === undefined,
    });
  }

  begin(commitPosition: Position): void {
    this.commitPosition = commitPosition;
    this.isOpen = true;
    const { carefulUntil } = this.options;
    this.carefulNow = carefulUntil !== undefined && commitPosition <= carefulUntil;
    if (this.carefulNow) this.careful.begin(commitPosition);
    else this.batches.begin(commitPosition);
  }

  insert(tableId: number, data: Buffer, tuple: number, end: number): void {
    const table = this.concerned(tableId);
    if (!table?.table.planned.operations.insert) return;
    this.counts.inserts++;
    this.counts.bytes += end - tuple;
    if (this.carefulNow) {
      this.careful.changed({ kind: "insert", table: table.table, row: copied(table.table, data, tuple, end) }, end - tuple);
      return;
    }
    try {
      table.batch.insert(data, tuple, end);
    } catch (cause) {
      this.separate(cause);
      table.batch.insert(data, tuple, end);
    }
    this.batches.changed(table, end - tuple);
  }

  update(tableId: number, data: Buffer, oldTuple: number, newTuple: number, end: number): void {
    const table = this.concerned(tableId);
    if (!table?.table.planned.operations.update) return;
    this.counts.updates++;
    this.counts.bytes += end - newTuple;
    if (this.carefulNow) {
      this.careful.changed(carefulUpdate(table.table, data, oldTuple, newTuple, end), end - newTuple);
      return;
    }
    try {
      table.batch.update(data, oldTuple, newTuple, end);
    } catch (cause) {
      this.separate(cause);
      table.batch.update(data, oldTuple, newTuple, end);
    }
    this.batches.changed(table, end - newTuple);
  }

  delete(tableId: number, data: Buffer, oldTuple: number, end: number): void {
    const table = this.concerned(tableId);
    if (!table?.table.planned.operations.delete) return;
    this.counts.deletes++;
    this.counts.bytes += end - oldTuple;
    if (this.carefulNow) {
      this.careful.changed({ kind: "delete", table: table.table, old: copied(table.table, data, oldTuple, end) }, end - oldTuple);
      return;
    }
    try {
      table.batch.delete(data, oldTuple, end);
    } catch (cause) {
      this.separate(cause);
      table.batch.delete(data, oldTuple, end);
    }
    this.batches.changed(table, end - oldTuple);
  }

  truncate(tableIds: readonly number[], _cascade: boolean, restartIdentity: boolean): void {
    const tables = tableIds.flatMap((id) => {
      const table = this.concerned(id);
      return table?.table.planned.operations.truncate ? [table.table] : [];
    });
    if (tables.length === 0) return;
    this.counts.truncates += tables.length;
    (this.carefulNow ? this.careful : this.batches).truncate(tables, restartIdentity);
  }

  commit(commitPosition: Position, endPosition: Position, commitTimeMs: number): void {
    this.isOpen = false;
    if (endPosition > this.horizon) this.horizon = endPosition;
    (this.carefulNow ? this.careful : this.batches).commit({ commitPosition, endPosition, commitTimeMs });
    this.settle();
  }

  idle(position: Position): void {
    if (position > this.horizon) this.horizon = position;
    this.settle();
  }

  lull(): void {
    this.batches.lull();
  }

  full(): Promise<void> | undefined {
    return this.careful.full(!this.carefulNow) ?? this.batches.full();
  }

  /** The transaction at hand is applied change by change. */
  get isCareful(): boolean {
    return this.carefulNow;
  }

  /**
   * Runs `work` on the target inside the transaction that is open there for the one at hand, after everything that arrived before. Nothing may
   * arrive until it is done. Rejects with what `work` rejects with; a failure of what came before it shows in `failed`.
   */
  between(work: (connection: TargetConnection) => Promise<void>): Promise<void> {
    return (this.carefulNow ? this.careful : this.batches).between(() => work(this.options.connection));
  }

  /** From here on the table's changes are applied by this plan, to a target that is like this. */
  replan(entry: ApplierOptions["tables"][number], target: TargetTable | undefined): void {
    const { id } = entry.table;
    this.planned.set(id, entry);
    if (target) this.targets.set(id, target);
    else this.targets.delete(id);
    // The server describes it anew before its next row if its columns changed; if only the target's did, the last description holds.
    this.tables.delete(id);
  }

  /** The table's changes concern the task no more. */
  forget(tableId: number): void {
    this.planned.delete(tableId);
    this.tables.delete(tableId);
  }

  /** Resolves when every whole transaction that arrived is durable; what the source had not committed yet is left. */
  async drain(): Promise<void> {
    // The rest of an open transaction does not come any more, and without it what was collected can't be made durable.
    if (this.isOpen) return;
    this.batches.flush();
    if (this.batches.empty && this.careful.empty) return;
    await Promise.race([this.failed, new Promise<void>((resolve) => this.settled.push(resolve))]);
  }

  close(): void {
    this.batches.stop();
    this.careful.stop();
    this.options.connection.close();
  }

  /** What was collected becomes statements, so that the change that does not go together with it comes after them. */
  private separate(cause: unknown): void {
    if (!(cause instanceof NotBatchable)) throw cause;
    this.batches.closeSegment();
  }

  /** The table, unless it is not the plan's or its load saw this transaction already. */
  private concerned(tableId: number): AppliedTable | undefined {
    let table = this.tables.get(tableId);
    const entry = this.planned.get(tableId);
    if (!table && entry) {
      if (!this.isReached(entry)) return undefined;
      const streamed = this.streamed.get(tableId);
      if (streamed) this.table(streamed);
      table = this.tables.get(tableId);
    }
    if (!table || table.live) return table;
    if (!this.isReached(table)) return undefined;
    // Commit positions only grow.
    table.live = true;
    return table;
  }

  private isReached({ loadPosition }: { readonly loadPosition: Position | undefined }): boolean {
    return loadPosition === undefined || this.commitPosition >= loadPosition;
  }

  private note(): number {
    this.sent.set(++this.sentNumber, { ...this.counts });
    return this.sentNumber;
  }

  private durable({ endPosition, commitTimeMs }: TransactionEnd, sent: number): void {
    if (endPosition > this.durablePosition) this.durablePosition = endPosition;
    this.lastCommitMs = commitTimeMs;
    this.durableCounts = this.sent.get(sent) ?? this.durableCounts;
    for (const number of this.sent.keys()) if (number <= sent) this.sent.delete(number);
    this.settle();
    this.report();
  }

  private carefulDone(): void {
    this.batches.lull();
    this.settle();
  }

  /** With nothing pending, all that arrived is behind. */
  private settle(): void {
    if (!this.batches.empty || !this.careful.empty) return;
    for (const resolve of this.settled.splice(0)) resolve();
    if (this.horizon <= this.durablePosition) return;
    this.durablePosition = this.horizon;
    this.report();
  }

  private report(): void {
    this.options.onProgress({ ...this.durableCounts, durable: this.durablePosition, lastCommitMs: this.lastCommitMs });
  }

  private reject(cause: unknown, position: Position | undefined): void {
    this.batches.stop();
    this.careful.stop();
    const code = (cause as { code?: string } | undefined)?.code;
    if (code === FENCED) this.fail(new GodwitError(ErrorCode.WorkerFenced, "another worker took the task over", { cause }));
    else if (position !== undefined && code !== undefined && isRejection(code)) this.fail(new CarefulNeeded(position, { cause }));
    else this.fail(cause);
  }
}

function copied(table: ApplyTable, data: Buffer, tuple: number, end: number) {
  return unpackTuple(table, Buffer.from(data.subarray(tuple, end)), 0);
}

function carefulUpdate(table: ApplyTable, data: Buffer, oldTuple: number, newTuple: number, end: number): RowChange {
  const row = copied(table, data, newTuple, end);
  if (oldTuple < 0) return { kind: "update", table, old: row, row };
  const old = copied(table, data, oldTuple, newTuple);
  const known = old.map((value, place) => (table.fullIdentity || table.key.includes(place) ? value : undefined));
  return { kind: "update", table, old, row: filled(row, known) };
}

function shape(table: ApplyTable): string {
  return JSON.stringify([table.name, table.fullIdentity, table.key, [...table.places], table.columns]);
}
