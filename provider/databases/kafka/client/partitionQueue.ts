import type { Compressor } from "./compression.js";
import { type Header, RecordBatchBuilder, type Slice } from "./recordBatch.js";
import type { ProducerIdentity } from "./wire/transactionCalls.js";

/** A finished batch on its way. */
export interface QueuedBatch {
  readonly bytes: Buffer;
  readonly records: number;
  readonly firstKey: string;
  /** The producer's transactions are counted; batches of the next one wait until this one is committed. */
  readonly transaction: number;
  /** When it was first sent, ms; 0 before. */
  firstSentMs: number;
}

/** What all queues of one producer share. */
export interface QueueRules {
  readonly compressor: Compressor | undefined;
  readonly transactional: boolean;
  readonly batchBytes: number;
  /** The identity that batches are written under now. */
  identity(): ProducerIdentity;
  /** The transaction that records appended now belong to. */
  transaction(): number;
  /** Bytes held grew or shrank by so much. */
  held(difference: number): void;
  /** A batch is ready. */
  ready(queue: PartitionQueue): void;
}

/**
 * Records of one partition from `append` until a broker has confirmed them. Batches leave in order, several may be under way at once, and when one
 * of them fails those behind it are refused by the broker as out of order: all are sent again, the same bytes in the same order, once the last answer is in.
 */
export class PartitionQueue {
  /** Not sent, or to be sent again. */
  readonly waiting: QueuedBatch[] = [];
  /** Sent and not confirmed, oldest first. */
  readonly sent: QueuedBatch[] = [];
  /** How many of `sent` have no answer yet. */
  unanswered = 0;
  /** One of `sent` failed: nothing more is sent before `sendAgain`. */
  failed = false;
  /** The open transaction knows of this partition. */
  registered = false;
  private readonly builder = new RecordBatchBuilder();
  private sequence = 0;
  /** The partition has a batch under the present identity. */
  private begun = false;
  private limit: number;

  constructor(
    readonly topic: string,
    readonly partition: number,
    private readonly rules: QueueRules,
  ) {
    this.limit = rules.batchBytes;
  }

  /** Bytes that the topic takes in one batch; batches become no larger, unless a single record is. */
  limitTo(maxMessageBytes: number): void {
    // What can't be compressed grows a little: LZ4 by 4 bytes per 64 KB and 15 for the frame, snappy by a sixth of a block at the worst.
    this.limit = Math.min(this.rules.batchBytes, Math.max(1024, Math.floor(maxMessageBytes * 0.8)));
  }

  /** Copies a record; `key` and `value` are lent for the call. Timestamps are milliseconds since 1970. */
  append(timestamp: number, key: Slice | undefined, value: Slice | undefined, headers?: readonly Header[]): void {
    const { builder } = this;
    const size = (key ? key.end - key.start : 0) + (value ? value.end - value.start : 0);
    if (builder.records > 0 && builder.size + size > this.limit) this.seal();
    const before = builder.size;
    builder.append(timestamp, key, value, headers);
    this.rules.held(builder.size - before);
    if (builder.size >= this.limit) this.seal();
  }

  /** Makes a batch of what was appended since the last one. */
  seal(): void {
    const { builder, rules } = this;
    if (builder.records === 0) return;
    const records = builder.size;
    const { id, epoch } = rules.identity();
    const origin = { id, epoch, transactional: rules.transactional, sequence: this.sequence };
    const batch = builder.finish(origin, rules.compressor);
    // Sequence numbers go round after 2^31 - 1.
    this.sequence = (this.sequence + batch.records) % 0x80000000;
    this.waiting.push({ ...batch, transaction: rules.transaction(), firstSentMs: 0 });
    rules.held(batch.bytes.length - records + EMPTY);
    rules.ready(this);
  }

  /**
   * The oldest batch that may be sent now, if it is of this transaction. The first of all goes alone: a partition that knows nothing of the producer takes any
   * number for its first, so one whose leader was not ready for the first batch (a topic just made) would take the second, and refuse the first for ever.
   */
  next(transaction: number, atOnce: number): QueuedBatch | undefined {
    const [head] = this.waiting;
    const most = this.begun ? atOnce : 1;
    return head?.transaction === transaction && !this.failed && this.sent.length < most ? head : undefined;
  }

  /** Moves the head from waiting to sent. */
  take(nowMs: number): void {
    const head = this.waiting.shift();
    if (!head) return;
    head.firstSentMs ||= nowMs;
    this.sent.push(head);
    this.unanswered++;
  }

  confirm(batch: QueuedBatch): void {
    this.begun = true;
    this.sent.splice(this.sent.indexOf(batch), 1);
    this.rules.held(-batch.bytes.length);
  }

  /** What failed goes before what waits. */
  sendAgain(): void {
    this.failed = false;
    this.waiting.unshift(...this.sent.splice(0));
  }

  /** Forgets everything: the transaction is given up, and the producer has a new epoch with numbers from 0. */
  reset(): void {
    const batches = [...this.waiting.splice(0), ...this.sent.splice(0)];
    this.rules.held(-batches.reduce((sum, { bytes }) => sum + bytes.length, 0));
    if (this.builder.records > 0) {
      this.rules.held(EMPTY - this.builder.size);
      this.builder.discard();
    }
    this.sequence = 0;
    this.begun = false;
    this.unanswered = 0;
    this.failed = false;
    this.registered = false;
  }

  shrink(): void {
    this.builder.shrink();
  }
}

/** The size of a builder without records. */
const EMPTY = new RecordBatchBuilder(64).size;
