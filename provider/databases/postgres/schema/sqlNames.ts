import type { QualifiedName } from "../../../engine/models/catalog.js";
import { nameKey } from "../../../engine/selection.js";
import type { TargetNames } from "../../../engine/targetNames.js";
import type { PostgresCatalog } from "../catalog/model.js";
import { ident, literal, qualified } from "../sql.js";
import { FromClause } from "./fromClause.js";
import { type NameChain, readChain, rewriteTokens } from "./sqlChains.js";
import { type SqlToken, tokenize } from "./sqlTokens.js";

/**
 * Rewrites the server's deparsed SQL from source names to target names. Under an empty search_path all names in it are qualified, so a
 * pair `schema.name` that the catalog knows is a reference; an alias or a column is not.
 */
export interface SqlNames {
  /** DDL fragments and expressions over one relation: defaults, checks, index and trigger definitions, type names. */
  definition(sql: string): string;
  /** The same, with the relation's columns (unqualified there) renamed too. */
  onTable(sql: string, table: QualifiedName): string;
  /** A FOREIGN KEY constraint: columns of two tables. */
  foreignKey(sql: string, table: QualifiedName, referenced: QualifiedName): string;
  /**
   * A deparsed query: a view, a rule, an SQL-standard body. Renamed relations get an alias with their old name, renamed columns
   * a column alias list, so that nothing else of the query changes.
   */
  query(sql: string): string;
  /** CREATE FUNCTION or PROCEDURE. The body is text to the server: names are rewritten where they are qualified, others are left alone. */
  routine(definition: string, sqlBody: string | undefined): string;
}

/** `catalog` tells which names are references; `names` what they become. */
export function sqlNames(catalog: PostgresCatalog, names: TargetNames): SqlNames {
  if (!names.renames) {
    const same = (sql: string): string => sql;
    return { definition: same, onTable: same, foreignKey: same, query: same, routine: same };
  }
  const known = knownNames(catalog);
  const columnsOf = new Map(catalog.relations.map((relation) => [nameKey(relation), relation.columns.map(({ name }) => name)]));

  const reference = ([schema, name]: readonly string[]): QualifiedName | undefined => {
    if (schema === undefined || name === undefined || !known.has(nameKey({ schema, name }))) return undefined;
    return names.relation({ schema, name });
  };
  const replaceChain = (chain: NameChain, target: QualifiedName): string =>
    [qualified(target), ...chain.names.slice(2).map((name) => ident(name))].join(".");
  const string = (token: SqlToken, next: SqlToken | undefined, afterNext: SqlToken | undefined): string => {
    if (next?.text !== "::" || !/^reg(class|proc|procedure|type|oper|operator|collation)$/.test(afterNext?.value ?? ""))
      return token.text;
    return literal(definition(token.text.slice(1, -1).replaceAll("''", "'")));
  };
  const definition = (sql: string): string =>
    rewriteTokens(tokenize(sql), {
      chain: (chain) => {
        const target = reference(chain.names);
        return target && replaceChain(chain, target);
      },
      operatorSchema: (schema) => names.schema(schema),
      string,
    });
  const onTable = (sql: string, table: QualifiedName): string =>
    renameColumns(definition(sql), (column) => names.column(table, column));

  const query = (sql: string, body = false): string => {
    const from = new FromClause();
    return rewriteTokens(tokenize(sql), {
      see: (token, next) => from.see(token, next),
      chain: (chain) => {
        const [schema = "", name = ""] = chain.names;
        const target = reference(chain.names);
        const place = from.place(chain);
        from.consumed();
        if (!target) return undefined;
        // A routine's text may say schema.table.column or schema.table%ROWTYPE; the server's own output never does.
        if (place === "column" && !body) return undefined;
        const text = replaceChain(chain, target);
        const columns = columnsOf.get(nameKey({ schema, name }));
        if (place === "column" || place === "object" || !columns) return text;
        const differ = place === "from" && names.columnsDiffer({ schema, name });
        if (chain.alias === undefined) {
          if (!differ) return target.name === name ? text : `${text}${place === "target" ? " AS" : ""} ${ident(name)}`;
          return `${text} ${ident(name)}(${aliasList({ schema, name }, columns, names)})`;
        }
        return text;
      },
      alias: (chain, token) => {
        const [schema = "", name = ""] = chain.names;
        const columns = columnsOf.get(nameKey({ schema, name }));
        if (!from.lastWasFrom) return undefined;
        if (!columns || chain.aliasHasColumns || !names.columnsDiffer({ schema, name })) return token.text;
        return `${token.text}(${aliasList({ schema, name }, columns, names)})`;
      },
      operatorSchema: (schema) => names.schema(schema),
      string,
    });
  };
  return {
    definition,
    onTable,
    foreignKey(sql, table, referenced) {
      const tokens = tokenize(definition(sql));
      const at = tokens.findIndex((token) => token.bare && token.text === "REFERENCES");
      const close = tokens.findIndex((token, index) => index > at && token.text === ")");
      const text = (part: readonly SqlToken[]): string => part.map((token) => token.text).join("");
      return [
        renameColumns(text(tokens.slice(0, at)), (column) => names.column(table, column)),
        renameColumns(text(tokens.slice(at, close + 1)), (column) => names.column(referenced, column)),
        renameColumns(text(tokens.slice(close + 1)), (column) => names.column(table, column)),
      ].join("");
    },
    query: (sql) => query(sql),
    routine(sql, sqlBody) {
      const bodyAt = sqlBody === undefined ? -1 : sql.lastIndexOf(sqlBody);
      const header = bodyAt < 0 ? sql : sql.slice(0, bodyAt);
      const rewritten = searchPath(definition(header), names)
        .map((token) => {
          if (token.kind !== "dollar") return token.text;
          const tag = token.text.slice(0, token.text.indexOf("$", 1) + 1);
          return `${tag}${query(token.text.slice(tag.length, -tag.length), true)}${tag}`;
        })
        .join("");
      return bodyAt < 0 ? rewritten : `${rewritten}${query(sql.slice(bodyAt))}`;
    },
  };
}

