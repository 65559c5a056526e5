import type { Cell, Cells } from "./comparison.js";

export interface Settling {
  /** The given cells, or all where none are given. A cell that is not there has no rows. */
  readonly source: (cells: ReadonlySet<string> | undefined) => Promise<Cells>;
  readonly target: (cells: ReadonlySet<string> | undefined) => Promise<Cells>;
  /** Resolves when the target holds everything that the reads of the source so far have seen. */
  readonly arrived: () => Promise<void>;
  /** Before a round is tried again. */
  readonly pause: (round: number) => Promise<void>;
  readonly rounds: number;
  /** Nothing moves on either side: what differs once differs. */
  readonly still: boolean;
}

export interface Settled {
  readonly different: ReadonlyMap<string, { readonly source: Cell | undefined; readonly target: Cell | undefined }>;
  /** Changed each time they were read. */
  readonly moving: ReadonlySet<string>;
}

interface Seen {
  readonly source: Cell | undefined;
  readonly target: Cell | undefined;
}

/**
 * Tells differences from changes on their way. A cell of the source that is the same in two reads was that all the time between them (its stamp tells a change and
 * its undoing from no change); the target was read between the two, when it had everything up to the first: so it must be the same there. Only a cell that was the same on either
 * side twice, and not the same on both, differs. Cells that agree once are done with; those that kept changing are given back.
 */
export async function settle({ source, target, arrived, pause, rounds, still }: Settling): Promise<Settled> {
  const different = new Map<string, Seen>();
  let before: ReadonlyMap<string, Seen> = new Map();
  let open: ReadonlySet<string> | undefined;
  for (let round = 0; ; round++) {
    const there = await source(open);
    await arrived();
    const here = await target(open);
    const differing = new Map<string, Seen>();
    for (const name of open ?? new Set([...there.keys(), ...here.keys()])) {
      const seen = { source: there.get(name), target: here.get(name) };
      if (same(seen.source, seen.target)) continue;
      const last = before.get(name);
      if (still || (last && untouched(last.source, seen.source) && same(last.target, seen.target))) different.set(name, seen);
      else differing.set(name, seen);
    }
    if (differing.size === 0 || round + 1 >= rounds) return { different, moving: new Set(differing.keys()) };
    before = differing;
    open = new Set(differing.keys());
    await pause(round);
  }
}

/** A value that goes to and fro is no value that stays. */
function untouched(before: Cell | undefined, now: Cell | undefined): boolean {
  return same(before, now) && before?.stamp === now?.stamp;
}

function same(one: Cell | undefined, other: Cell | undefined): boolean {
  return one?.rows === other?.rows && one?.digest === other?.digest;
}
