import { type Draft, type SchemaContext, schemaStep, shown } from "../../postgres/schema/draft.js";
import type { PolardbCatalog } from "../catalog/objects.js";
import { sourcedStatement } from "../catalog/sourceText.js";
import type { Mentions } from "./mentions.js";
import { renamed } from "./packageDrafts.js";

/**
 * Types whose author's text is known are made from it, in place of what PostgreSQL's catalogs would say of them: an object type looks like a
 * composite type there, without its methods. `drafts` are those of PostgreSQL.
 */
export function withSourcedTypes(
  context: SchemaContext,
  catalog: PolardbCatalog,
  drafts: readonly Draft[],
  mentions: Mentions,
): Draft[] {
  const ids = new Map(catalog.sourcedTypes.map((type) => [`type:${shown(context, type)}`, type]));
  const known = new Set(drafts.map(({ id }) => id));
  const replaced = drafts.map((draft) => {
    const type = ids.get(draft.id);
    if (!type) return draft;
    return { ...draft, sql: [sourcedStatement("TYPE", context.name(type), renamed(context, type.specification))] };
  });
  const added = [...ids].flatMap(([id, type]): Draft[] => {
    const base = {
      stage: "beforeRows",
      kind: "type",
      name: shown(context, type),
      subject: { kind: "type", schema: type.schema, name: type.name },
    } as const;
    const own = { ...type, order: Number.POSITIVE_INFINITY };
    const specification: Draft = {
      ...base,
      id,
      provides: [type.key],
      uses: [type.key],
      requires: [schemaStep(context, type.schema), ...mentions(type.specification, own).filter((need) => need !== type.key)],
      sql: [sourcedStatement("TYPE", context.name(type), renamed(context, type.specification))],
    };
    const body: Draft[] =
      type.body === undefined
        ? []
        : [
            {
              ...base,
              id: `typeBody:${shown(context, type)}`,
              provides: [],
              uses: [],
              requires: [id, ...mentions(type.body, own)],
              sql: [sourcedStatement("TYPE BODY", context.name(type), renamed(context, type.body))],
            },
          ];
    return [...(known.has(id) ? [] : [specification]), ...body];
  });
  return [...replaced, ...added];
}
