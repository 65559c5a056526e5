import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "pg";
import type { RowLoader, RowSink } from "../../../engine/database.js";
import { ErrorCode, GodwitError } from "../../../engine/errors.js";
import type { Position } from "../../../engine/models/change.js";
import type { PlannedTable } from "../../../engine/models/plan.js";
import { fencedError } from "../../postgres/store/taskLease.js";
import type { PartitionWriter, TransactionalProducer } from "../client/producer.js";
import type { GroupOffset } from "../client/wire/transactionCalls.js";
import { CopyTextRows } from "../formats/copyText.js";
import { RecordBytes } from "../formats/recordBytes.js";
import type { SourceFacts } from "../formats/recordFormat.js";
import { LargeRecords } from "./largeRecords.js";
import { loadOffset, nothingToRecord } from "./positions.js";
import type { WrittenTable } from "./writtenTable.js";

export interface TableLoaderOptions {
  readonly taskId: string;
  readonly incarnation: string;
  readonly producer: TransactionalProducer;
  /** The lane's group, and the partition its offsets hang on. */
  readonly offsetAt: Pick<GroupOffset, "groupId" | "topic" | "partition">;
  /** To the store, which is at the source. */
  readonly store: Client;
  readonly written: (table: PlannedTable) => WrittenTable;
  readonly sureBytes: (topic: string) => number;
  /** Milliseconds since 1970: when the load began, which is what its records say. */
  readonly startedMs: number;
  /** Milliseconds after which a table is committed in part; default: two thirds of the producer's transactionSeconds. */
  readonly partMs?: number;
  readonly onClose: () => void;
}

/**
 * The part of the time that the brokers give a lane's transaction after which a table is committed as far as it is. What it has by then becomes visible
 * before it is complete: a worker that dies later loads it anew from another snapshot, and those rows come twice.
 */
const PART_OF_TIME = 2 / 3;
const WATCH_MS = 1000;
const FAREWELL_MS = 5000;
/** Kafka's default of transaction.max.timeout.ms. */
export const LOAD_TRANSACTION_SECONDS = 900;

/**
 * Loads tables into their topics, each in one Kafka transaction together with the record that it is loaded (the lane's group offset). The store
 * learns of it afterwards; a worker that dies between the two finds it in the group.
 */
export function createTableLoader(options: TableLoaderOptions): RowLoader {
  let recorded: Position | undefined;
  return {
    async load(table, { position }, feed, record) {
      recorded = undefined;
      const rows = await new TableLoad(options, table, position).run(feed);
      try {
        await options.store.query(record(rows));
        recorded = position;
      } catch (cause) {
        throw fencedError(cause, options.taskId);
      }
    },
    // A table is never split: one lane encodes as fast as the process can.
    prepare: async () => undefined,
    async close() {
      const { producer, offsetAt } = options;
      if (recorded !== undefined) {
        // No failure of the load, whatever keeps it from being written.
        const told = producer.commit({ ...offsetAt, ...nothingToRecord(recorded) }).catch(() => undefined);
        await Promise.race([told, sleep(FAREWELL_MS, undefined, { ref: false })]);
      }
      producer.close();
      options.onClose();
      await options.store.end().catch(() => undefined);
    },
  };
}

class TableLoad {
  private readonly loaded: WrittenTable;
  private readonly facts: SourceFacts;
  private readonly scratch = new RecordBytes();
  private readonly slice: { bytes: Buffer; start: number; end: number } = { bytes: Buffer.alloc(0), start: 0, end: 0 };
  private readonly large: LargeRecords;
  private bytes = 0;
  private partBegan = Date.now();
  private part = 0;
  /** Records since the last commit began. */
  private open = false;
  /** What a part's commit failed with while nothing was being written. */
  private failure: unknown;

  constructor(
    private readonly options: TableLoaderOptions,
    private readonly planned: PlannedTable,
    private readonly position: Position,
  ) {
    this.loaded = options.written(planned);
    this.large = new LargeRecords(options.sureBytes);
    this.facts = { commitPosition: position, commitTimeMs: options.startedMs, sequence: 0, recordId: 0, nowMs: Date.now() };
  }

  async run(feed: (sink: RowSink) => Promise<number>): Promise<number> {
    const { table, encoder, partitioner, topics, describe } = this.loaded;
    const object = `${this.planned.source.schema}.${this.planned.source.name}`;
    const { facts, scratch, slice } = this;
    const copy = new CopyTextRows(
      table.columns.length,
      (data, tuple) => {
        facts.recordId++;
        facts.sequence++;
        encoder.load(data, tuple, facts, scratch);
        const partition = partitioner.ofRow(data, tuple, -1);
        this.large.note(topics.data, partition, scratch.used, this.part, () => describe(data, tuple));
        slice.bytes = scratch.bytes;
        slice.end = scratch.used;
        this.open = true;
        this.writer(partition).append(facts.nowMs, undefined, slice);
        scratch.used = 0;
      },
      object,
    );
    // A throttle, a lock or a slow source may keep the next rows away for longer than the brokers keep a transaction open.
    const watch = setInterval(() => {
      if (this.open && this.overdue) this.commit(true).catch((cause: unknown) => (this.failure ??= cause));
    }, WATCH_MS);
    try {
      const rows = await feed({
        write: (frames) => {
          if (this.failure) throw this.failure;
          facts.nowMs = Date.now();
          this.bytes += frames.length;
          copy.push(frames);
          return this.overdue ? this.commit(true) : this.options.producer.full();
        },
      });
      if (copy.unfinished) throw new GodwitError(ErrorCode.RowsUnreadable, "the copy ended within a row", { object });
      await this.commit(false);
      return rows;
    } catch (cause) {
      throw this.large.named(cause);
    } finally {
      clearInterval(watch);
    }
  }

  private writer(partition: number): PartitionWriter {
    const { writers, topics } = this.loaded;
    const known = writers[partition];
    if (known) return known;
    const writer = this.options.producer.partition(topics.data, partition);
    writers[partition] = writer;
    return writer;
  }

  private get overdue(): boolean {
    const { partMs, producer } = this.options;
    return Date.now() - this.partBegan > (partMs ?? producer.transactionSeconds * 1000 * PART_OF_TIME);
  }

  private async commit(part: boolean): Promise<void> {
    const { planned, position, bytes, facts, options } = this;
    const done = loadOffset({ tableId: planned.id, rows: facts.recordId, bytes, position }, options.incarnation, part);
    // What is appended from here on belongs to the next part, and its transaction begins when this one is committed.
    const number = this.part++;
    this.partBegan = Date.now();
    this.open = false;
    await options.producer.commit({ ...options.offsetAt, ...done });
    this.large.forgetUpTo(number);
  }
}
