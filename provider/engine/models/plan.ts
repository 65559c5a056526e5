import type { MaskedColumn } from "../etl.js";
import type { TaskSelection } from "../taskDefinition.js";
import type { CatalogColumn, CatalogKey, ObjectKind, QualifiedName } from "./catalog.js";

/** What a task does, resolved once from the selection and the source's catalog. Plain JSON: it lives in the store. */
export interface Plan {
  readonly tables: readonly PlannedTable[];
  readonly steps: readonly DdlStep[];
  readonly skipped: readonly SkippedObject[];
  /** What it was resolved from, where changes of structure are followed. */
  readonly selection?: TaskSelection;
}

export interface PlannedColumn extends Omit<CatalogColumn, "name"> {
  readonly source: string;
  readonly target: string;
  /** What stands for the column's own value on the way to the target. */
  readonly value?: ColumnValue;
}

/** An expression over the row as the source has it. */
export interface ColumnValue {
  /** As the program has it. */
  readonly given: GivenValue;
  /** The same in the source's own words. Of the column's type as it was when the plan was read. */
  readonly expression: string;
  /** Columns that it names, the column itself among them where the source has it, and what they are called at the source by now. */
  readonly columns: readonly PresentName[];
}

export type GivenValue = { readonly expression: string } | Omit<MaskedColumn, "column">;

export interface PresentName {
  readonly name: string;
  readonly source: string;
}

export interface PlannedTable {
  /** The source's number of the table (PostgreSQL oid). */
  readonly id: number;
  readonly source: QualifiedName;
  readonly target: QualifiedName;
  /** Only what is copied: no generated and no excluded columns. In the source's column order. */
  readonly columns: readonly PlannedColumn[];
  /** Columns by their source names that changes may hold and that are left out: generated, excluded, dropped since. */
  readonly leftOut: readonly string[];
  /** Columns, among `columns`, that joined after the load: older changes do not hold them. */
  readonly joined?: readonly string[];
  /** Key columns by their source names. */
  readonly key: CatalogKey;
  /** The identity that changes must carry: `full` where the table has no usable key, else the one it has. */
  readonly replicaIdentity: { readonly was: "default" | "nothing" | "full" | "index"; readonly needs: "keep" | "full" };
  /** False for unlogged tables: loaded, never streamed. */
  readonly streamed: boolean;
  readonly operations: DmlOperations;
  /** Changes of structure that are carried over. Absent (plans made before there was a choice): none. */
  readonly ddl?: DdlOperations;
  /** Only these rows move. */
  readonly filter?: RowFilter;
  /** What the selection asks of this target's own kind. */
  readonly options?: TableOptions;
  /** Where changes may name columns by their place: what the source's table looks like to the changes that come next. */
  readonly stored?: StoredColumns;
  /** Where the table was taken in with its structure as the source had it there: older changes of structure are in it. A position as text. */
  readonly structureAt?: string;
  /** A digest of its structure at the source when the plan was read; empty once a change was followed. */
  readonly shape?: string;
  readonly estimatedRows: number;
  readonly bytes: number;
}

export interface RowFilter {
  /** As the program has it: `where`, and `drop` turned round. */
  readonly given: string;
  /** As the program has it, where rows are dropped. */
  readonly drop?: string;
  /** The same in the source's own words, brackets around it: what is asked of the source. */
  readonly condition: string;
  /** Columns that it names, and what they are called at the source by now. */
  readonly columns: readonly PresentName[];
}

/** Every column that takes place in a row, in the order of the rows, also those that do not move. */
export interface StoredColumns {
  /** A number of the source's (Oracle: an SCN) as text. Of changes from before it the order is not known. */
  readonly since: string;
  readonly columns: readonly { readonly name: string; readonly type: string }[];
}

export interface DmlOperations {
  readonly insert: boolean;
  readonly update: boolean;
  readonly delete: boolean;
  readonly truncate: boolean;
}

export interface DdlOperations {
  readonly create: boolean;
  readonly alter: boolean;
  readonly drop: boolean;
  readonly rename: boolean;
  readonly index: boolean;
  readonly view: boolean;
  readonly routine: boolean;
}

/** Columns by their source names. */
export interface TableOptions {
  /** AnalyticDB. */
  readonly primaryKey?: readonly string[];
  readonly distributedBy?: readonly string[];
  /** Kafka. */
  readonly topic?: string;
  readonly partitions?: number;
  readonly replicationFactor?: number;
  readonly partitionKey?: readonly string[];
}

/**
 * When a statement of the schema phase runs.
 * - `beforeRows`: schemas, types, sequences, routines, bare tables.
 * - `afterRows`: indexes, keys, checks and what depends on them (views that group by a key), triggers.
 * - `foreignKeys`: once every table of the task is loaded from one snapshot, or caught up past all of them.
 */
export type DdlStage = "beforeRows" | "afterRows" | "foreignKeys";

export interface DdlStep {
  /** Stable within the plan, unique; what `dependsOn` names. */
  readonly id: string;
  readonly stage: DdlStage;
  readonly kind: ObjectKind;
  /** Target name as a user would write it. */
  readonly name: string;
  /** Run in order in one transaction. Empty for a step of kind `topic`. */
  readonly sql: readonly string[];
  /** Of kind `topic`: what `name` was, or is to be, when the task begins. Lies in the store, so that a later change is noticed. */
  readonly topic?: TopicShape;
  readonly dependsOn: readonly string[];
  /** Rough cost, for running the largest first: bytes of the table an index is built over; 0 when unknown. */
  readonly weight: number;
}

export interface TopicShape {
  readonly partitions: number;
  /** Absent: the cluster's default. */
  readonly replicationFactor?: number;
  /** It is the task's to create where it is missing. */
  readonly create: boolean;
}

export interface SkippedObject {
  readonly kind: ObjectKind | string;
  readonly name: string;
  readonly reason: string;
}

export interface PrecheckItem {
  readonly item: string;
  readonly severity: "error" | "warning";
  readonly passed: boolean;
  readonly message: string;
  readonly remedy: string;
  /** Whether the user may accept it through ignorePrechecks. */
  readonly ignorable: boolean;
}
