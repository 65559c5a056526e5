import type { Client } from "pg";
import type { Ends } from "../../engine/models/endpoint.js";
import type { DdlStep, PrecheckItem, SkippedObject } from "../../engine/models/plan.js";
import { type PlanOptions, resolvePlan } from "../../engine/plan.js";
import type { PlannedTask } from "../../engine/routeKind.js";
import { migrates, type TaskDefinition } from "../../engine/taskDefinition.js";
import { withConnection } from "../postgres/connection.js";
import { precheckItem } from "../postgres/precheck/precheckItem.js";
import { targetChecks } from "../postgres/precheck/targetChecks.js";
import { shownTarget } from "../postgres/schema/draft.js";
import { readOfferedExtensions, readTargetObjects, withoutExisting } from "../postgres/schema/existingObjects.js";
import { rehearse } from "../postgres/schema/rehearse.js";
import { readCatalog } from "./catalog/readCatalog.js";
import { OracleConnections } from "./connections.js";
import { withColumnValues } from "./etl/columnValues.js";
import { withDerivedColumns } from "./etl/derivedColumns.js";
import { withStored } from "./follow/storedColumns.js";
import { positionAt } from "./logMiner/position.js";
import { currentScn } from "./logMiner/settledScn.js";
import { columnValueChecks } from "./precheck/columnValues.js";
import { oraclePairChecks } from "./precheck/pairChecks.js";
import { rowFilterChecks } from "./precheck/rowFilters.js";
import { oracleSourceChecks } from "./precheck/sourceChecks.js";
import { planOracleSchema } from "./schema/planSchema.js";
import { readOracleFacts } from "./serverFacts.js";

/** Plans a task from Oracle: what is converted, tried on the target in a transaction that is rolled back, and what stands in the way. */
export async function planOracleTask(
  ends: Ends,
  definition: TaskDefinition,
  options: PlanOptions,
  known: ReadonlySet<number>,
): Promise<PlannedTask> {
  const applicationName = `godwit/${definition.taskId}/plan`;
  const sources = new OracleConnections(ends.source, applicationName);
  try {
    return await withConnection(ends.target, { applicationName }, async (target) => {
      const source = await sources.connect("catalog");
      // Before the catalog: DDL that comes meanwhile is met again in the redo, rather than not at all.
      const scn = await currentScn(source);
      const readAt = positionAt(scn + 1n);
      const catalog = withDerivedColumns(await readCatalog(source), options.etl);
      const resolved = resolvePlan(catalog, options);
      const schema = migrates(definition, "schema")
        ? planOracleSchema(catalog, resolved, { postgis: (await readOfferedExtensions(target)).has("postgis") })
        : { steps: [], skipped: [], tablesLeftOut: [] };
      // What exists stays as it is: tables of an ignoreAndProceed task, and everything a task made before it was given more to do.
      const adding = definition.conflictMode === "ignoreAndProceed" || known.size > 0;
      const steps = adding ? withoutExisting(schema.steps, await readTargetObjects(target)) : schema.steps;
      const tried = await tryOut(target, steps);
      const leftOut = new Set(schema.tablesLeftOut);
      const { tables, refused } = withColumnValues(
        resolved.tables
          .filter((table) => !leftOut.has(table.id) && !tried.failed.has(`table:${shownTarget(table.target)}`))
          .map((table) => withStored(table, catalog.details.get(table.id)?.stored ?? [], scn)),
      );
      const fresh = tables.filter(({ id }) => !known.has(id));
      const facts = await readOracleFacts(source, ends.source);
      const user = ends.source.username ?? "";
      return {
        plan: {
          tables,
          steps: tried.steps,
          skipped: [...resolved.skipped, ...schema.skipped, ...tried.skipped],
          selection: { options, readAt: readAt.toString() },
        },
        prechecks: [
          ...(await oracleSourceChecks(
            { connection: source, mining: () => sources.connectMining("mining"), facts, user, catalog },
            fresh,
            definition,
          )),
          ...(await rowFilterChecks(source, tables, definition)),
          ...(await columnValueChecks(source, tables, refused)),
          ...(await targetChecks(target, ends.target, fresh, definition)),
          ...(await oraclePairChecks(facts, target)),
          ...tried.checks,
        ],
      };
    });
  } finally {
    sources.close();
  }
}

interface TriedOut {
  readonly steps: readonly DdlStep[];
  readonly failed: ReadonlySet<string>;
  readonly skipped: readonly SkippedObject[];
  readonly checks: readonly PrecheckItem[];
}

/** Leaves out what the target refuses, in its own words. */
async function tryOut(target: Client, steps: readonly DdlStep[]): Promise<TriedOut> {
  if (steps.length === 0) return { steps, failed: new Set(), skipped: [], checks: [] };
  const { failures, stopped } = await rehearse(target, steps);
  const skipped = steps.flatMap(({ id, kind, name }) => {
    const reason = failures.get(id);
    return reason === undefined ? [] : [{ kind, name, reason: `PostgreSQL refuses what it became: ${reason}` }];
  });
  return {
    steps: steps.filter(({ id }) => !failures.has(id)),
    failed: new Set(failures.keys()),
    skipped,
    checks: [
      precheckItem({
        item: "targetRehearsal",
        severity: "warning",
        passed: stopped === undefined,
        message:
          stopped === undefined
            ? `${steps.length - failures.size} of ${steps.length} statements were tried on the target and taken back`
            : `not every statement could be tried on the target: ${stopped}`,
        remedy: "raise max_locks_per_transaction on the target, so that all objects can be tried in one transaction",
      }),
    ],
  };
}
