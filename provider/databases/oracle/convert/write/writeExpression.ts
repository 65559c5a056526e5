import { Unconvertible } from "../read/cursor.js";
import type { Expression, ExpressionOf } from "../read/expression.js";
import { writeAccess } from "./access.js";
import { writeBinary } from "./arithmetic.js";
import { writeCall } from "./calls.js";
import { comparable, comparableWithQuery, spanOf, toMoment, toNumber, toText, unified } from "./coercion.js";
import { writeValidation } from "./conversionErrors.js";
import { type Environment, Scope } from "./environment.js";
import { bulkVariables } from "./forall.js";
import { writeName } from "./nameReference.js";
import { quoteName, quoteNames, quoteText } from "./names.js";
import { writeQuery } from "./queries.js";
import {
  BOOLEAN,
  castable,
  DATE,
  INTEGER,
  INTERVAL,
  mapType,
  NUMERIC,
  TEXT,
  TIMESTAMP,
  TIMESTAMPTZ,
  type Type,
  UNKNOWN,
} from "./types.js";

export interface Written {
  readonly sql: string;
  readonly type: Type;
}

/** Characters of one expression. */
const LONGEST = 1 << 20;

/** Writes an expression or condition in PostgreSQL's terms, with its type as far as it is known. */
export function writeExpression(expression: Expression, env: Environment): Written {
  const write = WRITERS[expression.kind] as (expression: Expression, env: Environment) => Written;
  const written = write(expression, env);
  // Some functions become expressions that hold their argument twice, which doubles with each one inside another.
  if (written.sql.length > LONGEST) throw new Unconvertible("an expression that becomes longer than a megabyte", expression.line);
  return written;
}

export function writeSql(expression: Expression, env: Environment): string {
  return writeExpression(expression, env).sql;
}

/** An operand that may stand beside any operator. */
export function writeOperand(expression: Expression, env: Environment): Written {
  const written = writeExpression(expression, env);
  return ATOMIC.has(expression.kind) || isAtomic(written.sql) ? written : { ...written, sql: `(${written.sql})` };
}

const ATOMIC = new Set(["name", "call", "paren", "cast", "case", "subquery", "list", "bind", "member", "quantified"]);

function isAtomic(sql: string): boolean {
  return /^([\w.]+|\(.*\)|'[^']*')$/.test(sql) && !/^\(.*\).*\(.*\)$/.test(sql);
}

type Writers = { [K in Expression["kind"]]: (expression: ExpressionOf<K>, env: Environment) => Written };

