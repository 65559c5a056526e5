import type { Client } from "pg";
import type { PgRelation } from "../../postgres/catalog/model.js";
import { type Draft, type SchemaContext, schemaStep, shown } from "../../postgres/schema/draft.js";
import type { SchemaDialect } from "../../postgres/schema/schemaDialect.js";
import type { SqlNames } from "../../postgres/schema/sqlNames.js";
import { type SqlToken, tokenize } from "../../postgres/schema/sqlTokens.js";
import type { PolardbCatalog } from "../catalog/objects.js";
import { blockLanguages } from "./languages.js";
import { noteTypes } from "./notes.js";
import { type ConvertType, toPostgresType } from "./types.js";

export interface PostgresSide {
  readonly languages: ReadonlySet<string>;
  /** Names of the functions of pg_catalog. */
  readonly functions: ReadonlySet<string>;
}

export async function readFunctionNames(client: Client): Promise<ReadonlySet<string>> {
  const { rows } = await client.query<{ name: string }>(
    "SELECT DISTINCT proname::text AS name FROM pg_catalog.pg_proc WHERE pronamespace = 'pg_catalog'::pg_catalog.regnamespace",
  );
  return new Set(rows.map(({ name }) => name));
}

/** The catalog without defaults that only PolarDB O can compute; what was left out is told in `notes`. */
export function withoutForeignDefaults(
  catalog: PolardbCatalog,
  target: PostgresSide,
): {
  readonly catalog: PolardbCatalog;
  readonly notes: readonly { readonly table: PgRelation; readonly column: string; readonly call: string }[];
} {
  const notes: { table: PgRelation; column: string; call: string }[] = [];
  const relations = catalog.relations.map((table) => ({
    ...table,
    columns: table.columns.map((column) => {
      const call = column.generated === "" ? foreignCall(column.expression ?? "", target) : undefined;
      if (call === undefined) return column;
      notes.push({ table, column: column.name, call });
      return { ...column, expression: undefined, expressionKey: undefined };
    }),
  }));
  return { catalog: { ...catalog, relations }, notes };
}

/** The schema phase of a PolarDB O source in PostgreSQL's SQL: what has no counterpart there stays behind, with the reason. */
export function forPostgres(catalog: PolardbCatalog, target: PostgresSide, dates: ConvertType): SchemaDialect {
  const convert: ConvertType = (type) => toPostgresType(type) ?? dates(type);
  return {
    type: (type) => convert(type) ?? type,
    sql: (names) => convertingNames(names, convert),
    adapt(context, drafts) {
      noteTypes(context, convert);
      noteMethods(context, catalog);
      const plain = blockLanguages(context, drafts, target.languages);
      return [...plain.map((draft) => blockForeignCalls(draft, target)), ...leftBehind(context, catalog, plain)];
    },
  };
}

/** Packages, synonyms and collections, as drafts that cannot be made: what needs them stays behind as well, and says why. */
function leftBehind(context: SchemaContext, catalog: PolardbCatalog, drafts: readonly Draft[]): Draft[] {
  const made = new Set(drafts.flatMap(({ provides }) => provides));
  const draft = (
    kind: "package" | "synonym" | "type",
    object: { readonly schema: string; readonly name: string },
    provides: readonly string[],
    blocked: string,
  ): Draft => ({
    id: `${kind}:${shown(context, object)}`,
    stage: "beforeRows",
    kind,
    name: shown(context, object),
    subject: { kind, schema: object.schema, name: object.name },
    provides,
    uses: [],
    requires: [schemaStep(context, object.schema)],
    sql: [],
    blocked,
  });
  return [
    ...catalog.packages.map((found) =>
      draft("package", found, found.members, "PostgreSQL has no packages; make its routines functions of a schema there"),
    ),
    ...catalog.synonyms.map((found) =>
      draft(
        "synonym",
        found,
        [],
        `PostgreSQL has no synonyms; make it a view of ${found.of.schema}.${found.of.name}, or use search_path`,
      ),
    ),
    ...catalog.sourcedTypes
      .filter(({ key }) => !made.has(key))
      .map((found) => draft("type", found, [found.key], "PostgreSQL has no collection types; use an array there")),
  ];
}

