import { performance } from "node:perf_hooks";
import { Operation } from "./contents.js";
import { OpenTransaction, type RedoLine } from "./openTransaction.js";
import { SpillSpace } from "./spillSpace.js";

/** A commit, or a statement of DDL, which commits by itself, as redo brought it. */
export interface Commit {
  readonly xid: string;
  readonly scn: bigint;
  readonly timeMs: number;
  /** Redo order at one SCN: thread, then place in the thread's log. */
  readonly thread: number;
  readonly place: string;
  /** Undefined for a transaction that changed nothing of interest. */
  readonly transaction: OpenTransaction | undefined;
}

/** XID of redo whose transaction began before what is mined ends in this: only its undo segment and slot are known. */
const NO_SEQUENCE = "FFFFFFFF";

/** The transactions that are open in the redo read so far, and how they ended in the window being read. */
export class Transactions {
  private readonly open = new Map<string, OpenTransaction>();
  private readonly space: SpillSpace;
  private commits: Commit[] = [];
  private rolledBack: OpenTransaction[] = [];
  private window = 0;

  /** `memoryBytes`: what they may hold together before the largest are put into a file in `directory`. */
  constructor(
    private readonly memoryBytes: number,
    directory: string,
  ) {
    this.space = new SpillSpace(directory);
  }

  add(xid: string, line: RedoLine): void {
    let transaction = this.find(xid);
    if (!transaction) {
      // INTERNAL lines of no transaction's (XID 0) never see a commit: one begun by them would be open for ever.
      if (line.operation === Operation.internal) return;
      transaction = this.start(xid, line.scn, line.time);
    }
    transaction.add(line, this.window);
    if (this.space.used > this.memoryBytes) this.spill();
  }

  commit(commit: Omit<Commit, "transaction">): void {
    const transaction = this.open.get(commit.xid);
    this.open.delete(commit.xid);
    this.commits.push({ ...commit, transaction });
  }

  /** A DDL statement stands alone, beside whatever else goes by its transaction's id. */
  ddl(commit: Omit<Commit, "transaction">, table: number, text: string): void {
    const transaction = new OpenTransaction(commit.xid, commit.scn, "", this.space);
    transaction.add(
      { operation: Operation.ddl, table, scn: commit.scn, rowId: "", undo: false, redo: text, time: "" },
      this.window,
    );
    this.commits.push({ ...commit, transaction });
  }

  rollback(xid: string): void {
    const transaction = this.find(xid);
    if (!transaction) return;
    this.open.delete(transaction.xid);
    this.rolledBack.push(transaction);
  }

  /** The window is read: its commits, in the order of commits. */
  endWindow(): readonly Commit[] {
    this.window++;
    for (const transaction of this.rolledBack) transaction.log.close();
    this.rolledBack = [];
    const ended = this.commits;
    this.commits = [];
    return ended.sort(inCommitOrder);
  }

  /** The window could not be read to its end, and will be read again: everything is as it was before it. */
  revertWindow(): void {
    const ended = this.commits.flatMap(({ transaction }) => transaction ?? []);
    for (const transaction of [...ended, ...this.rolledBack]) this.open.set(transaction.xid, transaction);
    this.commits = [];
    this.rolledBack = [];
    for (const transaction of this.open.values()) {
      if (transaction.revert(this.window)) continue;
      this.open.delete(transaction.xid);
      transaction.log.close();
    }
    this.window++;
  }

  /** The open transaction whose first change is the oldest. */
  oldest(): OpenTransaction | undefined {
    let oldest: OpenTransaction | undefined;
    for (const one of this.open.values()) if (oldest === undefined || one.firstScn < oldest.firstScn) oldest = one;
    return oldest;
  }

  /** Transactions that were first read of longer ago than this. */
  openFor(milliseconds: number): OpenTransaction[] {
    const before = performance.now() - milliseconds;
    return [...this.open.values()].filter(({ readSinceMs }) => readSinceMs < before);
  }

  get openCount(): number {
    return this.open.size;
  }

  get bytesInMemory(): number {
    return this.space.used;
  }

  close(): void {
    for (const transaction of this.open.values()) transaction.log.close();
    for (const { transaction } of this.commits) transaction?.log.close();
    for (const transaction of this.rolledBack) transaction.log.close();
    this.open.clear();
    this.commits = [];
    this.rolledBack = [];
    this.space.close();
  }

  private start(xid: string, scn: bigint, time: string): OpenTransaction {
    const transaction = new OpenTransaction(xid, scn, time, this.space);
    this.open.set(xid, transaction);
    return transaction;
  }

  private find(xid: string): OpenTransaction | undefined {
    const exact = this.open.get(xid);
    if (exact || !xid.endsWith(NO_SEQUENCE)) return exact;
    // One transaction at a time holds a slot of an undo segment.
    const slot = xid.slice(0, -NO_SEQUENCE.length);
    for (const transaction of this.open.values()) if (transaction.xid.startsWith(slot)) return transaction;
    return undefined;
  }

  /** The largest go first: few files, and the many small transactions stay in memory. Those that ended in this window count too. */
  private spill(): void {
    const all = [...this.open.values(), ...this.commits.flatMap(({ transaction }) => transaction ?? [])];
    all.sort((a, b) => b.log.occupied - a.log.occupied);
    for (const { log } of all) {
      if (this.space.used <= this.memoryBytes / 2) return;
      log.spill();
    }
  }
}

function inCommitOrder(a: Commit, b: Commit): number {
  if (a.scn !== b.scn) return a.scn < b.scn ? -1 : 1;
  if (a.thread !== b.thread) return a.thread - b.thread;
  // RS_ID has fixed width; within one, the order of arrival stays.
  return a.place < b.place ? -1 : a.place > b.place ? 1 : 0;
}
