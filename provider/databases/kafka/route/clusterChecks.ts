import type { PrecheckItem } from "../../../engine/models/plan.js";
import { migrates, type TaskDefinition } from "../../../engine/taskDefinition.js";
import { listed, precheckItem } from "../../postgres/precheck/precheckItem.js";
import type { ClusterAdmin, TopicDescription } from "../client/clusterAdmin.js";
import { kafkaSettings } from "./cluster.js";
import { streamNames } from "./identities.js";
import { collidingNames, topicNameProblem } from "./topicNames.js";
import { creationOf, type TaskTopic } from "./topicPlan.js";

export interface ClusterFindings {
  readonly admin: Pick<ClusterAdmin, "facts" | "rights" | "topicRefusal">;
  readonly definition: TaskDefinition;
  readonly topics: readonly TaskTopic[];
  readonly existing: readonly TopicDescription[];
}

/** What the cluster must have and allow. Reads only: brokers are asked to validate the creation of topics, not to do it. */
export async function clusterChecks(findings: ClusterFindings): Promise<PrecheckItem[]> {
  const { admin, definition, topics, existing } = findings;
  const { serverVersion, items } = await versionOf(admin);
  const known = new Set(existing.map(({ name }) => name));
  const missing = topics.filter(({ name }) => !known.has(name) && topicNameProblem(name) === undefined);
  return [
    ...items,
    names(topics),
    presence(definition, missing),
    partitionCounts(topics, existing),
    ...(await creation(findings, missing)),
    replicas(existing),
    ...(serverVersion ? await rights(findings) : []),
  ];
}

async function versionOf(admin: ClusterFindings["admin"]): Promise<{ serverVersion: boolean; items: PrecheckItem[] }> {
  const { brokers, fetchVersion } = await admin.facts();
  // Fetch 6 came with Kafka 1.0.
  const passed = fetchVersion >= 6;
  return {
    serverVersion: passed,
    items: [
      precheckItem({
        item: "targetVersion",
        passed,
        message: passed ? `the cluster has ${brokers} broker(s)` : "the brokers are older than Kafka 1.0",
        remedy: "use brokers of Kafka 1.0 or newer: transactions with consumer-group offsets need them",
      }),
    ],
  };
}

function names(topics: readonly TaskTopic[]): PrecheckItem {
  const illegal = topics.flatMap(({ name }) => {
    const problem = topicNameProblem(name);
    return problem === undefined ? [] : [`"${name}": ${problem}`];
  });
  const pairs = collidingNames(topics.map(({ name }) => name)).map(
    (pair) => `"${pair[0]}" and "${pair[1]}" differ only in . and _`,
  );
  const problems = [...illegal, ...pairs];
  return precheckItem({
    item: "targetTopicNames",
    passed: problems.length === 0,
    message: problems.length === 0 ? "Kafka takes the name of every topic" : listed(problems),
    remedy: "give these tables a `topic` of their own, or the task another template (kafka.topic, kafka.ddlTopic)",
  });
}

function presence(definition: TaskDefinition, missing: readonly TaskTopic[]): PrecheckItem {
  const { createTopics } = kafkaSettings(definition);
  const made = createTopics !== undefined && migrates(definition, "schema");
  const names = missing.map(({ name }) => name);
  return precheckItem({
    item: "targetTopics",
    passed: made || missing.length === 0,
    message:
      missing.length === 0
        ? "every topic exists"
        : made
          ? `the task creates ${names.length} topic(s)`
          : `there is no topic ${listed(names)}`,
    remedy:
      createTopics === undefined
        ? `set kafka.createTopics, or create them: kafka-topics.sh --create --topic ${names[0]} --partitions <n>`
        : 'add "schema" to migrationTypes: createTopics is what the schema phase does',
  });
}

