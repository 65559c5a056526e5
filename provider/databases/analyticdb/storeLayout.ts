import { ErrorCode, GodwitError } from "../../engine/errors.js";
import type { ReadStoreLayout } from "../postgres/store/storeSchema.js";
import { distributedClause } from "./distribution.js";
import { readServerKind } from "./serverKind.js";
import { heapClause } from "./storage.js";

/**
 * The store on segments: heap tables (rows are updated in place), each task's rows on one segment, so that a statement about one task goes to
 * that segment alone.
 *
 * Where the global deadlock detector is off, an UPDATE locks its whole table EXCLUSIVE until its transaction ends, and SELECT ... FOR SHARE does so
 * too ("Concurrency control" of Greenplum's guide, its pull request 7705). So the fence takes the task's table in SHARE mode: workers that
 * commit at once do not wait for each other, a takeover (an UPDATE) waits for them in either setting, and they for it. Everyone who writes locks
 * task before the tables that belong to it, and nobody who holds SHARE updates task, so none of them wait in a circle.
 */
export const analyticdbStoreLayout: ReadStoreLayout = async (client) => {
  const server = await readServerKind(client);
  if (server.kind === "other") {
    throw new GodwitError(ErrorCode.StoreUnusable, server.reason, { remedy: "set the endpoint's engine to what the server is" });
  }
  return {
    table: (parameters) => `${heapClause(server, parameters)}${distributedClause(["task_id"])}`,
    references: "",
    beforeFence: "LOCK TABLE godwit.task IN SHARE MODE;\n  ",
    fenceLock: "",
  };
};