const WRITERS: Writers = {
  literal: writeLiteral,
  name: writeName,
  bind: (e, env) => writeAccess(e, env) ?? writeBind(e, env),
  inquiry: (e, env) => {
    const unit = env.object ?? env.home ?? env.unit?.name;
    if (e.name === "plsql_unit" && unit !== undefined) return { sql: quoteText(unit.toUpperCase()), type: TEXT };
    // An inquiry directive that nobody set is null.
    return { sql: e.name === "plsql_line" ? String(e.line) : "NULL", type: TEXT };
  },
  call: (e, env) => writeBulkAttribute(e, env) ?? writeCall(e, env),
  member: (e, env) => writeBulkAttribute(e, env) ?? writeAccess(e, env) ?? member(e, env),
  attribute: writeAttribute,
  unary: writeUnary,
  binary: writeBinary,
  paren: (e, env) => {
    const inner = writeExpression(e.inner, env);
    return { ...inner, sql: `(${inner.sql})` };
  },
  between: (e, env) => {
    const { value, others } = comparable(e.value, [e.low, e.high], false, env);
    const [low, high] = others;
    return { sql: `${value} ${e.negated ? "NOT " : ""}BETWEEN ${low} AND ${high}`, type: BOOLEAN };
  },
  in: (e, env) => {
    const not = e.negated ? "NOT " : "";
    if ("body" in e.items) {
      const query = writeQuery(e.items, env);
      const [column, ...others] = query.columns;
      const own = writeOperand(e.value, env);
      const value =
        column && others.length === 0 && e.value.kind !== "list" ? comparableWithQuery(own, column.type, env) : own.sql;
      return { sql: `${value} ${not}IN (${query.sql})`, type: BOOLEAN };
    }
    const { value, others } = comparable(e.value, e.items, true, env);
    return { sql: `${value} ${not}IN (${others.join(", ")})`, type: BOOLEAN };
  },
  like: (e, env) => {
    const value = writeOperand(e.value, env);
    const isText = value.type.family === "string" || value.type.family === "unknown";
    const text = isText ? toText(value, env).sql : `${value.sql}::text`;
    // Oracle's LIKE knows no escape character unless one is named; PostgreSQL's knows the backslash.
    const hasBackslash = e.pattern.kind !== "literal" || e.pattern.value.includes("\\");
    const escaping = e.escape ? ` ESCAPE ${writeSql(e.escape, env)}` : hasBackslash ? " ESCAPE ''" : "";
    return { sql: `${text} ${e.negated ? "NOT " : ""}LIKE ${writeOperand(e.pattern, env).sql}${escaping}`, type: BOOLEAN };
  },
  is: writeIs,
  case: writeCase,
  cast: (e, env) => {
    const type = mapType(e.type, env, "variable");
    if (e.value.kind === "star") return { sql: type.sql, type };
    const value = writeOperand(e.value, env);
    const target = castable(type);
    const cast = target ? `CAST(${castSource(value, type)} AS ${target})` : value.sql;
    if (!e.otherwise || !target) return { sql: cast, type };
    const valid = `${value.sql} IS NULL OR pg_input_is_valid((${value.sql})::text, ${quoteText(target)})`;
    return { sql: `CASE WHEN ${valid} THEN ${cast} ELSE CAST(${writeSql(e.otherwise, env)} AS ${target}) END`, type };
  },
  validation: writeValidation,
  multisetCast: (e, env) => {
    const type = mapType(e.type, env, "variable");
    const width = e.query.body.kind === "select" ? e.query.body.select.items.length : 2;
    const isStar = e.query.body.kind === "select" && e.query.body.select.items.some((item) => item.value.kind === "star");
    const query = writeQuery(e.query, env).sql;
    const target = castable(type) ?? type.sql;
    if (width === 1 && !isStar) return { sql: `CAST(ARRAY(${query}) AS ${target})`, type };
    // PostgreSQL has no cast from record[]; the text form of the rows is that of the target's elements.
    return { sql: `CAST(CAST(ARRAY(SELECT godwit_row FROM (${query}) AS godwit_row) AS text) AS ${target})`, type };
  },
  extract: (e, env) => {
    const written = spanOf(e.from, env) ?? writeOperand(e.from, env);
    const from = written.type.family === "interval" ? written : toMoment(written, env);
    return { sql: `EXTRACT(${e.field} FROM ${from.sql})`, type: NUMERIC };
  },
  trim: (e, env) => {
    const characters = e.characters ? ` ${writeSql(e.characters, env)}` : "";
    return { sql: `nullif(trim(${e.side}${characters} FROM ${toText(writeOperand(e.from, env), env).sql}), '')`, type: TEXT };
  },
  exists: (e, env) => ({ sql: `EXISTS (${writeQuery(e.query, env).sql})`, type: BOOLEAN }),
  subquery: (e, env) => {
    const query = writeQuery(e.query, env);
    return { sql: `(${query.sql})`, type: query.columns.length === 1 ? (query.columns[0]?.type ?? UNKNOWN) : UNKNOWN };
  },
  cursor: (e) => {
    throw new Unconvertible("a CURSOR expression: PostgreSQL has no nested cursors", e.line);
  },
  list: (e, env) => ({ sql: `(${e.items.map((item) => writeSql(item, env)).join(", ")})`, type: UNKNOWN }),
  star: (e) => ({ sql: e.of.length > 0 ? `${quoteNames(e.of)}.*` : "*", type: UNKNOWN }),
  multiset: writeMultiset,
  membership: (e, env) => {
    const [value, of] = [writeOperand(e.value, env).sql, writeOperand(e.of, env).sql];
    const test = e.submultiset ? `${value} <@ ${of}` : `${value} = ANY (${of})`;
    return { sql: e.negated ? `NOT (${test})` : test, type: BOOLEAN };
  },
  quantified: (e, env) => {
    if (!Array.isArray(e.items)) return { sql: `${e.quantifier} ${writeItems(e.items, env)}`, type: UNKNOWN };
    const items = (e.items as Expression[]).map((item) => writeSql(item, env)).join(", ");
    return { sql: `${e.quantifier} (ARRAY[${items}])`, type: UNKNOWN };
  },
  atZone: (e, env) => {
    const value = writeOperand(e.value, env);
    if (!e.zone) return { sql: `CAST(${value.sql} AS timestamptz)`, type: TIMESTAMPTZ };
    const type = value.type.family === "timestamptz" ? TIMESTAMP : TIMESTAMPTZ;
    return { sql: `(${value.sql} AT TIME ZONE ${writeOperand(e.zone, env).sql})`, type };
  },
};

