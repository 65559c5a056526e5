import type { CatalogObject, ObjectKind, QualifiedName } from "../../../engine/models/catalog.js";
import type { PgRelation, PostgresCatalog } from "./model.js";

type Parts = Omit<PostgresCatalog, "tables" | "objects" | "schemas" | "unsupported">;

const RELATION_KINDS: Readonly<Record<PgRelation["kind"], ObjectKind>> = {
  table: "table",
  partitionedTable: "table",
  view: "view",
  materializedView: "materializedView",
  compositeType: "type",
};

/** Everything by the name under which a selection can pick it or leave it out. */
export function listObjects(parts: Parts): CatalogObject[] {
  const byId = new Map(parts.relations.map((relation) => [relation.id, relation]));
  const partOf = (kind: ObjectKind, { schema, name }: QualifiedName, relation: number): CatalogObject[] => {
    const on = byId.get(relation);
    return on ? [{ kind, schema, name, on: { schema: on.schema, name: on.name } }] : [];
  };
  const owned = (kind: ObjectKind, name: string, relation: number): CatalogObject[] =>
    partOf(kind, { schema: byId.get(relation)?.schema ?? "", name }, relation);
  const named = (kind: ObjectKind, objects: readonly QualifiedName[]): CatalogObject[] =>
    objects.map(({ schema, name }) => ({ kind, schema, name }));
  return [
    ...parts.relations.map(({ kind, schema, name }): CatalogObject => ({ kind: RELATION_KINDS[kind], schema, name })),
    ...named("sequence", parts.sequences),
    ...parts.types.map(
      ({ kind, schema, name }): CatalogObject => ({ kind: kind === "domain" ? "domain" : "type", schema, name }),
    ),
    ...named("collation", parts.collations),
    ...parts.routines.map(({ kind, schema, name, signature }): CatalogObject => ({ kind, schema, name, signature })),
    ...parts.aggregates.map(({ schema, name, signature }): CatalogObject => ({ kind: "aggregate", schema, name, signature })),
    ...parts.operators.map(
      ({ schema, name, left, right }): CatalogObject => ({
        kind: "operator",
        schema,
        name,
        signature: `${left ?? ""},${right ?? ""}`,
      }),
    ),
    ...parts.operatorFamilies.map(
      ({ schema, name, method }): CatalogObject => ({ kind: "operatorFamily", schema, name, signature: method }),
    ),
    ...parts.operatorClasses.map(
      ({ schema, name, method }): CatalogObject => ({ kind: "operatorClass", schema, name, signature: method }),
    ),
    ...named("extension", parts.extensions),
    ...parts.indexes.flatMap(({ schema, name, relation }) => partOf("index", { schema, name }, relation)),
    ...parts.statistics.flatMap(({ schema, name, relation }) => partOf("statistics", { schema, name }, relation)),
    ...parts.rules.flatMap(({ name, relation }) => owned("rule", name, relation)),
    ...parts.triggers.filter(({ cloned }) => !cloned).flatMap(({ name, relation }) => owned("trigger", name, relation)),
  ];
}
