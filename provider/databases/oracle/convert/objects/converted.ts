import type { Cursor } from "../read/cursor.js";
import type { Environment } from "../write/environment.js";
import { quoteName } from "../write/names.js";

/** A part of an object that was left out: one routine of a package, a method of a type. */
export interface LeftOut {
  readonly kind: string;
  readonly name: string;
  readonly reason: string;
  readonly line: number;
}

export interface Converted {
  readonly kind: string;
  /** As a user would write it: schema.name. */
  readonly name: string;
  /** In order, without semicolons. Empty when PostgreSQL needs nothing for it; `nothing` says why. */
  readonly sql: readonly string[];
  readonly nothing?: string;
  readonly leftOut?: readonly LeftOut[];
}

/** Reads and writes one object whose CREATE ... has been taken up to the word of its kind, which stands at the cursor. */
export type ObjectConverter = (cursor: Cursor, env: Environment) => Converted;

/** CREATE [OR REPLACE] [EDITIONABLE] ... up to the word that names the kind. */
export function skipCreate(cursor: Cursor): { readonly orReplace: boolean } {
  cursor.expect("CREATE");
  let orReplace = false;
  for (;;) {
    if (cursor.accept("OR", "REPLACE")) orReplace = true;
    else if (cursor.accept("IF", "NOT", "EXISTS")) continue;
    else if (cursor.accept("AND")) cursor.next();
    else if (cursor.accept("NO", "FORCE")) continue;
    else if (!cursor.acceptAny("EDITIONABLE", "NONEDITIONABLE", "FORCE", "NOFORCE", "EDITIONING")) return { orReplace };
  }
}

/** CREATE SCHEMA for an object that is written with its owner: Oracle's owners are schemas here. */
export function schemaStatements(name: readonly string[], env: Environment): string[] {
  const schema = name.length > 1 ? name.at(-2) : undefined;
  if (schema === undefined || env.catalog.schemas.has(schema)) return [];
  env.catalog.schemas.add(schema);
  return [`CREATE SCHEMA IF NOT EXISTS ${quoteName(schema)}`];
}

/**
 * The name and semicolon behind the END of a PL/SQL unit. What follows, where the script has no slash between, is left for the caller to
 * read as statements of their own.
 */
export function readUnitEnd(cursor: Cursor, what: string): void {
  if (cursor.atName() && (!cursor.peek().opensLine || cursor.atAhead(1, ";"))) cursor.names();
  const ended = cursor.accept(";");
  while (cursor.accept(";"));
  if (!cursor.done && !ended) cursor.fail(`expected the end of the ${what}`);
}

/** Steps over whatever is left of the unit; for clauses about storage, which PostgreSQL has no use for. */
export function skipRest(cursor: Cursor): void {
  while (!cursor.done) cursor.next();
}
