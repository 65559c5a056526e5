import type { RecordedLoad, StepRunner, TargetDatabase } from "../../../engine/database.js";
import type { DdlStep, PlannedTable } from "../../../engine/models/plan.js";
import type { Connections } from "../../postgres/connections.js";
import { fencedError } from "../../postgres/store/taskLease.js";
import { anchorOf, checkPartitions, type OpenedTopics, type TaskCluster, topicMissing } from "./cluster.js";
import { LOAD_LANES, laneNames, loadNames } from "./identities.js";
import { recordedLoad } from "./positions.js";
import type { RecordFormats } from "./recordFormats.js";
import { sureBytes } from "./sureBytes.js";
import { createTableLoader, LOAD_TRANSACTION_SECONDS } from "./tableLoader.js";
import { loadedTable, type TableShapes } from "./tableShapes.js";
import { writtenTable } from "./writtenTable.js";

export interface KafkaTargetOptions {
  readonly cluster: TaskCluster;
  /** To the store, which is at the source. */
  readonly store: Connections;
  readonly database: string;
  readonly readShapes: (tables: readonly PlannedTable[]) => Promise<TableShapes>;
  readonly formats: (topics: OpenedTopics) => Promise<RecordFormats>;
}

/** Eight lanes of the full load share what one process should hold. */
const LANE_BUFFER_BYTES = 8 * 1024 * 1024;

/** Kafka as the target of a task: topics are made, tables are loaded; the stream is followKafka's. */
export function openKafkaTarget(options: KafkaTargetOptions): TargetDatabase {
  const { cluster, store, database } = options;
  const { taskId } = cluster.definition;
  const lanes = new Lanes(LOAD_LANES);
  const startedMs = Date.now();
  let planned: readonly PlannedTable[] = [];
  let preparing: Promise<Prepared> | undefined;

  const prepare = async (): Promise<Prepared> => {
    const topics = await cluster.topics();
    return { topics, shapes: await options.readShapes(planned), formats: await options.formats(topics) };
  };
  const prepared = (): Promise<Prepared> => {
    preparing ??= prepare();
    return preparing;
  };

  return {
    // There are none: nothing has to wait for the end of the stream.
    quietsTriggers: true,
    async openLoader() {
      const { topics, shapes, formats } = await prepared();
      const lane = await lanes.take();
      try {
        const names = laneNames(taskId, lane);
        const limits = { bufferBytes: LANE_BUFFER_BYTES, transactionSeconds: LOAD_TRANSACTION_SECONDS };
        const producer = await cluster.openProducer(names, limits);
        await producer.prepare(topics.descriptions.map(({ name, maxMessageBytes }) => ({ name, ...given(maxMessageBytes) })));
        const formatOf = formats.encoders();
        return createTableLoader({
          taskId,
          incarnation: await cluster.incarnation(),
          producer,
          offsetAt: { groupId: names.groupId, topic: anchorOf(topics) ?? "", partition: 0 },
          store: await store.connect("load"),
          written: (table) =>
            writtenTable(loadedTable(table, database, shapes), table, {
              settings: cluster.settings,
              database,
              format: formatOf,
              partitions: topics.partitions,
            }),
          sureBytes: sureBytes(topics.descriptions),
          startedMs,
          onClose: () => lanes.give(lane),
        });
      } catch (cause) {
        lanes.give(lane);
        throw cause;
      }
    },
    openStepRunner: async () => stepRunner(options),
    analyze: async () => undefined,
    recordedLoads: () => recordedLoads(cluster),
    async rowFormats(tables) {
      planned = tables;
      // Their structure may have been followed since the load before.
      preparing = undefined;
      return new Map(tables.map(({ id }) => [id, "text"]));
    },
    close: () => cluster.close(),
  };
}

interface Prepared {
  readonly topics: OpenedTopics;
  readonly shapes: TableShapes;
  readonly formats: RecordFormats;
}

/**
 * Fences the lanes of every worker before, which also ends their open transactions, and then reads what they committed. A lane goes on to its next
 * table only once the store knows of the one before, so the last one is all there is to ask for.
 */
async function recordedLoads(cluster: TaskCluster): Promise<readonly RecordedLoad[]> {
  const anchor = anchorOf(await cluster.topics());
  if (anchor === undefined) return [];
  const incarnation = await cluster.incarnation();
  const found = await Promise.all(
    loadNames(cluster.definition.taskId).map(async (names) => {
      const producer = await cluster.openProducer(names, { transactionSeconds: LOAD_TRANSACTION_SECONDS });
      producer.close();
      const offset = await cluster.admin.groupOffset(names.groupId, anchor, 0);
      return recordedLoad(offset, incarnation);
    }),
  );
  return found.filter((load) => load !== undefined);
}

async function stepRunner({ cluster, store }: KafkaTargetOptions): Promise<StepRunner> {
  const client = await store.connect("schema");
  return {
    async run(step, record) {
      if (step.topic) await ensureTopic(cluster, step);
      try {
        await client.query(record);
      } catch (cause) {
        throw fencedError(cause, cluster.definition.taskId);
      }
    },
    close: () => client.end(),
  };
}

async function ensureTopic({ admin }: TaskCluster, { name, topic: shape }: DdlStep): Promise<void> {
  if (!shape) return;
  const { partitions, replicationFactor, create } = shape;
  const [known] = await admin.topics([name]);
  if (known) checkPartitions(name, shape, known.partitions);
  else if (!create) throw topicMissing(name, partitions);
  else await admin.createTopic({ name, partitions, ...(replicationFactor === undefined ? {} : { replicationFactor }) });
}

/** Numbers from 0, each lent to one at a time. */
class Lanes {
  private readonly free: number[];
  private readonly waiting: ((lane: number) => void)[] = [];

  constructor(count: number) {
    this.free = Array.from({ length: count }, (_, lane) => lane);
  }

  async take(): Promise<number> {
    const lane = this.free.shift();
    return lane ?? new Promise((resolve) => this.waiting.push(resolve));
  }

  give(lane: number): void {
    const next = this.waiting.shift();
    if (next) next(lane);
    else this.free.push(lane);
  }
}

function given(maxMessageBytes: number | undefined): { maxMessageBytes?: number } {
  return maxMessageBytes === undefined ? {} : { maxMessageBytes };
}
