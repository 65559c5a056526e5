import type { Client } from "pg";
import { ErrorCode, GodwitError } from "../../engine/errors.js";
import type { TargetDialect } from "../postgres/dialect.js";
import { segmentedApply } from "./apply/segmentedApply.js";
import { OFFERED_TYPES } from "./columnTypes.js";
import { segmentedDdl } from "./ddl/segmentedDdl.js";
import { analyticdbChecks } from "./precheck/targetChecks.js";
import { readExistingTables } from "./schema/existingTables.js";
import { planTables } from "./schema/planTables.js";
import { readServerKind } from "./serverKind.js";
import { chooseStorage } from "./storage.js";
import { analyticdbStoreLayout } from "./storeLayout.js";
import { openAnalyticdbTarget } from "./target.js";

/** AnalyticDB for PostgreSQL, of the Greenplum family, as a target. */
export const analyticdbTarget: TargetDialect = {
  async planSchema(client, catalog, resolved, definition) {
    const server = await readServerKind(client);
    if (server.kind === "other") {
      throw new GodwitError(ErrorCode.PrecheckFailed, server.reason, {
        remedy: "use AnalyticDB for PostgreSQL 6 or 7, or set the endpoint's engine to what the server is",
      });
    }
    return planTables(catalog, resolved, {
      server,
      storage: chooseStorage(definition.analyticdb?.storage ?? "beam", server),
      types: await names(client, OFFERED_TYPES),
      schemas: await names(client, "SELECT nspname::text AS name FROM pg_catalog.pg_namespace"),
    });
  },
  precheck: analyticdbChecks,
  openTarget: (connections, { taskId }) => openAnalyticdbTarget(connections, taskId),
  apply: ({ analyticdb }) => segmentedApply(analyticdb?.storage ?? "beam"),
  ddl: segmentedDdl,
  compare: { keepsTexts: true },
  storeLayout: analyticdbStoreLayout,
  readExisting: readExistingTables,
};

async function names(client: Client, query: string): Promise<ReadonlySet<string>> {
  const { rows } = await client.query<{ name: string }>(query);
  return new Set(rows.map(({ name }) => name));
}
