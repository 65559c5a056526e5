import { ErrorCode, GodwitError } from "../../../engine/errors.js";
import type { DdlStep, SkippedObject } from "../../../engine/models/plan.js";
import type { ResolvedPlan } from "../../../engine/plan.js";
import type { PostgresCatalog } from "../catalog/model.js";
import { foreignKeyDrafts, keyDrafts } from "./constraintSteps.js";
import { type Draft, type SchemaContext, schemaContext, shownTarget } from "./draft.js";
import { identityDrafts, indexDrafts } from "./indexSteps.js";
import { collationDrafts, extensionDrafts, schemaDrafts } from "./namespaceSteps.js";
import { operatorDrafts } from "./operatorSteps.js";
import { orderSteps } from "./orderSteps.js";
import { rewrittenTexts, routineDrafts } from "./routineSteps.js";
import type { SchemaDialect } from "./schemaDialect.js";
import { selectDrafts } from "./selectDrafts.js";
import { sequenceDrafts } from "./sequenceSteps.js";
import { tableDrafts } from "./tableSteps.js";
import { triggerDrafts } from "./triggerSteps.js";
import { typeDrafts } from "./typeSteps.js";
import { viewDrafts } from "./viewSteps.js";

export interface SchemaPlan {
  /** In an order in which they can run: every step after those it depends on, stages in turn. */
  readonly steps: readonly DdlStep[];
  readonly skipped: readonly SkippedObject[];
  /** Source ids of selected tables that cannot be made on this target; `skipped` has the reasons. Their rows have no place to go. */
  readonly tablesLeftOut: readonly number[];
}

/**
 * The statements that make the selected part of a PostgreSQL catalog on a PostgreSQL target. Pure. They are to run on connections with
 * an empty search_path: what is not qualified in them means pg_catalog.
 * `targetVersion` is the major version; `extensions` what the target offers (pg_available_extensions), absent: taken to offer all.
 * Errors: GW1305 when a table could only be made after rows, which then could not be loaded.
 */
export function planSchema(
  catalog: PostgresCatalog,
  resolved: ResolvedPlan,
  targetVersion: number,
  extensions?: ReadonlySet<string>,
  dialect: SchemaDialect = {},
): SchemaPlan {
  const context = schemaContext(catalog, resolved, targetVersion, extensions, dialect);
  const plain = [
    ...schemaDrafts(context),
    ...extensionDrafts(context),
    ...collationDrafts(context),
    ...typeDrafts(context),
    ...sequenceDrafts(context),
    ...routineDrafts(context),
    ...operatorDrafts(context),
    ...tableDrafts(context),
    ...viewDrafts(context),
    ...keyDrafts(context),
    ...indexDrafts(context),
    ...identityDrafts(context),
    ...triggerDrafts(context),
    ...foreignKeyDrafts(context),
  ];
  const drafts = dialect.adapt?.(context, plain) ?? plain;
  const chosen = selectDrafts(context, uniqueIds(context, drafts));
  const ordered = orderSteps(context, chosen.selected);
  const made = new Set(ordered.steps.map(({ id }) => id));
  for (const step of ordered.steps) {
    if (!step.id.startsWith("table:") || step.stage === "beforeRows") continue;
    throw new GodwitError(
      ErrorCode.CatalogUnreadable,
      "the table needs an object that exists only once other tables have their rows",
      {
        object: step.name,
        remedy: "exclude the table, or take the generated column or type that needs a materialized view or a key out of it",
      },
    );
  }
  return {
    steps: ordered.steps,
    skipped: unique([...context.skipped, ...chosen.skipped, ...ordered.skipped, ...rewrittenTexts(context, made)]),
    tablesLeftOut: resolved.tables.filter(({ target }) => !made.has(`table:${shownTarget(target)}`)).map(({ id }) => id),
  };
}

/** Where schemas are merged, what is left behind may bear the target name of what moves: it must not stand in its place. */
function uniqueIds(context: SchemaContext, drafts: readonly Draft[]): Draft[] {
  const moved = new Set(
    drafts.filter(({ subject }) => context.resolved.selection.pick(subject) === "selected").map(({ id }) => id),
  );
  return drafts.map((draft, index) => {
    const stays = context.resolved.selection.pick(draft.subject) !== "selected";
    return stays && moved.has(draft.id) ? { ...draft, id: `${draft.id}#${index}` } : draft;
  });
}

function unique(skipped: readonly SkippedObject[]): SkippedObject[] {
  const seen = new Set<string>();
  return skipped.filter((object) => {
    const key = JSON.stringify(object);
    return !seen.has(key) && seen.add(key);
  });
}
