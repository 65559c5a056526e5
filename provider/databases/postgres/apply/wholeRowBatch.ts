import type { ApplyTable } from "./applyTable.js";
import { NotBatchable } from "./keyedBatch.js";
import { doubled, KeyIndex } from "./keyIndex.js";
import { RowSet } from "./rowSet.js";
import { filled, packTuple, packValues, unpackTuple } from "./tuples.js";

/**
 * The net effect of a batch on a table without a key: a multiset. For each content of a row how many more or fewer there are than before;
 * an update is a delete and an insert.
 */
export class WholeRowBatch {
  readonly inserts = new RowSet();
  readonly deletes = new RowSet();
  private readonly contents = new KeyIndex();
  private readonly scratch = new RowSet();
  private net = new Int32Array(1 << 10);

  constructor(private readonly table: ApplyTable) {}

  insert(data: Buffer, tuple: number, end: number): void {
    if (!packTuple(this.table, data, tuple, end, this.scratch)) throw new NotBatchable("an inserted row with values left out");
    this.count(1);
  }

  update(data: Buffer, oldTuple: number, newTuple: number, end: number): void {
    if (!packTuple(this.table, data, newTuple, end, this.scratch)) {
      const old = unpackTuple(this.table, data, oldTuple);
      packValues(filled(unpackTuple(this.table, data, newTuple), old), this.scratch);
    }
    this.count(1);
    this.delete(data, oldTuple, end);
  }

  delete(data: Buffer, oldTuple: number, end: number): void {
    packTuple(this.table, data, oldTuple, end, this.scratch);
    this.count(-1);
  }

  /** Fills `inserts` and `deletes`. */
  settle(): void {
    for (let entry = 0; entry < this.contents.count; entry++) {
      const net = this.net[entry] as number;
      if (net === 0) continue;
      const row = this.contents.bytesOf(entry);
      const set = net > 0 ? this.inserts : this.deletes;
      for (let times = Math.abs(net); times > 0; times--) {
        set.reserve(row.length);
        set.used += row.copy(set.bytes, set.used);
        set.rows++;
      }
    }
  }

  clear(): void {
    this.contents.clear();
    this.inserts.clear();
    this.deletes.clear();
  }

  private count(by: number): void {
    const { scratch, contents } = this;
    contents.add(scratch.bytes, 0, scratch.used);
    scratch.clear();
    const known = contents.count;
    const entry = contents.find();
    if (entry === this.net.length) this.net = doubled(this.net);
    this.net[entry] = entry === known ? by : (this.net[entry] as number) + by;
  }
}
