import type { FlowCounts } from "./database.js";

/** What a stream has done in all, when it was begun anew after `before`. */
export function summedCounts(before: FlowCounts, now: FlowCounts): FlowCounts {
  return {
    inserts: before.inserts + now.inserts,
    updates: before.updates + now.updates,
    deletes: before.deletes + now.deletes,
    truncates: before.truncates + now.truncates,
    bytes: before.bytes + now.bytes,
    durable: now.durable,
    lastCommitMs: now.lastCommitMs ?? before.lastCommitMs,
    ...(now.logNeeded ? { logNeeded: now.logNeeded } : {}),
  };
}
