import type { Position, StreamedTable } from "../../../engine/models/change.js";
import type { KafkaSettings } from "../../../engine/taskDefinition.js";
import { type DdlEvent, isDdlTable, readDdlEvent } from "../../postgres/ddl/ddlEvent.js";
import { HeldSink } from "../../postgres/ddl/follow/heldSink.js";
import { PassingSink } from "../../postgres/ddl/follow/passingSink.js";
import { qualified } from "../../postgres/sql.js";
import { tablePartitioner } from "../partitioning.js";
import type { FollowedTable, KafkaChangeSink } from "./changeSink.js";
import { anchorOf, type OpenedTopics } from "./cluster.js";
import type { StructureFollower, StructureOutcome } from "./structureFollower.js";
import type { TableShapes } from "./tableShapes.js";
import { topicName } from "./topicNames.js";
import { tableTopics } from "./topicPlan.js";

export interface StructureSinkOptions {
  readonly inner: KafkaChangeSink;
  readonly follower: StructureFollower;
  readonly settings: KafkaSettings;
  readonly database: string;
  readonly topics: OpenedTopics;
  /** Makes sure of the topics of a table that is new to the task. */
  readonly join: (topics: readonly string[]) => Promise<void>;
  readonly readShapes: (tables: readonly FollowedTable["table"][]) => Promise<TableShapes>;
}

/**
 * Takes the changes of structure out of a stream and writes them as DDL records in their place. Everything before one is made durable first: what it
 * changes in the store (a table's plan) must never meet older changes, should this worker die.
 */
export function structureSink(options: StructureSinkOptions): HeldSink {
  const sink: StructureSink = new StructureSink(options, (work) => held.hold(work));
  const held = new HeldSink(sink);
  return held;
}

class StructureSink extends PassingSink<KafkaChangeSink> {
  private carrier: number | undefined;
  /** Tables without a key whose rows are written again: a TRUNCATE stands for what the source deletes. */
  private readonly muted = new Set<number>();
  private position: Position = 0n;

  constructor(
    private readonly options: StructureSinkOptions,
    private readonly hold: (work: () => Promise<void>) => void,
  ) {
    super(options.inner);
  }

  override table(streamed: StreamedTable): void {
    if (isDdlTable(streamed)) this.carrier = streamed.id;
    else this.inner.table(streamed);
  }

  override begin(commitPosition: Position, commitTimeMs: number, transactionId?: number): void {
    this.position = commitPosition;
    this.muted.clear();
    this.options.follower.begin();
    this.inner.begin(commitPosition, commitTimeMs, transactionId);
  }

  override insert(tableId: number, data: Buffer, tuple: number, end: number): void {
    if (tableId !== this.carrier) this.inner.insert(tableId, data, tuple, end);
    else if (this.inner.passed()) this.event(readDdlEvent(data, tuple));
  }

  override delete(tableId: number, data: Buffer, oldTuple: number, end: number): void {
    if (tableId === this.carrier || this.muted.has(tableId)) this.inner.passed();
    else this.inner.delete(tableId, data, oldTuple, end);
  }

  override truncate(tableIds: readonly number[], cascade: boolean, restartIdentity: boolean): void {
    const ids = tableIds.filter((id) => id !== this.carrier);
    if (ids.length > 0) this.inner.truncate(ids, cascade, restartIdentity);
    else this.inner.passed();
  }

  private event(event: DdlEvent): void {
    if (event.kind === "emptied") this.muted.delete(event.id);
    else if (event.kind === "empty") for (const id of event.ids) this.empty(id);
    else if (this.options.follower.concerns(event, this.position)) this.hold(() => this.change(event));
  }

  /** Rows with a key are deleted one by one before they come again, which keeps every key's order in its partition. */
  private empty(id: number): void {
    const { inner } = this;
    const { settings, database } = this.options;
    const table = inner.planOf(id);
    if (table?.key.source !== "none") return;
    this.muted.add(id);
    const { schema, name } = table.target;
    const topic = tableTopics(table, settings, database).ddl;
    inner.ddl(topic, this.partition(topic, schema, name), {
      schema,
      table: name,
      sql: `TRUNCATE TABLE ${qualified(table.target)}`,
      truncates: true,
    });
  }

  private async change(event: DdlEvent): Promise<void> {
    const { inner } = this;
    const { follower, settings, database, join, readShapes } = this.options;
    await inner.settleBefore();
    const former = event.kind === "change" ? inner.planOf(event.id) : undefined;
    const outcome = await follower.apply(event, this.position);
    if (!outcome) return;
    const { planned, gone } = outcome;
    const table = planned?.table ?? former;
    const own = table && tableTopics(table, settings, database);
    if (planned && own) {
      await join([own.data, own.ddl]);
      const { baseTypes } = await readShapes([planned.table]);
      inner.replan(planned, { typeIds: new Map(), ...planned.shape }, baseTypes);
    }
    const topic = own?.ddl ?? this.topicOf(outcome);
    const { schema, name } = outcome;
    // A task over a schema without tables has no topic yet that could tell of its views and functions.
    if (topic !== undefined) {
      for (const sql of outcome.texts) inner.ddl(topic, this.partition(topic, schema, name), { schema, table: name, sql });
    }
    if (gone !== undefined) inner.forget(gone);
  }

  /** What is about no table of the task goes where its name leads, if that is one of the task's topics. */
  private topicOf({ schema, name }: StructureOutcome): string | undefined {
    const { settings, database, topics } = this.options;
    const topic = topicName(settings.ddlTopic ?? settings.topic, database, { schema, name });
    return topics.partitions.has(topic) ? topic : anchorOf(topics);
  }

  private partition(topic: string, schema: string, name: string): number {
    const { settings, database, topics } = this.options;
    const nameless = { database, schema, name, columns: [], primaryKey: [], uniqueKeys: [], oldTuples: "wholeRow" as const };
    return tablePartitioner(settings.partitioning, nameless, topics.partitions.get(topic) ?? 1).ofDdl;
  }
}
