import type { Client } from "pg";
import type { FlowOptions } from "../../../engine/database.js";
import type { PlannedTable } from "../../../engine/models/plan.js";
import { usersPublication } from "../../../engine/taskDefinition.js";
import { createThrottle } from "../../../engine/throttle.js";
import type { PostgresCatalog } from "../../postgres/catalog/model.js";
import { destroy, serverVersion } from "../../postgres/clients.js";
import type { Connections } from "../../postgres/connections.js";
import { FollowedNames } from "../../postgres/ddl/follow/followedNames.js";
import type { HeldSink } from "../../postgres/ddl/follow/heldSink.js";
import { isRuled, type RowFilterSink, rowFilterSink } from "../../postgres/filter/rowFilterSink.js";
import { RowJudge } from "../../postgres/filter/rowJudge.js";
import { BoundedSink } from "../../postgres/replication/boundedSink.js";
import { type ChangeStream, openChangeStream } from "../../postgres/replication/changeStream.js";
import { releaseSlot } from "../../postgres/replication/slot.js";
import { fencedError } from "../../postgres/store/taskLease.js";
import type { TransactionalProducer } from "../client/producer.js";
import { type FollowedTable, KafkaChangeSink } from "./changeSink.js";
import { anchorOf, type OpenedTopics, type TaskCluster } from "./cluster.js";
import { streamNames } from "./identities.js";
import { joinTopics } from "./joinTopics.js";
import { streamMark, streamOffset } from "./positions.js";
import type { RecordFormats } from "./recordFormats.js";
import { RecordOutput, type StreamMark } from "./recordOutput.js";
import { StructureFollower } from "./structureFollower.js";
import { structureSink } from "./structureSink.js";
import { sureBytes } from "./sureBytes.js";
import type { TableShapes } from "./tableShapes.js";

export interface FollowKafkaOptions extends FlowOptions {
  readonly cluster: TaskCluster;
  readonly source: Connections;
  /** To the store, which is at the source. */
  readonly store: Connections;
  readonly database: string;
  readonly readShapes: (tables: readonly PlannedTable[]) => Promise<TableShapes>;
  readonly formats: (topics: OpenedTopics) => Promise<RecordFormats>;
  /** The source's catalog, asked only where statements have to be rewritten to other names. */
  readonly readCatalog: () => Promise<PostgresCatalog>;
}

/** The store's copy of the position is written this often: it serves status, and a group whose offsets expired. */
const CHECKPOINT_MS = 1000;
/** Brokers forget the offsets of a group that commits nothing for offsets.retention.minutes, seven days by default. */
const RENEWAL_MS = 3_600_000;

/**
 * Streams the slot's changes into the topics until the signal aborts. The position is committed in the same Kafka transaction as the records,
 * so it is the group's offset that says where to go on; the source may forget what is before it.
 * Rejects with GW1502, GW1504, GW1602, GW17xx, GW19xx, GW20xx or a connection's failure; a next call goes on from the group's offset.
 */
export async function followKafka(options: FollowKafkaOptions): Promise<void> {
  const { cluster } = options;
  const entries = (await options.readTables?.()) ?? options.tables;
  const store = await options.store.connect("checkpoint");
  let producer: TransactionalProducer | undefined;
  let source: Client | undefined;
  let asked: Client | undefined;
  try {
    const topics = await cluster.topics();
    const shapes = await options.readShapes(entries.map(({ table }) => table));
    const formats = await options.formats(topics);
    const stored = await options.start();
    // Whoever lost the lease learns of it here, before a producer of its own would fence its successor's.
    await checkpoint(options, store, { position: stored, commitTimeMs: Date.now(), recordId: 0 });
    producer = await cluster.openProducer(streamNames(cluster.definition.taskId));
    await producer.prepare(
      topics.descriptions.map(({ name, maxMessageBytes }) => ({ name, ...(maxMessageBytes ? { maxMessageBytes } : {}) })),
    );
    const start = await startMark(cluster, topics, stored);
    // The worker that committed it may have died before it could write the store's copy.
    if (start.position > stored) await checkpoint(options, store, start);
    if (options.until !== undefined && start.position >= options.until) return;
    await freeSlot(options);
    source = await options.source.connect("stream", { replication: true });
    if (entries.some(({ table }) => isRuled(table))) asked = await options.source.connect("filter");
    const incarnation = await cluster.incarnation();
    const parts = { store, producer, source, asked, topics, entries, shapes, formats, start, incarnation };
    await new Flow(options, parts, await structureFollower(options, entries, store)).run();
  } finally {
    producer?.close();
    destroy(store);
    if (source) destroy(source);
    if (asked) destroy(asked);
  }
}

