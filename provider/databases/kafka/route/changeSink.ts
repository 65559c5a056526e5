import type { FlowCounts } from "../../../engine/database.js";
import type { ChangeSink, Position, StreamedTable } from "../../../engine/models/change.js";
import type { PlannedTable } from "../../../engine/models/plan.js";
import type { Throttle } from "../../../engine/throttle.js";
import { qualified } from "../../postgres/sql.js";
import type { PartitionWriter } from "../client/producer.js";
import type { BaseType } from "../formats/columnTypes.js";
import { RecordBytes } from "../formats/recordBytes.js";
import type { DdlStatement, SourceFacts } from "../formats/recordFormat.js";
import type { RecordOutput, StreamMark } from "./recordOutput.js";
import { streamedTable, type TableShape, type TableShapes } from "./tableShapes.js";
import { type TableRules, type WrittenTable, writtenTable } from "./writtenTable.js";

export interface FollowedTable {
  readonly table: PlannedTable;
  readonly loadPosition: Position | undefined;
}

export interface ChangeSinkOptions extends TableRules {
  readonly tables: readonly FollowedTable[];
  readonly shapes: TableShapes;
  readonly output: RecordOutput;
  readonly throttle: Throttle;
  /** Where the records in the topics end. */
  readonly start: StreamMark;
  readonly onProgress: (counts: FlowCounts) => void;
}

interface SinkTable extends WrittenTable {
  readonly loadPosition: Position | undefined;
  /** The stream has passed the load position: every later change counts. */
  live: boolean;
}

type Counts = { -readonly [K in "inserts" | "updates" | "deletes" | "truncates" | "bytes"]: FlowCounts[K] };

/** Larger records give their memory back. */
const SCRATCH_KEPT = 4 << 20;

/**
 * Turns a stream's changes into records, in the order of the commits. Passed over are changes of tables outside the plan, of operations
 * that were not asked for, those that a table's load has seen, and those that an earlier worker wrote.
 */
export class KafkaChangeSink implements ChangeSink, TableShapes {
  readonly shapes: Map<number, TableShape>;
  readonly baseTypes: Map<number, BaseType>;
  private readonly planned: Map<number, FollowedTable>;
  private readonly tables = new Map<number, SinkTable>();
  private readonly counts: Counts = { inserts: 0, updates: 0, deletes: 0, truncates: 0, bytes: 0 };
  private readonly facts: SourceFacts;
  private scratch = new RecordBytes();
  /** End of what has arrived, as far as it is whole. */
  private horizon: Position;
  private durablePosition: Position;
  private lastCommitMs: number | undefined;
  private boundary: StreamMark;
  /** Changes of the present transaction, those passed over included: what tells where a worker goes on inside of it. */
  private changes = 0;
  private written = 0;
  private skip = 0;
  private inTransaction = false;
  private admitted = { rows: 0, bytes: 0 };

  constructor(private readonly options: ChangeSinkOptions) {
    const { start } = options;
    this.planned = new Map(options.tables.map((entry) => [entry.table.id, entry]));
    this.shapes = new Map(options.shapes.shapes);
    this.baseTypes = new Map(options.shapes.baseTypes);
    this.horizon = this.durablePosition = start.position;
    this.boundary = start;
    this.facts = { commitPosition: 0n, commitTimeMs: 0, sequence: 0, recordId: start.recordId, nowMs: 0 };
  }

  /** Everything before it is in the topics, or did not concern the task. */
  get position(): Position {
    return this.durablePosition;
  }

  table(streamed: StreamedTable): void {
    const entry = this.planned.get(streamed.id);
    if (!entry) return;
    const written = writtenTable(streamedTable(streamed, entry.table, this.options.database, this), entry.table, this.options);
    const live = this.tables.get(streamed.id)?.live ?? entry.loadPosition === undefined;
    this.tables.set(streamed.id, { ...written, loadPosition: entry.loadPosition, live });
  }

