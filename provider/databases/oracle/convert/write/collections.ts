import { Unconvertible } from "../read/cursor.js";
import type { Argument } from "../read/expression.js";
import type { Environment } from "./environment.js";
import { BOOLEAN, INTEGER, TEXT } from "./types.js";
import { type Written, writeSql } from "./writeExpression.js";

const METHODS = new Set(["count", "first", "last", "next", "prior", "exists", "limit", "extend", "trim", "delete"]);

export function isCollectionMethod(name: string): boolean {
  return METHODS.has(name);
}

/** EXTEND, TRIM and DELETE change the collection; the others only look at it. */
export function changesCollection(name: string): boolean {
  return name === "extend" || name === "trim" || name === "delete";
}

/**
 * A collection's COUNT, FIRST, NEXT ... Collections are arrays: what DELETE(i) takes out of one, or what an index-by table never
 * had, is NULL in it, so elements are counted and stepped over by that. Tables indexed by a string are jsonb objects.
 */
export function writeCollectionMethod(
  collection: Written,
  method: { readonly name: string; readonly args: readonly Argument[] },
  env: Environment,
  line: number,
): Written {
  const value = collection.sql;
  const argument = method.args[0] ? writeSql(method.args[0].value, env) : undefined;
  const isMap = collection.type.family === "map";
  if (method.name === "exists") {
    if (argument === undefined) throw new Unconvertible("EXISTS without an index", line);
    if (isMap) return { sql: `coalesce(${value} ? (${argument})::text, false)`, type: BOOLEAN };
    return { sql: `(${bracket(value)}[${argument}] IS DISTINCT FROM NULL)`, type: BOOLEAN };
  }
  if (isMap) return writeMapMethod(value, method.name, argument, line);
  switch (method.name) {
    case "count":
      if (!collection.type.sparse) return { sql: `coalesce(cardinality(${value}), 0)`, type: INTEGER };
      return {
        sql: `(SELECT count(*) FROM generate_subscripts(${value}, 1) AS godwit_k WHERE ${bracket(value)}[godwit_k] IS DISTINCT FROM NULL)`,
        type: INTEGER,
      };
    case "first":
      return { sql: `array_lower(${value}, 1)`, type: INTEGER };
    case "last":
      return { sql: `array_upper(${value}, 1)`, type: INTEGER };
    case "next":
    case "prior": {
      const [aggregate, operator] = method.name === "next" ? ["min", ">"] : ["max", "<"];
      const rows = `generate_subscripts(${value}, 1) AS godwit_k WHERE godwit_k ${operator} ${argument ?? "NULL"}`;
      return {
        sql: `(SELECT ${aggregate}(godwit_k) FROM ${rows} AND ${bracket(value)}[godwit_k] IS DISTINCT FROM NULL)`,
        type: INTEGER,
      };
    }
    case "limit":
      return { sql: "NULL::integer", type: INTEGER };
    default:
      throw new Unconvertible(`${method.name.toUpperCase()} inside an expression`, line);
  }
}

function writeMapMethod(value: string, name: string, argument: string | undefined, line: number): Written {
  const keys = `jsonb_object_keys(${value}) AS godwit_k`;
  switch (name) {
    case "count":
      return { sql: `(SELECT count(*) FROM ${keys})`, type: INTEGER };
    case "first":
      return { sql: `(SELECT min(godwit_k COLLATE "C") FROM ${keys})`, type: TEXT };
    case "last":
      return { sql: `(SELECT max(godwit_k COLLATE "C") FROM ${keys})`, type: TEXT };
    case "next":
      return {
        sql: `(SELECT min(godwit_k COLLATE "C") FROM ${keys} WHERE godwit_k COLLATE "C" > (${argument ?? "NULL"})::text)`,
        type: TEXT,
      };
    case "prior":
      return {
        sql: `(SELECT max(godwit_k COLLATE "C") FROM ${keys} WHERE godwit_k COLLATE "C" < (${argument ?? "NULL"})::text)`,
        type: TEXT,
      };
    case "limit":
      return { sql: "NULL::integer", type: INTEGER };
    default:
      throw new Unconvertible(`${name.toUpperCase()} inside an expression`, line);
  }
}

/** The collection's value after EXTEND, TRIM or DELETE. */
export function writeCollectionChange(
  collection: Written,
  name: string,
  args: readonly string[],
  env: Environment,
  line: number,
): string {
  const value = collection.sql;
  const [first, second] = args;
  const empty = collection.type.family === "map" ? "'{}'::jsonb" : "'{}'";
  if (name === "delete" && first === undefined) return empty;
  if (collection.type.family === "map") {
    if (name !== "delete" || second !== undefined)
      throw new Unconvertible(`${name.toUpperCase()} of a range of string indexes`, line);
    return `${value} - (${first ?? ""})::text`;
  }
  if (name === "trim") return `trim_array(${value}, ${first === undefined ? "1" : `(${first})::integer`})`;
  if (name === "extend") {
    if (first === undefined) return `array_append(${value}, NULL)`;
    const element = second === undefined ? "NULL" : `${bracket(value)}[${second}]`;
    const filler = `SELECT ${bracket(value)}[godwit_k] FROM generate_subscripts(${value}, 1) AS godwit_k`;
    return `ARRAY(${filler} UNION ALL SELECT ${element} FROM generate_series(1, ${first}))`;
  }
  if (!collection.type.sparse)
    env.output.warn("DELETE of an element inside a nested table leaves its place, which COUNT goes on counting", line);
  return `${env.output.use("without")}(${value}, ${first ?? ""}, ${second ?? first ?? ""})`;
}

function bracket(value: string): string {
  return /^\w+$/.test(value) ? value : `(${value})`;
}