function partitionCounts(topics: readonly TaskTopic[], existing: readonly TopicDescription[]): PrecheckItem {
  const counts = new Map(existing.map(({ name, partitions }) => [name, partitions]));
  const problems = topics.flatMap(({ name, asked, askedReplicas, tables }) => {
    const [first, second] = asked;
    if (askedReplicas.length > 1)
      return [`the ${tables.length} tables of topic "${name}" ask for ${askedReplicas.join(" and ")} replicas`];
    if (first === undefined) return [];
    if (second !== undefined) {
      return [`the ${tables.length} tables of topic "${name}" ask for ${asked.join(" and ")} partitions`];
    }
    const count = counts.get(name);
    return count === undefined || count === first ? [] : [`topic "${name}" has ${count} partitions, ${first} are asked for`];
  });
  return precheckItem({
    item: "targetPartitions",
    passed: problems.length === 0,
    message: problems.length === 0 ? "topics have the partitions that are asked for" : listed(problems),
    remedy: "make objects[].tables[].partitions what the topic has, the same for all tables of a topic, or leave it out",
  });
}

/** A broker says itself whether it would create a topic: replication factor, policies, rights, names that collide. */
async function creation({ admin, definition }: ClusterFindings, missing: readonly TaskTopic[]): Promise<PrecheckItem[]> {
  const settings = kafkaSettings(definition);
  if (!settings.createTopics || !migrates(definition, "schema") || missing.length === 0) return [];
  const refusals: string[] = [];
  // Refused for one reason, topics are refused for the same: a few tell as much as thousands.
  for (const topic of missing.slice(0, 20)) {
    const refusal = await admin.topicRefusal({ name: topic.name, ...creationOf(topic, settings) });
    if (refusal !== undefined) refusals.push(`"${topic.name}": ${refusal}`);
  }
  return [
    precheckItem({
      item: "targetTopicCreation",
      passed: refusals.length === 0,
      message: refusals.length === 0 ? "the brokers would create the topics" : listed(refusals, 2),
      remedy:
        "lower replicationFactor (createTopics', or the table's) to the number of brokers, or mend what the brokers object to",
    }),
  ];
}

function replicas(existing: readonly TopicDescription[]): PrecheckItem {
  const stuck = existing.filter(({ minInsyncReplicas, replicationFactor }) => (minInsyncReplicas ?? 1) > replicationFactor);
  return precheckItem({
    item: "targetReplicas",
    passed: stuck.length === 0,
    message:
      stuck.length === 0
        ? "every topic has the replicas that it demands"
        : `${listed(stuck.map(({ name }) => name))}: min.insync.replicas is above the number of replicas, so nothing can be written`,
    remedy: "lower min.insync.replicas, or add replicas to the topic",
  });
}

const WRITING = ["write", "describe"] as const;

async function rights({ admin, definition, topics, existing }: ClusterFindings): Promise<PrecheckItem[]> {
  const { groupId } = streamNames(definition.taskId);
  const found = await admin.rights(
    existing.map(({ name }) => name),
    groupId,
  );
  const refused = topics.filter(({ name }) => {
    const allowed = found.topics.get(name);
    return allowed !== undefined && WRITING.some((operation) => !allowed.includes(operation));
  });
  const group = found.group === undefined || found.group.includes("read");
  return [
    precheckItem({
      item: "targetWriteRights",
      passed: refused.length === 0,
      message:
        refused.length === 0
          ? "the user may write to every topic that exists"
          : `the user may not write to ${listed(refused.map(({ name }) => name))}`,
      remedy: `kafka-acls.sh --add --allow-principal User:<user> --operation Write --operation Describe --topic ${refused[0]?.name}`,
    }),
    precheckItem({
      item: "targetGroupRights",
      passed: group,
      message: group ? "the user may commit the task's positions" : `the user may not use consumer group ${groupId}`,
      remedy: `kafka-acls.sh --add --allow-principal User:<user> --operation Read --operation Delete --group ${groupId} --resource-pattern-type prefixed`,
    }),
  ];
}
