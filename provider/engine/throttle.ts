import { setTimeout as sleep } from "node:timers/promises";

export interface ThrottleRates {
  readonly rowsPerSecond?: number | undefined;
  readonly megabytesPerSecond?: number | undefined;
}

export interface Throttle {
  /**
   * Takes note of work that is about to be done and says how long to hold it: undefined when it may go on at once. Never
   * refuses a piece larger than a second's worth; what follows waits the longer.
   */
  admit(rows: number, bytes: number): Promise<void> | undefined;
}

/**
 * A token bucket each for rows and bytes, one second deep. The rates are read at every call, and again every quarter of a second while waiting,
 * so that a change takes effect on what is already held; no rate is no limit. A megabyte is 2^20 bytes.
 * Nothing waits any longer once the signal aborts.
 */
export function createThrottle(rates: () => ThrottleRates, signal?: AbortSignal): Throttle {
  const now = () => performance.now();
  const rows = bucket(now);
  const bytes = bucket(now);
  const debt = () => {
    const { rowsPerSecond, megabytesPerSecond } = rates();
    return Math.max(rows.secondsInDebt(rowsPerSecond), bytes.secondsInDebt(megabytesPerSecond && megabytesPerSecond * 1_048_576));
  };
  const wait = async () => {
    for (let seconds = debt(); seconds > 0 && !signal?.aborted; seconds = debt()) await sleep(Math.min(seconds, 0.25) * 1000);
  };
  return {
    admit(rowCount, byteCount) {
      const { rowsPerSecond, megabytesPerSecond } = rates();
      rows.take(rowCount, rowsPerSecond);
      bytes.take(byteCount, megabytesPerSecond && megabytesPerSecond * 1_048_576);
      return debt() > 0 ? wait() : undefined;
    },
  };
}

function bucket(now: () => number) {
  let level = 0;
  let filledAt: number | undefined;
  const fill = (rate: number | undefined) => {
    const time = now();
    // A limit that begins now starts with a full second's worth; without one there is no debt to carry over.
    if (rate === undefined || rate <= 0) filledAt = undefined;
    else if (filledAt === undefined) level = rate;
    else level = Math.min(rate, level + ((time - filledAt) / 1000) * rate);
    if (rate !== undefined && rate > 0) filledAt = time;
  };
  return {
    take(amount: number, rate: number | undefined) {
      fill(rate);
      if (filledAt !== undefined) level -= amount;
    },
    /** 0 when there is none. */
    secondsInDebt(rate: number | undefined): number {
      fill(rate);
      return rate === undefined || rate <= 0 || level >= 0 ? 0 : -level / rate;
    },
  };
}
