import { Unconvertible } from "../read/cursor.js";
import type { Expression, ExpressionOf } from "../read/expression.js";
import { modulo } from "./arithmetic.js";
import { comparable, operand, toNumber, toText, unified } from "./coercion.js";
import { writeContext } from "./contextFunctions.js";
import { DATE_FUNCTIONS } from "./dateFunctions.js";
import type { Environment } from "./environment.js";
import { extreme } from "./extremes.js";
import { bulkVariables } from "./forall.js";
import { quoteText } from "./names.js";
import { numberText } from "./numberText.js";
import { writeFlags, writeRegexp, writeReplacement } from "./regexpFunctions.js";
import { BOOLEAN, BYTES, INTEGER, isMoment, isNumeric, NUMERIC, TEXT, type Type, UNKNOWN } from "./types.js";
import { type Written, writeExpression, writeOperand, writeSql } from "./writeExpression.js";

export type FunctionWriter = (args: readonly Expression[], env: Environment, e: ExpressionOf<"call">) => Written | undefined;

/** Calls f(arguments) under another name, or the same one where only the result's type is of interest. */
export function renamed(name: string, type: Type): FunctionWriter {
  return (args, env) => ({ sql: `${name}(${args.map((arg) => writeSql(arg, env)).join(", ")})`, type });
}

/** The first argument as text: PostgreSQL's string functions take no numbers. */
function textCall(name: string, type: Type = TEXT): FunctionWriter {
  return (args, env) => {
    const [first, ...rest] = args;
    if (!first) return undefined;
    return { sql: `${name}(${[asText(first, env), ...rest.map((arg) => writeSql(arg, env))].join(", ")})`, type };
  };
}

/** What is left of a text may be nothing, which is NULL in Oracle and '' here. */
function mayBeEmpty(write: FunctionWriter): FunctionWriter {
  return (args, env, e) => {
    const written = write(args, env, e);
    return written && { ...written, sql: `nullif(${written.sql}, '')` };
  };
}

export function asText(expression: Expression, env: Environment): string {
  const value = writeExpression(expression, env);
  if (value.type.family === "number") return numberText(value.sql, env);
  if (value.type.family === "unknown") return toText(value, env).sql;
  const needsCast = isNumeric(value.type) || isMoment(value.type) || value.type.family === "boolean";
  return needsCast ? `${operand(value.sql)}::text` : value.sql;
}

function ofNumbers(name: string): FunctionWriter {
  return (args, env) => {
    const numbers = args.map((arg) => toNumber(writeOperand(arg, env), env));
    return { sql: `${name}(${numbers.map(({ sql }) => sql).join(", ")})`, type: NUMERIC };
  };
}

function isLiteral(expression: Expression | undefined, type: "string" | "number"): expression is ExpressionOf<"literal"> {
  return expression?.kind === "literal" && expression.type === type;
}

