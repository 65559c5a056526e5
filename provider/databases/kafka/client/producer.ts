import { setTimeout as sleep } from "node:timers/promises";
import { ErrorCode, GodwitError } from "../../../engine/errors.js";
import { COMPRESSORS, type Compression } from "./compression.js";
import type { KafkaEndpoint } from "./kafkaEndpoint.js";
import { kafkaError } from "./kafkaErrors.js";
import { PartitionQueue, type QueueRules } from "./partitionQueue.js";
import type { Header, Slice } from "./recordBatch.js";
import { Sender } from "./sender.js";
import { Brokers } from "./wire/brokers.js";
import type { WireCall } from "./wire/call.js";
import { demand, ErrorNumber, ProtocolError } from "./wire/protocolErrors.js";
import {
  addOffsets,
  endTransaction,
  type GroupOffset,
  initProducerId,
  nextEpoch,
  type ProducerIdentity,
  plainOffset,
  transactionalOffset,
} from "./wire/transactionCalls.js";

export interface ProducerOptions {
  /** Shows in the brokers' logs and quotas. */
  readonly clientId: string;
  /** Whoever opens a producer with the same id later fences this one. One per task, or per lane of a task. */
  readonly transactionalId: string;
  /**
   * - `all`: transactions. A consumer with isolation.level=read_committed sees every record once and in order, whatever dies and when.
   * - `leader`: no transactions. Records come in order per partition; those after the last committed offset may come again after a failure,
   *   and what only a failing leader had may be lost.
   * - `none`: as `leader`, and what is under way when a connection fails is lost without anybody noticing.
   */
  readonly acks: "all" | "leader" | "none";
  readonly compression: Compression;
  /** Uncompressed bytes of a batch. Default 512 KB: below the 1 MB that a topic takes by default, however badly it compresses. */
  readonly batchBytes?: number;
  /** Bytes that may wait here before `full` says so. Default 24 MB. */
  readonly bufferBytes?: number;
  /** Default 300: the time a transaction may stay open. The brokers' own limit (transaction.max.timeout.ms) is 900 by default. */
  readonly transactionSeconds?: number;
  /** Milliseconds that leaders, coordinators and replicas may be away before a call fails. Default 120,000. */
  readonly patienceMs?: number;
}

/** Where records of one partition go in. */
export interface PartitionWriter {
  /**
   * Copies one record; `key` and `value` are lent for the call (the same objects may be used again). `timestamp` is milliseconds since 1970; a topic
   * deletes records by it (retention.ms), so one that is long past may be gone before it is read. Never waits: `full` tells when to.
   */
  append(timestamp: number, key: Slice | undefined, value: Slice | undefined, headers?: readonly Header[]): void;
}

/**
 * Writes encoded records, in transactions that begin by themselves with the first record. What is appended after a call of `commit` belongs to the next
 * transaction, and may be appended while that one is being committed. Every method fails with what went wrong, and with the same again until `abort`.
 * Errors: GW1107 (a broker stayed away too long), GW1921 (rights), GW1924 (fenced: another producer has the id), GW1925 (replicas), GW1928, GW2002, GW2004.
 */
export interface TransactionalProducer {
  /**
   * The time that the brokers granted a transaction: what was asked for, or less where transaction.max.timeout.ms is below that. Infinity
   * without transactions.
   */
  readonly transactionSeconds: number;
  /** Learns where these topics' partitions are; `maxMessageBytes` is the topic's max.message.bytes, where known. GW2002 when one is missing. */
  prepare(topics: readonly { readonly name: string; readonly maxMessageBytes?: number }[]): Promise<void>;
  partitionCount(topic: string): number;
  /** The same writer each time. The topic must be prepared. GW2002 when it has no such partition. */
  partition(topic: string, partition: number): PartitionWriter;
  /** Resolves when more may be appended; undefined when it may be now. */
  full(): Promise<void> | undefined;
  /** Sends what waits without committing: for records of a transaction that goes on. */
  flush(): Promise<void>;
  /** All records so far and this offset become visible together, or none of them does. Resolves when they are. */
  commit(offset: GroupOffset | undefined): Promise<void>;
  /**
   * Gives up everything that is not committed, and whatever failed: the next record begins anew, after `groupOffset` was read again, for a commit whose
   * answer was lost may have been made. GW1924 stays. Kafka 2.5 or newer; below, open another producer.
   */
  abort(): Promise<void>;
  /** Drops what is not committed, without waiting; the next `openProducer` with the id, or the time-out, ends it on the brokers. */
  close(): void;
}

/**
 * Opens the only producer of its transactional id: one that has it now is fenced, and what it left open is aborted before this resolves.
 * Errors: GW1101 to GW1103 when no broker can be used (not waited for), GW1921, GW1924 to GW1928.
 *
 * Our own, over the protocol, because no client for Node does both. Per 600,000 records of 240 bytes into 12 partitions, lz4, acks all, transactions of 60,000
 * (bench/kafkaProduce.ts): this 0.75 s of CPU; kafkajs 7 s, for it makes several objects and copies of each record; \@platformatic/kafka 1.35, the line for Node 20, 1.9 s, but
 * a second producer with its transactional id does not fence the first: it asks for a producer id as if it had held number 0, and is refused itself
 * (PRODUCER_FENCED, seen on a broker). And it takes offsets into a transaction only of messages that a consumer of its own read, without metadata.
 */
