import { ErrorCode, GodwitError } from "../../../engine/errors.js";
import type { TaskEndpoint } from "../../../engine/models/endpoint.js";
import type { TopicShape } from "../../../engine/models/plan.js";
import type { KafkaSettings, TaskDefinition } from "../../../engine/taskDefinition.js";
import type { Connections } from "../../postgres/connections.js";
import { selectSteps } from "../../postgres/store/records.js";
import { ClusterAdmin, type TopicDescription } from "../client/clusterAdmin.js";
import { openProducer, type TransactionalProducer } from "../client/producer.js";
import type { ProducerNames } from "./identities.js";

/** The topics of a task, as they are now and as the task began with them. */
export interface OpenedTopics {
  /** Partition counts. */
  readonly partitions: ReadonlyMap<string, number>;
  readonly descriptions: readonly TopicDescription[];
  /** Its partition 0 is what the task's group offsets hang on: the brokers take none without a partition that exists. */
  readonly anchor: string;
}

/** What an attempt at a task needs of its cluster. */
export interface TaskCluster {
  readonly endpoint: TaskEndpoint;
  readonly definition: TaskDefinition;
  readonly settings: KafkaSettings;
  readonly admin: ClusterAdmin;
  /** Errors: GW2002 for a topic that is missing, GW2003 for one with another number of partitions than when the task began. */
  topics(): Promise<OpenedTopics>;
  openProducer(
    names: ProducerNames,
    limits?: { bufferBytes?: number; transactionSeconds?: number },
  ): Promise<TransactionalProducer>;
  close(): Promise<void>;
}

/** `store`: connections to where the task's steps lie. */
export function taskCluster(endpoint: TaskEndpoint, definition: TaskDefinition, store: Connections): TaskCluster {
  const { taskId } = definition;
  const settings = kafkaSettings(definition);
  const clientId = `godwit/${taskId}`;
  const admin = new ClusterAdmin(endpoint, clientId);
  const producers = new Set<TransactionalProducer>();
  return {
    endpoint,
    definition,
    settings,
    admin,
    async topics() {
      const client = await store.connect("topics");
      try {
        const shapes = new Map<string, TopicShape>();
        for (const { step } of await selectSteps(client, taskId)) if (step.topic) shapes.set(step.name, step.topic);
        return checkedTopics(shapes, await admin.topics([...shapes.keys()]));
      } finally {
        await client.end();
      }
    },
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

function checkedTopics(shapes: ReadonlyMap<string, TopicShape>, descriptions: readonly TopicDescription[]): OpenedTopics {
  const found = new Map(descriptions.map((topic) => [topic.name, topic]));
  const partitions = new Map<string, number>();
  for (const [name, shape] of shapes) {
    const topic = found.get(name);
    if (!topic) throw topicMissing(name, shape.partitions);
    checkPartitions(name, shape, topic.partitions);
    partitions.set(name, topic.partitions);
  }
  const [anchor = ""] = shapes.keys();
  return { partitions, descriptions, anchor };
}
