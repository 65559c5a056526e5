import type { CatalogObject } from "../../../engine/models/catalog.js";
import { displayName } from "../../../engine/selection.js";
import { type SchemaContext, shown } from "../../postgres/schema/draft.js";

/**
 * Says what of the selection is not made: only tables and foreign keys are. (The service that seeds the route leaves out types, sequences, indexes,
 * routines, views, operators, rules, domains, aggregates, extensions and triggers as well.)
 */
export function leftBehind(context: SchemaContext, made: ReadonlySet<number>): void {
  const { catalog, resolved } = context;
  const skip = (kind: string, name: string, reason: string): void => {
    context.skipped.push({ kind, name, reason });
  };
  const backing = new Set(
    catalog.indexes.filter(({ constraint }) => constraint !== undefined).map(({ schema, name }) => displayName({ schema, name })),
  );
  for (const object of catalog.objects) {
    if (object.kind === "table" || object.kind === "schema" || resolved.selection.pick(object) !== "selected") continue;
    if (object.kind === "index" && backing.has(displayName(object))) continue;
    skip(object.kind, objectName(object), REASONS[object.kind] ?? "the route moves tables and foreign keys only");
  }
  for (const relation of catalog.relations) {
    const { schema, name, kind } = relation;
    if (kind !== "table" && kind !== "partitionedTable") continue;
    if (resolved.selection.pick({ kind: "table", schema, name }) !== "selected") continue;
    if (kind === "partitionedTable") {
      skip(
        "table",
        shown(context, relation),
        "a partitioned table has no rows of its own: its partitions are tables of their own on the target; a view with UNION ALL reads them as one",
      );
    } else if (relation.parents.length > 0 && relation.partitionBound === undefined) {
      skip("inheritance", shown(context, relation), "it is a table of its own: a query of its parent does not read it");
    }
    if (relation.unlogged) skip("unlogged", shown(context, relation), "it is an ordinary table on the target");
  }
  for (const constraint of catalog.constraints) {
    if (!made.has(constraint.relation) || (constraint.kind !== "check" && constraint.kind !== "exclusion")) continue;
    const on = context.relations.get(constraint.relation);
    if (on) skip("constraint", `${shown(context, on)}.${constraint.name}`, "checks and exclusions are the source's to keep");
  }
}

const REASONS: Readonly<Record<string, string>> = {
  index: "indexes other than keys are not moved: scans of segments rarely want them; make those that do on the target",
  trigger: "AnalyticDB has no triggers",
  sequence: "sequences are not moved: values come from the source",
  view: "views are not moved: their SQL is the source's; make them on the target",
};

function objectName({ kind, schema, name, signature, on }: CatalogObject): string {
  if (on && kind !== "index") return `${displayName(on)}.${name}`;
  return displayName({ schema, name }) + (signature === undefined ? "" : `(${signature})`);
}
