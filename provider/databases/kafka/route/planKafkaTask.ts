import type { Client } from "pg";
import { ErrorCode, GodwitError } from "../../../engine/errors.js";
import { ruledTables } from "../../../engine/etl.js";
import type { NeutralCatalog } from "../../../engine/models/catalog.js";
import type { Ends } from "../../../engine/models/endpoint.js";
import type { PlannedTable, SkippedObject } from "../../../engine/models/plan.js";
import { type PlanOptions, type ResolvedPlan, resolvePlan } from "../../../engine/plan.js";
import type { PlannedTask } from "../../../engine/routeKind.js";
import { displayName } from "../../../engine/selection.js";
import { type TaskDefinition, usersPublication } from "../../../engine/taskDefinition.js";
import { withShapes } from "../../postgres/catalog/shapes.js";
import { withConnection } from "../../postgres/connection.js";
import type { SourceDialect } from "../../postgres/dialect.js";
import { readRowRules } from "../../postgres/filter/readRowRules.js";
import { withWholeRows } from "../../postgres/replication/wholeRows.js";
import { readSourceState } from "../../postgres/sourceState.js";
import { ClusterAdmin } from "../client/clusterAdmin.js";
import { kafkaSettings } from "./cluster.js";
import { clusterChecks } from "./clusterChecks.js";
import { deliveryChecks } from "./deliveryChecks.js";
import { registryChecks } from "./registryChecks.js";
import { rowSizeChecks } from "./rowSizeChecks.js";
import { taskTopics, topicSteps } from "./topicPlan.js";

export interface KafkaPlanning {
  readonly ends: Ends;
  readonly from: SourceDialect;
  readonly definition: TaskDefinition;
  readonly options: PlanOptions;
  readonly known: ReadonlySet<number>;
}

/** Resolves tables to topics, and checks both ends. Changes nothing. */
export async function planKafkaTask(planning: KafkaPlanning): Promise<PlannedTask> {
  const { ends, definition } = planning;
  const clientId = `godwit/${definition.taskId}/plan`;
  const admin = new ClusterAdmin(ends.target, clientId);
  try {
    return await withConnection(ends.source, { applicationName: clientId }, (source) => plan(planning, source, admin));
  } finally {
    await admin.close();
  }
}

async function plan(
  { ends, from, definition, options, known }: KafkaPlanning,
  source: Client,
  admin: ClusterAdmin,
): Promise<PlannedTask> {
  const settings = kafkaSettings(definition);
  const { readAt, shapes, catalog } = await readSourceState(source, from, options.etl);
  const resolved = resolvePlan(catalog, options);
  const filters = await readRowRules(source, withShapes(resolved.tables, shapes), definition);
  // The formats tell what a row was before (canal-json's `old`, SharePlex's `key`) and the whole row that was deleted, and a value that lies out of line
  // is only in the log when the old row is.
  const tables = usersPublication(definition) ? filters.tables : filters.tables.map(withWholeRows);
  const topics = taskTopics(tables, settings, databaseName(ends));
  const existing = await admin.topics(topics.map(({ name }) => name).filter(isAskable));
  const counts = new Map(existing.map(({ name, partitions }) => [name, partitions]));
  const fresh = ({ id }: PlannedTable) => !known.has(id);
  return {
    plan: {
      tables,
      steps: topicSteps(topics, settings, counts),
      skipped: [...resolved.skipped, ...notForTopics(catalog, resolved)],
      selection: { options, readAt: readAt.toString(), shape: shapes.all, ...ruledTables(catalog, options) },
    },
    prechecks: [
      // Of the tables as they are: what this route changes for the time of the task has an item of its own.
      ...(await from.precheck(source, resolved.tables.filter(fresh), definition)),
      ...filters.checks,
      ...(await clusterChecks({ admin, definition, topics, existing })),
      ...deliveryChecks({ ends, definition, tables, shown: tables.filter(fresh) }),
      ...(await registryChecks(ends.target, settings)),
      ...(await rowSizeChecks(source, topics, existing)),
    ],
  };
}

/** A broker answers a question about a name that can't be with an error instead of an empty list. */
function isAskable(name: string): boolean {
  return /^[a-zA-Z0-9._-]{1,249}$/.test(name) && name !== "." && name !== "..";
}

const PARTS_OF_TABLES: ReadonlySet<string> = new Set(["schema", "index", "constraint", "foreignKey", "statistics", "comment"]);

/** What the selection picks and no topic can hold. */
function notForTopics(catalog: NeutralCatalog, { selection }: ResolvedPlan): SkippedObject[] {
  return catalog.objects
    .filter((object) => object.kind !== "table" && !PARTS_OF_TABLES.has(object.kind) && selection.pick(object) === "selected")
    .map((object) => ({ kind: object.kind, name: displayName(object), reason: "a topic holds rows and changes of tables only" }));
}

export function databaseName({ source }: Ends): string {
  if (source.databaseName !== undefined) return source.databaseName;
  throw new GodwitError(ErrorCode.InvalidInput, "the source names no database", { object: "source.databaseName" });
}
