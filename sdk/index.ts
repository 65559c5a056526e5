// biome-ignore-all lint/performance/noBarrelFile: the package's public entry point
// biome-ignore-all lint/performance/noReExportAll: every input type is public
export type * from "./args.js";
export { Endpoint } from "./endpoint.js";
export { MigrationTask } from "./migrationTask.js";
export { ReplicationSlot } from "./replicationSlot.js";
export { SequenceSync } from "./sequenceSync.js";
export { Whitelist } from "./whitelist.js";
