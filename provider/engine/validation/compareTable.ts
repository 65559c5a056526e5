import { setTimeout as sleep } from "node:timers/promises";
import { bucketOf, type Cell, type CellLevel, type Cells, type KeyRange, type TableComparison } from "./comparison.js";
import { type Settled, settle } from "./settle.js";
import type { ComparedMode, RowDifference } from "./validationStatus.js";

/** Rows of a side that are looked at one by one in a range: some 20 MB of keys and digests. */
const MOST_ROWS_LOOKED_AT = 200_000;
/** Rows that are named of one table; beyond them only ranges are told. */
const MOST_NAMED = 20;
/** Once so many rows of a table are known to differ, its other ranges are not looked through. */
const ENOUGH_ROWS = 10_000;
/** Reads of what keeps differing, with growing pauses: about 20 seconds. */
const LIVE_ROUNDS = 8;

export interface TableTally {
  sourceRows: number;
  targetRows: number;
  rangesDone: number;
  rangesDifferent: number;
  rowsDifferent: number;
  /** Parts of which nothing can be said. */
  unsettled: number;
  readonly differences: RowDifference[];
}

export interface TableReading {
  readonly comparison: TableComparison;
  readonly mode: ComparedMode;
  /** Nothing moves: one read tells. */
  readonly still: boolean;
  readonly arrived: () => Promise<void>;
  /** Before a range is read, with the rows of the last one. */
  readonly admit: (rows: number) => Promise<void>;
  /** False: what is being done is not wanted any more. */
  readonly wanted: () => boolean;
  readonly signal: AbortSignal;
}

export function emptyTally(): TableTally {
  return {
    sourceRows: 0,
    targetRows: 0,
    rangesDone: 0,
    rangesDifferent: 0,
    rowsDifferent: 0,
    unsettled: 0,
    differences: [],
  };
}

/** Compares a table range by range and counts into `tally`. Returns false when it was not wanted any more on the way. */
export async function compareTable(reading: TableReading, tally: TableTally): Promise<boolean> {
  let after: readonly string[] | undefined;
  let rows = 0;
  do {
    await reading.admit(rows);
    reading.signal.throwIfAborted();
    if (!reading.wanted()) return false;
    const upTo = await reading.comparison.nextBound(after);
    const range: KeyRange | undefined = after || upTo ? { after, upTo } : undefined;
    rows = await compareRange(reading, range, tally);
    tally.rangesDone++;
    after = upTo;
  } while (after);
  return true;
}

/** Returns how many rows the larger side has there. */
async function compareRange(reading: TableReading, range: KeyRange | undefined, tally: TableTally): Promise<number> {
  const { source, target, ranged } = reading.comparison;
  // A read of the whole table is dear: it gives the buckets at once, so that only what differs is read again. Counting alone needs no digests.
  const level: CellLevel = ranged || reading.mode === "counts" ? "range" : "buckets";
  const [there, here] = await Promise.all([source.read({ range, level }), target.read({ range, level })]);
  const [sourceRows, targetRows] = [rowsOf(there), rowsOf(here)];
  tally.sourceRows += sourceRows;
  tally.targetRows += targetRows;
  const suspects = differing(there, here);
  if (suspects.length > 0) await lookInto(reading, range, level === "range" ? undefined : suspects, tally);
  return Math.max(sourceRows, targetRows);
}

