import { setTimeout as sleep } from "node:timers/promises";
import { type Admin, ConfigResourceTypes } from "kafkajs";
import { ErrorCode, GodwitError } from "../../../engine/errors.js";
import { kafkaClient } from "./kafkaClient.js";
import type { KafkaEndpoint } from "./kafkaEndpoint.js";
import { kafkaError } from "./kafkaErrors.js";
import { type KafkaOperation, operationsOf } from "./operations.js";
import { Brokers } from "./wire/brokers.js";
import { Api } from "./wire/call.js";
import { SUPPORTED_FEATURES } from "./wire/features.js";
import { type CommittedOffset, deleteGroup, describeGroup, fetchOffset } from "./wire/groupCalls.js";
import { demand, ErrorNumber, ProtocolError } from "./wire/protocolErrors.js";

export interface TopicDescription {
  readonly name: string;
  readonly partitions: number;
  /** Of the partition that has the fewest. */
  readonly replicationFactor: number;
  /** Bytes of a batch as it arrives, compressed. Undefined where the user may not ask (DescribeConfigs). */
  readonly maxMessageBytes: number | undefined;
  readonly minInsyncReplicas: number | undefined;
}

export interface NewTopic {
  readonly name: string;
  /** Default: the brokers' num.partitions. */
  readonly partitions?: number;
  /** Default: the brokers' default.replication.factor. */
  readonly replicationFactor?: number;
  readonly settings?: Readonly<Record<string, string>>;
}

/** What the protocol tells of rights. Undefined: the brokers do not tell (before Kafka 2.3), or the thing can't be seen. */
export interface KafkaRights {
  readonly cluster: readonly KafkaOperation[] | undefined;
  /** Only topics that exist and may be described. */
  readonly topics: ReadonlyMap<string, readonly KafkaOperation[] | undefined>;
  readonly group: readonly KafkaOperation[] | undefined;
}

export interface ClusterFacts {
  readonly clusterId: string;
  readonly brokers: number;
  /** Highest level of metadata.version that the broker's program knows; undefined without KRaft. */
  readonly metadataLevel: number | undefined;
  /** Highest version of Fetch requests that the broker knows. */
  readonly fetchVersion: number;
}

/**
 * Topics, consumer groups and rights of a cluster. Errors of every method: those of connecting, GW1921 (rights), GW1927 and what is named there.
 * Topics and settings go through kafkajs. Groups and rights do not: kafkajs reports a group that may not be used as a coordinator that can't be found,
 * and its requests are too old to ask for rights.
 */
export class ClusterAdmin {
  private readonly brokers: Brokers;
  private admin: Promise<Admin> | undefined;

  constructor(
    private readonly endpoint: KafkaEndpoint,
    private readonly clientId: string,
  ) {
    // Whoever asks here waits for the answer: a cluster that is away is said soon.
    this.brokers = new Brokers(endpoint, { clientId, patienceMs: 15_000 });
  }

  facts(): Promise<ClusterFacts> {
    return this.asking("cluster", async () => {
      const { clusterId, brokers } = await this.brokers.refresh([]);
      const connection = await this.brokers.any();
      const askable = connection.spoken(Api.apiVersions)[1] >= 3;
      const features = askable ? await connection.call(SUPPORTED_FEATURES) : new Map<string, number>();
      return {
        clusterId: clusterId ?? "",
        brokers: brokers.length,
        metadataLevel: features.get("metadata.version"),
        fetchVersion: connection.spoken(Api.fetch)[1],
      };
    });
  }

  /** Those of the topics that exist. A topic that the user may not describe is GW1921. */
  topics(names: readonly string[]): Promise<TopicDescription[]> {
    return this.asking(names.join(", "), async () => {
      if (names.length === 0) return [];
      const { topics } = await this.brokers.refresh(names);
      const found = topics.filter(({ error }) => error !== ErrorNumber.unknownTopicOrPartition);
      for (const { name, error } of found) if (error !== ErrorNumber.leaderNotAvailable) demand(error, `topic ${name}`);
      const settings = await this.settings(found.map(({ name }) => name));
      return found.map(({ name, partitions }) => ({
        name,
        partitions: partitions.length,
        replicationFactor: Math.min(...partitions.map(({ replicas }) => replicas.length)),
        maxMessageBytes: settings.get(name)?.get("max.message.bytes"),
        minInsyncReplicas: settings.get(name)?.get("min.insync.replicas"),
      }));
    });
  }

  /** Resolves when every partition has a leader; false when the topic was there already, as it is. Errors: GW2005 with the broker's reason. */
  createTopic({ name, partitions, replicationFactor, settings = {} }: NewTopic): Promise<boolean> {
    return this.asking(`topic ${name}`, async () => {
      const configEntries = Object.entries(settings).map(([key, value]) => ({ name: key, value }));
      const admin = await this.kafkajs();
      const topic = { topic: name, numPartitions: partitions ?? -1, replicationFactor: replicationFactor ?? -1, configEntries };
      // kafkajs's own wait ends with an error where a broker that it asks has not heard of the topic yet, as happens under KRaft.
      const created = await admin.createTopics({ topics: [topic], waitForLeaders: false, timeout: 30_000 });
      await this.untilLed(name);
      return created;
    });
  }

