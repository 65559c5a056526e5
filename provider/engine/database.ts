import type { Position } from "./models/change.js";
import type { DdlStep, Plan, PlannedTable } from "./models/plan.js";
import type { ConflictMode, TaskSettings } from "./taskDefinition.js";
import type { TableRecord } from "./taskStore.js";
import type { Comparison } from "./validation/comparison.js";

/**
 * What the engine asks of a database. One folder under databases/ implements a source, a target or both; nothing in
 * the engine knows more than this file.
 */

/** A consistent view of the source at one position, readable by several connections until it is closed or lost. */
export interface Snapshot {
  readonly id: string;
  /** Changes committed before this position are in the view; those from it on are not. */
  readonly position: Position;
  /** What it takes to follow the changes after it, where the position alone is not enough. Lies in the store; holds no secrets. */
  readonly resume?: string;
  close(): Promise<void>;
}

/** A part of a table that is read on its own. Undefined bounds: the whole table. */
export interface Chunk {
  readonly index: number;
  /** A condition in the source's dialect. */
  readonly condition: string | undefined;
}

/** How rows travel. Both are PostgreSQL's COPY formats, in CopyData frames: the fast path is bytes passed on untouched. */
export type RowFormat = "binary" | "text";

/** Takes framed rows; `write` returns a promise when the other side should wait. */
export interface RowSink {
  /** `rows`: how many rows begin in these frames (a binary COPY's trailer counts as one). */
  write(frames: Buffer, rows: number): Promise<void> | undefined;
}

export interface RowReader {
  /**
   * Keeps a table from being changed while it is read, and says whether it can be: false where its structure or its storage is another than the
   * snapshot's, or the snapshot's may be another than the plan's. `followed`: the plan has followed the source's changes up to the snapshot; then a structure
   * that is not the plan's is an error (GW1502). Absent: the source keeps what a snapshot sees.
   */
  hold?(table: PlannedTable, followed: boolean): Promise<boolean>;
  /** Lets a held table go again. */
  letGo?(): Promise<void>;
  /** Streams a chunk's rows into `sink`; resolves with the number of rows read. */
  read(table: PlannedTable, chunk: Chunk, format: RowFormat, sink: RowSink): Promise<number>;
  close(): Promise<void>;
}

export interface LoadOptions {
  readonly conflictMode: ConflictMode;
  readonly format: RowFormat;
  /** The whole table in one transaction: nothing of it is seen before all of it. */
  readonly whole: boolean;
  /** Of the snapshot the rows come from. */
  readonly position: Position;
}

export interface RowLoader {
  /**
   * Loads a chunk in one transaction: opens the target's side, hands a sink to `feed`, and commits together with `record(rows)`, a
   * statement of the store. A table loaded whole must be empty (GW1402), unless conflictMode says to go round what is there.
   */
  load(
    table: PlannedTable,
    options: LoadOptions,
    feed: (sink: RowSink) => Promise<number>,
    record: (rows: number) => string,
  ): Promise<void>;
  /** Before the first chunk of a table that is loaded in several: empties what an earlier attempt left, refuses what it did not. */
  prepare(table: PlannedTable, attempted: boolean): Promise<void>;
  close(): Promise<void>;
}

/** What the incremental phase has done since it began, as the applier counts it. */
export interface FlowCounts {
  readonly inserts: number;
  readonly updates: number;
  readonly deletes: number;
  readonly truncates: number;
  readonly bytes: number;
  /** Everything before it is durable on the target. */
  readonly durable: Position;
  /** Commit time of the newest applied transaction, ms since 1970; undefined before the first. */
  readonly lastCommitMs: number | undefined;
  /** Where open transactions keep older log needed than what is applied. */
  readonly logNeeded?: LogNeeded;
}

export interface LogNeeded {
  /** A restart reads the log from here on. */
  readonly from: Position;
  readonly openTransactions: number;
  /** First change of the oldest of them, ms since 1970. */
  readonly oldestOpenMs: number | undefined;
}

