import type { AlertMemory } from "./alerts/alertState.js";
import type { QualifiedName } from "./models/catalog.js";
import type { ValidationStatus } from "./validation/validationStatus.js";

export type TaskState = "prechecking" | "running" | "paused" | "failed" | "completed" | "stopped";
export type TaskPhase = "precheck" | "schema" | "full" | "incremental";
export type TableState = "pending" | "loading" | "loaded";

export interface TaskError {
  readonly code: string;
  readonly message: string;
  /** ISO 8601. */
  readonly at: string;
  /** Still being tried again. */
  readonly retrying: boolean;
}

export interface TableStatus {
  readonly source: QualifiedName;
  readonly target: QualifiedName;
  readonly state: TableState;
  /** Rows copied by the full load so far. */
  readonly rows: number;
  readonly bytes: number;
  readonly estimatedRows: number;
  /** Undefined while it does not run. */
  readonly rowsPerSecond: number | undefined;
  readonly bytesPerSecond: number | undefined;
  readonly secondsLeft: number | undefined;
}

export interface IncrementalStatus {
  /** Level, once since this phase began, with where the source was when it began. */
  readonly caughtUp: boolean;
  /** Positions in the source's own notation. */
  readonly sourcePosition: string;
  readonly appliedPosition: string;
  /** Undefined where positions are no bytes of a log (Oracle). */
  readonly lagBytes: number | undefined;
  /** How far behind: where positions are bytes, the age of the newest applied commit while there is more to apply; else how long ago the source was there. */
  readonly lagSeconds: number;
  /** How long ago the source was where the target is; 0 when level. Unlike `lagSeconds` it says nothing of how old the newest change is. */
  readonly latencySeconds: number;
  readonly inserts: number;
  readonly updates: number;
  readonly deletes: number;
  readonly truncates: number;
  readonly changesPerSecond: number;
  /** WAL the slot makes the source keep. */
  readonly retainedBytes: number | undefined;
  /** Where a restart needs the source's log from further back than what is applied. */
  readonly logNeeded?: {
    /** In the source's own notation. */
    readonly from: string;
    readonly openTransactions: number;
    /** Age of the oldest one's first change. */
    readonly oldestOpenSeconds: number | undefined;
  };
}

/** All that is volatile about a task: the store's `status` column and GODWIT_HOME's status.json. */
export interface TaskStatus {
  readonly taskId: string;
  readonly environmentTag: string | undefined;
  readonly state: TaskState;
  readonly phase: TaskPhase;
  /** ISO 8601. */
  readonly updatedAt: string;
  readonly worker: { readonly host: string; readonly pid: number; readonly peakMemoryMegabytes: number } | undefined;
  readonly stepsDone: number;
  readonly stepsTotal: number;
  readonly tables: readonly TableStatus[];
  readonly incremental: IncrementalStatus | undefined;
  /** Where the task compares source and target. */
  readonly validation?: ValidationStatus | undefined;
  readonly errors: readonly TaskError[];
  /** What was told to the task's contacts. */
  readonly alerts?: AlertMemory | undefined;
}