  /** Makes nothing: what the brokers would say to it. Undefined when they would do it. */
  async topicRefusal({ name, partitions, replicationFactor, settings = {} }: NewTopic): Promise<string | undefined> {
    try {
      const configEntries = Object.entries(settings).map(([key, value]) => ({ name: key, value }));
      const topic = { topic: name, numPartitions: partitions ?? -1, replicationFactor: replicationFactor ?? -1, configEntries };
      await (await this.kafkajs()).createTopics({ topics: [topic], validateOnly: true, waitForLeaders: false });
      return undefined;
    } catch (cause) {
      const error = kafkaError(cause, `topic ${name}`, this.endpoint.username);
      if (error.code === ErrorCode.TopicRefused || error.code === ErrorCode.KafkaNotPermitted) return error.message;
      throw error;
    }
  }

  /**
   * What a group committed for a partition. A commit that is under way is waited for (Kafka 2.5 or newer); before that, only after `openProducer` of the group's
   * writer is the answer sure to be the last.
   */
  groupOffset(groupId: string, topic: string, partition: number): Promise<CommittedOffset> {
    return this.asking(`consumer group ${groupId}`, () =>
      this.brokers.askCoordinator("group", groupId, fetchOffset(groupId, topic, partition)),
    );
  }

  /** With all its offsets. False when there was none. Errors: GW1927 while it has members. */
  deleteGroup(groupId: string): Promise<boolean> {
    return this.asking(`consumer group ${groupId}`, async () => {
      const code = await this.brokers.askCoordinator("group", groupId, deleteGroup(groupId));
      if (code === ErrorNumber.groupIdNotFound) return false;
      demand(code, `consumer group ${groupId}`);
      return true;
    });
  }

  /** A right to a transactional id is not told by the protocol: `openProducer` finds out, and fences whoever has it. */
  rights(topics: readonly string[], groupId: string): Promise<KafkaRights> {
    return this.asking("rights", async () => {
      const metadata = await this.brokers.refresh(topics, true);
      const described = metadata.topics.filter(({ error }) => error === 0);
      return {
        cluster: operationsOf(metadata.operations),
        topics: new Map(described.map(({ name, operations }) => [name, operationsOf(operations)])),
        group: await this.groupRights(groupId),
      };
    });
  }

  async close(): Promise<void> {
    this.brokers.close();
    await this.admin?.then((admin) => admin.disconnect()).catch(() => undefined);
  }

  private async groupRights(groupId: string): Promise<readonly KafkaOperation[] | undefined> {
    const connection = await this.brokers.any();
    if (connection.spoken(Api.describeGroups)[1] < 3) return undefined;
    try {
      const { error, operations } = await this.brokers.askCoordinator("group", groupId, describeGroup(groupId));
      return error === ErrorNumber.groupNotAuthorized ? [] : operationsOf(operations);
    } catch (cause) {
      // Without any right to the group its coordinator is not told either.
      if (cause instanceof ProtocolError && cause.code === ErrorNumber.groupNotAuthorized) return [];
      throw cause;
    }
  }

  /** Numbers among the topics' settings; none for topics that the user may not ask about. */
  private async settings(names: readonly string[]): Promise<Map<string, Map<string, number>>> {
    if (names.length === 0) return new Map();
    const wanted = ["max.message.bytes", "min.insync.replicas"];
    const admin = await this.kafkajs();
    const ask = (topics: readonly string[]) =>
      admin.describeConfigs({
        includeSynonyms: false,
        resources: topics.map((name) => ({ type: ConfigResourceTypes.TOPIC, name, configNames: wanted })),
      });
    const resources = await ask(names)
      .then((answer) => answer.resources)
      .catch((cause: unknown) => {
        const error = kafkaError(cause, names.join(", "), this.endpoint.username);
        if (error.code === ErrorCode.KafkaNotPermitted) return [];
        throw error;
      });
    return new Map(
      resources.map(({ resourceName, configEntries }) => [
        resourceName,
        new Map(configEntries.map(({ configName, configValue }) => [configName, Number(configValue)])),
      ]),
    );
  }

  private async untilLed(name: string): Promise<void> {
    for (const deadline = Date.now() + this.brokers.patienceMs; ; await sleep(50)) {
      const { topics } = await this.brokers.refresh([name]);
      const [topic] = topics;
      if (topic?.error === 0 && topic.partitions.every(({ leader }) => leader >= 0)) return;
      if (Date.now() > deadline) demand(topic?.error || ErrorNumber.leaderNotAvailable, `topic ${name}`);
    }
  }

  private kafkajs(): Promise<Admin> {
    this.admin ??= (async () => {
      const admin = kafkaClient(this.endpoint, this.clientId).admin();
      await admin.connect();
      return admin;
    })();
    // A failed connection is tried anew by the next call.
    this.admin.catch(() => {
      this.admin = undefined;
    });
    return this.admin;
  }

  private async asking<T>(about: string, ask: () => Promise<T>): Promise<T> {
    try {
      return await ask();
    } catch (cause) {
      throw cause instanceof GodwitError ? cause : kafkaError(cause, about, this.endpoint.username);
    }
  }
}