export async function openProducer(endpoint: KafkaEndpoint, options: ProducerOptions): Promise<TransactionalProducer> {
  const { clientId, patienceMs } = options;
  const brokers = new Brokers(endpoint, { clientId, ...(patienceMs === undefined ? {} : { patienceMs }) });
  try {
    // Whoever is not there now is not waited for: the caller decides how long to try.
    await brokers.refresh([]);
    const producer = new WireProducer(brokers, options);
    await producer.begin();
    return producer;
  } catch (cause) {
    brokers.close();
    throw kafkaError(cause, endpoint.hosts.join(","), endpoint.username);
  }
}

/** Milliseconds that a broker may take to hear of a topic that was just made through another one. */
const SETTLING_MS = 2000;
/**
 * Tried one after the other where the brokers allow less than asked for, for no request tells their limit. A minute is what clients ask for by
 * default, and allowed nearly everywhere.
 */
const LESSER_SECONDS = [60, 30, 15, 5];
const DEFAULT_BATCH = 512 * 1024;
const DEFAULT_BUFFER = 24 * 1024 * 1024;

class WireProducer implements TransactionalProducer {
  private readonly queues = new Map<string, PartitionQueue[]>();
  private readonly limits = new Map<string, number>();
  private readonly rules: QueueRules;
  private readonly sender: Sender;
  private readonly transactional: boolean;
  private identity: ProducerIdentity = { id: -1n, epoch: -1 };
  private transaction = 0;
  private transactionMs = 0;
  private held = 0;
  private committing: Promise<void> = Promise.resolve();

  constructor(
    private readonly brokers: Brokers,
    private readonly options: ProducerOptions,
  ) {
    this.transactional = options.acks === "all";
    this.sender = new Sender(brokers, {
      transactionalId: this.transactional ? options.transactionalId : undefined,
      acks: options.acks === "all" ? -1 : options.acks === "leader" ? 1 : 0,
      identity: () => this.identity,
    });
    this.rules = {
      compressor: options.compression === "none" ? undefined : COMPRESSORS[options.compression],
      transactional: this.transactional,
      batchBytes: options.batchBytes ?? DEFAULT_BATCH,
      identity: () => this.identity,
      transaction: () => this.transaction,
      held: (difference) => {
        this.held += difference;
      },
      ready: (queue) => this.sender.add(queue),
    };
  }

  /** Becomes the only producer of its id. A successor does this while a predecessor's transaction may still be open: that one is aborted. */
  async begin(): Promise<void> {
    if (!this.transactional) return;
    const { transactionalId, transactionSeconds = 300 } = this.options;
    const ask = (milliseconds: number) => {
      this.transactionMs = milliseconds;
      return this.brokers.askCoordinator("transaction", transactionalId, initProducerId(transactionalId, milliseconds));
    };
    for (const seconds of [transactionSeconds, ...LESSER_SECONDS.filter((lesser) => lesser < transactionSeconds)]) {
      try {
        this.identity = await ask(seconds * 1000);
        return;
      } catch (cause) {
        if (!(cause instanceof ProtocolError) || cause.code !== ErrorNumber.invalidTransactionTimeout) throw cause;
      }
    }
    throw new ProtocolError(ErrorNumber.invalidTransactionTimeout, `transactional id ${transactionalId}`);
  }

  get transactionSeconds(): number {
    return this.transactional ? this.transactionMs / 1000 : Number.POSITIVE_INFINITY;
  }

  async prepare(topics: readonly { readonly name: string; readonly maxMessageBytes?: number }[]): Promise<void> {
    try {
      for (const { name, maxMessageBytes } of topics) if (maxMessageBytes !== undefined) this.limits.set(name, maxMessageBytes);
      const names = topics.map(({ name }) => name);
      for (const deadline = Date.now() + SETTLING_MS; ; await sleep(100)) {
        const answer = await this.brokers.patiently(() => this.brokers.refresh(names));
        const missing = answer.topics.find(({ error }) => error === ErrorNumber.unknownTopicOrPartition);
        if (missing && Date.now() < deadline) continue;
        // A topic whose leader is being chosen has an error of its own, which passes while its first batch waits.
        for (const { name, error } of answer.topics) if (error !== ErrorNumber.leaderNotAvailable) demand(error, `topic ${name}`);
        return;
      }
    } catch (cause) {
      throw this.named(cause);
    }
  }

  partitionCount(topic: string): number {
    return this.brokers.partitionCount(topic);
  }

