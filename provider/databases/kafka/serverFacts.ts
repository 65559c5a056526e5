import type { ServerFacts } from "../../engine/models/endpoint.js";
import { ClusterAdmin, type ClusterFacts } from "./client/clusterAdmin.js";
import type { KafkaEndpoint } from "./client/kafkaEndpoint.js";

/**
 * What a cluster says about itself, as outputs of an Endpoint. `serverId` is the cluster id, given when its storage was formatted and the same on all brokers. A cluster
 * has no encoding, time zone or superuser of its own: "", "" and false.
 * Errors: those of connecting (GW1101 to GW1103), GW1927.
 */
export async function readKafkaFacts(endpoint: KafkaEndpoint, clientId: string): Promise<ServerFacts> {
  const admin = new ClusterAdmin(endpoint, clientId);
  try {
    const facts = await admin.facts();
    return { serverVersion: kafkaVersion(facts), serverId: facts.clusterId, encoding: "", timeZone: "", superuser: false };
  } finally {
    await admin.close();
  }
}

/**
 * The release of the broker that answered, such as "3.9". The protocol has no field for it, and settings that hold it need rights. With KRaft, the highest level of the
 * feature metadata.version that the broker's program supports tells the release (levels: MetadataVersion in Kafka's source); before KRaft the highest version of
 * Fetch requests tells a span of releases.
 */
export function kafkaVersion({ metadataLevel, fetchVersion }: Pick<ClusterFacts, "metadataLevel" | "fetchVersion">): string {
  if (metadataLevel !== undefined) {
    const newest = LEVELS[LEVELS.length - 1];
    const release = LEVELS.find(([highest]) => metadataLevel <= highest);
    return release?.[1] ?? `newer than ${newest?.[1]}`;
  }
  return FETCHES.find(([version]) => fetchVersion >= version)?.[1] ?? "older than 1.0";
}

/** The last level of each release. */
const LEVELS: readonly (readonly [number, string])[] = [
  [1, "3.0"],
  [2, "3.1"],
  [3, "3.2"],
  [7, "3.3"],
  [8, "3.4"],
  [11, "3.5"],
  [14, "3.6"],
  [19, "3.7"],
  [20, "3.8"],
  [21, "3.9"],
  [25, "4.0"],
  [27, "4.1"],
  [29, "4.2"],
];

/** The first release with the version, and the last before the next. */
const FETCHES: readonly (readonly [number, string])[] = [
  [17, "3.9"],
  [16, "3.7 or 3.8"],
  [15, "3.5 or 3.6"],
  [13, "3.1 to 3.4"],
  [12, "2.7 to 3.0"],
  [11, "2.3 to 2.6"],
  [9, "2.1 or 2.2"],
  [8, "2.0"],
  [7, "1.1"],
  [6, "1.0"],
];