  begin(commitPosition: Position, commitTimeMs: number, transactionId?: number): void {
    const { facts } = this;
    if (transactionId === undefined) delete facts.transactionId;
    else facts.transactionId = transactionId;
    const { inside } = this.options.start;
    facts.commitPosition = commitPosition;
    facts.commitTimeMs = Math.round(commitTimeMs);
    facts.sequence = 0;
    facts.nowMs = Date.now();
    this.changes = this.written = 0;
    this.skip = inside?.commitPosition === commitPosition ? inside.changes : 0;
    this.inTransaction = true;
  }

  insert(tableId: number, data: Buffer, tuple: number, end: number): void {
    const table = this.concerned(tableId);
    if (!table?.planned.operations.insert) return;
    this.counts.inserts++;
    const partition = table.partitioner.ofRow(data, tuple, -1);
    this.next(end - tuple);
    table.encoder.insert(data, tuple, -1, this.facts, this.scratch);
    this.write(table, partition, data, tuple);
  }

  update(tableId: number, data: Buffer, oldTuple: number, newTuple: number, end: number): void {
    const table = this.concerned(tableId);
    if (!table?.planned.operations.update) return;
    this.counts.updates++;
    const { partitioner, encoder } = table;
    const to = partitioner.ofRow(data, newTuple, oldTuple);
    const from = oldTuple < 0 ? to : partitioner.ofRow(data, oldTuple, -1);
    this.next(end - newTuple);
    if (from === to) {
      encoder.update(data, oldTuple, newTuple, this.facts, this.scratch);
      this.write(table, to, data, newTuple);
      return;
    }
    // Another partition keeps no order with this one: the old key's row ends where its records are.
    encoder.delete(data, oldTuple, this.facts, this.scratch);
    this.write(table, from, data, oldTuple);
    this.next(0);
    encoder.insert(data, newTuple, oldTuple, this.facts, this.scratch);
    this.write(table, to, data, newTuple);
  }

  delete(tableId: number, data: Buffer, oldTuple: number, end: number): void {
    const table = this.concerned(tableId);
    if (!table?.planned.operations.delete) return;
    this.counts.deletes++;
    const partition = table.partitioner.ofRow(data, oldTuple, -1);
    this.next(end - oldTuple);
    table.encoder.delete(data, oldTuple, this.facts, this.scratch);
    this.write(table, partition, data, oldTuple);
  }

  truncate(tableIds: readonly number[], cascade: boolean, restartIdentity: boolean): void {
    // One change of the stream, whatever number of tables: they must not be told apart by a cut between them.
    const concerned = tableIds.map((id, index) => this.concerned(id, index === 0));
    for (const table of concerned) {
      if (!table?.planned.operations.truncate) continue;
      this.counts.truncates++;
      const { schema, name } = table.planned.target;
      const rest = `${restartIdentity ? " RESTART IDENTITY" : ""}${cascade ? " CASCADE" : ""}`;
      const sql = `TRUNCATE TABLE ${qualified({ schema, name })}${rest}`;
      this.ddl(table.topics.ddl, table.ddlPartition, { schema, table: name, sql, truncates: true });
    }
  }

  /** Writes a statement's record. */
  ddl(topic: string, partition: number, statement: Omit<DdlStatement, "database">): void {
    this.next(0);
    this.options.format(topic).ddl({ ...statement, database: this.options.database }, this.facts, this.scratch);
    this.take(this.options.output.writer(topic, partition), topic, partition, () => statement.sql.slice(0, 200));
  }

  /** One of the stream's changes passed by without a record of its own; false: an earlier worker has seen to it. */
  passed(): boolean {
    return ++this.changes > this.skip;
  }

  /** Makes every change before the present one durable, so that none of them comes again after what follows. */
  async settleBefore(): Promise<void> {
    const before = this.changes - 1;
    const { commitPosition, recordId } = this.facts;
    const inside = before > 0 ? { inside: { commitPosition, changes: before } } : {};
    await this.options.output.settle({ ...outside(this.boundary), recordId, ...inside });
  }

