import { describe, expect, it } from "vitest";
import { renderStatus } from "../../provider/cli/renderStatus.js";
import type { ShownStatus } from "../../provider/cli/status.js";
import { SourceTimes } from "../../provider/engine/sourceTimes.js";
import { progressLine } from "../../provider/resources/taskProgressLine.js";

describe("how long ago the source was where the target is", () => {
  it("is told by where it was seen, and at least as long as it was watched", () => {
    const times = new SourceTimes(100n, 0);
    times.add(200n, 1000);
    times.add(300n, 2000);
    expect(times.since(50n, 2500, undefined)).toBe(2500);
    expect(times.since(50n, 2500, 60_000)).toBe(60_000);
    expect(times.since(250n, 2500, 60_000)).toBe(1500);
    expect(times.since(300n, 2500, undefined)).toBe(500);
    expect(times.since(400n, 9000, undefined)).toBe(7000);
  });

  it("is still known to a few seconds after a day of samples", () => {
    const times = new SourceTimes(0n, 0);
    for (let second = 1; second <= 86_400; second++) times.add(BigInt(second), second * 1000);
    const lag = times.since(43_200n, 86_400_000, undefined);
    expect(Math.abs(lag - 43_200_000)).toBeLessThan(120_000);
  });
});

describe("what people see of a stream whose positions are no bytes", () => {
  const incremental = {
    caughtUp: true,
    sourcePosition: "SCN 500",
    appliedPosition: "SCN 480",
    lagBytes: undefined,
    lagSeconds: 4.2,
    inserts: 1,
    updates: 2,
    deletes: 3,
    truncates: 0,
    changesPerSecond: 6,
    retainedBytes: undefined,
    logNeeded: { from: "SCN 17", openTransactions: 2, oldestOpenSeconds: 7200 },
  };
  const status = {
    taskId: "t",
    environmentTag: undefined,
    state: "running",
    phase: "incremental",
    worker: undefined,
    stepsDone: 0,
    stepsTotal: 0,
    tables: [],
    errors: [],
    alive: true,
    incremental,
  };

  it("is seconds, positions and the redo that is needed, and no megabytes", () => {
    const text = renderStatus(status as unknown as ShownStatus);
    expect(text).toContain("lag        4.2 s (source SCN 500, applied SCN 480)");
    expect(text).toContain("log        needed from SCN 17 on (2 transactions open, the oldest for 7,200 s)");
    expect(text).not.toMatch(/kB|MB|WAL/);
    const line = progressLine({ state: "running", phase: "incremental", status, errors: [] } as unknown as Parameters<
      typeof progressLine
    >[0]);
    expect(line).toBe("incremental: 6 changes applied, 6 a second, 4.2 s behind");
  });
});
