/** What a window was like. */
export interface WindowOutcome {
  readonly rows: number;
  readonly milliseconds: number;
  /** It reached the end of the redo there is. */
  readonly atEnd: boolean;
}

const SMALLEST = 1_000;
const LARGEST = 50_000_000;
/** A window of this many rows is large enough that starting LogMiner, which reads the logs' headers and dictionary, does not count. */
const ENOUGH_ROWS = 100_000;
const LONGEST_MS = 20_000;

/**
 * How many SCNs the next window spans. SCNs are a poor measure of work (an idle database makes them as well), so the size follows what the
 * windows brought: twice as large as long as they bring little, half when one was long. Pure.
 */
export function nextWindowSize(size: number, { rows, milliseconds, atEnd }: WindowOutcome): number {
  if (rows > ENOUGH_ROWS * 2 || milliseconds > LONGEST_MS) return Math.max(SMALLEST, Math.floor(size / 2));
  // At the end of the redo a window is small because there was no more.
  if (!atEnd && rows < ENOUGH_ROWS / 2 && milliseconds < LONGEST_MS / 2) return Math.min(LARGEST, size * 2);
  return size;
}
