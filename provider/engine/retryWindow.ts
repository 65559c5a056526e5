import { setTimeout as sleep } from "node:timers/promises";
import { ErrorCode, GodwitError } from "./errors.js";
import type { RetrySettings } from "./taskDefinition.js";

/** Causes that no retry mends: going on would hide them or do harm. */
const FINAL: ReadonlySet<ErrorCode> = new Set([
  ErrorCode.WorkerFenced,
  ErrorCode.StoreUnusable,
  ErrorCode.SlotLost,
  ErrorCode.SlotMissing,
  ErrorCode.ServerChanged,
  ErrorCode.PositionUnavailable,
  ErrorCode.StructureChanged,
  ErrorCode.DataDiffers,
]);

export function isFinal(cause: unknown): boolean {
  return cause instanceof GodwitError && FINAL.has(cause.code);
}

/**
 * Decides how long a failing task is tried again. A window opens at the first failure and closes with progress; connection
 * errors and other errors have windows of their own, as the contract's `retry` has.
 */
export class RetryWindow {
  private firstFailure: number | undefined;
  private attempts = 0;

  constructor(private readonly settings: () => RetrySettings) {}

  /** Progress was made: what failed before is over. */
  succeeded(): void {
    this.firstFailure = undefined;
    this.attempts = 0;
  }

  /** False when the window is over. `connection`: the server was gone, rather than unwilling. */
  mayRetry(connection: boolean): boolean {
    this.firstFailure ??= Date.now();
    const { connectionMinutes, otherMinutes } = this.settings();
    return Date.now() - this.firstFailure < (connection ? connectionMinutes : otherMinutes) * 60_000;
  }

  /** Waits 0.5 s, doubling up to 15 s: soon enough for a server that restarts, and no storm against one that is down. */
  async wait(signal: AbortSignal): Promise<void> {
    const milliseconds = Math.min(15_000, 500 * 2 ** this.attempts++);
    await sleep(milliseconds, undefined, { signal }).catch(() => undefined);
  }
}
