import { endpoint } from "./endpoint.js";
import { migrationTask } from "./migrationTask.js";
import { replicationSlot } from "./replicationSlot.js";
import type { Resource } from "./resource.js";
import { sequenceSync } from "./sequenceSync.js";
import { whitelist } from "./whitelist.js";

export type ResourceType = "Endpoint" | "MigrationTask" | "ReplicationSlot" | "Whitelist" | "SequenceSync";

/** One line per resource type. A front door passes what `check` accepted, so the inputs have the type that the resource expects. */
const RESOURCES = {
  Endpoint: endpoint,
  MigrationTask: migrationTask,
  ReplicationSlot: replicationSlot,
  Whitelist: whitelist,
  SequenceSync: sequenceSync,
};

export function resourceOf(resourceType: ResourceType): Resource<object, object> {
  return RESOURCES[resourceType] as unknown as Resource<object, object>;
}
