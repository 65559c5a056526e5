import type { DataType } from "../read/dataType.js";
import type { TypeDefinition } from "../read/plsql.js";
import { cursorRowType } from "./cursorRows.js";
import type { Environment } from "./environment.js";
import { dollarQuote, fitName, quoteName, quoteNames, quoteText } from "./names.js";
import { arrayOf, CURSOR, castable, mapType, type Type } from "./types.js";
import { writeSql } from "./writeExpression.js";

/**
 * Makes a record, collection or subtype known, with the statements that create what PostgreSQL needs for it. `owner` is the
 * package (its schema) and the routine whose declarations it stands in, either of which may be missing.
 */
export function declareType(
  name: string,
  definition: TypeDefinition,
  owner: readonly (string | undefined)[],
  env: Environment,
  line: number,
): Type {
  const [home, unit] = owner;
  const full = [...(home === undefined ? [] : [home]), fitName(unit === undefined ? name : `${unit}_${name}`)];
  const sql = quoteNames(full);
  // Only a package's or schema's own types can be named from elsewhere; the others need no object where an array says it all.
  const shared = unit === undefined;
  switch (definition.kind) {
    case "record": {
      const fields = new Map<string, Type>();
      const defaults = new Map<string, string>();
      for (const field of definition.fields) {
        fields.set(field.name, rowOrType(field.type, env));
        if (field.default) defaults.set(field.name, writeSql(field.default, env));
      }
      createComposite(sql, fields, env);
      return { sql, family: "record", fields, ...(defaults.size > 0 ? { defaults } : {}) };
    }
    case "table":
    case "varray": {
      const element = elementType(definition.element, env);
      if (definition.kind === "table" && definition.index && isText(definition.index, env)) {
        if (shared) env.output.before.push(`CREATE DOMAIN ${sql} AS jsonb`);
        return { sql: shared ? sql : "jsonb", family: "map", element };
      }
      const limit = definition.kind === "varray" ? definition.limit : undefined;
      const sparse = definition.kind === "table" && definition.index !== undefined;
      const array: Type = { sql, family: "array", element, ...(sparse ? { sparse } : {}) };
      if (!shared && castable(element)) return { ...array, sql: arrayOf(element) };
      createDomain(sql, element, "[]", limit === undefined ? "" : ` CHECK (cardinality(VALUE) <= ${limit})`, env);
      return array;
    }
    case "cursor":
      if (shared) env.output.before.push(`CREATE DOMAIN ${sql} AS refcursor`);
      return CURSOR;
    case "subtype": {
      const base = mapType(definition.base, env, "variable");
      if (!shared || base.sql === "record") return base;
      const [low, high] = definition.range ? definition.range.map((bound) => writeSql(bound, env)) : [];
      createDomain(sql, base, "", low === undefined ? "" : ` CHECK (VALUE BETWEEN ${low} AND ${high})`, env);
      return { ...base, sql };
    }
    default:
      env.output.warn(`the type ${name} was left out`, line);
      return { sql, family: "unknown" };
  }
}

function elementType(element: DataType, env: Environment): Type {
  const type = rowOrType(element, env);
  return type.sql === "refcursor" ? CURSOR : type;
}

/** A cursor's rows have no type in PostgreSQL, which an element or field must have. */
function rowOrType(type: DataType, env: Environment): Type {
  const cursor = type.anchor === "ROWTYPE" ? env.scope.cursor(type.name) : undefined;
  return cursor ? cursorRowType(type.name.at(-1) ?? "", cursor, env) : mapType(type, env, "column");
}

function isText(index: DataType, env: Environment): boolean {
  const family = mapType(index, env, "variable").family;
  return family === "string" || (family === "unknown" && index.anchor !== undefined);
}

/** CREATE TYPE ... AS (fields). */
export function createComposite(sql: string, fields: ReadonlyMap<string, Type>, env: Environment): void {
  createWith(
    `CREATE TYPE ${sql} AS (`,
    [...fields].map(([name, type]) => [quoteName(name), type, ""]),
    ")",
    env,
  );
}

function createDomain(sql: string, base: Type, suffix: string, check: string, env: Environment): void {
  createWith(`CREATE DOMAIN ${sql} AS `, [["", base, suffix]], check, env);
}

/**
 * A statement over types. %TYPE is not allowed in CREATE TYPE and CREATE DOMAIN, so where the column is in no statement
 * of this file the type is read from the target when the statement runs, and a missing table is an error as in Oracle.
 */
function createWith(head: string, parts: readonly (readonly [string, Type, string])[], tail: string, env: Environment): void {
  const anchors = parts.filter(([, type]) => !castable(type));
  const text = (name: string, type: string, suffix: string) => `${name}${name === "" ? "" : " "}${type}${suffix}`;
  if (anchors.length === 0) {
    env.output.before.push(
      `${head}${parts.map(([name, type, suffix]) => text(name, castable(type) ?? type.sql, suffix)).join(", ")}${tail}`,
    );
    return;
  }
  const variables = anchors.map(([, type], index) => `  godwit_${index + 1} ${type.sql};`);
  const pattern = `${head}${parts.map(([name, type, suffix]) => text(name.replaceAll("%", "%%"), castable(type) ?? "%s", suffix)).join(", ")}${tail}`;
  const values = anchors.map((_, index) => `pg_typeof(godwit_${index + 1})`).join(", ");
  env.output.before.push(
    `DO ${dollarQuote(["DECLARE", ...variables, "BEGIN", `  EXECUTE format(${quoteText(pattern)}, ${values});`, "END"].join("\n"))}`,
  );
}
