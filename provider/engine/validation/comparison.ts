import type { Position } from "../models/change.js";
import type { PlannedTable } from "../models/plan.js";

/** How finely rows are put together: a whole range, buckets by a digest of the key within it, or single rows. */
export type CellLevel = "range" | "buckets" | "rows";

export interface Cell {
  readonly rows: number;
  /** A checksum that does not depend on the rows' order; empty where only numbers of rows are compared. */
  readonly digest: string;
  /** Of the source's cells: another when any of its rows was written, even with the same values. Absent: that can't be told. */
  readonly stamp?: string;
}

/** By the cell's name, which both sides give alike. A cell without rows is not there. */
export type Cells = ReadonlyMap<string, Cell>;

export interface CellRequest {
  /** Absent: the whole table. */
  readonly range: KeyRange | undefined;
  readonly level: CellLevel;
  /** Only these buckets; absent: all. */
  readonly buckets?: readonly string[] | undefined;
}

/** Rows by their key, as texts of its leading columns: above `after`, up to and with `upTo`; absent bounds are open. */
export interface KeyRange {
  readonly after: readonly string[] | undefined;
  readonly upTo: readonly string[] | undefined;
}

export interface ComparedSide {
  read(request: CellRequest): Promise<Cells>;
  /** How a row that has no key is shown, by its cell's name. */
  show(cells: readonly string[], range: KeyRange | undefined): Promise<ReadonlyMap<string, string>>;
}

/** One table, ready to be compared over a lane's connections. */
export interface TableComparison {
  readonly columnsLeftOut: readonly string[];
  /** False: its ranges are the whole table, and a bucket is the finest part that is read again for itself. */
  readonly ranged: boolean;
  readonly keyed: boolean;
  /** Its sides give numbers of rows of the whole table, and nothing finer. */
  readonly counted?: boolean;
  /** Where the range that begins after `after` ends; undefined when it is the last. */
  nextBound(after: readonly string[] | undefined): Promise<readonly string[] | undefined>;
  readonly source: ComparedSide;
  readonly target: ComparedSide;
}

/** It can't be compared, by its nature. */
export interface NotComparable {
  readonly notCompared: string;
}

export interface ComparisonLane {
  /** `checksums` false: only numbers of rows are asked for. */
  open(table: PlannedTable, checksums: boolean): Promise<TableComparison | NotComparable>;
  /** Every change that the reads so far have seen lies before it. */
  position(): Promise<Position>;
}

/** Connections of its own to both ends, that read and nothing else. */
export interface Comparison {
  openLane(): Promise<ComparisonLane>;
  /** Ends the connections, and with them what is being read. */
  close(): Promise<void>;
}

/** The bucket of a row's cell, whose name begins with it. */
export function bucketOf(cell: string): string {
  return cell.slice(0, cell.indexOf(":"));
}
