import { setTimeout as sleep } from "node:timers/promises";
import { GodwitError, isServerGone } from "../../../engine/errors.js";
import type { PartitionQueue, QueuedBatch } from "./partitionQueue.js";
import type { Brokers } from "./wire/brokers.js";
import { type ProduceResult, produce } from "./wire/produce.js";
import { ErrorNumber, isPassing, ProtocolError } from "./wire/protocolErrors.js";
import { addPartitions, type ProducerIdentity, type TopicPartitions } from "./wire/transactionCalls.js";

export interface SenderOptions {
  /** Undefined: no transactions. */
  readonly transactionalId: string | undefined;
  readonly acks: -1 | 0 | 1;
  identity(): ProducerIdentity;
}

/** A broker works on the requests of a connection one after the other: more than a few only wait there. */
const REQUESTS_PER_BROKER = 5;
/** A broker remembers the last five batches of a producer per partition, and so knows one of these again when it comes a second time. */
const BATCHES_PER_PARTITION = 5;
const REQUEST_BYTES = 4 * 1024 * 1024;
/** Milliseconds that the replicas may take; below the connection's own limit for an answer. */
const REPLICA_MS = 30_000;

interface Shipment {
  readonly queue: PartitionQueue;
  readonly batch: QueuedBatch;
}

/**
 * Gets batches to the brokers that lead their partitions, in order and each once. One transaction is on its way at a time; partitions join it before their first batch.
 * What fails and may pass by itself (a leader that moves, a broker that dies) is sent again, the same bytes with the same numbers: the broker knows what it has.
 */
export class Sender {
  /** Why nothing is sent any more. */
  failure: Error | undefined;
  private transaction = 0;
  private generation = 0;
  /** Queues with batches that wait or are under way. */
  private readonly busy = new Set<PartitionQueue>();
  private readonly joined = new Set<PartitionQueue>();
  private readonly requests = new Map<number, number>();
  private readonly waiters = new Set<{ met: () => boolean; settle: () => void; fail: (cause: Error) => void }>();
  private readonly underWay = new Set<Promise<void>>();
  private joining = false;
  private mending = false;
  private pumping = false;

  constructor(
    private readonly brokers: Brokers,
    private readonly options: SenderOptions,
  ) {}

  /** Nothing waits to be sent or to be confirmed. */
  get idle(): boolean {
    return this.busy.size === 0;
  }

  /** The transaction on its way has partitions. */
  get registered(): boolean {
    return this.joined.size > 0;
  }

  add(queue: PartitionQueue): void {
    this.busy.add(queue);
    if (this.pumping) return;
    // Batches that become ready in one go leave in one request.
    this.pumping = true;
    queueMicrotask(() => {
      this.pumping = false;
      this.pump();
    });
  }

  /** All batches of transactions up to this one are confirmed. */
  drained(transaction: number): boolean {
    for (const { waiting, sent } of this.busy) {
      if ([sent[0], waiting[0]].some((batch) => batch && batch.transaction <= transaction)) return false;
    }
    return true;
  }

  /** Resolves as soon as the condition is met. Rejects when the sender stops. */
  until(met: () => boolean): Promise<void> {
    if (this.failure) return Promise.reject(this.failure);
    if (met()) return Promise.resolve();
    return new Promise((settle, fail) => {
      this.waiters.add({ met, settle, fail });
    });
  }

  /** The transaction before was committed: this one's batches may go. */
  advance(transaction: number): void {
    this.transaction = transaction;
    for (const queue of this.joined) queue.registered = false;
    this.joined.clear();
    this.pump();
  }

  stop(cause: Error): void {
    if (this.failure) return;
    this.failure = cause;
    this.generation++;
    for (const { fail } of this.waiters) fail(cause);
    this.waiters.clear();
  }

  /** After the queues were emptied and the producer has a new epoch. */
  restart(transaction: number): void {
    this.failure = undefined;
    this.generation++;
    this.busy.clear();
    this.requests.clear();
    this.joining = this.mending = false;
    this.advance(transaction);
  }

