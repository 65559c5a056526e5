import type { ApplyTable } from "./applyTable.js";
import { doubled, KeyIndex } from "./keyIndex.js";
import { RowSet } from "./rowSet.js";
import { allPlaces } from "./statements.js";
import { addKey, filled, packTuple, packValues, unpackRow, unpackTuple, type Value } from "./tuples.js";

/**
 * What a batch has done to a key so far. `gone`: inserted and deleted again, or not met yet. `kept`: there, as it was.
 *
 *   gone --insert--> inserted --update--> inserted --delete--> gone
 *   gone --update--> updated --update--> updated --delete--> deleted
 *   gone --delete--> deleted --insert--> updated, all columns (or `replaced`: a deleted row and an inserted one)
 *
 * `moved`: the row left for another key, or came from one, with values that the change did not send. Nothing more is done to either key.
 */
enum Fate {
  gone = 0,
  inserted = 1,
  updated = 2,
  deleted = 3,
  replaced = 4,
  kept = 5,
  moved = 6,
}

/** Rows that are updated in the same columns: one COPY and one UPDATE. */
export interface UpdateGroup {
  readonly places: readonly number[];
  readonly rows: RowSet;
}

/**
 * Thrown, with nothing changed, for what does not go together with the changes collected so far. Tried again once they have become
 * statements; thrown then as well, it is for careful mode.
 */
export class NotBatchable extends Error {}

/** The net effect of a batch on a table whose rows have a key. */
export class KeyedBatch {
  readonly inserts = new RowSet();
  readonly deletes = new RowSet();
  readonly groups: UpdateGroup[];
  /** Rows that get another key by an UPDATE: behind their values each has its old key. */
  readonly moves = new Map<string, UpdateGroup>();
  private readonly groupNumbers = new Map<string, number>();
  private readonly keys = new KeyIndex();
  private fates = new Int32Array(1 << 10);
  private group = new Int32Array(1 << 10);
  /** Where a key's row lies in its set; of a `replaced` one the inserted row. */
  private starts = new Int32Array(1 << 10);
  private ends = new Int32Array(1 << 10);
  private readonly onlyKey: boolean;

  constructor(
    private readonly table: ApplyTable,
    /** An inserted row may be there already (ignoreAndProceed): deleting it again must reach the target. */
    private readonly mayExist: boolean,
    /** Key changes may be a delete and an insert: no trigger or cascade would see a row disappear. */
    private readonly quiet: boolean,
  ) {
    this.groups = [{ places: allPlaces(table), rows: new RowSet() }];
    this.onlyKey = table.key.length === table.columns.length;
  }

  insert(data: Buffer, tuple: number, end: number): void {
    addKey(this.table, data, tuple, this.keys);
    const entry = this.entry();
    const set = this.setForInsert(entry);
    if (!set) return;
    const start = set.used;
    packTuple(this.table, data, tuple, end, set);
    this.place(entry, start, set.used);
  }

  update(data: Buffer, oldTuple: number, newTuple: number, end: number): void {
    const { table, keys } = this;
    if (oldTuple < 0) {
      if (!addKey(table, data, newTuple, keys)) throw new NotBatchable("a row whose key is out of line and not sent");
      this.updateRow(this.entry(), data, newTuple, end, undefined);
      return;
    }
    addKey(table, data, oldTuple, keys);
    const before = this.entry();
    const values = unpackTuple(table, data, newTuple);
    // Under FULL the old row has what the new one leaves out; else only the key's own values can be out of line and unchanged.
    const old = unpackTuple(table, data, oldTuple).map((value, place) =>
      table.fullIdentity || table.key.includes(place) ? value : undefined,
    );
    const row = filled(values, old);
    const packed = table.key.map((place) => packedKey(row[place]));
    for (const part of packed) keys.add(...part);
    const after = this.entry();
    if (before === after) this.updateRow(after, data, newTuple, end, row);
    else this.moveRow(before, after, row);
  }

  delete(data: Buffer, oldTuple: number): void {
    addKey(this.table, data, oldTuple, this.keys);
    this.deleteEntry(this.entry());
  }

  clear(): void {
    this.keys.clear();
    this.inserts.clear();
    this.deletes.clear();
    for (const { rows } of this.groups) rows.clear();
    for (const { rows } of this.moves.values()) rows.clear();
  }

