import type { Client } from "pg";
import { ErrorCode, GodwitError } from "../../../engine/errors.js";
import type { DdlStep } from "../../../engine/models/plan.js";
import { literal } from "../../postgres/sql.js";
import type { TransactionalProducer } from "../client/producer.js";
import { checkPartitions, type TaskCluster, topicMissing } from "./cluster.js";
import { topicNameProblem } from "./topicNames.js";

export interface JoiningTopics {
  readonly cluster: TaskCluster;
  readonly producer: TransactionalProducer;
  readonly store: Client;
  /** Partition counts of the task's topics: those that join are added. */
  readonly partitions: Map<string, number>;
  readonly learn: (topics: readonly string[]) => Promise<void>;
}

/**
 * Topics of a table that the source has just made: created where the task may, else they must be there. They are recorded like those of the plan.
 * Errors: GW2001, GW2002, GW2005.
 */
export async function joinTopics(
  { cluster, producer, store, partitions, learn }: JoiningTopics,
  names: readonly string[],
): Promise<void> {
  for (const name of new Set(names)) {
    if (partitions.has(name)) continue;
    const count = await ensured(cluster, name);
    await store.query(recordStep(cluster.definition.taskId, name, count));
    await producer.prepare([{ name }]);
    await learn([name]);
    partitions.set(name, count);
  }
}

async function ensured({ admin, settings }: TaskCluster, name: string): Promise<number> {
  const problem = topicNameProblem(name);
  if (problem !== undefined) {
    throw new GodwitError(ErrorCode.TopicNameIllegal, `"${name}": ${problem}`, {
      object: name,
      remedy: "give the new table a `topic` of its own, or exclude it, then run pulumi up",
    });
  }
  const [known] = await admin.topics([name]);
  if (known) return known.partitions;
  const { createTopics } = settings;
  if (!createTopics) throw topicMissing(name, 1);
  const { partitions, replicationFactor } = createTopics;
  await admin.createTopic({ name, partitions, ...(replicationFactor === undefined ? {} : { replicationFactor }) });
  const [made] = await admin.topics([name]);
  if (!made) throw topicMissing(name, partitions);
  checkPartitions(name, { partitions, create: true }, made.partitions);
  return made.partitions;
}

function recordStep(taskId: string, name: string, partitions: number): string {
  const step: DdlStep = {
    id: `topic ${name}`,
    stage: "beforeRows",
    kind: "topic",
    name,
    sql: [],
    topic: { partitions, create: false },
    dependsOn: [],
    weight: 0,
  };
  const task = literal(taskId);
  return `INSERT INTO godwit.step (task_id, step_id, ordinal, step, done)
          SELECT ${task}, ${literal(step.id)}, (SELECT count(*) + 1 FROM godwit.step WHERE task_id = ${task}), ${literal(JSON.stringify(step))}::jsonb, true
          ON CONFLICT DO NOTHING`;
}
