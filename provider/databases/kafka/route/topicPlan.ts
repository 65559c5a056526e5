import type { DdlStep, PlannedTable } from "../../../engine/models/plan.js";
import type { KafkaSettings } from "../../../engine/taskDefinition.js";
import { topicName } from "./topicNames.js";

/** A topic of the task, with what the program asks of it. */
export interface TaskTopic {
  readonly name: string;
  /** Those whose rows go there; empty for a topic of DDL only. */
  readonly tables: readonly PlannedTable[];
  /** Numbers of partitions asked for by its tables; more than one is a contradiction. */
  readonly asked: readonly number[];
  /** Numbers of replicas, likewise. */
  readonly askedReplicas: readonly number[];
}

/** Where a table's records go. */
export interface TableTopics {
  readonly data: string;
  readonly ddl: string;
}

/** A table's topics, by its names on the target: what it is renamed to is what `{schema}` and `{table}` stand for. */
export function tableTopics(table: PlannedTable, settings: KafkaSettings, database: string): TableTopics {
  const data = topicName(table.options?.topic ?? settings.topic, database, table.target);
  return { data, ddl: settings.ddlTopic === undefined ? data : topicName(settings.ddlTopic, database, table.target) };
}

/** Every topic the task writes to, in the order of its tables. The first one also carries the stream's position. */
export function taskTopics(tables: readonly PlannedTable[], settings: KafkaSettings, database: string): readonly TaskTopic[] {
  const found = new Map<string, { tables: PlannedTable[]; asked: Set<number>; replicas: Set<number> }>();
  const topic = (name: string) => {
    const known = found.get(name) ?? { tables: [], asked: new Set<number>(), replicas: new Set<number>() };
    found.set(name, known);
    return known;
  };
  for (const table of tables) {
    const { data, ddl } = tableTopics(table, settings, database);
    const own = topic(data);
    own.tables.push(table);
    const { partitions, replicationFactor } = table.options ?? {};
    if (partitions !== undefined) own.asked.add(partitions);
    if (replicationFactor !== undefined) own.replicas.add(replicationFactor);
    topic(ddl);
  }
  return [...found].map(([name, { tables: listed, asked, replicas }]) => ({
    name,
    tables: listed,
    asked: [...asked],
    askedReplicas: [...replicas],
  }));
}

/** What a topic is made with: what its tables ask for, else what the task does. */
export function creationOf(
  { asked, askedReplicas }: Pick<TaskTopic, "asked" | "askedReplicas">,
  { createTopics }: KafkaSettings,
): { readonly partitions: number; readonly replicationFactor?: number } {
  const replicationFactor = askedReplicas[0] ?? createTopics?.replicationFactor;
  return {
    partitions: asked[0] ?? createTopics?.partitions ?? 1,
    ...(replicationFactor === undefined ? {} : { replicationFactor }),
  };
}

/**
 * The schema phase of a Kafka target: a step for each topic. `existing` are partition counts of what the cluster has. The steps lie in the
 * store and are not run twice, so they also record what the topics were when the task began.
 */
export function topicSteps(
  topics: readonly TaskTopic[],
  settings: KafkaSettings,
  existing: ReadonlyMap<string, number>,
): readonly DdlStep[] {
  return topics.map((topic) => {
    const wanted = creationOf(topic, settings);
    const { name } = topic;
    return {
      id: `topic ${name}`,
      stage: "beforeRows",
      kind: "topic",
      name,
      sql: [],
      topic: { ...wanted, partitions: existing.get(name) ?? wanted.partitions, create: settings.createTopics !== undefined },
      dependsOn: [],
      weight: 0,
    };
  });
}
