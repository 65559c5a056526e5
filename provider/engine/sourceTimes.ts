import type { Position } from "./models/change.js";

interface Sample {
  readonly position: Position;
  readonly atMs: number;
}

/** More than that are thinned out: a lag of hours need not be known to the second. */
const MOST_SAMPLES = 2000;

/** When the source was where: from that, how long ago it was at a position. Samples are asked for in the order of time. */
export class SourceTimes {
  private samples: Sample[];
  /** Of those behind the newest. */
  private leastApartMs = 0;

  constructor(position: Position, atMs: number) {
    this.samples = [{ position, atMs }];
  }

  add(position: Position, atMs: number): void {
    const { samples } = this;
    const before = samples.at(-2);
    if (before && atMs - before.atMs < this.leastApartMs) samples.pop();
    samples.push({ position, atMs });
    if (samples.length <= MOST_SAMPLES) return;
    // Evenly: older ones are as likely to be asked for.
    this.leastApartMs = ((atMs - (samples[0]?.atMs ?? atMs)) * 2) / MOST_SAMPLES;
    this.samples = samples.filter((_, index) => index % 2 === 0);
  }

  /**
   * Milliseconds since the source was at `position`. Positions only grow, so what lies before it is forgotten. One from before the first sample is at
   * least as old as that; `known`: an age known from elsewhere.
   */
  since(position: Position, nowMs: number, known: number | undefined): number {
    let first = 0;
    while ((this.samples[first + 1]?.position ?? position + 1n) <= position) first++;
    this.samples = this.samples.slice(first);
    const [sample] = this.samples;
    if (!sample) return known ?? 0;
    const age = Math.max(0, nowMs - sample.atMs);
    return sample.position <= position ? age : Math.max(age, known ?? 0);
  }
}