  private pump(): void {
    if (this.failure) return;
    if (this.options.transactionalId !== undefined) this.join();
    for (;;) {
      const shipments = this.shipments();
      if (shipments.size === 0) return;
      for (const [node, load] of shipments) this.send(node, load);
    }
  }

  /** One batch of each partition that may send one, by the node that leads it. */
  private shipments(): Map<number, Shipment[]> {
    const byNode = new Map<number, Shipment[]>();
    const bytes = new Map<number, number>();
    const atOnce = this.options.transactionalId === undefined ? 1 : BATCHES_PER_PARTITION;
    let leaderless = false;
    for (const queue of this.busy) {
      if (this.options.transactionalId !== undefined && !queue.registered) continue;
      const batch = queue.next(this.transaction, atOnce);
      if (!batch) continue;
      const node = this.brokers.leader(queue.topic, queue.partition);
      if (node < 0) {
        queue.failed = leaderless = true;
        continue;
      }
      const taken = bytes.get(node) ?? 0;
      if ((this.requests.get(node) ?? 0) >= REQUESTS_PER_BROKER || (taken > 0 && taken + batch.bytes.length > REQUEST_BYTES))
        continue;
      bytes.set(node, taken + batch.bytes.length);
      const load = byNode.get(node);
      if (load) load.push({ queue, batch });
      else byNode.set(node, [{ queue, batch }]);
    }
    const now = Date.now();
    for (const [node, load] of byNode) {
      this.requests.set(node, (this.requests.get(node) ?? 0) + 1);
      for (const { queue } of load) queue.take(now);
    }
    if (leaderless) void this.mend();
    return byNode;
  }

  /** Resolves when no request is under way any more. */
  async quiet(): Promise<void> {
    while (this.underWay.size > 0) await Promise.allSettled(this.underWay);
  }

  private send(node: number, load: readonly Shipment[]): void {
    const shipped = this.ship(node, load).finally(() => this.underWay.delete(shipped));
    this.underWay.add(shipped);
  }

  private async ship(node: number, load: readonly Shipment[]): Promise<void> {
    const { generation } = this;
    const { transactionalId, acks } = this.options;
    const batches = load.map(({ queue: { topic, partition }, batch: { bytes } }) => ({ topic, partition, bytes }));
    let results: readonly ProduceResult[] | undefined;
    let cause: unknown;
    try {
      const connection = await this.brokers.node(node);
      if (generation !== this.generation) return;
      results = await connection.call(produce(transactionalId, acks, REPLICA_MS, batches));
    } catch (thrown) {
      cause = thrown;
    }
    // Answers to an earlier epoch are of no meaning now.
    if (generation !== this.generation) return;
    this.requests.set(node, (this.requests.get(node) ?? 1) - 1);
    const codes = new Map(results?.map((result) => [`${result.topic}/${result.partition}`, result]));
    for (const shipment of load) {
      const { topic, partition } = shipment.queue;
      const result = codes.get(`${topic}/${partition}`);
      this.settle(shipment, results && acks === 0 ? 0 : result?.error, result?.message, cause);
    }
    this.tell();
    this.pump();
  }

  /** `code` undefined: the connection failed, and whether the batch was written is not known. */
  private settle({ queue, batch }: Shipment, code: number | undefined, message: string | undefined, cause: unknown): void {
    queue.unanswered--;
    if (code === 0 || code === ErrorNumber.duplicateSequence) {
      queue.confirm(batch);
      if (queue.sent.length === 0 && queue.waiting.length === 0) this.busy.delete(queue);
      return;
    }
    const about = `topic ${queue.topic} partition ${queue.partition}`;
    // Refused only because one before it is not there yet; of the first one it means that the partition lost what it had confirmed.
    const behind = queue.failed || queue.sent[0] !== batch;
    const late = Date.now() - batch.firstSentMs > this.brokers.patienceMs;
    if (code === undefined) {
      if (!isServerGone(cause) || late) this.stop(cause instanceof Error ? cause : new Error(String(cause)));
    } else if (!(isPassing(code) || (code === ErrorNumber.outOfOrderSequence && behind)) || late) {
      this.stop(new ProtocolError(code, about, detailOf(code, batch, message)));
    }
    queue.failed = true;
    void this.mend();
  }

