import type { Position } from "./models/change.js";
import type { DdlStep, Plan, PlannedTable, PrecheckItem, SkippedObject } from "./models/plan.js";
import type { DesiredState, TaskDefinition, TaskSettings } from "./taskDefinition.js";
import type { TableState, TaskError, TaskPhase, TaskState, TaskStatus } from "./taskStatus.js";

/** A task as any machine sees it. */
export interface TaskRecord {
  readonly definition: TaskDefinition;
  readonly settings: TaskSettings;
  readonly desiredState: DesiredState;
  readonly state: TaskState;
  readonly phase: TaskPhase;
  readonly epoch: bigint;
  /** Where capture began: the slot's consistent point. Undefined until there is a slot that the load relies on. */
  readonly capturePosition: Position | undefined;
  readonly prechecks: readonly PrecheckItem[];
  readonly skipped: readonly SkippedObject[];
  readonly errors: readonly TaskError[];
  readonly status: TaskStatus | undefined;
  /** Whether a worker holds the lease now. */
  readonly leased: boolean;
}

export interface TableRecord {
  readonly table: PlannedTable;
  readonly state: TableState;
  /** The position of the snapshot it was loaded from: older changes are in its rows already. */
  readonly loadPosition: Position | undefined;
  readonly rows: number;
  readonly bytes: number;
}

export interface StepRecord {
  readonly step: DdlStep;
  readonly done: boolean;
}

export interface NewTask {
  readonly definition: TaskDefinition;
  readonly settings: TaskSettings;
  readonly desiredState: DesiredState;
  readonly plan: Plan;
  readonly prechecks: readonly PrecheckItem[];
}

/** What the provider does with tasks: any process with the endpoints may. */
export interface TaskStore {
  /** Undefined when the task, or the whole store, is not there. */
  readTask(taskId: string): Promise<TaskRecord | undefined>;
  listTasks(): Promise<readonly TaskRecord[]>;
  createTask(task: NewTask): Promise<void>;
  updateSettings(taskId: string, change: { settings?: TaskSettings; desiredState?: DesiredState }): Promise<void>;
  /** Puts a failed task, or a completed one that got more to do, back to running, its errors forgotten. */
  reviveTask(taskId: string): Promise<void>;
  /**
   * Takes a new plan over: adds tables and steps that the task does not have, removes tables that the plan has no more, and gives
   * the others their new columns and operations; what is loaded stays loaded.
   */
  changePlan(taskId: string, plan: Plan): Promise<void>;
  readTables(taskId: string): Promise<readonly TableRecord[]>;
  /** Makes every write of the present worker fail, whoever and wherever it is, and ends its sessions on the target. */
  fence(taskId: string): Promise<void>;
  /** Forgets the task; the last one takes the store's schema with it. */
  deleteTask(taskId: string): Promise<void>;
  close(): Promise<void>;
}

/** A worker's hold on its task. Every write carries the lease's epoch and fails with GW1602 once another worker took over. */
export interface TaskLease {
  readonly epoch: bigint;
  /** Rejects when the lease is lost. */
  readonly lost: Promise<never>;
  readTask(): Promise<TaskRecord>;
  readTables(): Promise<readonly TableRecord[]>;
  readSteps(): Promise<readonly StepRecord[]>;
  readCheckpoint(): Promise<Position | undefined>;
  setState(state: TaskState, phase: TaskPhase, errors: readonly TaskError[]): Promise<void>;
  /** What was recorded with the checkpoint, before the first one with the capture position; undefined where the position is enough. */
  readResume(): Promise<string | undefined>;
  setCapturePosition(position: Position, resume?: string): Promise<void>;
  /** Puts a newer plan in the place of one of which nothing is built yet. */
  replacePlan(plan: Plan): Promise<void>;
  /** Before the first chunk of a table loaded in several: from here on its rows are this task's. */
  setTableLoading(tableId: number): Promise<void>;
  writeStatus(status: TaskStatus): Promise<void>;
  /** Statements for others to run inside their own transactions on the target. */
  readonly statements: {
    checkpoint(position: Position, commitTimeMs: number, resume?: string): string;
    chunkLoaded(tableId: number, rows: number, bytes: number): string;
    /** Every chunk of it is in; `loadPosition` is the snapshot's. */
    tableLoaded(tableId: number, loadPosition: Position): string;
    stepDone(stepId: string): string;
    /** A change of structure made the table, or another plan of it. `loadPosition`: for one that the task did not have. */
    tablePlanned(table: PlannedTable, loadPosition: Position | undefined): string;
    /** The table has left the task. */
    tableGone(tableId: number): string;
    /** A statement that waits for the tables to stand at one position, in the place of one of its id. */
    stepPlanned(step: DdlStep): string;
    /** The query of those that wait and need what has the id, as a JSON array. */
    stepsNeeding(id: string): string;
    /** Statements that wait and have that id, or need what has it, are not wanted any more. */
    stepsGone(id: string): string;
  };
  run(statement: string): Promise<void>;
  release(): Promise<void>;
}