  /** The plan of a table from here on; the stream describes the table before its next change. */
  replan(entry: FollowedTable, shape: TableShape, baseTypes: ReadonlyMap<number, BaseType>): void {
    this.planned.set(entry.table.id, entry);
    this.shapes.set(entry.table.id, shape);
    for (const [id, type] of baseTypes) this.baseTypes.set(id, type);
  }

  forget(tableId: number): void {
    this.planned.delete(tableId);
    this.tables.delete(tableId);
  }

  planOf(tableId: number): PlannedTable | undefined {
    return this.planned.get(tableId)?.table;
  }

  commit(_commitPosition: Position, endPosition: Position, commitTimeMs: number): void {
    this.inTransaction = false;
    this.horizon = endPosition;
    this.boundary = { position: endPosition, commitTimeMs, recordId: this.facts.recordId };
    if (this.written > 0) this.options.output.boundary(this.boundary);
    else this.settle();
  }

  idle(position: Position): void {
    if (position > this.horizon) this.horizon = position;
    // Level with the source, whatever time its last change was made at.
    if (this.options.output.empty) this.lastCommitMs = Date.now();
    this.settle();
  }

  lull(): void {
    const { output } = this.options;
    if (this.inTransaction && this.changes > this.skip && output.overdue) {
      const inside = { commitPosition: this.facts.commitPosition, changes: this.changes };
      output.cut({ ...outside(this.boundary), recordId: this.facts.recordId, inside });
    }
    output.lull();
  }

  full(): Promise<void> | undefined {
    const { rows, bytes } = this.admitted;
    this.admitted = { rows: 0, bytes: 0 };
    const throttled = rows > 0 ? this.options.throttle.admit(rows, bytes) : undefined;
    const crowded = this.options.output.full();
    return throttled && crowded ? Promise.all([throttled, crowded]).then(() => undefined) : (throttled ?? crowded);
  }

  /** Commits the position again, where nothing else does: offsets of an idle group expire. */
  renew(): void {
    if (this.inTransaction) return;
    this.options.output.renew({ ...this.boundary, position: this.durablePosition });
  }

  /** The output made everything up to this mark durable. */
  durable(mark: StreamMark): void {
    if (mark.position > this.durablePosition) this.durablePosition = mark.position;
    if (!mark.inside) this.lastCommitMs = mark.commitTimeMs;
    this.settle();
    this.report();
  }

  private concerned(tableId: number, counts = true): SinkTable | undefined {
    if (counts && ++this.changes <= this.skip) return undefined;
    if (!counts && this.changes <= this.skip) return undefined;
    const table = this.tables.get(tableId);
    if (!table || table.live) return table;
    if (table.loadPosition !== undefined && this.facts.commitPosition < table.loadPosition) return undefined;
    // Commit positions only grow.
    table.live = true;
    return table;
  }

  private next(size: number): void {
    this.facts.sequence++;
    this.facts.recordId++;
    this.counts.bytes += size;
    this.admitted.bytes += size;
  }

  private write(table: WrittenTable, partition: number, data: Buffer, tuple: number): void {
    const { writers, topics, describe } = table;
    let writer = writers[partition];
    if (!writer) {
      writer = this.options.output.writer(topics.data, partition);
      writers[partition] = writer;
    }
    this.take(writer, topics.data, partition, () => describe(data, tuple));
  }

  private take(writer: PartitionWriter, topic: string, partition: number, name: () => string): void {
    const { scratch } = this;
    this.options.output.write(writer, topic, partition, scratch.bytes, scratch.used, this.facts.nowMs, name);
    scratch.used = 0;
    if (scratch.bytes.length > SCRATCH_KEPT) this.scratch = new RecordBytes();
    this.written++;
    this.admitted.rows++;
  }

  /** With nothing pending, all that arrived is behind. */
  private settle(): void {
    if (this.inTransaction || !this.options.output.empty || this.horizon <= this.durablePosition) return;
    this.durablePosition = this.horizon;
    this.report();
  }

  private report(): void {
    this.options.onProgress({ ...this.counts, durable: this.durablePosition, lastCommitMs: this.lastCommitMs });
  }
}

function outside({ inside: _, ...mark }: StreamMark): StreamMark {
  return mark;
}