/** Oracle rounds the text of a number to a whole one, and cuts a moment's fractions of a second off; PostgreSQL refuses, and rounds. */
function castSource({ sql, type }: Written, to: Type): string {
  if (to.family === "integer" && type.family === "string") return `CAST(${sql} AS numeric)`;
  const isFine = type.family === "timestamp" || type.family === "timestamptz";
  return to.family === "date" && isFine ? `date_trunc('second', ${sql})` : sql;
}

function writeItems(items: ExpressionOf<"in">["items"], env: Environment): string {
  if ("body" in items) return `(${writeQuery(items, env).sql})`;
  return `(${items.map((item) => writeSql(item, env)).join(", ")})`;
}

function writeLiteral(e: ExpressionOf<"literal">): Written {
  switch (e.type) {
    case "string":
      // Oracle's empty string is NULL, everywhere.
      return e.value === "" ? { sql: "NULL", type: UNKNOWN } : { sql: quoteText(e.value), type: TEXT };
    case "number":
      return { sql: e.value.replace(/^\./, "0."), type: /^\d+$/.test(e.value) ? INTEGER : NUMERIC };
    case "null":
      return { sql: "NULL", type: UNKNOWN };
    case "boolean":
      return { sql: e.value, type: BOOLEAN };
    case "date":
      return { sql: `timestamp(0) ${quoteText(e.value)}`, type: DATE };
    case "timestamp":
      return /[+-]\d\d?:\d\d$|[A-Za-z]/.test(e.value) && !/^\d+-\w+-\d+$/.test(e.value)
        ? { sql: `timestamptz ${quoteText(e.value)}`, type: TIMESTAMPTZ }
        : { sql: `timestamp ${quoteText(e.value)}`, type: TIMESTAMP };
    case "interval": {
      const [value = "", fields = ""] = e.value.split("|");
      return { sql: `interval ${quoteText(value)} ${fields}`.trim(), type: INTERVAL };
    }
  }
}

function writeBind(e: ExpressionOf<"bind">, env: Environment): Written {
  const bound = env.binds?.get(e.name);
  const entry = bound === undefined ? env.scope.find(e.name) : undefined;
  const sql = bound ?? (entry?.kind === "variable" ? entry.sql : undefined);
  if (sql === undefined) throw new Unconvertible(`the bind variable :${e.name}`, e.line);
  if (e.field === undefined) return { sql, type: UNKNOWN };
  const columns = env.scope.find(sql === "NEW" ? "new" : "old");
  const type = columns?.kind === "table" ? (columns.columns?.get(e.field) ?? UNKNOWN) : UNKNOWN;
  return { sql: `${sql}.${quoteName(e.field)}`, type };
}

function member(e: ExpressionOf<"member">, env: Environment): Written {
  const of = writeExpression(e.of, env);
  if (of.type.family === "cursor" || of.type.sql === "record") return { sql: `(${of.sql}).${quoteName(e.name)}`, type: UNKNOWN };
  return { sql: `(${of.sql}).${quoteName(e.name)}`, type: of.type.fields?.get(e.name) ?? UNKNOWN };
}

