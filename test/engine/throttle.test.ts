import { describe, expect, it } from "vitest";
import { createThrottle } from "../../provider/engine/throttle.js";

describe("a throttle", () => {
  it("lets everything pass without a rate", () => {
    const throttle = createThrottle(() => ({}));
    for (let times = 0; times < 1000; times++) expect(throttle.admit(1_000_000, 1_000_000_000)).toBeUndefined();
  });

  it("lets a second's worth pass at once and holds the rest back for as long as the rate says", async () => {
    const throttle = createThrottle(() => ({ rowsPerSecond: 1000 }));
    const begun = performance.now();
    expect(throttle.admit(1000, 0)).toBeUndefined();
    await throttle.admit(300, 0);
    const took = performance.now() - begun;
    expect(took).toBeGreaterThan(280);
    expect(took).toBeLessThan(60_000);
  });

  it("lets go of what it holds when the rate is lifted", async () => {
    let rates: { megabytesPerSecond?: number } = { megabytesPerSecond: 0.001 };
    const throttle = createThrottle(() => rates);
    const begun = performance.now();
    const held = throttle.admit(1, 1_000_000);
    rates = {};
    await held;
    expect(performance.now() - begun).toBeLessThan(60_000);
  });

  it("lets go of what it holds when its signal aborts", async () => {
    const over = new AbortController();
    const held = createThrottle(() => ({ rowsPerSecond: 1 }), over.signal).admit(1000, 0);
    over.abort();
    const begun = performance.now();
    await held;
    expect(performance.now() - begun).toBeLessThan(60_000);
  });
});