  private updateRow(entry: number, data: Buffer, tuple: number, end: number, values: Value[] | undefined): void {
    const { table } = this;
    const fate = this.fates[entry] as Fate;
    if (fate === Fate.deleted || fate === Fate.moved) throw new NotBatchable("update of a row that is gone or moved");
    if (values?.includes(undefined) !== true && !(table.replaceRows && fate !== Fate.inserted && fate !== Fate.replaced)) {
      const [set, group] = fate === Fate.inserted || fate === Fate.replaced ? [this.inserts, 0] : [this.fullGroup(), 0];
      if (this.onlyKey && set !== this.inserts) {
        this.fates[entry] = Fate.kept;
        return;
      }
      const start = set.used;
      if (values) packValues(values, set);
      else if (!packTuple(table, data, tuple, end, set)) {
        this.mergeRow(entry, unpackTuple(table, data, tuple));
        return;
      }
      const stop = set.used;
      this.voidRow(entry);
      if (fate === Fate.gone || fate === Fate.kept) this.fates[entry] = Fate.updated;
      this.group[entry] = group;
      // Voiding the row before, when it was the last one, may not take back what is behind it now.
      this.place(entry, start, stop);
      return;
    }
    this.mergeRow(entry, values ?? unpackTuple(table, data, tuple));
  }

  /** An update that leaves values out: completed by what the batch knows of the row. */
  private mergeRow(entry: number, values: readonly Value[]): void {
    const fate = this.fates[entry] as Fate;
    const row = filled(values, this.known(entry));
    const stays = fate === Fate.inserted || fate === Fate.replaced;
    if (this.table.replaceRows && !stays && row.includes(undefined))
      throw new NotBatchable("a row to replace whose values are not all known");
    this.voidRow(entry);
    if (stays) {
      this.put(entry, this.inserts, row);
      return;
    }
    if (this.table.replaceRows) {
      this.packDelete(entry);
      this.fates[entry] = Fate.replaced;
      this.put(entry, this.inserts, row);
      return;
    }
    const group = this.groupOf(row);
    const places = this.groups[group]?.places ?? [];
    // Nothing but its key is known: nothing changed.
    if (places.every((place) => this.table.key.includes(place))) {
      this.fates[entry] = Fate.kept;
      return;
    }
    this.fates[entry] = Fate.updated;
    this.group[entry] = group;
    this.put(entry, this.groups[group]?.rows ?? this.fullGroup(), row);
  }

  private moveRow(before: number, after: number, values: readonly Value[]): void {
    const fate = this.fates[before] as Fate;
    const fateAfter = this.fates[after] as Fate;
    if (fate === Fate.moved || (fateAfter !== Fate.gone && fateAfter !== Fate.deleted))
      throw new NotBatchable("a key that is in use");
    const row = filled(values, this.known(before));
    if (row.includes(undefined) || (!this.quiet && fate !== Fate.inserted)) {
      if (fate !== Fate.gone || fateAfter !== Fate.gone) throw new NotBatchable("a row that moves after other changes to it");
      this.packMove(before, row);
      this.fates[before] = Fate.moved;
      this.fates[after] = Fate.moved;
      return;
    }
    this.deleteEntry(before);
    const set = this.setForInsert(after);
    if (set) this.put(after, set, row);
  }

  /** A delete and an insert would lose what was not sent, and would not be one change to triggers. */
  private packMove(before: number, row: readonly Value[]): void {
    const { table } = this;
    if (table.columns.some(({ target }) => target.identityAlways)) throw new NotBatchable("a key that no UPDATE may set");
    const places = allPlaces(table).filter((place) => row[place] !== undefined);
    const name = places.join(",");
    const group = this.moves.get(name) ?? { places, rows: new RowSet() };
    this.moves.set(name, group);
    const { rows } = group;
    const start = rows.used;
    packValues(row, rows);
    const key = this.keys.bytesOf(before);
    rows.reserve(key.length);
    rows.used += key.copy(rows.bytes, rows.used);
    rows.bytes.writeInt16BE(places.length + table.key.length, start);
  }

