import type { Emitter } from "./emitTransaction.js";
import { positionAt } from "./position.js";
import type { Emitted } from "./resumePoint.js";
import type { ResumePoints } from "./resumePoints.js";
import type { Commit } from "./transactions.js";

/** Hands the commits of a window over, in order, each with its place and what a restart after it needs. */
export class HandOver {
  /** The commit before: SCNs repeat only within a window, for a window ends with the last of its SCN. */
  private lastScn = -1n;
  private ordinal = 0;
  private emittedThere: string[] = [];

  constructor(
    private readonly emitter: Emitter,
    private readonly points: ResumePoints,
    /** What a former stream did already. */
    private readonly done: Emitted,
  ) {}

  /** `oldestOpen`: SCN of the first change of the oldest transaction that is open after the window. False when the signal aborted. */
  async window(commits: readonly Commit[], oldestOpen: bigint | undefined, signal: AbortSignal): Promise<boolean> {
    const restarts = restartScns(commits, oldestOpen);
    for (const [index, { scn, xid, timeMs, transaction }] of commits.entries()) {
      if (signal.aborted) {
        for (const left of commits.slice(index)) left.transaction?.log.close();
        return false;
      }
      if (scn === this.lastScn) this.ordinal++;
      else {
        this.ordinal = 0;
        this.lastScn = scn;
        this.emittedThere = [...this.done.at(scn)];
      }
      if (!transaction) continue;
      try {
        if (this.done.has(scn, this.ordinal, xid)) continue;
        this.emittedThere.push(xid);
        const position = positionAt(scn, this.ordinal);
        const endPosition = positionAt(scn, this.ordinal + 1);
        this.points.add({ position: endPosition, restartScn: restarts[index] ?? scn, emitted: [...this.emittedThere] });
        await this.emitter.emit({ transaction, commitScn: scn, commitTimeMs: timeMs, position, endPosition });
      } finally {
        transaction.log.close();
      }
    }
    return true;
  }
}

/** For each commit, from where redo has to be read to go on after it: the first change of whatever ends later. */
function restartScns(commits: readonly Commit[], oldestOpen: bigint | undefined): bigint[] {
  const restarts: bigint[] = new Array(commits.length);
  let oldest = oldestOpen;
  for (let index = commits.length - 1; index >= 0; index--) {
    const commit = commits[index];
    if (!commit) continue;
    restarts[index] = oldest !== undefined && oldest < commit.scn ? oldest : commit.scn;
    const first = commit.transaction?.firstScn;
    if (first !== undefined && (oldest === undefined || first < oldest)) oldest = first;
  }
  return restarts;
}