/** A column alias list names the first columns in order; excluded ones are not on the target. */
function aliasList(relation: QualifiedName, columns: readonly string[], names: TargetNames): string {
  return columns
    .filter((column) => !names.excluded(relation, column))
    .map(ident)
    .join(", ");
}

/** `SET search_path TO 'app', 'public'` of a routine names schemas. */
function searchPath(sql: string, names: TargetNames): SqlToken[] {
  let within = false;
  return tokenize(sql).map((token) => {
    if (token.value === "search_path") within = true;
    else if (within && token.kind === "string")
      return { ...token, text: literal(names.schema(token.text.slice(1, -1).replaceAll("''", "'"))) };
    else if (within && token.kind === "identifier" && !token.bare) return { ...token, text: ident(names.schema(token.value)) };
    else if (within && token.kind === "space" && token.text.includes("\n")) within = false;
    return token;
  });
}

/**
 * Renames the unqualified column names of an expression or key. The server prints keywords in capitals and a name that needs no quotes in
 * small letters; a function is followed by a parenthesis, a type follows `::`, an operator class follows a name or a parenthesis.
 */
function renameColumns(sql: string, target: (column: string) => string): string {
  const tokens = tokenize(sql);
  const solid = tokens.map((token, index) => ({ token, index })).filter(({ token }) => token.kind !== "space");
  const texts = tokens.map((token) => token.text);
  let inOptions = false;
  solid.forEach(({ token, index }, position) => {
    const previous = solid[position - 1]?.token;
    const next = solid[position + 1]?.token;
    if (token.text === "WITH" && next?.text === "(") inOptions = true;
    if (token.text === ")") inOptions = false;
    if (token.kind !== "identifier" || inOptions) return;
    if (token.bare && token.text !== token.value) return;
    const afterName = previous?.kind === "identifier" && !(previous.bare && previous.text !== previous.value);
    if (afterName || previous?.text === ")" || previous?.text === "." || previous?.text === "::" || next?.text === ".") return;
    if (["COLLATE", "USING", "INDEX", "ON", "ONLY", "REFERENCES"].includes(previous?.text ?? "")) return;
    if (next?.text === "(" && token.bare) return;
    texts[index] = target(token.value) === token.value ? token.text : ident(target(token.value));
  });
  return texts.join("");
}

function knownNames(catalog: PostgresCatalog): ReadonlySet<string> {
  const known = new Set(
    catalog.objects
      .filter(({ kind, on }) => kind !== "operator" && (on === undefined || kind === "index" || kind === "statistics"))
      .map(nameKey),
  );
  for (const { schema, name } of catalog.relations) known.add(nameKey({ schema, name }));
  for (const type of catalog.types) {
    if (type.kind !== "range" || type.multirange === undefined) continue;
    const chain = readChain(tokenize(type.multirange), 0);
    known.add(nameKey({ schema: type.schema, name: chain?.names[0] ?? type.multirange }));
  }
  return known;
}