/** Oracle's single-row functions that PostgreSQL has not, or has under another name or with other arguments. */
export const FUNCTIONS: Readonly<Record<string, FunctionWriter>> = {
  ...DATE_FUNCTIONS,
  nvl: (args, env) => {
    const { sql, type } = unified(
      args.map((arg) => writeExpression(arg, env)),
      env,
    );
    return { sql: `coalesce(${sql.join(", ")})`, type };
  },
  coalesce: (args, env) => {
    const { sql, type } = unified(
      args.map((arg) => writeExpression(arg, env)),
      env,
    );
    return { sql: `coalesce(${sql.join(", ")})`, type };
  },
  nvl2: ([value, some, none], env) => {
    if (!value || !some || !none) return undefined;
    const { sql, type } = unified([writeExpression(some, env), writeExpression(none, env)], env);
    return { sql: `CASE WHEN ${writeOperand(value, env).sql} IS NOT NULL THEN ${sql[0]} ELSE ${sql[1]} END`, type };
  },
  decode: writeDecode,
  nullif: ([value, other], env) => {
    if (!value || !other) return undefined;
    const sides = comparable(value, [other], true, env);
    return { sql: `nullif(${sides.value}, ${sides.others[0] ?? "NULL"})`, type: sides.type };
  },
  lnnvl: ([condition], env) => condition && { sql: `((${writeSql(condition, env)}) IS NOT TRUE)`, type: BOOLEAN },
  to_number: ([value, format], env) => {
    if (!value) return undefined;
    if (!format) return { sql: `CAST(${writeSql(value, env)} AS numeric)`, type: NUMERIC };
    if (isLiteral(format, "string") && /^(fm)?0*x+$/i.test(format.value))
      return { sql: `(('x' || lpad(trim(${asText(value, env)}), 16, '0'))::bit(64)::bigint::numeric)`, type: NUMERIC };
    return { sql: `to_number(${asText(value, env)}, ${writeSql(format, env)})`, type: NUMERIC };
  },
  to_binary_double: ([value], env) =>
    value && { sql: `CAST(${writeSql(value, env)} AS double precision)`, type: { sql: "double precision", family: "float" } },
  to_binary_float: ([value], env) =>
    value && { sql: `CAST(${writeSql(value, env)} AS real)`, type: { sql: "real", family: "float" } },
  to_clob: asClob,
  to_nclob: asClob,
  to_nchar: asClob,
  to_lob: asClob,
  to_multi_byte: asClob,
  to_single_byte: asClob,
  xmltype: ([value], env) => value && { sql: `CAST(${writeSql(value, env)} AS xml)`, type: { sql: "xml", family: "xml" } },
  to_blob: ([value], env) => value && { sql: writeSql(value, env), type: BYTES },
  length: textCall("length", INTEGER),
  lengthb: textCall("octet_length", INTEGER),
  lengthc: textCall("length", INTEGER),
  vsize: textCall("octet_length", INTEGER),
  upper: textCall("upper"),
  lower: textCall("lower"),
  initcap: textCall("initcap"),
  nls_upper: ([value], env) => value && { sql: `upper(${asText(value, env)})`, type: TEXT },
  nls_lower: ([value], env) => value && { sql: `lower(${asText(value, env)})`, type: TEXT },
  nls_initcap: ([value], env) => value && { sql: `initcap(${asText(value, env)})`, type: TEXT },
  lpad: padded("lpad"),
  rpad: padded("rpad"),
  ltrim: mayBeEmpty(textCall("ltrim")),
  rtrim: mayBeEmpty(textCall("rtrim")),
  concat: (args, env) => ({ sql: `concat(${args.map((arg) => writeSql(arg, env)).join(", ")})`, type: TEXT }),
  replace: mayBeEmpty(([value, from, to], env) => {
    if (!value || !from) return undefined;
    const by = to ? writeSql(to, env) : "NULL";
    const wanted = writeSql(from, env);
    // To look for nothing changes nothing.
    const what = wanted === "NULL" ? "''" : from.kind === "literal" ? wanted : `coalesce(${wanted}, '')`;
    return {
      sql: `replace(${asText(value, env)}, ${what}, ${by === "NULL" ? "''" : isLiteral(to, "string") ? by : `coalesce(${by}, '')`})`,
      type: TEXT,
    };
  }),
  translate: mayBeEmpty(([value, from, to], env, e) => {
    if (e.args[0]?.name === "\uE000using" && value) return { sql: writeSql(value, env), type: TEXT };
    if (!value || !from || !to) return undefined;
    return { sql: `translate(${asText(value, env)}, ${writeSql(from, env)}, ${writeSql(to, env)})`, type: TEXT };
  }),
  substr: writeSubstring,
  substrb: writeSubstring,
  substrc: writeSubstring,
  instr: writeInstr,
  instrb: writeInstr,
  instrc: writeInstr,
  chr: ([code], env) => code && { sql: `chr(${writeSql(code, env)}::integer)`, type: TEXT },
  nchr: ([code], env) => code && { sql: `chr(${writeSql(code, env)}::integer)`, type: TEXT },
  unistr: ([value]) => {
    if (!isLiteral(value, "string")) return undefined;
    return {
      sql: quoteText(
        value.value.replace(/\\([0-9A-Fa-f]{4})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16))),
      ),
      type: TEXT,
    };
  },
  asciistr: ([value], env, e) => {
    env.output.warn("ASCIISTR keeps letters that are not in ASCII as they are", e.line);
    return value && { sql: writeSql(value, env), type: TEXT };
  },
  ascii: textCall("ascii", INTEGER),
  soundex: ([value], env) => value && { sql: `${env.output.use("soundex")}(${asText(value, env)})`, type: TEXT },
  regexp_like: ([value, pattern, flags], env) => {
    if (!value || !pattern) return undefined;
    return {
      sql: `regexp_like(${[asText(value, env), writeSql(pattern, env), ...writeFlags(flags, env)].join(", ")})`,
      type: BOOLEAN,
    };
  },
  regexp_replace: mayBeEmpty(([value, pattern, to, start, occurrence, flags], env) => {
    if (!value || !pattern) return undefined;
    const by = to ? writeReplacement(to, env) : "''";
    // Without an occurrence Oracle replaces all, PostgreSQL the first.
    const place = [
      start ? `${writeOperand(start, env).sql}::integer` : "1",
      occurrence ? `${writeOperand(occurrence, env).sql}::integer` : "0",
    ];
    return {
      sql: `regexp_replace(${[asText(value, env), writeSql(pattern, env), by, ...place, ...writeFlags(flags, env)].join(", ")})`,
      type: TEXT,
    };
  }),
  regexp_substr: mayBeEmpty((args, env) => writeRegexp("regexp_substr", args, [2, 3, 5], 4, TEXT, env)),
  regexp_instr: (args, env) => writeRegexp("regexp_instr", args, [2, 3, 4, 6], 5, INTEGER, env),
  regexp_count: (args, env) => writeRegexp("regexp_count", args, [2], 3, INTEGER, env),
  mod: ([a, b], env) => a && b && { sql: modulo(numeric(a, env), numeric(b, env)), type: NUMERIC },
  remainder: ([a, b], env) => {
    if (!a || !b) return undefined;
    const [value, by] = [numeric(a, env), numeric(b, env)];
    return { sql: `(${value} - ${by} * round(${value}::numeric / ${by}))`, type: NUMERIC };
  },
  power: ofNumbers("power"),
  sqrt: ofNumbers("sqrt"),
  abs: ofNumbers("abs"),
  ceil: ofNumbers("ceil"),
  floor: ofNumbers("floor"),
  sign: ofNumbers("sign"),
  log: ([base, value], env) => base && value && { sql: `log(${numeric(base, env)}, ${numeric(value, env)})`, type: NUMERIC },
  bitand: ([a, b], env) =>
    a &&
    b && {
      sql: `${env.output.use("bitand")}(${[a, b].map((each) => toNumber(writeOperand(each, env), env).sql).join(", ")})`,
      type: NUMERIC,
    },
  greatest: extreme("greatest"),
  least: extreme("least"),
  nanvl: ([value, other], env) =>
    value && other && { sql: `coalesce(nullif(${writeSql(value, env)}, 'NaN'), ${writeSql(other, env)})`, type: NUMERIC },
  ora_hash: ([value, last], env, e) => {
    if (!value) return undefined;
    env.output.warn("ORA_HASH gives other numbers than in Oracle: only what is compared with itself stays as it was", e.line);
    const hash = `(hashtext(${asText(value, env)})::bigint & 4294967295)`;
    return { sql: last ? `(${hash} % (${writeSql(last, env)} + 1))` : hash, type: INTEGER };
  },
  sys_guid: () => ({ sql: "uuid_send(gen_random_uuid())", type: BYTES }),
  hextoraw: ([value], env) => value && { sql: `decode(${writeSql(value, env)}, 'hex')`, type: BYTES },
  rawtohex: ([value], env) => value && { sql: `upper(encode(${writeSql(value, env)}, 'hex'))`, type: TEXT },
  rawtonhex: ([value], env) => value && { sql: `upper(encode(${writeSql(value, env)}, 'hex'))`, type: TEXT },
  standard_hash: ([value, algorithm], env, e) => {
    if (!value) return undefined;
    const name = algorithm === undefined ? "SHA1" : isLiteral(algorithm, "string") ? algorithm.value.toUpperCase() : undefined;
    const bytes = `convert_to(${asText(value, env)}, 'UTF8')`;
    if (name === "MD5") return { sql: `decode(md5(${bytes}), 'hex')`, type: BYTES };
    if (name === "SHA256" || name === "SHA384" || name === "SHA512")
      return { sql: `${name.toLowerCase()}(${bytes})`, type: BYTES };
    return refuse(
      `STANDARD_HASH by ${name ?? "an algorithm that is known at run time only"}: PostgreSQL has it in pgcrypto only`,
      e,
    );
  },
  // Of the sort orders only those by the characters' codes are the same in both databases.
  nlssort: ([value, order], env) => {
    if (!value) return undefined;
    const [, kind = ""] = (order?.kind === "literal" && /^\s*nls_sort\s*=\s*(binary|binary_ci)\s*$/i.exec(order.value)) || [];
    if (kind === "") throw new Unconvertible("NLSSORT in another order than BINARY", value.line);
    const text = asText(value, env);
    return { sql: `convert_to(${kind.toLowerCase() === "binary" ? text : `lower(${text})`}, 'UTF8')`, type: BYTES };
  },
  rowidtochar: ([value], env) => value && { sql: `${writeOperand(value, env).sql}::text`, type: TEXT },
  chartorowid: ([value], env) => value && { sql: `${writeOperand(value, env).sql}::tid`, type: UNKNOWN },
  empty_clob: () => ({ sql: "''", type: TEXT }),
  empty_blob: () => ({ sql: "''::bytea", type: BYTES }),
  userenv: ([key], env) => key && writeContext("userenv", key, env),
  sys_context: ([space, key], env) => {
    if (!space || !key) return undefined;
    if (isLiteral(space, "string")) return writeContext(space.value.toLowerCase(), key, env);
    return { sql: `nullif(current_setting(concat(${writeSql(space, env)}, '.', ${writeSql(key, env)}), true), '')`, type: TEXT };
  },
  // A conversion between character sets, which Oracle writes into the DDL of indexes.
  sys_op_c2c: ([value], env) => value && writeExpression(value, env),
  cardinality: renamed("cardinality", INTEGER),
  set: ([value], env) => value && { sql: `ARRAY(SELECT DISTINCT unnest(${writeSql(value, env)}))`, type: UNKNOWN },
  updating: ([column], env) => {
    if (env.unit?.kind !== "trigger" || !isLiteral(column, "string")) return undefined;
    const name = column.value.toLowerCase().replace(/[^\p{L}\p{N}_$]/gu, "");
    // PostgreSQL does not tell a trigger which columns the statement names, only which values changed.
    return { sql: `(TG_OP = 'UPDATE' AND NEW.${name} IS DISTINCT FROM OLD.${name})`, type: BOOLEAN };
  },
  sqlerrm: ([code], env) =>
    (code && bulkMessage(code, env)) ??
    (code && !(env.unit && env.unit.handlers > 0)
      ? { sql: `concat('ORA', ${writeSql(code, env)})`, type: TEXT }
      : { sql: `${env.output.use("sqlerrm")}(SQLSTATE, SQLERRM)`, type: TEXT }),
  value: ([alias], env) => alias && { sql: writeSql(alias, env), type: UNKNOWN },
  ref: (_, __, e) => refuse("REF", e),
  deref: (_, __, e) => refuse("DEREF: PostgreSQL has no references to rows", e),
  make_ref: ([view, ...keys], env, e) => {
    if (!view || keys.length === 0) return undefined;
    env.output.warn("MAKE_REF became the text of the key: PostgreSQL has no references to rows", e.line);
    return { sql: `concat_ws(', ', ${keys.map((key) => writeSql(key, env)).join(", ")})`, type: TEXT };
  },
  sys_dburigen: (_, __, e) => refuse("SYS_DBURIGEN", e),
  extractvalue: ([document, path], env) => {
    if (!document || !path) return undefined;
    const at =
      isLiteral(path, "string") && !/(text\(\)|@[\w:-]+)$/.test(path.value)
        ? quoteText(`${path.value}/text()`)
        : writeSql(path, env);
    return { sql: `(xpath(${at}, ${writeSql(document, env)}))[1]::text`, type: TEXT };
  },
  existsnode: ([document, path], env) =>
    document && path && { sql: `(xpath_exists(${writeSql(path, env)}, ${writeSql(document, env)}))::integer`, type: INTEGER },
  dump: (_, __, e) => refuse("DUMP: how Oracle stores a value", e),
  nls_charset_id: () => ({ sql: "pg_char_to_encoding(getdatabaseencoding())", type: INTEGER }),
};

