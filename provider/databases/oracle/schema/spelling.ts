import { ErrorCode, GodwitError } from "../../../engine/errors.js";
import type { QualifiedName } from "../../../engine/models/catalog.js";
import type { TargetNames } from "../../../engine/targetNames.js";
import { naturalName, oracleSpelling } from "../catalog/naturalName.js";
import { Lexer, type Token } from "../convert/read/lexer.js";
import { quoted } from "../sql.js";

/**
 * Renames happen in Oracle's text, before it is converted: the converter then writes the target's name because it read one that becomes it.
 */
export interface Spelling {
  /** Quoted, schema in front, spelled so that the converter makes the target's name of it. Errors: GW1304. */
  relation(source: QualifiedName): string;
  schema(source: string): string;
  column(table: QualifiedName, source: string): string;
  /** A name that only follows its schema: indexes, constraints. */
  plain(source: string): string;
  /** An expression over the columns of a table, with renamed ones by their new names. */
  expression(table: QualifiedName, text: string): string;
  /** Objects of the catalog, as SCHEMA.NAME, that an expression of this schema's names. */
  mentioned(schema: string, text: string): readonly string[];
  /** The text of a view or routine with schemas by their new names; `blocked` names what it mentions that has another name now. */
  code(text: string): { readonly text: string; readonly blocked: string | undefined };
}

export function createSpelling(names: TargetNames, renamed: Renamed): Spelling {
  const spell = (target: string, source: string): string => {
    const spelled = oracleSpelling(target);
    if (spelled !== undefined) return quoted(spelled);
    throw new GodwitError(ErrorCode.SelectionUnusable, `"${target}" can't be the name of an object that comes from Oracle`, {
      object: source,
      remedy: "use small letters, or capitals and small ones: a name all in capitals is Oracle's spelling of small ones",
    });
  };
  const schemas = new Map([...renamed.schemas].map((schema) => [schema, spell(names.schema(schema), schema)]));
  // Oracle's own schemas, and those of another database, are none of the catalog's.
  const schema = (source: string) => (renamed.isSchema(source) ? spell(names.schema(source), source) : quoted(source));
  return {
    schema,
    relation(source) {
      const target = names.relation(source);
      // What is no table follows its schema only, and keeps its own spelling.
      const name = renamed.isTable(source) ? spell(target.name, source.name) : quoted(source.name);
      return `${schema(source.schema)}.${name}`;
    },
    column: (table, source) => spell(names.column(table, source), source),
    plain: (source) => quoted(source),
    expression(table, text) {
      return replaceNames(text, (name, next) => {
        if (next === "." && schemas.has(name)) return schemas.get(name);
        const target = names.column(table, name);
        return target === naturalName(name) || target === name ? undefined : spell(target, name);
      });
    },
    mentioned(schema, text) {
      const found = new Set<string>();
      let before = "";
      replaceNames(text, (name, next) => {
        for (const key of [`${schema}.${name}`, `${before}.${name}`]) if (renamed.isObject(key)) found.add(key);
        before = next === "." ? name : "";
        return undefined;
      });
      return [...found];
    },
    code(text) {
      let blocked: string | undefined;
      const replaced = replaceNames(text, (name, next) => {
        if (renamed.names.has(name)) blocked ??= name;
        return next === "." ? schemas.get(name) : undefined;
      });
      return { text: replaced, blocked };
    },
  };
}

/** Names of the source that are something else on the target. */
export interface Renamed {
  readonly schemas: ReadonlySet<string>;
  /** Of tables and columns. */
  readonly names: ReadonlySet<string>;
  isTable(name: QualifiedName): boolean;
  isSchema(name: string): boolean;
  /** Of any kind, as SCHEMA.NAME. */
  isObject(name: string): boolean;
}

/** Replaces identifiers; strings and comments stay. Text that can't be read is left as it is: the converter will say why. */
function replaceNames(text: string, replacement: (name: string, next: string) => string | undefined): string {
  const tokens: Token[] = [];
  try {
    const lexer = new Lexer(text);
    for (let token = lexer.next(); token.kind !== "end"; token = lexer.next()) tokens.push(token);
  } catch {
    return text;
  }
  let written = "";
  let from = 0;
  tokens.forEach((token, index) => {
    if (token.kind !== "word" && token.kind !== "quoted") return;
    const name = token.kind === "word" ? token.text : token.value;
    const replaced = replacement(name, tokens[index + 1]?.text ?? "");
    if (replaced === undefined) return;
    written += text.slice(from, token.start) + replaced;
    from = token.end;
  });
  return written + text.slice(from);
}
