/** One row of the bench: the same work done by Godwit and by what a user would pick instead. */
export interface Benchmark {
  readonly name: string;
  readonly peerName: string;
  /** Less is better in every unit used here. */
  readonly unit: "s";
  /** Both sides once, one after the other: who goes first is `goesFirst(pairIndex)`. Prepares servers and data when it is called first. */
  run(pairIndex: number): Promise<Pair>;
  /** Ends what it started. */
  close(): Promise<void>;
}

/** One measurement of each side, in the benchmark's unit. */
export interface Pair {
  readonly ours: number;
  readonly peer: number;
}

/** Thrown by `run` when the peer can't be had on this machine: the row is skipped with these words. */
export class PeerUnavailable extends Error {
  override readonly name = "PeerUnavailable";
}

/** The sides take turns, so that neither always finds the machine as the other left it. */
export function goesFirst(pairIndex: number): keyof Pair {
  return pairIndex % 2 === 0 ? "ours" : "peer";
}

/** Runs both sides in the order of the pair. */
export async function inTurn(
  pairIndex: number,
  sides: { readonly ours: () => Promise<number>; readonly peer: () => Promise<number> },
): Promise<Pair> {
  if (goesFirst(pairIndex) === "ours") {
    const ours = await sides.ours();
    return { ours, peer: await sides.peer() };
  }
  const peer = await sides.peer();
  return { ours: await sides.ours(), peer };
}

export interface Result {
  readonly name: string;
  /** Medians of each side. */
  readonly ours: number;
  readonly peer: number;
  readonly peerName: string;
  readonly unit: string;
  /** Median of the pairs' own ratios, peer / ours: above 1 = ours is faster. A slow minute of the machine falls on both sides of a pair. */
  readonly ratio: number;
}

export function resultOf(
  { name, peerName, unit }: Pick<Benchmark, "name" | "peerName" | "unit">,
  pairs: readonly Pair[],
): Result {
  return {
    name,
    ours: median(pairs.map(({ ours }) => ours)),
    peer: median(pairs.map(({ peer }) => peer)),
    peerName,
    unit,
    ratio: median(pairs.map(({ ours, peer }) => peer / ours)),
  };
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)];
  const lower = sorted[Math.floor((sorted.length - 1) / 2)];
  if (upper === undefined || lower === undefined) throw new RangeError("the median of nothing");
  return (lower + upper) / 2;
}