/** An object type's fields are a composite type; its methods are not. */
function noteMethods(context: SchemaContext, catalog: PolardbCatalog): void {
  for (const { schema, name, body } of catalog.sourcedTypes) {
    if (body === undefined || context.resolved.selection.pick({ kind: "type", schema, name }) !== "selected") continue;
    const reason = "its methods stay behind: PostgreSQL's composite types have none";
    context.skipped.push({ kind: "typeBody", name: shown(context, { schema, name }), reason });
  }
}

const HAS_EXPRESSIONS = /^(view|check|index|constraint|rule|trigger|default):/;

function blockForeignCalls(draft: Draft, target: PostgresSide): Draft {
  if (draft.blocked !== undefined || !HAS_EXPRESSIONS.test(draft.id)) return draft;
  const call = draft.sql.map((sql) => foreignCall(sql, target)).find((found) => found !== undefined);
  return call === undefined ? draft : { ...draft, blocked: `it calls ${call}, which PostgreSQL does not have` };
}

/**
 * The first function of PolarDB O's own that an expression calls: qualified with its system schema, or bare and unknown to the target. Under an empty
 * search_path a bare call in deparsed SQL is one of pg_catalog; its syntax-like functions are printed in capitals.
 */
export function foreignCall(sql: string, { functions }: PostgresSide): string | undefined {
  const tokens = tokenize(sql).filter(({ kind }) => kind !== "space");
  for (const [at, token] of tokens.entries()) {
    if (token.kind !== "identifier") continue;
    if (tokens[at - 1]?.text === ".") continue;
    if (token.value === "sys" && tokens[at + 1]?.text === ".") return `sys.${tokens[at + 2]?.value ?? ""}`;
    const isCall = token.bare && token.text === token.value && tokens[at + 1]?.text === "(";
    if (isCall && tokens[at - 1]?.text !== "::" && !functions.has(token.value) && !followsName(tokens[at - 1]))
      return token.value;
  }
  return undefined;
}

/**
 * `USING btree (..)`, `ON s.t (..)`, `varying(10)`, `FROM s.t x(a, b)`: a parenthesis after a name that is no call. Keywords stand in capitals, so
 * a name in small letters, or a closing parenthesis, is followed by an alias.
 */
function followsName(previous: SqlToken | undefined): boolean {
  if (previous === undefined) return false;
  if (["USING", "ON", "INDEX", "AS", ")"].includes(previous.text)) return true;
  return previous.kind === "identifier" && (!previous.bare || previous.text === previous.value);
}

/** Casts in deparsed SQL name types: `'x'::varchar2(10)`. */
function convertingNames(names: SqlNames, convert: ConvertType): SqlNames {
  const casts = (sql: string): string => convertCasts(sql, convert);
  return {
    definition: (sql) => casts(names.definition(sql)),
    onTable: (sql, table) => casts(names.onTable(sql, table)),
    foreignKey: names.foreignKey,
    query: (sql) => casts(names.query(sql)),
    routine: names.routine,
  };
}

const CAST = /::((?:"?(?:sys|pg_catalog)"?\.)?"?[a-z_0-9]+"?(?:\(\d+(?:,\s*\d+)?\))?(?:\[\])*)/g;

export function convertCasts(sql: string, convert: ConvertType): string {
  let after = "";
  const out: string[] = [];
  // Only outside of strings: a token of its own each.
  for (const token of tokenize(sql)) {
    if (token.kind === "string" || token.kind === "dollar") {
      out.push(replaceCasts(after, convert), token.text);
      after = "";
    } else after += token.text;
  }
  out.push(replaceCasts(after, convert));
  return out.join("");
}

function replaceCasts(sql: string, convert: ConvertType): string {
  return sql.replace(CAST, (whole, type: string) => {
    const converted = convert(type);
    return converted === undefined ? whole : `::${converted}`;
  });
}
