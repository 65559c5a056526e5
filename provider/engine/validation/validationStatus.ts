import type { QualifiedName } from "../models/catalog.js";

/** What is compared: nothing, numbers of rows, checksums of ranges of rows, or the rows themselves. */
export type ValidationMode = "none" | "counts" | "checksums" | "full";
export type ComparedMode = Exclude<ValidationMode, "none">;

/**
 * What the source's rows were compared as of.
 * - `stream`: as of now, each difference confirmed once the stream had passed what was read.
 * - `snapshot`: as of the snapshot that the load read.
 * - `now`: as of now, with no stream to wait for: what the source wrote since the load is a difference.
 */
export type ComparedAgainst = "stream" | "snapshot" | "now";

export interface RowDifference {
  /** Such as `id = 42, region = eu`; of a table without a key the row itself, shortened. */
  readonly row: string;
  /** `missing` and `extra`: at the target. */
  readonly kind: "missing" | "extra" | "changed";
}

/**
 * - `unsettled`: no difference was confirmed, but some rows changed each time they were read, so nothing is said of them.
 * - `notCompared`: see `reason`.
 */
export type TableVerdict = "equal" | "different" | "unsettled" | "notCompared";

export interface TableValidation {
  readonly tableId: number;
  readonly source: QualifiedName;
  readonly target: QualifiedName;
  readonly state: "comparing" | TableVerdict;
  readonly mode: ComparedMode;
  readonly against: ComparedAgainst;
  /** Why it was not compared, in whole or in part. */
  readonly reason?: string;
  /** It could not be compared because of a failure, rather than by its nature. */
  readonly failed?: boolean;
  readonly sourceRows: number;
  readonly targetRows: number;
  readonly rangesDone: number;
  readonly rangesDifferent: number;
  /** Rows known to differ: in mode `full`, as many as were looked at one by one. */
  readonly rowsDifferent: number;
  /** The first of them. */
  readonly differences: readonly RowDifference[];
  /** Columns, by their source names, whose values have no form that reads alike on both servers. */
  readonly columnsLeftOut: readonly string[];
  /** ISO 8601. */
  readonly checkedAt?: string;
  readonly seconds: number;
  /** When it was found different first, and has been since. ISO 8601. */
  readonly differentSince?: string;
  /** What was asked of it: the same again needs no new answer. */
  readonly asked: string;
}

/** How far the comparison is, as it lies in the task's status. A successor of the worker goes on from it. */
export interface ValidationStatus {
  readonly mode: ComparedMode;
  /** The request that `state` is about: mode and triggers. */
  readonly request: string;
  readonly state: "waiting" | "running" | "done";
  /** Tables that this request is about. */
  readonly tablesTotal: number;
  readonly tables: readonly TableValidation[];
}