function writeAttribute(e: ExpressionOf<"attribute">, env: Environment): Written {
  const unit = env.unit;
  if (!unit) throw new Unconvertible(`%${e.name} outside PL/SQL`, e.line);
  if (e.of.kind === "name" && e.of.parts.join(".") === "sql") {
    unit.usesRowCount = true;
    const count = unit.hide("rows", "bigint");
    if (e.name === "ROWCOUNT") return { sql: count, type: INTEGER };
    if (e.name === "FOUND") return { sql: `(${count} > 0)`, type: BOOLEAN };
    if (e.name === "NOTFOUND") return { sql: `(${count} = 0)`, type: BOOLEAN };
    if (e.name === "ISOPEN") return { sql: "false", type: BOOLEAN };
    throw new Unconvertible(`SQL%${e.name}`, e.line);
  }
  const declared = e.of.kind === "name" ? env.scope.cursor(e.of.parts) : undefined;
  const cursor = declared ? quoteName(declared.sql) : writeSql(e.of, env);
  if (e.name === "ISOPEN") return { sql: `EXISTS (SELECT FROM pg_cursors WHERE name = ${cursor}::text)`, type: BOOLEAN };
  const name = cursorBase(e.of);
  if (e.name === "FOUND") return { sql: unit.hide(`found_${name}`, "boolean"), type: BOOLEAN };
  if (e.name === "NOTFOUND") return { sql: `NOT ${unit.hide(`found_${name}`, "boolean")}`, type: BOOLEAN };
  if (e.name === "ROWCOUNT") return { sql: unit.hide(`count_${name}`, "bigint"), type: INTEGER };
  throw new Unconvertible(`%${e.name}`, e.line);
}

/** SQL%BULK_ROWCOUNT(i), SQL%BULK_EXCEPTIONS.COUNT, SQL%BULK_EXCEPTIONS(i).ERROR_INDEX and .ERROR_CODE. */
function writeBulkAttribute(e: ExpressionOf<"call"> | ExpressionOf<"member">, env: Environment): Written | undefined {
  const of = e.kind === "call" ? e.callee : e.of;
  const name = sqlAttribute(of);
  const isElement = e.kind === "member" && of.kind === "call" && sqlAttribute(of.callee) === "BULK_EXCEPTIONS";
  if (!env.unit || (name !== "BULK_ROWCOUNT" && name !== "BULK_EXCEPTIONS" && !isElement)) return undefined;
  const [index] = e.kind === "call" ? e.args : of.kind === "call" ? of.args : [];
  const key = index ? writeSql(index.value, env) : "NULL";
  if (e.kind === "call") {
    if (name === "BULK_ROWCOUNT") return { sql: `${env.unit.hide("bulk_rows", "bigint[]")}[${key}]`, type: INTEGER };
    if (name === "BULK_EXCEPTIONS") throw new Unconvertible("an element of SQL%BULK_EXCEPTIONS as a whole", e.line);
    return undefined;
  }
  const { indexes, codes } = bulkVariables(env.unit);
  if (isElement && e.name === "error_index") return { sql: `${indexes}[${key}]`, type: INTEGER };
  if (isElement && e.name === "error_code") return { sql: `${codes}[${key}]`, type: INTEGER };
  if (!isElement && e.name === "count") return { sql: `coalesce(cardinality(${indexes}), 0)`, type: INTEGER };
  throw new Unconvertible(`SQL%BULK_EXCEPTIONS.${e.name.toUpperCase()}`, e.line);
}

function sqlAttribute(e: Expression): string | undefined {
  return e.kind === "attribute" && e.of.kind === "name" && e.of.parts.join(".") === "sql" ? e.name : undefined;
}

/** The part of hidden variables' names that tells one cursor's from another's. */
export function cursorBase(cursor: Expression): string {
  if (cursor.kind === "name") return cursor.parts.join("_");
  return cursor.kind === "bind" ? cursor.name : cursor.kind === "call" ? cursorBase(cursor.callee) : "cursor";
}

function writeUnary(e: ExpressionOf<"unary">, env: Environment): Written {
  if (e.operator === "PRIOR" || e.operator === "CONNECT_BY_ROOT") throw new Unconvertible(`${e.operator} at this place`, e.line);
  const operand = writeOperand(e.operand, env);
  if (e.operator === "NOT") return { sql: `NOT ${operand.sql}`, type: BOOLEAN };
  if (operand.type.family !== "interval") return signed(e.operator, toNumber(operand, env));
  return signed(e.operator, operand);
}

function signed(operator: string, operand: Written): Written {
  return { sql: `${operator}${operand.sql.startsWith(operator) ? " " : ""}${operand.sql}`, type: operand.type };
}

