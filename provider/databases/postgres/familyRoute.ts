import type { Client } from "pg";
import type { Route } from "../../engine/database.js";
import type { Ends } from "../../engine/models/endpoint.js";
import { type PlanOptions, resolvePlan } from "../../engine/plan.js";
import type { PlannedTask, RouteKind } from "../../engine/routeKind.js";
import { migrates, type TaskDefinition } from "../../engine/taskDefinition.js";
import { connect, withConnection } from "./connection.js";
import { isConnectionError } from "./connectionErrors.js";
import { Connections } from "./connections.js";
import type { SourceDialect, TargetDialect } from "./dialect.js";
import { followChanges } from "./followChanges.js";
import { formatLsn, parseLsn } from "./lsn.js";
import { pairChecks } from "./precheck/pairChecks.js";
import { readTargetObjects, withoutExisting } from "./schema/existingObjects.js";
import type { SchemaPlan } from "./schema/planSchema.js";
import { captureStatus, openPostgresSource, releaseCapture } from "./source.js";
import { takeLease } from "./store/taskLease.js";
import { openTaskStore } from "./store/taskStore.js";

/** A route between two databases that speak PostgreSQL's protocol. */
export function familyRoute(from: SourceDialect, to: TargetDialect): RouteKind {
  return {
    plan: (ends, definition, options, known) =>
      withEnds(ends, `godwit/${definition.taskId}/plan`, (source, target) =>
        plan({ ends, from, to, source, target, definition, options, known }),
      ),
    formatPosition: formatLsn,
    parsePosition: parseLsn,
    openStore: async ({ target }) => openTaskStore(await connect(target, { applicationName: "godwit/store" })),
    takeLease: ({ target }, taskId, options) => takeLease(target, taskId, options),
    open: (ends, definition) => open(to, ends, definition),
    captureStatus: ({ source }, { taskId, slotName }) =>
      withConnection(source, { applicationName: `godwit/${taskId}/status` }, (client) => captureStatus(client, slotName)),
    release: ({ source }, definition) =>
      withConnection(source, { applicationName: `godwit/${definition.taskId}/release` }, (client) =>
        releaseCapture(client, definition),
      ),
  };
}

interface Planning {
  readonly ends: Ends;
  readonly from: SourceDialect;
  readonly to: TargetDialect;
  readonly source: Client;
  readonly target: Client;
  readonly definition: TaskDefinition;
  readonly options: PlanOptions;
  readonly known: ReadonlySet<number>;
}

const NO_SCHEMA: SchemaPlan = { steps: [], skipped: [], tablesLeftOut: [] };

async function plan({ ends, from, to, source, target, definition, options, known }: Planning): Promise<PlannedTask> {
  const catalog = await from.readCatalog(source);
  const resolved = resolvePlan(catalog, options);
  const moves = migrates(definition, "schema");
  const schema = moves ? await to.planSchema(target, catalog, resolved, definition) : NO_SCHEMA;
  // Without its structure a table's rows have nowhere to go; `skipped` says why it was left out.
  const leftOut = new Set(schema.tablesLeftOut);
  const tables = resolved.tables.filter(({ id }) => !leftOut.has(id));
  // What exists stays as it is: tables of an ignoreAndProceed task, and everything a task made before it was given more to do.
  const adding = definition.conflictMode === "ignoreAndProceed" || known.size > 0;
  const steps = adding ? withoutExisting(schema.steps, await readTargetObjects(target)) : schema.steps;
  const fresh = tables.filter(({ id }) => !known.has(id));
  return {
    plan: { tables, steps, skipped: [...resolved.skipped, ...schema.skipped] },
    prechecks: [
      ...(await from.precheck(source, fresh, definition)),
      ...(await to.precheck(target, ends.target, fresh, definition)),
      ...(await pairChecks(source, target)),
    ],
  };
}

async function open(to: TargetDialect, ends: Ends, definition: TaskDefinition): Promise<Route> {
  const { taskId } = definition;
  const sources = new Connections(ends.source, `godwit/${taskId}/source`);
  const targets = new Connections(ends.target, `godwit/${taskId}/target`);
  const close = async () => {
    sources.close();
    targets.close();
  };
  try {
    const source = await openPostgresSource(sources, definition);
    const target = await to.openTarget(targets, definition);
    return {
      source,
      target,
      follow: ({ tables, conflictMode, settings, ...options }) =>
        followChanges({
          ...options,
          source: sources,
          target: targets,
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