/** LPAD and RPAD: the length of NUMBER variables is no integer to PostgreSQL. */
function padded(name: string): FunctionWriter {
  return ([value, size, filler], env) => {
    if (!value || !size) return undefined;
    const length = writeOperand(size, env);
    const args = [asText(value, env), length.type.family === "integer" ? length.sql : `${length.sql}::integer`];
    const sql = `${name}(${[...args, ...(filler ? [writeSql(filler, env)] : [])].join(", ")})`;
    return { sql: isLiteral(size, "number") && Number(size.value) >= 1 ? sql : `nullif(${sql}, '')`, type: TEXT };
  };
}

function refuse(reason: string, e: ExpressionOf<"call">): never {
  throw new Unconvertible(reason, e.line);
}

function asClob([value]: readonly Expression[], env: Environment): Written | undefined {
  return value && { sql: `${writeOperand(value, env).sql}::text`, type: TEXT };
}

function numeric(expression: Expression, env: Environment): string {
  const value = writeOperand(expression, env);
  return value.type.family === "integer" || value.type.family === "number" ? value.sql : `${value.sql}::numeric`;
}

/** DECODE takes two NULLs for equal; a constant other than NULL needs no such care. */
function writeDecode(args: readonly Expression[], env: Environment): Written | undefined {
  const [subject, ...rest] = args;
  if (!subject || rest.length < 2) return undefined;
  const pairs = Math.floor(rest.length / 2);
  const wanted = rest.filter((_, index) => index % 2 === 0 && index < 2 * pairs);
  const sides = comparable(subject, wanted, true, env);
  const otherwise = rest.length % 2 === 1 ? rest.at(-1) : undefined;
  const values = [...rest.filter((_, index) => index % 2 === 1), ...(otherwise ? [otherwise] : [])];
  const { sql: results, type } = unified(
    values.map((each) => writeExpression(each, env)),
    env,
  );
  const branches = wanted.map((each, index) => {
    const match = sides.others[index] ?? "NULL";
    const test =
      match === "NULL"
        ? `${sides.value} IS NULL`
        : each.kind === "literal"
          ? `${sides.value} = ${match}`
          : `${sides.value} IS NOT DISTINCT FROM ${match}`;
    return `WHEN ${test} THEN ${results[index] ?? "NULL"}`;
  });
  return {
    sql: `CASE ${branches.join(" ")}${otherwise ? ` ELSE ${results.at(-1) ?? "NULL"}` : ""} END`,
    type: type.family === "integer" ? NUMERIC : type,
  };
}

