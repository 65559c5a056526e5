import type { PostgresCatalog } from "../../postgres/catalog/model.js";
import type { Draft, SchemaContext } from "../../postgres/schema/draft.js";
import type { SchemaDialect } from "../../postgres/schema/schemaDialect.js";
import { isPolardbCatalog } from "../catalog/objects.js";
import type { PolardbTraits } from "../traits.js";
import { quotingNames } from "./keywords.js";
import { blockLanguages } from "./languages.js";
import { mentions } from "./mentions.js";
import { noteEmptyDefaults, noteTypes } from "./notes.js";
import { packageDrafts } from "./packageDrafts.js";
import { withSourcedTypes } from "./sourcedTypeDrafts.js";
import { synonymDrafts } from "./synonymDrafts.js";
import { convertDates } from "./types.js";

export interface PolardbTarget {
  readonly traits: PolardbTraits;
  /** Words that the target wants in quotes where they are names. */
  readonly keywords: ReadonlySet<string>;
  /** Languages that routines can be written in. */
  readonly languages: ReadonlySet<string>;
}

/** A PostgreSQL source has days for dates, and its own SQL. */
const POSTGRES = { date: "plain", compatible: "postgresql" } as const;

/** The schema phase in PolarDB O's SQL. Pure: `target` is what was asked of the server. */
export function forPolardb(catalog: PostgresCatalog, target: PolardbTarget): SchemaDialect {
  const source = isPolardbCatalog(catalog) ? catalog : undefined;
  const convert = convertDates(source?.traits ?? POSTGRES, target.traits);
  return {
    type: (type) => convert(type) ?? type,
    sql: (names) => quotingNames(names, target.keywords),
    adapt(context, drafts) {
      noteTypes(context, convert);
      if (target.traits.emptyStringIsNull && source?.traits.emptyStringIsNull !== true) noteEmptyDefaults(context);
      const plain = blockLanguages(context, blockYounger(context, drafts), target.languages);
      if (!source) return plain;
      const mentioned = mentions(context, source);
      return [
        ...withSourcedTypes(context, source, plain, mentioned),
        ...packageDrafts(context, source, mentioned),
        ...synonymDrafts(context, source),
      ];
    },
  };
}

/** 1.0 builds on PostgreSQL 11, which PostgreSQL targets are never as old as. */
function blockYounger(context: SchemaContext, drafts: readonly Draft[]): readonly Draft[] {
  if (context.target >= 12) return drafts;
  const generated = new Set(
    context.catalog.relations
      .filter(({ columns }) => columns.some(({ generated }) => generated !== ""))
      .map(({ schema, name }) => JSON.stringify([schema, name])),
  );
  return drafts.map((draft) =>
    draft.id.startsWith("table:") && generated.has(JSON.stringify([draft.subject.schema, draft.subject.name]))
      ? {
          ...draft,
          blocked: "generated columns are known from PostgreSQL 12 on, and the target builds on 11; create the table there",
        }
      : draft,
  );
}
