import type { Client } from "pg";
import type { TargetDatabase } from "../../engine/database.js";
import type { PlannedTable, PrecheckItem } from "../../engine/models/plan.js";
import type { ResolvedPlan } from "../../engine/plan.js";
import type { TaskDefinition } from "../../engine/taskDefinition.js";
import type { ApplyDialect } from "./apply/applyDialect.js";
import type { PostgresCatalog } from "./catalog/model.js";
import { readCatalog } from "./catalog/readCatalog.js";
import type { CompareDialect } from "./compare/openComparison.js";
import type { PostgresEndpoint } from "./connection.js";
import type { Connections } from "./connections.js";
import type { DdlDialect } from "./ddl/emit/ddlDialect.js";
import { sourceChecks } from "./precheck/sourceChecks.js";
import { targetChecks } from "./precheck/targetChecks.js";
import { readOfferedExtensions, type TargetObjects } from "./schema/existingObjects.js";
import { planSchema, type SchemaPlan } from "./schema/planSchema.js";
import type { ReadStoreLayout } from "./store/storeSchema.js";
import { openPostgresTarget } from "./target.js";

/** What a member of the PostgreSQL family does in its own way as a source. */
export interface SourceDialect {
  readCatalog(client: Client): Promise<PostgresCatalog>;
  /** Everything the source must have and allow. Reads only. */
  precheck(client: Client, tables: readonly PlannedTable[], definition: TaskDefinition): Promise<PrecheckItem[]>;
}

/** What a member of the PostgreSQL family does in its own way as a target. */
export interface TargetDialect {
  /** The schema phase in this target's SQL. Asks the server what it is; changes nothing. */
  planSchema(client: Client, catalog: PostgresCatalog, resolved: ResolvedPlan, definition: TaskDefinition): Promise<SchemaPlan>;
  /** Everything the target must have and allow. Reads only. */
  precheck(
    client: Client,
    endpoint: PostgresEndpoint,
    tables: readonly PlannedTable[],
    definition: TaskDefinition,
  ): Promise<PrecheckItem[]>;
  openTarget(connections: Connections, definition: TaskDefinition): Promise<TargetDatabase>;
  /** How changes of structure are carried over, by the server's version; absent: as to PostgreSQL. */
  readonly ddl?: (version: number) => DdlDialect;
  /** How changes are applied; absent: as to PostgreSQL. */
  apply?(definition: TaskDefinition): ApplyDialect;
  /** What reads differently there than at the source; absent: nothing. */
  readonly compare?: CompareDialect;
  /** How the store's tables are laid out; absent: as on PostgreSQL. */
  readonly storeLayout?: ReadStoreLayout;
  /** What is there already, in the words of the plan's steps; absent: as PostgreSQL's catalog has it. */
  readExisting?(client: Client): Promise<TargetObjects>;
}

/** PostgreSQL itself: what the others differ from. */
export const postgresSource: SourceDialect = { readCatalog, precheck: sourceChecks };

export const postgresTarget: TargetDialect = {
  async planSchema(client, catalog, resolved) {
    const { rows } = await client.query<{ server_version_num: string }>("SHOW server_version_num");
    const version = Math.floor(Number(rows[0]?.server_version_num) / 10_000);
    return planSchema(catalog, resolved, version, await readOfferedExtensions(client));
  },
  precheck: targetChecks,
  openTarget: (connections, { taskId }) => openPostgresTarget(connections, taskId),
};
