import type { Draft, SchemaContext } from "./draft.js";
import type { SqlNames } from "./sqlNames.js";

/** Where a target of the family wants other statements than PostgreSQL. What is absent is done PostgreSQL's way. */
export interface SchemaDialect {
  /** The type of a column, a domain or a field: deparsed by the source, in the source's names; answered in the target's words. */
  readonly type?: (type: string) => string;
  /** The rewriting of deparsed SQL, with what else the target's grammar needs. */
  readonly sql?: (names: SqlNames) => SqlNames;
  /** Adds drafts, changes or blocks them. Sees those of everything, selected or not. */
  readonly adapt?: (context: SchemaContext, drafts: readonly Draft[]) => readonly Draft[];
}