  /** Where a new row of this key goes; its fate is set. */
  private setForInsert(entry: number): RowSet | undefined {
    const fate = this.fates[entry] as Fate;
    if (fate === Fate.gone) {
      this.fates[entry] = Fate.inserted;
      return this.inserts;
    }
    if (fate !== Fate.deleted) throw new NotBatchable("a row inserted that is there");
    if (this.table.replaceRows || this.mayExist) {
      this.fates[entry] = Fate.replaced;
      return this.inserts;
    }
    this.voidRow(entry);
    if (this.onlyKey) {
      this.fates[entry] = Fate.kept;
      return undefined;
    }
    this.fates[entry] = Fate.updated;
    this.group[entry] = 0;
    return this.fullGroup();
  }

  private deleteEntry(entry: number): void {
    const fate = this.fates[entry] as Fate;
    if (fate === Fate.deleted || fate === Fate.moved) throw new NotBatchable("delete of a row that is gone or moved");
    if (fate !== Fate.gone && fate !== Fate.kept) this.voidRow(entry);
    if (fate === Fate.inserted && !this.mayExist) {
      this.fates[entry] = Fate.gone;
      return;
    }
    this.fates[entry] = Fate.deleted;
    // Of a replaced row the delete is there already.
    if (fate !== Fate.replaced) this.packDelete(entry);
    else this.place(entry, -1, -1);
  }

  private packDelete(entry: number): void {
    const key = this.keys.bytesOf(entry);
    const set = this.deletes;
    set.reserve(key.length + 2);
    const start = set.used;
    const to = set.bytes.writeInt16BE(this.table.key.length, start);
    set.used = to + key.copy(set.bytes, to);
    set.rows++;
    this.place(entry, start, set.used);
  }

  private put(entry: number, set: RowSet, row: readonly Value[]): void {
    const start = set.used;
    packValues(row, set);
    this.place(entry, start, set.used);
  }

  private known(entry: number): Value[] {
    const set = this.setOf(entry);
    const width = this.table.columns.length;
    if (!set || this.fates[entry] === Fate.deleted) return new Array(width).fill(undefined);
    const places = this.fates[entry] === Fate.updated ? this.groups[this.group[entry] as number]?.places : this.groups[0]?.places;
    return unpackRow(set, this.starts[entry] as number, places ?? [], width);
  }

  private voidRow(entry: number): void {
    const start = this.starts[entry] as number;
    if (start >= 0) this.setOf(entry)?.void(start, this.ends[entry] as number);
  }

  private setOf(entry: number): RowSet | undefined {
    switch (this.fates[entry] as Fate) {
      case Fate.inserted:
      case Fate.replaced:
        return this.inserts;
      case Fate.updated:
        return this.groups[this.group[entry] as number]?.rows;
      case Fate.deleted:
        return this.deletes;
      default:
        return undefined;
    }
  }

  private fullGroup(): RowSet {
    return (this.groups[0] as UpdateGroup).rows;
  }

  private groupOf(row: readonly Value[]): number {
    const places = allPlaces(this.table).filter((place) => row[place] !== undefined);
    if (places.length === this.table.columns.length) return 0;
    const name = places.join(",");
    let group = this.groupNumbers.get(name);
    if (group === undefined) {
      group = this.groups.length;
      this.groups.push({ places, rows: new RowSet() });
      this.groupNumbers.set(name, group);
    }
    return group;
  }

  private place(entry: number, start: number, end: number): void {
    this.starts[entry] = start;
    this.ends[entry] = end;
  }

  private entry(): number {
    const known = this.keys.count;
    const entry = this.keys.find();
    if (entry === known) {
      if (entry === this.fates.length) {
        this.fates = doubled(this.fates);
        this.group = doubled(this.group);
        this.starts = doubled(this.starts);
        this.ends = doubled(this.ends);
      }
      this.fates[entry] = Fate.gone;
      this.starts[entry] = -1;
    }
    return entry;
  }
}

/** A key's value as it is packed: the arguments of KeyIndex.add. */
function packedKey(value: Value): [Buffer, number, number] {
  if (!value) throw new NotBatchable("a key that is not known");
  const packed = Buffer.allocUnsafe(4 + value.length);
  packed.writeInt32BE(value.length);
  value.copy(packed, 4);
  return [packed, 0, packed.length];
}