interface Parts {
  readonly store: Client;
  readonly producer: TransactionalProducer;
  readonly source: Client;
  /** Where rows of the tables are filtered: judges them. */
  readonly asked: Client | undefined;
  readonly topics: OpenedTopics;
  readonly entries: readonly FollowedTable[];
  readonly shapes: TableShapes;
  readonly formats: RecordFormats;
  readonly start: StreamMark;
  readonly incarnation: string;
}

/** One pass over the stream. */
class Flow {
  private readonly output: RecordOutput;
  private readonly sink: KafkaChangeSink;
  private readonly structural: HeldSink | undefined;
  private readonly filter: RowFilterSink | undefined;
  private latest: StreamMark | undefined;
  private renewed = Date.now();

  constructor(
    private readonly options: FollowKafkaOptions,
    private readonly parts: Parts,
    follower: StructureFollower | undefined,
  ) {
    const { producer, topics, shapes, formats, start, entries, store, incarnation } = parts;
    const { cluster, settings, database, readShapes } = options;
    const partitions = new Map(topics.partitions);
    const { groupId } = streamNames(cluster.definition.taskId);
    this.output = new RecordOutput({
      producer,
      sureBytes: sureBytes(topics.descriptions),
      commit: async (mark) => {
        // The first table may join later. Until then there is nothing to commit a position with, and the store's copy will do.
        const topic = anchorOf({ partitions });
        if (topic !== undefined) await producer.commit({ groupId, topic, partition: 0, ...streamOffset(mark, incarnation) });
      },
      onDurable: (mark) => {
        this.latest = mark;
        this.renewed = Date.now();
        this.sink.durable(mark);
      },
    });
    this.sink = new KafkaChangeSink({
      tables: entries,
      shapes,
      settings: cluster.settings,
      database,
      format: formats.encoders(),
      partitions,
      output: this.output,
      throttle: createThrottle(() => settings().throttle.incremental ?? {}),
      start,
      onProgress: options.onProgress,
    });
    this.structural =
      follower &&
      structureSink({
        inner: this.sink,
        follower,
        settings: cluster.settings,
        database,
        topics: { ...topics, partitions },
        join: (names) => joinTopics({ cluster, producer, store, partitions, learn: formats.learn }, names),
        readShapes,
      });
    const { asked } = parts;
    this.filter =
      asked &&
      rowFilterSink({
        inner: this.structural ?? this.sink,
        tables: entries.map(({ table }) => table),
        judge: new RowJudge(asked),
      });
  }

  async run(): Promise<void> {
    const { output, sink, structural, filter, options } = this;
    const { definition } = options.cluster;
    const first = filter ?? structural ?? sink;
    const bounded = options.until === undefined ? undefined : new BoundedSink(first, options.until);
    const held = [filter, structural].filter((one) => one !== undefined);
    const stream = openChangeStream(this.parts.source, {
      slotName: definition.slotName,
      publications: [definition.publicationName],
      start: this.parts.start.position,
      // The formats take the text form, and only few types would be cheaper to read in binary.
      binary: false,
      sink: bounded ?? first,
      durable: () => sink.position,
    });
    let onAbort: () => void = () => undefined;
    const aborted = new Promise<"aborted">((resolve) => {
      onAbort = () => resolve("aborted");
      options.signal.addEventListener("abort", onAbort, { once: true });
      if (options.signal.aborted) onAbort();
    });
    const over = new AbortController();
    const kept = this.keepCheckpoint(over.signal);
    try {
      const failed = held.map((one) => one.failed);
      await Promise.race([stream.done, output.failed, kept, aborted, ...failed, ...(bounded ? [bounded.reached] : [])]);
      stream.pause();
      // A question about rows or a change of structure may still be at work, with rows behind it.
      for (const one of held) await Promise.race([one.idled(), one.failed, output.failed, stream.done]);
      await this.drain(stream);
    } finally {
      over.abort();
      output.close();
      options.signal.removeEventListener("abort", onAbort);
      await stream.stop();
    }
  }