export interface FlowOptions {
  /** Where to go on, read anew each time the stream begins. */
  readonly start: () => Promise<Position>;
  readonly tables: readonly TableRecord[];
  readonly conflictMode: ConflictMode;
  readonly settings: () => TaskSettings;
  /** What was recorded together with that position, for sources that need more than a position to go on. */
  readonly resume?: () => Promise<string | undefined>;
  /** The statement that makes a position durable with the rows, fenced. With `resume` it never takes a newer position back. */
  readonly checkpoint: (position: Position, commitTimeMs: number, resume?: string) => string;
  /** The tables as the store has them each time the stream begins again: changes of structure change them. Absent: `tables`. */
  readonly readTables?: () => Promise<readonly TableRecord[]>;
  /** Statements that record what a change of structure made of a table, with the change itself. Absent: none are followed. */
  readonly structure?: {
    tablePlanned(table: PlannedTable, loadPosition: Position | undefined): string;
    tableGone(tableId: number): string;
    /** A statement that waits for the tables to stand at one position, in the place of one of its id. */
    stepPlanned(step: DdlStep): string;
    /** The query of those that wait and need what has the id, as a JSON array. */
    stepsNeeding(id: string): string;
    /** Statements that wait and have that id, or need what has it, are not wanted any more. */
    stepsGone(id: string): string;
  };
  /** Transactions from this position on are left for the next call. A route whose readers `hold` tables keeps to it. */
  readonly until?: Position | undefined;
  readonly onProgress: (counts: FlowCounts) => void;
  readonly signal: AbortSignal;
}

/** Streams changes into the target until the signal aborts (resolves) or something breaks (rejects; the checkpoint is where it goes on). */
export type FollowChanges = (options: FlowOptions) => Promise<void>;

/** Where a source's log can be read from: a PostgreSQL logical slot, an Oracle archive log position. */
export type CaptureStatus =
  | { readonly kind: "missing" }
  | { readonly kind: "lost"; readonly reason: string }
  | { readonly kind: "ready"; readonly position: Position; readonly retainedBytes: bigint };

export interface SourceDatabase {
  /** Makes the source keep and label the changes of these tables (publication, replica identities). A reconcile. */
  prepareCapture(tables: readonly PlannedTable[]): Promise<void>;
  /** Starts capture: creates the slot, with the snapshot that fits it. Drops a same-named slot of an attempt that loaded nothing. */
  startCapture(): Promise<Snapshot>;
  captureStatus(): Promise<CaptureStatus>;
  /** A snapshot beside a running capture, for tables that load later. */
  laterSnapshot(): Promise<Snapshot>;
  /** A snapshot for a task that captures nothing. */
  plainSnapshot(): Promise<Snapshot>;
  /** Splits a table into at most so many parts of like size; one chunk without a condition when it can't or needn't be. */
  chunks(table: PlannedTable, atMost: number): Promise<readonly Chunk[]>;
  openReader(snapshot: Snapshot): Promise<RowReader>;
  /** End of the source's log now. */
  currentPosition(): Promise<Position>;
  formatPosition(position: Position): string;
  /** What positions count: bytes of the log (the default), or something that says nothing of bytes, as Oracle's SCN. */
  readonly positionUnit?: "bytes" | "scn";
  /** Takes away everything capture made. Tolerates what is gone. */
  release(): Promise<void>;
  close(): Promise<void>;
}

export interface StepRunner {
  /** Runs a step and `record`, a statement of the store, in one transaction. Errors: GW1301. */
  run(step: DdlStep, record: string): Promise<void>;
  close(): Promise<void>;
}

export interface RecordedLoad {
  readonly tableId: number;
  readonly rows: number;
  readonly bytes: number;
  readonly position: Position;
}

export interface TargetDatabase {
  /** Whether triggers and foreign keys can be kept from firing under the applier (session_replication_role). */
  readonly quietsTriggers: boolean;
  openLoader(): Promise<RowLoader>;
  openStepRunner(): Promise<StepRunner>;
  /** Planner statistics for what was loaded. */
  analyze(tables: readonly PlannedTable[]): Promise<void>;
  /**
   * Tables whose load is durable on the target and that the store may not know of: for a target that is not where the store is. Asked
   * before tables are loaded, when no earlier worker can write any more.
   */
  recordedLoads?(): Promise<readonly RecordedLoad[]>;
  /** Binary where every column's type is the same on both sides and portable, else text. By table id. */
  rowFormats(tables: readonly PlannedTable[]): Promise<ReadonlyMap<number, RowFormat>>;
  close(): Promise<void>;
}

/** The two ends of a task with everything the engine needs of them, opened anew for each attempt. */
export interface Route {
  readonly source: SourceDatabase;
  readonly target: TargetDatabase;
  readonly follow: FollowChanges;
  /**
   * The plan of the source as it is now, if the source was changed since the task's plan was read; undefined: it was not. Asked when what changes from now on is
   * captured and nothing is built yet. Absent: changes in between are not looked for.
   */
  newerPlan?(): Promise<Plan | undefined>;
  /** Whether a failure means that a server was gone rather than unwilling. */
  isConnectionError(cause: unknown): boolean;
  /** Opens what compares rows of the two ends: those of the snapshot, else of now. Absent: there are no rows to compare. */
  openComparison?(snapshot?: Snapshot): Promise<Comparison>;
  /** What the user should hear of and was not told yet; each is given once. */
  takeWarnings?(): readonly string[];
  close(): Promise<void>;
}
