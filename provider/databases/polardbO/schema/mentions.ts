import type { CatalogObject, QualifiedName } from "../../../engine/models/catalog.js";
import { nameKey } from "../../../engine/selection.js";
import type { SchemaContext } from "../../postgres/schema/draft.js";
import type { PolardbCatalog } from "../catalog/objects.js";
import { mentionedNames } from "../catalog/sourceText.js";
import { packageId, synonymId } from "./ids.js";

/** What a source text needs to have been made before it, as keys and step ids. */
export type Mentions = (text: string, own: QualifiedName & { readonly order: number }) => string[];

interface Known {
  readonly subject: CatalogObject;
  readonly need: string;
  /** Of a package: its place among the packages. */
  readonly order?: number;
}

/**
 * The server records no dependencies for what a text names, so they are read off the text: tables, views, types, synonyms and packages that it
 * mentions and that move as well. A mention too many only orders the steps; one too few is a package that is made before what it needs.
 * Of two packages the one that the source lists first never waits for the other, so they cannot wait for each other.
 */
export function mentions(context: SchemaContext, catalog: PolardbCatalog): Mentions {
  const known = new Map<string, Known[]>();
  const add = (name: QualifiedName, entry: Known): void => {
    known.set(nameKey(name), [...(known.get(nameKey(name)) ?? []), entry]);
  };
  for (const relation of catalog.relations) {
    const kind = relation.kind === "partitionedTable" ? "table" : relation.kind === "compositeType" ? "type" : relation.kind;
    add(relation, { subject: { kind, schema: relation.schema, name: relation.name }, need: relation.key });
  }
  for (const type of [...catalog.types, ...catalog.sourcedTypes]) {
    const kind = "kind" in type && type.kind === "domain" ? "domain" : "type";
    add(type, { subject: { kind, schema: type.schema, name: type.name }, need: type.key });
  }
  for (const synonym of catalog.synonyms)
    add(synonym, { subject: { kind: "synonym", schema: synonym.schema, name: synonym.name }, need: synonymId(context, synonym) });
  catalog.packages.forEach((found, order) => {
    const subject: CatalogObject = { kind: "package", schema: found.schema, name: found.name };
    add(found, { subject, need: packageId(context, found), order });
  });
  return (text, own) => {
    const needs = mentionedNames(text, own.schema).flatMap((name) => known.get(nameKey(name)) ?? []);
    return [
      ...new Set(
        needs
          .filter(({ subject }) => context.resolved.selection.pick(subject) === "selected")
          .filter(({ order }) => order === undefined || order < own.order)
          .map(({ need }) => need),
      ),
    ];
  };
}
