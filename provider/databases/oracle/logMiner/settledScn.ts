import type { OracleConnection } from "../driver.js";

export const CURRENT_SCN = `SELECT D.CURRENT_SCN AS "SCN" FROM V$DATABASE D`;

export async function currentScn(connection: OracleConnection): Promise<bigint> {
  const [row] = await connection.query<{ readonly SCN: string }>(CURRENT_SCN);
  return BigInt(row?.SCN ?? "0");
}

/**
 * Up to which SCN redo is on disk, of every thread. A commit's SCN is given out before its redo is written: a window that ends at the current SCN
 * may miss a commit of that very SCN, and the next window begins behind it. The log writer writes at least every three seconds (Database
 * Concepts, "Log Writer Process"), so an SCN that was current that long ago is complete.
 */
export class SettledScn {
  private readonly seen: { readonly scn: bigint; readonly atMs: number }[] = [];
  private settled: bigint | undefined;

  constructor(private readonly settleMs: number) {}

  /** Takes note of the SCN that is current at `nowMs` (any monotonic clock); the newest that is complete, undefined before there is one. */
  observe(scn: bigint, nowMs: number): bigint | undefined {
    this.seen.push({ scn, atMs: nowMs });
    for (let first = this.seen[0]; first && first.atMs + this.settleMs <= nowMs; first = this.seen[0]) {
      this.settled = first.scn;
      this.seen.shift();
    }
    return this.settled;
  }
}
