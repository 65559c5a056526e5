import { type Draft, type SchemaContext, schemaStep, shown } from "../../postgres/schema/draft.js";
import type { PolardbCatalog } from "../catalog/objects.js";
import { sourcedStatement } from "../catalog/sourceText.js";
import { packageId } from "./ids.js";
import type { Mentions } from "./mentions.js";

/** Beyond every package: a body may need the specification of any of them, its own included. */
const AFTER_ALL = Number.POSITIVE_INFINITY;

/**
 * CREATE PACKAGE, then CREATE PACKAGE BODY ("CREATE PACKAGE BODY": the specification must be there). What is inside a package (its functions and
 * types, where the catalog knows them) is there with the specification.
 */
export function packageDrafts(context: SchemaContext, catalog: PolardbCatalog, mentions: Mentions): Draft[] {
  return catalog.packages.flatMap((found, order): Draft[] => {
    const name = context.name(found);
    const base = {
      stage: "beforeRows",
      kind: "package",
      name: shown(context, found),
      subject: { kind: "package", schema: found.schema, name: found.name },
      uses: [],
    } as const;
    const specification: Draft = {
      ...base,
      id: packageId(context, found),
      provides: found.members,
      requires: [schemaStep(context, found.schema), ...mentions(found.specification, { ...found, order })],
      sql: [sourcedStatement("PACKAGE", name, renamed(context, found.specification))],
    };
    if (found.body === undefined) return [specification];
    return [
      specification,
      {
        ...base,
        id: `packageBody:${shown(context, found)}`,
        provides: [],
        requires: [specification.id, ...mentions(found.body, { ...found, order: AFTER_ALL })],
        sql: [sourcedStatement("PACKAGE BODY", name, renamed(context, found.body))],
      },
    ];
  });
}

/** Qualified names follow renames, as in the text of a function; others mean what the search_path finds. */
export function renamed(context: SchemaContext, text: string): string {
  return context.resolved.names.renames ? context.sql.definition(text) : text;
}
