import type { Client } from "pg";
import { ErrorCode, GodwitError } from "../../../engine/errors.js";
import type { TaskEndpoint } from "../../../engine/models/endpoint.js";
import type { TopicShape } from "../../../engine/models/plan.js";
import type { KafkaSettings, TaskDefinition } from "../../../engine/taskDefinition.js";
import type { Connections } from "../../postgres/connections.js";
import { selectSteps, selectTables } from "../../postgres/store/records.js";
import { ClusterAdmin, type TopicDescription } from "../client/clusterAdmin.js";
import { openProducer, type TransactionalProducer } from "../client/producer.js";
import type { ProducerNames } from "./identities.js";
import { taskTopics } from "./topicPlan.js";

/** The topics of a task, as they are now and as the task began with them. */
export interface OpenedTopics {
  /** Partition counts. */
  readonly partitions: ReadonlyMap<string, number>;
  readonly descriptions: readonly TopicDescription[];
}

/**
 * The topic whose partition 0 the task's group offsets hang on, for the brokers take none without a partition that exists: the first that is there, whether
 * tables use it or not. Brokers forget the offsets on a topic that is deleted: then it is the store's copy that counts. Undefined for a task without any topic yet.
 */
export function anchorOf({ partitions }: Pick<OpenedTopics, "partitions">): string | undefined {
  const [first] = partitions.keys();
  return first;
}

/** What an attempt at a task needs of its cluster. */
export interface TaskCluster {
  readonly endpoint: TaskEndpoint;
  readonly definition: TaskDefinition;
  readonly settings: KafkaSettings;
  readonly admin: ClusterAdmin;
  /** Tells the tasks of one name apart, one after the other: what is committed in the cluster may be of an earlier one. */
  incarnation(): Promise<string>;
  /** Errors: GW2002 for a topic that is missing, GW2003 for one with another number of partitions than when the task began. */
  topics(): Promise<OpenedTopics>;
  openProducer(
    names: ProducerNames,
    limits?: { bufferBytes?: number; transactionSeconds?: number; patienceMs?: number },
  ): Promise<TransactionalProducer>;
  close(): Promise<void>;
}

/** `store`: connections to where the task's steps lie. `database`: the source's, which topics may be named after. */
export function taskCluster(
  endpoint: TaskEndpoint,
  definition: TaskDefinition,
  store: Connections,
  database: string,
): TaskCluster {
  const { taskId } = definition;
  const settings = kafkaSettings(definition);
  const clientId = `godwit/${taskId}`;
  const admin = new ClusterAdmin(endpoint, clientId);
  const producers = new Set<TransactionalProducer>();
  const asking = async <T>(ask: (client: Client) => Promise<T>): Promise<T> => {
    const client = await store.connect("topics");
    try {
      return await ask(client);
    } finally {
      await client.end();
    }
  };
  let born: Promise<string> | undefined;
  return {
    endpoint,
    definition,
    settings,
    admin,
    incarnation() {
      born ??= asking((client) => readIncarnation(client, taskId));
      return born;
    },
    topics: () =>
      asking(async (client) => {
        const shapes = new Map<string, TopicShape>();
        for (const { step } of await selectSteps(client, taskId)) if (step.topic) shapes.set(step.name, step.topic);
        const tables = (await selectTables(client, taskId)).map(({ table }) => table);
        const used = new Set(taskTopics(tables, settings, database).map(({ name }) => name));
        return checkedTopics(shapes, used, await admin.topics([...shapes.keys()]));
      }),
    async openProducer({ transactionalId }, limits = {}) {
      const { acks, compression } = settings;
      const producer = await openProducer(endpoint, { clientId, transactionalId, acks, compression, ...limits });
      producers.add(producer);
      return producer;
    },
    async close() {
      for (const producer of producers) producer.close();
      await admin.close();
    },
  };
}

export function kafkaSettings({ taskId, kafka }: TaskDefinition): KafkaSettings {
  if (kafka) return kafka;
  throw new GodwitError(ErrorCode.InvalidInput, "the task has no kafka settings", { object: taskId });
}

/** The topic as the task began with it, or an error that says what is different. */
export function checkPartitions(name: string, shape: TopicShape, partitions: number): void {
  if (partitions === shape.partitions) return;
  throw new GodwitError(
    ErrorCode.TopicChanged,
    `topic "${name}" has ${partitions} partitions, and had ${shape.partitions} when the task began: keys would go to other partitions than before`,
    {
      object: name,
      remedy: `give the tables of the topic another one, or replace the task (pulumi up --replace <urn>) after emptying its topics; a topic's partitions can't be taken away`,
    },
  );
}

export function topicMissing(name: string, partitions: number): GodwitError {
  return new GodwitError(ErrorCode.TopicMissing, `topic "${name}" does not exist`, {
    object: name,
    remedy: `kafka-topics.sh --create --topic ${name} --partitions ${partitions}, or set kafka.createTopics with "schema" among migrationTypes`,
  });
}

/** Topics whose tables have left the task are its business no more: they may go, and get more partitions. */
function checkedTopics(
  shapes: ReadonlyMap<string, TopicShape>,
  used: ReadonlySet<string>,
  descriptions: readonly TopicDescription[],
): OpenedTopics {
  const found = new Map(descriptions.map((topic) => [topic.name, topic]));
  const partitions = new Map<string, number>();
  for (const [name, shape] of shapes) {
    const topic = found.get(name);
    if (used.has(name)) {
      if (!topic) throw topicMissing(name, shape.partitions);
      checkPartitions(name, shape, topic.partitions);
    }
    if (topic) partitions.set(name, topic.partitions);
  }
  return { partitions, descriptions };
}

async function readIncarnation(client: Client, taskId: string): Promise<string> {
  const { rows } = await client.query<{ born: string }>(
    "SELECT (EXTRACT(epoch FROM created_at) * 1000000)::bigint AS born FROM godwit.task WHERE task_id = $1",
    [taskId],
  );
  return rows[0]?.born ?? "";
}
