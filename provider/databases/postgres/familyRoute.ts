import type { Client } from "pg";
import type { Route } from "../../engine/database.js";
import { ruledTables } from "../../engine/etl.js";
import type { Ends } from "../../engine/models/endpoint.js";
import { type PlanOptions, resolvePlan } from "../../engine/plan.js";
import type { PlannedTask, RouteKind } from "../../engine/routeKind.js";
import { migrates, type TaskDefinition } from "../../engine/taskDefinition.js";
import type { PostgresCatalog } from "./catalog/model.js";
import { withShapes } from "./catalog/shapes.js";
import { openComparison } from "./compare/openComparison.js";
import { connect, withConnection } from "./connection.js";
import { isConnectionError } from "./connectionErrors.js";
import { Connections } from "./connections.js";
import { ddlFollowing } from "./ddl/follow/ddlFollowing.js";
import type { SourceDialect, TargetDialect } from "./dialect.js";
import { readRowRules } from "./filter/readRowRules.js";
import { followChanges } from "./followChanges.js";
import { formatLsn, parseLsn } from "./lsn.js";
import { newerPlan } from "./newerPlan.js";
import { pairChecks } from "./precheck/pairChecks.js";
import { readTargetObjects, withoutExisting } from "./schema/existingObjects.js";
import type { SchemaPlan } from "./schema/planSchema.js";
import { captureStatus, openPostgresSource, releaseCapture } from "./source.js";
import { readSourceState } from "./sourceState.js";
import { takeLease } from "./store/taskLease.js";
import { openTaskStore } from "./store/taskStore.js";

/** A route between two databases that speak PostgreSQL's protocol. */
export function familyRoute(from: SourceDialect, to: TargetDialect): RouteKind {
  return {
    plan: (ends, definition, options, known) => plan({ ends, from, to, definition, options, known }),
    formatPosition: formatLsn,
    parsePosition: parseLsn,
    openStore: async ({ target }) => openTaskStore(await connect(target, { applicationName: "godwit/store" }), to.storeLayout),
    takeLease: ({ target }, taskId, options) => takeLease(target, taskId, options),
    open: (ends, definition) => open(from, to, ends, definition),
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
  readonly definition: TaskDefinition;
  readonly options: PlanOptions;
  readonly known: ReadonlySet<number>;
}

const NO_SCHEMA: SchemaPlan = { steps: [], skipped: [], tablesLeftOut: [] };

function plan(planning: Planning): Promise<PlannedTask> {
  const { ends, definition } = planning;
  return withEnds(ends, `godwit/${definition.taskId}/plan`, (source, target) => planWith(planning, source, target));
}

async function planWith(
  { ends, from, to, definition, options, known }: Planning,
  source: Client,
  target: Client,
): Promise<PlannedTask> {
  const { readAt, shapes, catalog } = await readSourceState(source, from, options.etl);
  const resolved = resolvePlan(catalog, options);
  const moves = migrates(definition, "schema");
  const schema = moves ? await to.planSchema(target, catalog, resolved, definition) : NO_SCHEMA;
  // Without its structure a table's rows have nowhere to go; `skipped` says why it was left out.
  const leftOut = new Set(schema.tablesLeftOut);
  const filters = await readRowRules(
    source,
    withShapes(
      resolved.tables.filter(({ id }) => !leftOut.has(id)),
      shapes,
    ),
    definition,
  );
  const { tables } = filters;
  // What exists stays as it is: tables of an ignoreAndProceed task, and everything a task made before it was given more to do.
  const adding = definition.conflictMode === "ignoreAndProceed" || known.size > 0;
  const steps = adding ? withoutExisting(schema.steps, await (to.readExisting ?? readTargetObjects)(target)) : schema.steps;
  const fresh = tables.filter(({ id }) => !known.has(id));
  return {
    plan: {
      tables,
      steps,
      skipped: [...resolved.skipped, ...schema.skipped],
      selection: { options, readAt: readAt.toString(), shape: shapes.all, ...ruledTables(catalog, options) },
    },
    prechecks: [
      ...(await from.precheck(source, fresh, definition)),
      ...filters.checks,
      ...(await to.precheck(target, ends.target, fresh, definition)),
      ...(await pairChecks(source, target)),
    ],
  };
}

async function open(from: SourceDialect, to: TargetDialect, ends: Ends, definition: TaskDefinition): Promise<Route> {
  const { taskId } = definition;
  const sources = new Connections(ends.source, `godwit/${taskId}/source`);
  const targets = new Connections(ends.target, `godwit/${taskId}/target`);
  const close = async () => {
    sources.close();
    targets.close();
  };
  const warnings: string[] = [];
  const told = new Set<string>();
  const tell = (warning: string) => {
    if (!told.has(warning)) warnings.push(warning);
    told.add(warning);
  };
  try {
    const source = await openPostgresSource(sources, definition);
    const target = await to.openTarget(targets, definition);
    return {
      source,
      target,
      follow: ({ tables, conflictMode, settings, structure, ...options }) =>
        followChanges({
          ...options,
          source: sources,
          target: targets,
          slotName: definition.slotName,
          publications: [definition.publicationName],
          tables,
          overwrite: conflictMode === "ignoreAndProceed",
          quiet: target.quietsTriggers,
          dialect: to.apply?.(definition),
          ddl: structure && ddlFollowing(definition, structure, () => readWith(sources, from), to.ddl, tell),
          rates: () => settings().throttle.incremental ?? {},
        }),
      isConnectionError,
      newerPlan: () =>
        newerPlan(ends.source, definition, (options) => plan({ ends, from, to, definition, options, known: new Set() })),
      openComparison: async (snapshot) =>
        openComparison({ source: ends.source, target: ends.target, taskId, dialect: to.compare }, snapshot),
      takeWarnings: () => warnings.splice(0),
      close,
    };
  } catch (cause) {
    await close();
    throw cause;
  }
}

async function readWith(sources: Connections, from: SourceDialect): Promise<PostgresCatalog> {
  const client = await sources.connect("catalog");
  try {
    return await from.readCatalog(client);
  } finally {
    await client.end();
  }
}

async function withEnds<T>(ends: Ends, applicationName: string, use: (source: Client, target: Client) => Promise<T>): Promise<T> {
  return withConnection(ends.source, { applicationName }, (source) =>
    withConnection(ends.target, { applicationName }, (target) => use(source, target)),
  );
}
