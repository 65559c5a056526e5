import type { Client } from "pg";
import type { Route } from "../../../engine/database.js";
import { GodwitError } from "../../../engine/errors.js";
import type { Ends } from "../../../engine/models/endpoint.js";
import type { PlannedTable } from "../../../engine/models/plan.js";
import type { RouteKind } from "../../../engine/routeKind.js";
import { migrates, type TaskDefinition } from "../../../engine/taskDefinition.js";
import { connect, withConnection } from "../../postgres/connection.js";
import { isConnectionError } from "../../postgres/connectionErrors.js";
import { Connections } from "../../postgres/connections.js";
import type { SourceDialect } from "../../postgres/dialect.js";
import { formatLsn, parseLsn } from "../../postgres/lsn.js";
import { newerPlan } from "../../postgres/newerPlan.js";
import { captureStatus, openPostgresSource, releaseCapture } from "../../postgres/source.js";
import { takeLease } from "../../postgres/store/taskLease.js";
import { openTaskStore } from "../../postgres/store/taskStore.js";
import { type OpenedTopics, type TaskCluster, taskCluster } from "./cluster.js";
import { followKafka } from "./followKafka.js";
import { allNames, type ProducerNames, streamNames } from "./identities.js";
import { openKafkaTarget } from "./kafkaTarget.js";
import { databaseName, planKafkaTask } from "./planKafkaTask.js";
import { openRecordFormats } from "./recordFormats.js";
import { readTableShapes } from "./tableShapes.js";

/**
 * A route from a database that speaks PostgreSQL's protocol into Kafka. State and lease are at the source; how far the records reach is committed
 * with them, as offsets of consumer groups that nobody joins.
 */
export function kafkaRoute(from: SourceDialect): RouteKind {
  return {
    plan: (ends, definition, options, known) => planKafkaTask({ ends, from, definition, options, known }),
    formatPosition: formatLsn,
    parsePosition: parseLsn,
    openStore: async ({ source }) => openTaskStore(await connect(source, { applicationName: "godwit/store" })),
    takeLease: ({ source }, taskId, options) => takeLease(source, taskId, options),
    open: (ends, definition) => open(from, ends, definition),
    captureStatus: ({ source }, { taskId, slotName }) =>
      withConnection(source, { applicationName: `godwit/${taskId}/status` }, (client) => captureStatus(client, slotName)),
    release,
  };
}

async function open(from: SourceDialect, ends: Ends, definition: TaskDefinition): Promise<Route> {
  const { taskId } = definition;
  const sources = new Connections(ends.source, `godwit/${taskId}/source`);
  // Named like a target's, so that a successor ends what a dead worker left of them.
  const store = new Connections(ends.source, `godwit/${taskId}/target`);
  const cluster = taskCluster(ends.target, definition, store, databaseName(ends));
  const close = async () => {
    sources.close();
    store.close();
    await cluster.close();
  };
  const asking = async <T>(ask: (client: Client) => Promise<T>): Promise<T> => {
    const client = await sources.connect("shapes");
    try {
      return await ask(client);
    } finally {
      await client.end();
    }
  };
  const shared = {
    cluster,
    store,
    database: databaseName(ends),
    readShapes: (tables: readonly PlannedTable[]) => asking((client) => readTableShapes(client, tables)),
    formats: async ({ partitions }: OpenedTopics) =>
      openRecordFormats(ends.target, cluster.settings, await asking(readServerVersion), [...partitions.keys()]),
    readCatalog: () => asking((client) => from.readCatalog(client)),
  };
  try {
    const source = await openPostgresSource(sources, definition);
    return {
      // One lane encodes as fast as the process can, and a table in one piece is one transaction.
      source: { ...source, chunks: async () => [{ index: 0, condition: undefined }] },
      target: openKafkaTarget(shared),
      follow: (options) => followKafka({ ...options, ...shared, source: sources }),
      isConnectionError,
      newerPlan: () =>
        newerPlan(ends.source, definition, (options) => planKafkaTask({ ends, from, definition, options, known: new Set() })),
      close,
    };
  } catch (cause) {
    await close();
    throw cause;
  }
}

/** Milliseconds for a cluster that answers but is not ready: a destroy waits for no election. */
const RELEASE_PATIENCE_MS = 20_000;

/**
 * Takes the source's objects and the consumer groups away; topics and records stay. What a killed worker left open is ended first: consumers that read
 * committed records only would wait for it until the brokers' time-out.
 *
 * A cluster that is gone, or lets this user in no more, must not keep the task for ever: its groups are then left and named. They harm nobody, for no
 * later task takes over what it finds there (`incarnation`), and brokers forget a group that commits nothing.
 */
async function release(ends: Ends, definition: TaskDefinition, warn: (message: string) => void): Promise<void> {
  const { taskId } = definition;
  try {
    await withConnection(ends.source, { applicationName: `godwit/${taskId}/release` }, (client) =>
      releaseCapture(client, definition),
    );
  } finally {
    await releaseGroups(ends, definition, warn);
  }
}

async function releaseGroups(ends: Ends, definition: TaskDefinition, warn: (message: string) => void): Promise<void> {
  const { taskId } = definition;
  const store = new Connections(ends.source, `godwit/${taskId}/release`);
  const cluster = taskCluster(ends.target, definition, store, databaseName(ends));
  try {
    const names = migrates(definition, "full") ? allNames(taskId) : [streamNames(taskId)];
    const outcomes = await Promise.allSettled(names.map((name) => releaseNames(cluster, name)));
    const failures = outcomes.flatMap((outcome) => (outcome.status === "rejected" ? [outcome.reason as unknown] : []));
    const [first] = failures;
    if (first === undefined) return;
    if (!failures.every((cause) => cause instanceof GodwitError)) throw first;
    warn(
      `the consumer groups ${streamNames(taskId).groupId}* may be left in the Kafka cluster: ${(first as GodwitError).message}. ` +
        "Brokers forget them by themselves after offsets.retention.minutes (7 days by default); sooner: kafka-consumer-groups.sh --delete --group <group>",
    );
  } finally {
    await cluster.close();
    store.close();
  }
}

async function releaseNames(cluster: TaskCluster, names: ProducerNames): Promise<void> {
  (await cluster.openProducer(names, { patienceMs: RELEASE_PATIENCE_MS })).close();
  await cluster.admin.deleteGroup(names.groupId);
}

async function readServerVersion(client: Client): Promise<string> {
  const { rows } = await client.query<{ version: string }>(
    "SELECT pg_catalog.split_part(pg_catalog.current_setting('server_version'), ' ', 1) AS version",
  );
  return rows[0]?.version ?? "";
}
