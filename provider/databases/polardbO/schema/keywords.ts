import type { Client } from "pg";
import type { SqlNames } from "../../postgres/schema/sqlNames.js";
import { tokenize } from "../../postgres/schema/sqlTokens.js";
import { ident } from "../../postgres/sql.js";

/**
 * Words that a server does not take as the name of a table or a column without quotes: reserved ones, and those for functions and types only. It is
 * asked: PolarDB O reserves LEVEL, MINUS, PRIOR, ROWNUM and more ("Keywords"), and which depends on the release.
 */
export async function readKeywords(client: Client): Promise<ReadonlySet<string>> {
  const { rows } = await client.query<{ word: string }>(
    "SELECT word::text FROM pg_catalog.pg_get_keywords() WHERE catcode IN ('R', 'T')",
  );
  return new Set(rows.map(({ word }) => word));
}

/** In small letters in deparsed SQL these are parts of a type's name: timestamp with time zone, interval day to second. */
const IN_TYPE_NAMES: ReadonlySet<string> = new Set(["with", "without", "to", "time", "zone", "precision", "varying", "local"]);

/**
 * Quotes names that the source left bare. A PostgreSQL source prints its own keywords in capitals and quotes names that it reserves itself, so a word
 * in small letters that the target reserves is a name that only the target would misread.
 */
export function quoteKeywords(sql: string, keywords: ReadonlySet<string>): string {
  const tokens = tokenize(sql);
  return tokens
    .map((token, at) => {
      if (token.kind !== "identifier" || !token.bare || token.text !== token.value) return token.text;
      if (!keywords.has(token.text) || IN_TYPE_NAMES.has(token.text) || tokens[at - 1]?.text === "::") return token.text;
      return ident(token.text);
    })
    .join("");
}

/** The same for all deparsed SQL of a plan. The bodies of routines are text of their own language, and stay as they are. */
export function quotingNames(names: SqlNames, keywords: ReadonlySet<string>): SqlNames {
  const quote = (sql: string): string => quoteKeywords(sql, keywords);
  return {
    definition: (sql) => quote(names.definition(sql)),
    onTable: (sql, table) => quote(names.onTable(sql, table)),
    foreignKey: (sql, table, referenced) => quote(names.foreignKey(sql, table, referenced)),
    query: (sql) => quote(names.query(sql)),
    routine: (definition, sqlBody) => quote(names.routine(definition, sqlBody)),
  };
}
