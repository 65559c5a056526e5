import type { PlanOptions } from "./plan.js";
import type { ValidationMode } from "./validation/validationStatus.js";

export type MigrationType = "schema" | "full" | "incremental";
export type ConflictMode = "precheckAndReport" | "ignoreAndProceed";
export type DesiredState = "running" | "paused" | "stopped";

/** What a task is, as it lies in the store: no secrets, nothing that changes while it runs. */
export interface TaskDefinition {
  readonly taskId: string;
  readonly migrationTypes: readonly MigrationType[];
  readonly conflictMode: ConflictMode;
  readonly slotName: string;
  /** The slot belongs to the user (a ReplicationSlot resource): used, never dropped. */
  readonly slotIsForeign: boolean;
  readonly publicationName: string;
  /** int64 as text; only for an incremental-only task. */
  readonly startPosition: string | undefined;
  readonly environmentTag: string | undefined;
  /** By which objects are judged that the source makes while the task runs. Absent in tasks made before there was such a thing. */
  readonly selection?: TaskSelection;
  /** For a Kafka target. */
  readonly kafka?: KafkaSettings;
  /** For an AnalyticDB target. */
  readonly analyticdb?: AnalyticdbSettings;
}

export interface TaskSelection {
  readonly options: PlanOptions;
  /** The source's position when the plan was read, int64 as text. */
  readonly readAt: string;
  /** A digest of the source's structure then. */
  readonly shape?: string;
  /**
   * Numbers of the tables whose rows `etl` or `where` speaks of, partitioned ones among them: what becomes a partition or a child of one while the task runs has
   * rows that must not move as they are.
   */
  readonly ruled?: readonly number[];
}

export interface KafkaSettings {
  readonly format: "canal-json" | "dts-avro" | "shareplex-json";
  readonly compression: "lz4" | "gzip" | "snappy" | "none";
  readonly partitioning: "single" | "table" | "primaryKey";
  readonly acks: "all" | "leader" | "none";
  /** May hold `{database}`, `{schema}` and `{table}`. */
  readonly topic: string;
  readonly ddlTopic?: string;
  /** Absent: topics must be there. */
  readonly createTopics?: { readonly partitions: number; readonly replicationFactor?: number };
}

export interface AnalyticdbSettings {
  readonly storage: "beam" | "heap" | "appendoptimized";
}

/** What may change while the task runs; the worker reads it again every second. */
export interface TaskSettings {
  readonly retry: RetrySettings;
  readonly throttle: ThrottleSettings;
  readonly parallelism: ParallelismSettings;
  /** Absent in tasks made before there was such a thing: nothing is compared. */
  readonly dataValidation?: ValidationSettings;
}

export interface ValidationSettings {
  readonly mode: ValidationMode;
  /** A change has everything compared again. */
  readonly triggers?: Readonly<Record<string, string>>;
}

export interface RetrySettings {
  /** Minutes a lost connection is tried again before the task fails. */
  readonly connectionMinutes: number;
  /** The same for every other error that may pass. */
  readonly otherMinutes: number;
}

export interface ThrottleSettings {
  readonly full?: { readonly queriesPerSecond?: number; readonly rowsPerSecond?: number; readonly megabytesPerSecond?: number };
  readonly incremental?: { readonly rowsPerSecond?: number; readonly megabytesPerSecond?: number };
}

export interface ParallelismSettings {
  /** Tables (or chunks of tables) copied at once. */
  readonly tables: number;
  /** Chunks one large table may be split into. */
  readonly chunksPerTable: number;
  /** Indexes and keys built at once. */
  readonly indexes: number;
}

export function migrates(definition: TaskDefinition, type: MigrationType): boolean {
  return definition.migrationTypes.includes(type);
}

/**
 * A task that only follows a slot made elsewhere reads changes older than itself. They were published then or not at all, so the
 * publication, named like the slot, is the user's as well: used, never changed.
 */
export function usersPublication(definition: TaskDefinition): boolean {
  return definition.slotIsForeign && !migrates(definition, "full");
}