function writeSubstring([value, start, amount]: readonly Expression[], env: Environment): Written | undefined {
  if (!value || !start) return undefined;
  const text = asText(value, env);
  const rest = amount ? `, ${writeSql(amount, env)}` : "";
  const isWhole = (each: Expression) => isLiteral(each, "number") && /^\d+$/.test(each.value);
  const isPlain = isLiteral(start, "number") && isWhole(start) && Number(start.value) > 0 && (!amount || isWhole(amount));
  if (isPlain) {
    const sql = `substr(${text}, ${writeSql(start, env)}${rest})`;
    // From the first character on nothing is left of nothing only.
    const isFront = start.value === "1" && (!amount || (isLiteral(amount, "number") && Number(amount.value) >= 1));
    return { sql: isFront ? sql : `nullif(${sql}, '')`, type: TEXT };
  }
  return { sql: `${env.output.use("substr")}(${text}, ${writeSql(start, env)}${rest})`, type: TEXT };
}

function writeInstr(args: readonly Expression[], env: Environment): Written | undefined {
  const [value, ...rest] = args;
  if (!value || rest.length === 0) return undefined;
  const all = [asText(value, env), ...rest.map((arg) => writeSql(arg, env))];
  return { sql: `${args.length === 2 ? "strpos" : env.output.use("instr")}(${all.join(", ")})`, type: INTEGER };
}

/** SQLERRM(-SQL%BULK_EXCEPTIONS(i).ERROR_CODE): the message was kept beside the code. */
function bulkMessage(code: Expression, env: Environment): Written | undefined {
  const e = code.kind === "unary" || code.kind === "paren" ? (code.kind === "unary" ? code.operand : code.inner) : code;
  if (e !== code) return bulkMessage(e, env);
  const index = e.kind === "member" && e.name === "error_code" && e.of.kind === "call" ? e.of.args[0]?.value : undefined;
  const isSaved =
    e.kind === "member" && e.of.kind === "call" && e.of.callee.kind === "attribute" && e.of.callee.name === "BULK_EXCEPTIONS";
  return isSaved && index && env.unit
    ? { sql: `${bulkVariables(env.unit).messages}[${writeSql(index, env)}]`, type: TEXT }
    : undefined;
}