  /** Finds out where the leaders are now, then sends again what failed. */
  private async mend(): Promise<void> {
    if (this.mending || this.failure) return;
    const { generation } = this;
    this.mending = true;
    const began = Date.now();
    try {
      for (let pause = 20; ; pause = Math.min(pause * 2, 500)) {
        await sleep(pause);
        if (generation !== this.generation) return;
        const failed = [...this.busy].filter((queue) => queue.failed);
        if (failed.length === 0) break;
        const known = await this.learn(failed, began);
        if (generation !== this.generation) return;
        if (!known) continue;
        // Batches behind a failed one may still be on their way: only when all answers are in is it known what to send.
        for (const queue of failed) {
          if (queue.unanswered === 0 && this.brokers.leader(queue.topic, queue.partition) >= 0) queue.sendAgain();
        }
        this.pump();
        if (Date.now() - began > this.brokers.patienceMs && failed.some((queue) => queue.failed)) {
          throw new ProtocolError(ErrorNumber.leaderNotAvailable, `topic ${failed[0]?.topic} partition ${failed[0]?.partition}`);
        }
      }
    } catch (cause) {
      if (generation === this.generation) this.stop(cause as Error);
    } finally {
      if (generation === this.generation) this.mending = false;
    }
  }

  private async learn(failed: readonly PartitionQueue[], began: number): Promise<boolean> {
    try {
      await this.brokers.refresh([...new Set(failed.map(({ topic }) => topic))]);
      return true;
    } catch (cause) {
      if (!(cause instanceof GodwitError) || !isServerGone(cause) || Date.now() - began > this.brokers.patienceMs) throw cause;
      return false;
    }
  }

  /** Tells the coordinator of partitions that the transaction has not written to before. */
  private join(): void {
    const { transactionalId, identity } = this.options;
    if (this.joining || transactionalId === undefined) return;
    const strangers = [...this.busy].filter((queue) => !queue.registered && queue.next(this.transaction, BATCHES_PER_PARTITION));
    if (strangers.length === 0) return;
    const { generation } = this;
    this.joining = true;
    const joined = this.brokers
      .askCoordinator("transaction", transactionalId, addPartitions(transactionalId, identity(), byTopic(strangers)))
      .then(
        () => {
          if (generation !== this.generation) return;
          this.joining = false;
          for (const queue of strangers) {
            queue.registered = true;
            this.joined.add(queue);
          }
          this.pump();
        },
        (cause: Error) => {
          if (generation === this.generation) this.stop(cause);
        },
      )
      .finally(() => this.underWay.delete(joined));
    this.underWay.add(joined);
  }

  private tell(): void {
    for (const waiter of this.waiters) {
      if (!waiter.met()) continue;
      this.waiters.delete(waiter);
      waiter.settle();
    }
  }
}

function byTopic(queues: readonly PartitionQueue[]): TopicPartitions[] {
  const topics = new Map<string, number[]>();
  for (const { topic, partition } of queues) topics.set(topic, [...(topics.get(topic) ?? []), partition]);
  return [...topics].map(([topic, partitions]) => ({ topic, partitions }));
}

/** A batch is too large only when a single record is: then its key says which. */
function detailOf(code: number, { bytes, records, firstKey }: QueuedBatch, message: string | undefined): string | undefined {
  if (code !== ErrorNumber.messageTooLarge && code !== ErrorNumber.recordListTooLarge) return message;
  const what = records === 1 ? `the record with key ${JSON.stringify(firstKey)}` : `a batch of ${records} records`;
  return `${what} takes ${bytes.length} bytes${message ? `; ${message}` : ""}`;
}