/** What differs at first sight: is it a change on its way, and which rows are it? */
async function lookInto(
  reading: TableReading,
  range: KeyRange | undefined,
  suspects: readonly string[] | undefined,
  tally: TableTally,
): Promise<void> {
  const { comparison, mode } = reading;
  if (comparison.counted) {
    const whole = await settleCells(reading, range, "range", undefined, new Map());
    tally.unsettled += whole.moving.size;
    if (whole.different.size > 0) tally.rangesDifferent++;
    return;
  }
  const sizes = new Map<string, number>();
  const buckets = await settleCells(reading, range, "buckets", suspects, sizes);
  const named = mode === "full" && tally.rowsDifferent < ENOUGH_ROWS;
  // Where one row changes all the time its bucket does: row by row it can still be told of the others.
  const closer = fitting([...(named ? buckets.different.keys() : []), ...buckets.moving], sizes);
  const rows = closer.length > 0 ? await settleCells(reading, range, "rows", closer, new Map()) : undefined;
  const looked = new Set(closer);
  const unlooked = [...buckets.different.keys()].filter((name) => !looked.has(name));
  const different = unlooked.length + (rows?.different.size ?? 0);
  tally.unsettled += [...buckets.moving].filter((name) => !looked.has(name)).length + (rows?.moving.size ?? 0);
  if (different === 0) return;
  tally.rangesDifferent++;
  if (!rows || mode !== "full") return;
  tally.rowsDifferent += [...rows.different.values()].reduce((sum, { source, target }) => sum + rowsIn(source, target), 0);
  const room = MOST_NAMED - tally.differences.length;
  const first = [...rows.different].slice(0, Math.max(0, room));
  const shown = comparison.keyed ? undefined : await showRows(comparison, first, range);
  for (const [cell, { source, target }] of first) {
    const row = shown?.get(cell) ?? cell.slice(bucketOf(cell).length + 1);
    tally.differences.push({ row, kind: kindOf(source, target) });
  }
}

/** Row by row of a table without a key, how often a row stands on either side differs. */
function rowsIn(source: Cell | undefined, target: Cell | undefined): number {
  return Math.max(1, Math.abs((source?.rows ?? 0) - (target?.rows ?? 0)));
}

function kindOf(source: Cell | undefined, target: Cell | undefined): RowDifference["kind"] {
  const [there, here] = [source?.rows ?? 0, target?.rows ?? 0];
  return there > here ? "missing" : there < here ? "extra" : "changed";
}

async function showRows(
  { source, target }: TableComparison,
  cells: readonly (readonly [string, { readonly source: Cell | undefined }])[],
  range: KeyRange | undefined,
): Promise<ReadonlyMap<string, string>> {
  const names = (of: boolean) => cells.filter(([, seen]) => (seen.source !== undefined) === of).map(([name]) => name);
  const [there, here] = await Promise.all([source.show(names(true), range), target.show(names(false), range)]);
  return new Map([...there, ...here]);
}

/** `sizes` gets the rows of each cell that was read. */
function settleCells(
  { comparison, still, arrived, signal }: TableReading,
  range: KeyRange | undefined,
  level: CellLevel,
  within: readonly string[] | undefined,
  sizes: Map<string, number>,
): Promise<Settled> {
  const side = (of: TableComparison["source"]) => async (open: ReadonlySet<string> | undefined) => {
    const buckets = open === undefined ? within : level === "buckets" ? [...open] : [...new Set([...open].map(bucketOf))];
    const cells = await of.read({ range, level, buckets });
    for (const [name, { rows }] of cells) sizes.set(name, Math.max(sizes.get(name) ?? 0, rows));
    return cells;
  };
  return settle({
    source: side(comparison.source),
    target: side(comparison.target),
    arrived,
    async pause(round) {
      await sleep(Math.min(5000, 300 * 2 ** round), undefined, { signal });
    },
    rounds: still ? 1 : LIVE_ROUNDS,
    still,
  });
}

function differing(there: Cells, here: Cells): string[] {
  return [...new Set([...there.keys(), ...here.keys()])].filter((name) => {
    const [one, other] = [there.get(name), here.get(name)];
    return one?.rows !== other?.rows || one?.digest !== other?.digest;
  });
}

/** As many of the buckets as may be looked at row by row. */
function fitting(buckets: readonly string[], sizes: ReadonlyMap<string, number>): string[] {
  let rows = 0;
  return buckets.filter((name) => {
    rows += sizes.get(name) ?? 0;
    return rows <= MOST_ROWS_LOOKED_AT;
  });
}

function rowsOf(cells: Cells): number {
  return [...cells.values()].reduce((sum, { rows }) => sum + rows, 0);
}