  partition(topic: string, partition: number): PartitionQueue {
    const known = this.queues.get(topic)?.[partition];
    if (known) return known;
    const count = this.partitionCount(topic);
    if (!(partition >= 0 && partition < count)) {
      const message = `topic "${topic}" has ${count} partitions, and no number ${partition}`;
      throw new GodwitError(ErrorCode.TopicMissing, message, { object: topic });
    }
    const queue = new PartitionQueue(topic, partition, this.rules);
    const limit = this.limits.get(topic);
    if (limit !== undefined) queue.limitTo(limit);
    const ofTopic = this.queues.get(topic) ?? [];
    ofTopic[partition] = queue;
    this.queues.set(topic, ofTopic);
    return queue;
  }

  full(): Promise<void> | undefined {
    const limit = this.options.bufferBytes ?? DEFAULT_BUFFER;
    if (this.held < limit) return undefined;
    // With thousands of partitions it may be open batches alone that fill the memory: none of them would ever be sent by itself.
    if (this.sender.idle) this.seal();
    return this.sender.until(() => this.held < limit / 2 || this.sender.idle).catch((cause: unknown) => this.reject(cause));
  }

  async flush(): Promise<void> {
    this.seal();
    const { transaction } = this;
    await this.sender.until(() => this.sender.drained(transaction)).catch((cause: unknown) => this.reject(cause));
  }

  commit(offset: GroupOffset | undefined): Promise<void> {
    this.seal();
    const transaction = this.transaction++;
    const before = this.committing;
    const done = before.then(() => this.finish(transaction, offset)).catch((cause: unknown) => this.reject(cause));
    this.committing = done;
    // The one who called gets the error; the chain must not end the process when nobody waits for it any more.
    done.catch(() => undefined);
    return done;
  }

  async abort(): Promise<void> {
    const failure = this.sender.failure && this.named(this.sender.failure);
    if (failure?.code === ErrorCode.ProducerFenced) throw failure;
    this.sender.stop(new GodwitError(ErrorCode.TransactionBroken, "the transaction was given up"));
    // A batch that a broker gets after the transaction's end would begin one that nobody ends (KIP-890).
    await Promise.all([this.committing.catch(() => undefined), this.sender.quiet()]);
    this.committing = Promise.resolve();
    for (const queue of this.all()) queue.reset();
    try {
      if (this.transactional) await this.startAnew();
    } catch (cause) {
      const error = this.named(cause);
      this.sender.failure = error;
      throw error;
    }
    this.transaction++;
    this.sender.restart(this.transaction);
  }

  close(): void {
    this.sender.stop(new GodwitError(ErrorCode.ConnectionLost, "the producer was closed"));
    this.brokers.close();
    for (const queue of this.all()) queue.reset();
    this.queues.clear();
  }

  /** Ends the open transaction, and takes a new epoch, under which numbers begin with 0 again. */
  private async startAnew(): Promise<void> {
    const { transactionalId } = this.options;
    const coordinator = <T>(call: WireCall<T>) => this.brokers.askCoordinator("transaction", transactionalId, call);
    await coordinator(endTransaction(transactionalId, this.identity, false)).catch((cause: unknown) => {
      // None was open, or it was committed by the call whose answer was lost: the next request tells whether this producer may go on.
      if (!(cause instanceof ProtocolError) || cause.code !== ErrorNumber.invalidTransactionState) throw cause;
    });
    this.identity = await coordinator(nextEpoch(transactionalId, this.transactionMs, this.identity));
  }

  private async finish(transaction: number, offset: GroupOffset | undefined): Promise<void> {
    await this.sender.until(() => this.sender.drained(transaction));
    if (!this.transactional) {
      if (offset) await this.brokers.askCoordinator("group", offset.groupId, plainOffset(offset));
    } else if (offset || this.sender.registered) {
      const { transactionalId } = this.options;
      const coordinator = <T>(call: WireCall<T>) => this.brokers.askCoordinator("transaction", transactionalId, call);
      if (offset) {
        await coordinator(addOffsets(transactionalId, this.identity, offset.groupId));
        const call = transactionalOffset(transactionalId, this.identity, offset);
        await this.brokers.askCoordinator("group", offset.groupId, call);
      }
      // Asked again after a lost answer, the coordinator says yes to a commit that is already made.
      await coordinator(endTransaction(transactionalId, this.identity, true));
    }
    this.sender.advance(transaction + 1);
    if (this.held === 0) for (const queue of this.all()) queue.shrink();
  }

  private seal(): void {
    for (const queue of this.all()) queue.seal();
  }

  private *all(): Iterable<PartitionQueue> {
    for (const queues of this.queues.values()) for (const queue of queues) if (queue) yield queue;
  }

  /** Nothing more goes out after a failure: what follows would leave a gap. */
  private reject(cause: unknown): never {
    const error = this.named(cause);
    this.sender.stop(error);
    throw error;
  }

  private named(cause: unknown): GodwitError {
    const { hosts, username } = this.brokers.endpoint;
    return kafkaError(cause, hosts.join(","), username);
  }
}