  /** Every whole transaction that arrived becomes durable; of one that is still arriving nothing does. */
  private async drain(stream: ChangeStream): Promise<void> {
    await Promise.race([this.output.drained(), this.output.failed, stream.done]);
    await this.writeCheckpoint();
  }

  private async keepCheckpoint(signal: AbortSignal): Promise<never> {
    for (;;) {
      await new Promise<void>((resolve, reject) => {
        const stop = () => {
          clearTimeout(timer);
          reject(signal.reason);
        };
        const timer = setTimeout(() => {
          signal.removeEventListener("abort", stop);
          resolve();
        }, CHECKPOINT_MS);
        signal.addEventListener("abort", stop, { once: true });
      });
      // The stream tells of lulls only when something arrives: one that is held back, or a source at work, says nothing for minutes, and
      // the brokers abort a transaction that stays open.
      (this.structural ?? this.sink).lull();
      await this.writeCheckpoint();
      if (Date.now() - this.renewed > RENEWAL_MS) {
        this.renewed = Date.now();
        this.sink.renew();
      }
    }
  }

  /** Only what is new: each one writes to the source's log, and so to this very stream. */
  private async writeCheckpoint(): Promise<void> {
    const mark = this.latest;
    if (!mark) return;
    this.latest = undefined;
    await checkpoint(this.options, this.parts.store, mark);
  }
}

/** Undefined where the task follows no changes of structure: the publication is the user's own, or the plan is older than there was a choice. */
async function structureFollower(
  options: FollowKafkaOptions,
  entries: readonly FollowedTable[],
  store: Client,
): Promise<StructureFollower | undefined> {
  const { structure, cluster } = options;
  const { selection, publicationName, taskId } = cluster.definition;
  if (!structure || !selection || usersPublication(cluster.definition)) return undefined;
  const { objects, capitalization } = selection.options;
  const { renames } = new FollowedNames({ ...(objects ? { objects } : {}), ...(capitalization ? { capitalization } : {}) });
  return new StructureFollower({
    publication: publicationName,
    selection: selection.options,
    ruled: selection.ruled,
    readAt: BigInt(selection.readAt),
    tables: entries,
    catalog: renames ? await options.readCatalog() : undefined,
    version: Math.floor((await serverVersion(store)) / 10_000),
    async record(change) {
      const statement =
        "gone" in change
          ? structure.tableGone(change.gone)
          : structure.tablePlanned(change.planned.table, change.planned.loadPosition);
      await store.query(statement).catch((cause: unknown) => {
        throw fencedError(cause, taskId);
      });
    },
  });
}

/** Fenced: GW1602 once another worker has the task. */
async function checkpoint(
  { checkpoint: statement, cluster }: FollowKafkaOptions,
  store: Client,
  mark: StreamMark,
): Promise<void> {
  try {
    await store.query(statement(mark.position, mark.commitTimeMs));
  } catch (cause) {
    throw fencedError(cause, cluster.definition.taskId);
  }
}

/** The later of the two: the store's is written after the group's, and is there when the group has been forgotten. */
async function startMark(cluster: TaskCluster, topics: OpenedTopics, stored: bigint): Promise<StreamMark> {
  const anchor = anchorOf(topics);
  const { groupId } = streamNames(cluster.definition.taskId);
  const mark = anchor && streamMark(await cluster.admin.groupOffset(groupId, anchor, 0), await cluster.incarnation());
  if (!mark) return { position: stored, commitTimeMs: 0, recordId: 0 };
  return mark.position >= stored ? mark : { position: stored, commitTimeMs: mark.commitTimeMs, recordId: mark.recordId };
}

/** A walsender of ours may still hold the slot: of a worker that died, or of the stream that was just given up. */
async function freeSlot({ source, cluster: { definition } }: FollowKafkaOptions): Promise<void> {
  const client = await source.connect("slot");
  try {
    await releaseSlot(client, definition.slotName, `godwit/${definition.taskId}/source/`);
  } finally {
    await client.end().catch(() => undefined);
  }
}
