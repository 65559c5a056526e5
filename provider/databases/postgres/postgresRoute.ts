import type { Client } from "pg";
import type { Route } from "../../engine/database.js";
import type { Ends, TaskEndpoint } from "../../engine/models/endpoint.js";
import { type PlanOptions, resolvePlan } from "../../engine/plan.js";
import type { PlannedTask, RouteKind } from "../../engine/routeKind.js";
import { migrates, type TaskDefinition } from "../../engine/taskDefinition.js";
import { readCatalog } from "./catalog/readCatalog.js";
import { connect, withConnection } from "./connection.js";
import { isConnectionError } from "./connectionErrors.js";
import { Connections } from "./connections.js";
import { followChanges } from "./followChanges.js";
import { formatLsn } from "./lsn.js";
import { precheck } from "./precheck/precheck.js";
import { readOfferedExtensions, readTargetObjects, withoutExisting } from "./schema/existingObjects.js";
import { planSchema } from "./schema/planSchema.js";
import { captureStatus, openPostgresSource, releaseCapture } from "./source.js";
import { takeLease } from "./store/taskLease.js";
import { openTaskStore } from "./store/taskStore.js";
import { openPostgresTarget } from "./target.js";

/** PostgreSQL to PostgreSQL. */
export const postgresRoute: RouteKind = {
  plan: (ends, definition, options, known) =>
    withEnds(ends, `godwit/${definition.taskId}/plan`, (source, target) =>
      plan(source, target, ends.target, definition, options, known),
    ),
  formatPosition: formatLsn,
  openStore: async ({ target }) => openTaskStore(await connect(target, { applicationName: "godwit/store" })),
  takeLease: ({ target }, taskId, options) => takeLease(target, taskId, options),
  open,
  captureStatus: ({ source }, { taskId, slotName }) =>
    withConnection(source, { applicationName: `godwit/${taskId}/status` }, (client) => captureStatus(client, slotName)),
  release: ({ source }, definition) =>
    withConnection(source, { applicationName: `godwit/${definition.taskId}/release` }, (client) =>
      releaseCapture(client, definition),
    ),
};

async function plan(
  source: Client,
  target: Client,
  targetEndpoint: TaskEndpoint,
  definition: TaskDefinition,
  options: PlanOptions,
  known: ReadonlySet<number>,
): Promise<PlannedTask> {
  const catalog = await readCatalog(source);
  const resolved = resolvePlan(catalog, options);
  const { rows } = await target.query<{ server_version_num: string }>("SHOW server_version_num");
  const moves = migrates(definition, "schema");
  const version = Math.floor(Number(rows[0]?.server_version_num) / 10_000);
  const schema = planSchema(catalog, resolved, version, moves ? await readOfferedExtensions(target) : undefined);
  // Without its structure a table's rows have nowhere to go; `skipped` says why it was left out.
  const leftOut = new Set(moves ? schema.tablesLeftOut : []);
  const tables = resolved.tables.filter(({ id }) => !leftOut.has(id));
  // What exists stays as it is: tables of an ignoreAndProceed task, and everything a task made before it was given more to do.
  const adding = definition.conflictMode === "ignoreAndProceed" || known.size > 0;
  const steps = adding ? withoutExisting(schema.steps, await readTargetObjects(target)) : schema.steps;
  const fresh = tables.filter(({ id }) => !known.has(id));
  return {
    plan: { tables, steps: moves ? steps : [], skipped: [...resolved.skipped, ...(moves ? schema.skipped : [])] },
    prechecks: await precheck({ source, target, targetEndpoint }, fresh, definition),
  };
}

async function open(ends: Ends, definition: TaskDefinition): Promise<Route> {
  const { taskId } = definition;
  const from = new Connections(ends.source, `godwit/${taskId}/source`);
  const to = new Connections(ends.target, `godwit/${taskId}/target`);
  const close = async () => {
    from.close();
    to.close();
  };
  try {
    const source = await openPostgresSource(from, definition);
    const target = await openPostgresTarget(to, taskId);
    return {
      source,
      target,
      follow: ({ tables, conflictMode, settings, ...options }) =>
        followChanges({
          ...options,
          source: from,
          target: to,
          slotName: definition.slotName,
          publications: [definition.publicationName],
          tables,
          overwrite: conflictMode === "ignoreAndProceed",
          quiet: target.quietsTriggers,
          rates: () => settings().throttle.incremental ?? {},
        }),
      isConnectionError,
      close,
    };
  } catch (cause) {
    await close();
    throw cause;
  }
}

async function withEnds<T>(ends: Ends, applicationName: string, use: (source: Client, target: Client) => Promise<T>): Promise<T> {
  return withConnection(ends.source, { applicationName }, (source) =>
    withConnection(ends.target, { applicationName }, (target) => use(source, target)),
  );
}
