import type { Position } from "../../../engine/models/change.js";
import type { PartitionWriter, TransactionalProducer } from "../client/producer.js";
import { LargeRecords } from "./largeRecords.js";

/** How far the records handed over so far take the stream. */
export interface StreamMark {
  /** End of the last whole transaction in them. */
  readonly position: Position;
  readonly commitTimeMs: number;
  /** Number of the last record written, over the life of the task. */
  readonly recordId: number;
  /** A transaction too long for one of Kafka's: its first `changes` changes are in the records as well. */
  readonly inside?: { readonly commitPosition: Position; readonly changes: number };
}

export interface OutputOptions {
  readonly producer: Pick<TransactionalProducer, "partition" | "full" | "commit" | "transactionSeconds">;
  /** Uncompressed bytes that a topic surely takes; a record above it is remembered by name. */
  readonly sureBytes: (topic: string) => number;
  /** Makes the records since the last call durable, together with the mark. */
  readonly commit: (mark: StreamMark) => Promise<void>;
  readonly onDurable: (mark: StreamMark) => void;
  readonly now?: () => number;
}

/**
 * Milliseconds between two commits while changes keep coming. A commit costs the brokers a marker in every partition that was written,
 * and a consumer sees nothing of a transaction before it; an idle stream's first change is committed at once.
 */
const COMMIT_INTERVAL_MS = 150;
/** A source transaction that lasts longer is cut: the part of the time after which the brokers abort a transaction. */
const PART_OF_TIME = 1 / 2;

/**
 * Groups records into Kafka transactions of whole source transactions. Records of the next transaction may be written while one is being
 * committed; no third one begins before that.
 */
export class RecordOutput {
  /** Rejects with what ended the output; nothing is durable from there on. */
  readonly failed: Promise<never>;
  private readonly slice: { bytes: Buffer; start: number; end: number } = { bytes: Buffer.alloc(0), start: 0, end: 0 };
  private readonly large: LargeRecords;
  /** End of the whole transactions among the records that are not being committed yet. */
  private whole: StreamMark | undefined;
  private wanted = false;
  private committing = 0;
  private transaction = 0;
  private unfinished = false;
  private began = 0;
  private lastCommit = 0;
  private settled: (() => void)[] = [];
  private timer: NodeJS.Timeout | undefined;
  private fail: (cause: unknown) => void = () => undefined;
  private readonly now: () => number;
  private readonly longestMs: number;

  constructor(private readonly options: OutputOptions) {
    this.now = options.now ?? Date.now;
    this.longestMs = options.producer.transactionSeconds * 1000 * PART_OF_TIME;
    this.large = new LargeRecords(options.sureBytes);
    this.failed = new Promise<never>((_, reject) => {
      this.fail = reject;
    });
    this.failed.catch(() => undefined);
  }

  writer(topic: string, partition: number): PartitionWriter {
    return this.options.producer.partition(topic, partition);
  }

  /** Copies the value. `name` says which row it is, should it be too large. */
  write(
    writer: PartitionWriter,
    topic: string,
    partition: number,
    value: Buffer,
    end: number,
    nowMs: number,
    name: () => string,
  ): void {
    const { slice } = this;
    slice.bytes = value;
    slice.end = end;
    if (!this.unfinished) {
      this.unfinished = true;
      if (!this.whole) this.began = this.now();
    }
    this.large.note(topic, partition, end, this.transaction, name);
    writer.append(nowMs, undefined, slice);
  }

  /** Everything handed over is durable. */
  get empty(): boolean {
    return this.committing === 0 && !this.whole && !this.unfinished;
  }

  /** A transaction of the source has been on its way for so long that it should be cut here. */
  get overdue(): boolean {
    return this.unfinished && this.committing === 0 && this.now() - this.began > this.longestMs;
  }

  /** All records so far belong to whole transactions, up to here. */
  boundary(mark: StreamMark): void {
    this.whole = mark;
    this.unfinished = false;
    if (this.wanted || this.now() - this.lastCommit >= COMMIT_INTERVAL_MS) this.commit();
  }

  /** Makes durable what was written of a transaction that goes on. */
  cut(mark: StreamMark): void {
    this.whole = mark;
    this.unfinished = false;
    this.commit();
  }

  /** Makes everything so far durable, and the mark with it. */
  async settle(mark: StreamMark): Promise<void> {
    if (this.empty) return;
    this.whole = mark;
    this.unfinished = false;
    await Promise.race([this.drained(), this.failed]);
  }

  /** What arrived so far was handed over; more may follow at once or never. */
  lull(): void {
    if (!this.whole || this.wanted || this.timer) return;
    const left = this.lastCommit + COMMIT_INTERVAL_MS - this.now();
    if (left <= 0) this.commit();
    else
      this.timer = setTimeout(() => {
        this.timer = undefined;
        this.commit();
      }, left);
  }

  full(): Promise<void> | undefined {
    return this.options.producer.full()?.catch((cause: unknown) => {
      throw this.large.named(cause);
    });
  }

  /** Resolves when every whole transaction handed over is durable, unless records of one that is not whole stand in the way. */
  async drained(): Promise<void> {
    this.commit();
    if (this.committing > 0) await new Promise<void>((resolve) => this.settled.push(resolve));
  }

  /** Commits the mark by itself. Only while everything is durable. */
  renew(mark: StreamMark): void {
    if (!this.empty) return;
    this.whole = mark;
    this.commit();
  }

  close(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  private commit(): void {
    const mark = this.whole;
    if (!mark) return;
    // In the middle of a source transaction its end decides; while another commit is under way, that one's end.
    this.wanted = this.unfinished || this.committing > 0;
    if (this.wanted) return;
    this.close();
    this.whole = undefined;
    this.lastCommit = this.began = this.now();
    this.committing++;
    const transaction = this.transaction++;
    this.options.commit(mark).then(
      () => {
        this.committing--;
        this.large.forgetUpTo(transaction);
        this.options.onDurable(mark);
        if (this.wanted) this.commit();
        if (this.committing === 0) for (const resolve of this.settled.splice(0)) resolve();
      },
      (cause: unknown) => this.fail(this.large.named(cause)),
    );
  }
}
