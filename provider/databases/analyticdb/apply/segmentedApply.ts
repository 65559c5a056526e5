import type { Client } from "pg";
import { ErrorCode, GodwitError } from "../../../engine/errors.js";
import type { PlannedTable } from "../../../engine/models/plan.js";
import type { AnalyticdbSettings } from "../../../engine/taskDefinition.js";
import type { ApplyDialect, ApplySql } from "../../postgres/apply/applyDialect.js";
import { FIRST_BATCH } from "../../postgres/apply/batchPath.js";
import { endFormerApplier } from "../../postgres/apply/session.js";
import type { TargetTable } from "../../postgres/apply/targetTables.js";
import { readServerKind, type SegmentedServer } from "../serverKind.js";
import { chooseStorage, heapClause } from "../storage.js";
import { segmentedBatch } from "./segmentedBatch.js";
import { segmentedChange } from "./segmentedChange.js";
import { describeSegmentedTables } from "./segmentedTables.js";

/**
 * How changes are applied to AnalyticDB. Asks the server what it is each time: it may have been upgraded since. `storage`: the task's, for
 * tables that are made on the way.
 */
export function segmentedApply(storage: AnalyticdbSettings["storage"]): ApplyDialect {
  return {
    async prepare(client) {
      await endFormerApplier(client);
      const server = await readServerKind(client);
      if (server.kind === "other") throw new GodwitError(ErrorCode.PrecheckFailed, server.reason);
      await prepareSession(client, chooseStorage(storage, server).engine);
      return segmentedSql(server);
    },
  };
}

function segmentedSql(server: SegmentedServer): ApplySql {
  return {
    describeTargets: describeSegmentedTables,
    binaryFits,
    rules: {
      addBatch: segmentedBatch(heapClause(server), server.major),
      changeStatements: segmentedChange(server.major),
    },
  };
}

/**
 * The same choice as on PostgreSQL: a batch is small against its table, so its key's index and not a scan of the whole. GPORCA knows none of the planner's
 * switches, and nested loops are off by default on Greenplum ("enable_nestloop", its reference of parameters). Settings that a server lacks
 * are passed over. Nothing to quiet: there are no triggers, and foreign keys are not enforced.
 */
async function prepareSession(client: Client, engine: AnalyticdbSettings["storage"]): Promise<void> {
  await client.query(FIRST_BATCH);
  await client.query(
    `SELECT pg_catalog.set_config(s.name, w.value, false)
       FROM pg_catalog.pg_settings s
       JOIN (VALUES ('default_table_access_method', $1::text), ('optimizer', 'off'), ('enable_nestloop', 'on'), ('enable_hashjoin', 'off'), ('enable_mergejoin', 'off'),
                    ('jit', 'off')) AS w (name, value) ON w.name = s.name`,
    [engine === "appendoptimized" ? "ao_column" : engine],
  );
}

/** Whether every value of these tables may travel in binary: nothing is staged as a type that the target may lack. */
function binaryFits(tables: readonly PlannedTable[], targets: ReadonlyMap<number, TargetTable>): boolean {
  return tables.every((table) =>
    table.columns.every((column) => {
      const type = targets.get(table.id)?.columns.get(column.target)?.type;
      return type !== undefined && column.binaryPortable && bare(column.type) === bare(type);
    }),
  );
}

function bare(type: string): string {
  return type.replace(/\([\d,-]+\)/, "");
}
