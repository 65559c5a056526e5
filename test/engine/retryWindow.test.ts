import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ErrorCode, GodwitError } from "../../provider/engine/errors.js";
import { isFinal, RetryWindow } from "../../provider/engine/retryWindow.js";

const settings = { connectionMinutes: 60, otherMinutes: 5 };

describe("the retry window", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it("lets a lost connection be tried again for longer than another error", () => {
    const retry = new RetryWindow(() => settings);
    expect(retry.mayRetry(false)).toBe(true);
    vi.advanceTimersByTime(6 * 60_000);
    expect(retry.mayRetry(false)).toBe(false);
    expect(retry.mayRetry(true)).toBe(true);
    vi.advanceTimersByTime(55 * 60_000);
    expect(retry.mayRetry(true)).toBe(false);
  });

  it("opens anew once there was progress", () => {
    const retry = new RetryWindow(() => settings);
    retry.mayRetry(false);
    vi.advanceTimersByTime(6 * 60_000);
    retry.succeeded();
    expect(retry.mayRetry(false)).toBe(true);
  });

  it("follows a change of the settings", () => {
    let minutes = 1;
    const retry = new RetryWindow(() => ({ connectionMinutes: minutes, otherMinutes: minutes }));
    retry.mayRetry(true);
    vi.advanceTimersByTime(2 * 60_000);
    expect(retry.mayRetry(true)).toBe(false);
    minutes = 30;
    expect(retry.mayRetry(true)).toBe(true);
  });
});

describe("errors no retry mends", () => {
  it("are a lost slot and a worker that was fenced, not a rejected row", () => {
    expect(isFinal(new GodwitError(ErrorCode.SlotLost, "gone"))).toBe(true);
    expect(isFinal(new GodwitError(ErrorCode.WorkerFenced, "other"))).toBe(true);
    expect(isFinal(new GodwitError(ErrorCode.RowsRejected, "row"))).toBe(false);
    expect(isFinal(new Error("anything"))).toBe(false);
  });
});
