import type { PlannedTable } from "./models/plan.js";
import type { TableState, TableStatus } from "./taskStatus.js";
import type { TableRecord } from "./taskStore.js";

interface Tally {
  readonly table: PlannedTable;
  state: TableState;
  rows: number;
  bytes: number;
  startedAt: number | undefined;
  endedAt: number | undefined;
}

/** Counts what the full load has moved, per table, and works out rates and time left. In memory; status.ts shows it. */
export class LoadProgress {
  private readonly tallies = new Map<number, Tally>();

  constructor(records: readonly TableRecord[]) {
    for (const { table, state, rows, bytes } of records) {
      const loaded = state === "loaded";
      this.tallies.set(table.id, {
        table,
        state: loaded ? "loaded" : "pending",
        rows: loaded ? rows : 0,
        bytes: loaded ? bytes : 0,
        startedAt: undefined,
        endedAt: undefined,
      });
    }
  }

  started(tableId: number): void {
    const tally = this.tallies.get(tableId);
    if (tally?.state !== "pending") return;
    tally.state = "loading";
    tally.startedAt = Date.now();
  }

  moved(tableId: number, rows: number, bytes: number): void {
    const tally = this.tallies.get(tableId);
    if (!tally) return;
    tally.rows += rows;
    tally.bytes += bytes;
  }

  /** The rows counted while they passed include formats' trailers; the server's count at the end is the true one. */
  corrected(tableId: number, surplus: number): void {
    const tally = this.tallies.get(tableId);
    if (tally) tally.rows -= surplus;
  }

  loaded(tableId: number): void {
    const tally = this.tallies.get(tableId);
    if (!tally) return;
    tally.state = "loaded";
    tally.endedAt = Date.now();
  }

  /** What an attempt that failed had moved does not count. */
  reset(tableId: number): void {
    const tally = this.tallies.get(tableId);
    if (!tally || tally.state === "loaded") return;
    Object.assign(tally, { state: "pending", rows: 0, bytes: 0, startedAt: undefined });
  }

  bytesOf(tableId: number): number {
    return this.tallies.get(tableId)?.bytes ?? 0;
  }

  get size(): number {
    return this.tallies.size;
  }

  tables(): readonly TableStatus[] {
    return [...this.tallies.values()].map(tableStatus);
  }
}

function tableStatus({ table, state, rows, bytes, startedAt, endedAt }: Tally): TableStatus {
  const seconds = startedAt === undefined ? undefined : Math.max(0.001, ((endedAt ?? Date.now()) - startedAt) / 1000);
  const rowsPerSecond = seconds === undefined ? undefined : Math.round(rows / seconds);
  return {
    source: table.source,
    target: table.target,
    state,
    rows,
    bytes,
    estimatedRows: Math.max(table.estimatedRows, rows),
    rowsPerSecond,
    bytesPerSecond: seconds === undefined ? undefined : Math.round(bytes / seconds),
    secondsLeft:
      state === "loading" && rowsPerSecond ? Math.round(Math.max(0, table.estimatedRows - rows) / rowsPerSecond) : undefined,
  };
}
