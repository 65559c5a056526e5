import type { CatalogObject, QualifiedName } from "../../../engine/models/catalog.js";
import { nameKey } from "../../../engine/selection.js";
import { type Draft, type SchemaContext, schemaStep, shown } from "../../postgres/schema/draft.js";
import type { PolardbCatalog, PolardbSynonym } from "../catalog/objects.js";
import { packageId, synonymId } from "./ids.js";

/**
 * CREATE SYNONYM .. FOR schema.object ("CREATE SYNONYM"). The object need not exist, so a synonym for nothing moves as it is; one for an object
 * that stays behind stays as well, for it would name something else on the target, or nothing.
 */
export function synonymDrafts(context: SchemaContext, catalog: PolardbCatalog): Draft[] {
  const named = namedObjects(context, catalog);
  return catalog.synonyms.map((synonym) => {
    const found = named.get(nameKey(synonym.of));
    return {
      id: synonymId(context, synonym),
      stage: "beforeRows",
      kind: "synonym",
      name: shown(context, synonym),
      subject: { kind: "synonym", schema: synonym.schema, name: synonym.name },
      provides: [],
      uses: [],
      requires: [schemaStep(context, synonym.schema), ...(found === undefined ? [] : [found.need])],
      sql: [`CREATE OR REPLACE SYNONYM ${context.name(synonym)} FOR ${context.name(synonym.of)}`],
      blocked: blocked(context, synonym, found),
    };
  });
}

interface Named {
  readonly need: string;
  readonly subject: CatalogObject;
}

function blocked(context: SchemaContext, synonym: PolardbSynonym, found: Named | undefined): string | undefined {
  if (synonym.link !== undefined)
    return `it goes through database link ${synonym.link}, whose password does not move; create the link and the synonym on the target`;
  if (found === undefined || context.resolved.selection.pick(found.subject) !== "excluded") return undefined;
  return `it stands for ${synonym.of.schema}.${synonym.of.name}, which is not selected`;
}

function namedObjects(context: SchemaContext, catalog: PolardbCatalog): Map<string, Named> {
  const named = new Map<string, Named>();
  const add = (subject: CatalogObject, need: string): void => {
    const { schema, name }: QualifiedName = subject;
    if (!named.has(nameKey({ schema, name }))) named.set(nameKey({ schema, name }), { need, subject });
  };
  for (const { kind, schema, name, key } of catalog.relations) {
    if (kind !== "compositeType") add({ kind: kind === "partitionedTable" ? "table" : kind, schema, name }, key);
  }
  // An identity column's sequence comes with its table.
  for (const { schema, name, key, owner } of catalog.sequences)
    if (!owner?.identity) add({ kind: "sequence", schema, name }, key);
  for (const { kind, schema, name, signature, key } of catalog.routines) add({ kind, schema, name, signature }, key);
  for (const { schema, name, key } of catalog.sourcedTypes) add({ kind: "type", schema, name }, key);
  for (const found of catalog.packages)
    add({ kind: "package", schema: found.schema, name: found.name }, packageId(context, found));
  for (const found of catalog.synonyms)
    add({ kind: "synonym", schema: found.schema, name: found.name }, synonymId(context, found));
  return named;
}