/** Functions that keep the '' which a column may hold here. */
const MAY_BE_EMPTY = new Set(["lower", "upper"]);

function writeIs(e: ExpressionOf<"is">, env: Environment): Written {
  const value = writeOperand(e.value, env);
  const not = e.negated ? " NOT" : "";
  switch (e.test) {
    case "NULL": {
      const name = e.value.kind === "call" && e.value.callee.kind === "name" ? e.value.callee.parts.join(".") : e.value.kind;
      // A composite value IS NULL in PostgreSQL when all its fields are, in Oracle only when it has no value at all.
      if (value.type.family === "record")
        return { sql: `${value.sql} IS${e.negated ? "" : " NOT"} DISTINCT FROM NULL`, type: BOOLEAN };
      const sql = MAY_BE_EMPTY.has(name) ? `nullif(${value.sql}, '')` : value.sql;
      return { sql: `${sql} IS${not} NULL`, type: BOOLEAN };
    }
    case "EMPTY":
      return {
        sql: `${value.type.family === "map" ? `${value.sql} ${e.negated ? "<>" : "="} '{}'` : `cardinality(${value.sql}) ${e.negated ? ">" : "="} 0`}`,
        type: BOOLEAN,
      };
    case "NAN":
      return { sql: `${value.sql} ${e.negated ? "<>" : "="} 'NaN'`, type: BOOLEAN };
    case "INFINITE":
      return { sql: `abs(${value.sql}) ${e.negated ? "<>" : "="} 'Infinity'`, type: BOOLEAN };
    case "TRUE":
    case "FALSE":
      return { sql: `${value.sql} IS${not} ${e.test}`, type: BOOLEAN };
    case "A SET":
      return {
        sql: `cardinality(${value.sql}) ${e.negated ? "<>" : "="} (SELECT count(DISTINCT godwit_e) FROM unnest(${value.sql}) AS godwit_e)`,
        type: BOOLEAN,
      };
    case "OF": {
      const types = (e.types ?? []).map((type) => quoteText(castable(mapType(type, env, "variable")) ?? ""));
      return { sql: `pg_typeof(${value.sql})::text${e.negated ? " NOT" : ""} IN (${types.join(", ")})`, type: BOOLEAN };
    }
    default:
      if (e.test.startsWith("JSON")) return { sql: `${value.sql} IS${not} ${e.test}`, type: BOOLEAN };
      throw new Unconvertible(`IS ${e.test}`, e.line);
  }
}

function writeCase(e: ExpressionOf<"case">, env: Environment): Written {
  const whens = e.branches.map(({ when }) => when);
  const tests = e.subject
    ? comparable(e.subject, whens, true, env)
    : { value: "", others: whens.map((when) => writeSql(when, env)) };
  const values = e.branches.map(({ value }) => writeExpression(value, env));
  const { sql: results, type } = unified(e.otherwise ? [...values, writeExpression(e.otherwise, env)] : values, env);
  const branches = whens.map((_, index) => ` WHEN ${tests.others[index] ?? ""} THEN ${results[index] ?? ""}`);
  const subject = e.subject ? ` ${tests.value}` : "";
  const otherwise = e.otherwise ? ` ELSE ${results.at(-1) ?? ""}` : "";
  return { sql: `CASE${subject}${branches.join("")}${otherwise} END`, type: type.family === "integer" ? NUMERIC : type };
}

function writeMultiset(e: ExpressionOf<"multiset">, env: Environment): Written {
  const left = writeOperand(e.left, env);
  const right = writeOperand(e.right, env);
  const type = left.type.family === "array" ? left.type : right.type;
  if (e.operator === "UNION") {
    const all = `${left.sql} || ${right.sql}`;
    return { sql: e.distinct ? `ARRAY(SELECT DISTINCT unnest(${all}))` : `(${all})`, type };
  }
  const all = e.distinct ? "" : " ALL";
  return { sql: `ARRAY(SELECT unnest(${left.sql}) ${e.operator}${all} SELECT unnest(${right.sql}))`, type };
}

/** A scope inside this one. */
export function inner(env: Environment): Environment {
  return { ...env, scope: new Scope(env.scope) };
}
