import { describe, expect, it } from "vitest";
import { type AlertMemory, type AlertSettings, alertsOf, type Observation } from "../../../provider/engine/alerts/alertState.js";

const retrying = { code: "GW1107", message: "GW1107: gone. Remedy: wait", retrying: true };
const final = { code: "GW1501", message: "GW1501: rejected", retrying: false };
const seen = (more: Partial<Observation> = {}): Observation => ({
  state: "running",
  failure: undefined,
  latencySeconds: 0,
  caughtUp: true,
  ...more,
});
const failing = seen({ failure: retrying, latencySeconds: undefined });
const both: AlertSettings = { onFailure: true, latencySeconds: 5 };

/** What is told over time: each step is what is seen from a second on, looked at every second. */
function told(steps: readonly (readonly [number, Observation])[], until: number, settings = both, restartAt?: number): string[] {
  let memory: AlertMemory = { at: 0 };
  const lines: string[] = [];
  for (let second = 0; second <= until; second++) {
    // What a worker's successor reads is what was written down.
    if (second === restartAt) memory = JSON.parse(JSON.stringify(memory)) as AlertMemory;
    const now = [...steps].reverse().find(([from]) => from <= second)?.[1];
    if (!now) continue;
    const next = alertsOf(memory, now, settings, 1_000_000 + second * 1000);
    memory = next.memory;
    for (const { event, failure, lagSeconds } of next.alerts)
      lines.push(
        `${second} ${event}${failure ? ` ${failure.code}${failure.retrying ? " retrying" : ""}` : ""}${lagSeconds === undefined ? "" : ` ${lagSeconds}`}`,
      );
  }
  return lines;
}

describe("a task that fails", () => {
  it("is told of at once when it failed for good, and once", () => {
    expect(told([[3, seen({ state: "failed", failure: final })]], 300)).toEqual(["3 failed GW1501"]);
  });

  it("is told of after a minute of retries, however often an attempt looks well for a moment", () => {
    const flapping = Array.from({ length: 30 }, (_, index): [number, Observation] => [
      index * 5,
      index % 3 === 2 ? seen() : failing,
    ]);
    expect(told(flapping, 145)).toEqual(["60 failed GW1107 retrying"]);
  });

  it("is not told of when it goes on within the minute", () => {
    expect(
      told(
        [
          [0, failing],
          [50, seen()],
        ],
        300,
      ),
    ).toEqual([]);
  });

  it("is told of once as recovered, half a minute after its last failure, and a second failure is another incident", () => {
    const steps = [
      [0, failing],
      [100, seen()],
      [200, failing],
    ] as const;
    expect(told(steps, 300)).toEqual([
      "60 failed GW1107 retrying",
      "130 recovered GW1107 retrying",
      "260 failed GW1107 retrying",
    ]);
  });

  it("is told of a second time when its retries come to nothing", () => {
    expect(
      told(
        [
          [0, failing],
          [90, seen({ state: "failed", failure: final })],
        ],
        300,
      ),
    ).toEqual(["60 failed GW1107 retrying", "90 failed GW1501"]);
  });

  it("is not told of again by a successor of the worker", () => {
    expect(told([[0, failing]], 300, both, 90)).toEqual(["60 failed GW1107 retrying"]);
  });

  it("is nobody's business when it was paused or stopped, or nobody wants to hear of failures", () => {
    expect(
      told(
        [
          [0, failing],
          [100, seen({ state: "paused" })],
          [300, seen()],
        ],
        400,
      ),
    ).toEqual(["60 failed GW1107 retrying", "330 recovered GW1107 retrying"]);
    expect(
      told(
        [
          [0, failing],
          [100, seen({ state: "stopped" })],
          [300, seen()],
        ],
        400,
      ),
    ).toEqual(["60 failed GW1107 retrying"]);
    expect(
      told(
        [
          [0, failing],
          [90, seen({ state: "failed", failure: final })],
        ],
        300,
        { onFailure: false },
      ),
    ).toEqual([]);
  });
});

describe("a task that falls behind", () => {
  const late = (latencySeconds: number, caughtUp = true) => seen({ latencySeconds, caughtUp });

  it("is told of after ten seconds, and once more when it has caught up", () => {
    expect(
      told(
        [
          [0, late(1)],
          [20, late(9)],
          [60, late(0.5)],
        ],
        200,
      ),
    ).toEqual(["30 lagging 9", "70 caughtUp 0.5"]);
  });

  it("is not told of for a moment's latency, nor for one that keeps within the limit", () => {
    expect(
      told(
        [
          [0, late(0)],
          [20, late(60)],
          [26, late(0)],
          [40, late(5)],
        ],
        300,
      ),
    ).toEqual([]);
  });

  it("is not late before it was level once: that is what the load left to do", () => {
    expect(
      told(
        [
          [0, late(3600, false)],
          [100, late(0)],
          [200, late(20)],
        ],
        300,
      ),
    ).toEqual(["210 lagging 20"]);
  });

  it("is not watched unless it is asked for, and stays late while the stream is down", () => {
    expect(
      told(
        [
          [0, late(0)],
          [20, late(99)],
        ],
        300,
        { onFailure: true },
      ),
    ).toEqual([]);
    expect(
      told(
        [
          [0, late(0)],
          [20, late(99)],
          [60, failing],
          [100, late(99)],
          [150, late(0)],
        ],
        300,
      ),
    ).toEqual(["30 lagging 99", "160 caughtUp 0"]);
  });
});
