import type { DdlStep, PlannedTable } from "../../../engine/models/plan.js";
import type { ResolvedPlan } from "../../../engine/plan.js";
import type { PgRelation, PostgresCatalog } from "../../postgres/catalog/model.js";
import { type SchemaContext, schemaContext, shownTarget } from "../../postgres/schema/draft.js";
import type { SchemaPlan } from "../../postgres/schema/planSchema.js";
import { ident, qualified } from "../../postgres/sql.js";
import { distributedClause } from "../distribution.js";
import type { SegmentedServer } from "../serverKind.js";
import type { Storage } from "../storage.js";
import { tableDistribution, tableKey } from "../tableKeys.js";
import { columnElements } from "./columns.js";
import { foreignKeySteps } from "./foreignKeys.js";
import { leftBehind } from "./leftBehind.js";
import { uniqueSteps } from "./uniqueKeys.js";

export interface TargetCapabilities {
  readonly server: SegmentedServer;
  readonly storage: Storage;
  /** format_type of every type there is. */
  readonly types: ReadonlySet<string>;
  /** Schemas that are there: making one, even IF NOT EXISTS, takes a right on the database that their owner need not have. */
  readonly schemas: ReadonlySet<string>;
}

/**
 * Tables, their keys and foreign keys, as AnalyticDB takes them; everything else is named in `skipped`. Pure. Each CREATE TABLE says its
 * storage and its distribution, whatever the server's defaults are, and holds its key: with one a table can't be made that the server would have to
 * redistribute for it.
 */
export function planTables(catalog: PostgresCatalog, resolved: ResolvedPlan, target: TargetCapabilities): SchemaPlan {
  const context = schemaContext(catalog, resolved, target.server.postgres, undefined);
  const made = resolved.tables.filter(({ id }) => context.relations.has(id));
  const schemas = [...new Set(made.map((table) => table.target.schema))].filter((name) => !target.schemas.has(name));
  const skip = (kind: string, name: string, reason: string): void => {
    context.skipped.push({ kind, name, reason });
  };
  const steps: DdlStep[] = [
    ...schemas.map(
      (name): DdlStep => ({
        id: `schema:${name}`,
        stage: "beforeRows",
        kind: "schema",
        name,
        sql: [`CREATE SCHEMA IF NOT EXISTS ${ident(name)}`],
        dependsOn: [],
        weight: 0,
      }),
    ),
    ...made.map((table) => tableStep(context, table, target, schemas)),
    ...uniqueSteps(context, made, target.storage),
    ...foreignKeySteps(context, made, target.storage),
  ];
  if (target.storage.note !== undefined) skip("storage", "beam", target.storage.note);
  leftBehind(context, new Set(made.map(({ id }) => id)));
  return { steps, skipped: context.skipped, tablesLeftOut: [] };
}

function tableStep(
  context: SchemaContext,
  table: PlannedTable,
  target: TargetCapabilities,
  newSchemas: readonly string[],
): DdlStep {
  const relation = context.relations.get(table.id) as PgRelation;
  const name = qualified(table.target);
  const spread = tableDistribution(table);
  const key = tableKey(table);
  const keyed = key !== undefined && target.storage.takesKeys && spread.columns.length > 0;
  if (key && !keyed) {
    const reason = target.storage.takesKeys
      ? "no column of its key can be distributed by"
      : `${target.storage.engine} tables take no keys`;
    context.skipped.push({ kind: "constraint", name: `${shownTarget(table.target)} ${key.kind}`, reason });
  }
  const elements = [
    ...columnElements(context, relation, table, target),
    ...(keyed ? [`${key.kind} (${key.columns.map(ident).join(", ")})`] : []),
  ];
  return {
    id: `table:${shownTarget(table.target)}`,
    stage: "beforeRows",
    kind: "table",
    name: shownTarget(table.target),
    sql: [
      `CREATE TABLE ${name} (${elements.join(", ")})${target.storage.clause}${distributedClause(spread.columns)}`,
      ...comments(context, relation, table),
    ],
    dependsOn: newSchemas.includes(table.target.schema) ? [`schema:${table.target.schema}`] : [],
    weight: 0,
  };
}

function comments(context: SchemaContext, relation: PgRelation, table: PlannedTable): string[] {
  const names = new Map(table.columns.map(({ number, target }) => [number, target]));
  return [
    ...context.comment(relation.key, `TABLE ${qualified(table.target)}`),
    ...[...names].flatMap(([number, column]) =>
      context.comment(`${relation.key}/${number}`, `COLUMN ${qualified(table.target)}.${ident(column)}`),
    ),
  ];
}
