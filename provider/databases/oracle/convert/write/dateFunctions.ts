import { Unconvertible } from "../read/cursor.js";
import type { Expression } from "../read/expression.js";
import { leaningOf, operand, toKind, toMoment, toNumber, toText } from "./coercion.js";
import type { Environment } from "./environment.js";
import type { FunctionWriter } from "./functions.js";
import { formatLeaning } from "./leanings.js";
import { quoteText } from "./names.js";
import { numberText } from "./numberText.js";
import { DATE, INTERVAL, isMoment, isNumeric, NUMERIC, TEXT, TIMESTAMP, TIMESTAMPTZ, type Type } from "./types.js";
import { type Written, writeExpression, writeOperand, writeSql } from "./writeExpression.js";

/** Functions on dates and times. */
export const DATE_FUNCTIONS: Readonly<Record<string, FunctionWriter>> = {
  to_date: (args, env) => parsed(args, env, DATE, "timestamp(0)"),
  to_timestamp: (args, env) => parsed(args, env, TIMESTAMP, "timestamp"),
  to_timestamp_tz: (args, env) => parsed(args, env, TIMESTAMPTZ, "timestamptz"),
  to_char: ([value, format], env) => {
    if (!value) return undefined;
    const written = writeExpression(value, env);
    if (!format && written.type.family === "number") return { sql: numberText(written.sql, env), type: TEXT };
    if (!format)
      return { sql: written.type.family === "string" ? written.sql : `${writeOperand(value, env).sql}::text`, type: TEXT };
    const digits = format.kind === "literal" ? writeSpecialNumber(written, format.value, env) : undefined;
    if (digits !== undefined) return { sql: digits, type: TEXT };
    // A text with a format is one that Oracle would turn into a date or number first.
    const name = env.place === "definition" ? env.output.use("to_char") : "to_char";
    const argument = toKind(written, formatLeaning(format) ?? leaningOf(written), env).sql;
    return { sql: `${name}(${argument}, ${writeFormat(format, env, isNumeric(written.type))})`, type: TEXT };
  },
  add_months: ([day, months], env) =>
    day &&
    months && {
      sql: `${env.output.use("add_months")}(${moment(day, env)}, ${toNumber(writeOperand(months, env), env).sql})`,
      type: DATE,
    },
  months_between: ([a, b], env) =>
    a && b && { sql: `${env.output.use("months_between")}(${moment(a, env)}, ${moment(b, env)})`, type: NUMERIC },
  last_day: ([day], env) => day && { sql: `${env.output.use("last_day")}(${moment(day, env)})`, type: DATE },
  next_day: ([day, weekday], env) =>
    day && weekday && { sql: `${env.output.use("next_day")}(${moment(day, env)}, ${writeSql(weekday, env)})`, type: DATE },
  trunc: (args, env) => shortened("trunc", args, env),
  round: (args, env) => shortened("round", args, env),
  numtodsinterval: numberToInterval,
  numtoyminterval: numberToInterval,
  to_dsinterval: toInterval,
  to_yminterval: toInterval,
  from_tz: ([value, zone], env) =>
    value && zone && { sql: `(${writeOperand(value, env).sql} AT TIME ZONE ${writeOperand(zone, env).sql})`, type: TIMESTAMPTZ },
  new_time: ([value, from, to], env) => {
    if (!value || !from || !to) return undefined;
    return {
      sql: `(${writeOperand(value, env).sql} AT TIME ZONE ${writeOperand(from, env).sql} AT TIME ZONE ${writeOperand(to, env).sql})`,
      type: DATE,
    };
  },
  sys_extract_utc: ([value], env) => value && { sql: `(${writeOperand(value, env).sql} AT TIME ZONE 'UTC')`, type: TIMESTAMP },
  tz_offset: ([zone], env) =>
    zone && {
      sql: `(SELECT to_char(utc_offset, 'HH24:MI') FROM pg_timezone_names WHERE name = ${writeSql(zone, env)})`,
      type: TEXT,
    },
};

/** TM9, the shortest text of a number, and X, hexadecimal digits, which PostgreSQL 17 takes for letters. */
function writeSpecialNumber(value: Written, format: string, env: Environment): string | undefined {
  if (/^tm9?$/i.test(format)) return numberText(value.sql, env);
  const [, fill, zeros = "", digits = ""] = /^(fm)?(0*)(x+)$/i.exec(format) ?? [];
  if (digits === "") return undefined;
  const hex = `to_hex(${operand(value.sql)}::bigint)`;
  const cased = digits.startsWith("X") ? `upper(${hex})` : hex;
  const sized =
    zeros === "" && fill !== undefined ? cased : `lpad(${cased}, ${zeros.length + digits.length}, '${zeros === "" ? " " : "0"}')`;
  // Without FM there is a place for the sign.
  return fill === undefined ? `(' ' || ${sized})` : sized;
}

function parsed([value, format]: readonly Expression[], env: Environment, type: Type, sql: string): Written | undefined {
  if (!value) return undefined;
  const written = writeExpression(value, env);
  if (!format) return { sql: `CAST(${written.sql} AS ${sql})`, type };
  const isOther = isNumeric(written.type) || isMoment(written.type);
  const text = isOther ? `${operand(written.sql)}::text` : toText(written, env).sql;
  const pattern = writeFormat(format, env, false);
  if (type === TIMESTAMPTZ) return { sql: `to_timestamp(${text}, ${pattern})`, type };
  const given = format.kind === "literal" ? format.value.replace(/"[^"]*"/g, "") : undefined;
  const first = given === undefined ? undefined : firstOfCentury(given);
  const missing = given === undefined ? "" : missingElements(given);
  const constant = given === undefined || value.kind !== "literal" ? undefined : momentConstant(value.value, given);
  if (constant !== undefined) return { sql: `timestamp ${quoteText(constant)}`, type };
  // A day needs no time zone; a time that a zone leaves out in spring is one in Oracle.
  const isDay =
    given !== undefined && missing === "" && first === undefined && !/hh|mi|ss|ff|am|pm|a\.m|p\.m|t[sz]|d[ls]/i.test(given);
  if (isDay) return { sql: `to_date(${text}, ${pattern})::${sql}`, type };
  const [source, wanted] =
    missing === ""
      ? [text, pattern]
      : [`to_char(statement_timestamp(), '${missing} ') || ${operand(text)}`, `'${missing} ' || ${pattern}`];
  const moment = `${env.output.use("to_moment")}(${source}, ${wanted}${first === undefined ? "" : `, ${first}`})`;
  return { sql: `${moment}::${sql}`, type };
}

const PLAIN = ["YYYY", "MM", "DD", "HH24", "MI", "SS"] as const;

/** The moment that a text says in a format of numbers only, as partition bounds have it; undefined where the server must read it. */
function momentConstant(text: string, format: string): string | undefined {
  const elements: readonly string[] =
    format
      .toUpperCase()
      .replace(/^SYYYY/, "YYYY")
      .match(/[A-Z]+\d*/g) ?? [];
  const digits = text.trim().match(/\d+/g) ?? [];
  if (elements.length !== digits.length || elements.length < 3 || /[^\d\s:/.,-]/.test(text.trim())) return undefined;
  const parts = PLAIN.map((element) => Number(digits[elements.indexOf(element)] ?? 0));
  if (elements.some((element) => !PLAIN.some((plain) => plain === element)) || new Set(elements).size !== elements.length)
    return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts;
  const moment = new Date(Date.UTC(year, month - 1, day, hour, minute, second));
  const isReal =
    year >= 1000 && moment.getUTCMonth() === month - 1 && moment.getUTCDate() === day && moment.getUTCHours() === hour;
  if (!isReal || minute > 59 || second > 59) return undefined;
  return moment
    .toISOString()
    .replace("T", " ")
    .slice(0, elements.length > 3 ? 19 : 10);
}

/** What a format does not say is of today's month in Oracle, of the year 1 in PostgreSQL. The day is the first in both. */
function missingElements(format: string): string {
  const hasYear = /[yrj]/i.test(format.replace(/rm|day|dy/gi, ""));
  const hasMonth = /mm|mon|rm|ddd|j|q|ww|iw/i.test(format);
  if (/d[ls]|ts/i.test(format)) return "";
  return [hasYear ? "" : "YYYY", hasMonth ? "" : "MM"].filter(Boolean).join("-");
}

/**
 * The first of the hundred years that a year of two digits is of: RR and RRRR take 1950 to 2049 (until 2050), YY the present century.
 * PostgreSQL takes 1970 to 2069 for YY, and the first century for YYYY.
 */
function firstOfCentury(format: string): number | undefined {
  const elements = format.replace(/"[^"]*"/g, "");
  if (/rr/i.test(elements)) return 1950;
  return /(?<!y)yy(?!y)/i.test(elements) ? 2000 : undefined;
}

/** Format elements that are spelt otherwise: two-digit years, fractions, the radix character. */
export function writeFormat(format: Expression, env: Environment, isNumber: boolean): string {
  if (format.kind !== "literal" || isNumber) return writeSql(format, env);
  const foreign = /year|sp(th)?\b|thsp/i.exec(format.value.replace(/"[^"]*"/g, ""))?.[0];
  if (foreign !== undefined)
    throw new Unconvertible(`the format element ${foreign.toUpperCase()}: PostgreSQL spells no numbers`, format.line);
  const pieces = format.value.split(/("[^"]*")/);
  const mended = pieces.map((piece) => (piece.startsWith('"') ? piece : mendFormat(piece)));
  return quoteText(mended.join(""));
}

function mendFormat(piece: string): string {
  return piece
    .replace(/rrrr/gi, "YYYY")
    .replace(/rr/gi, "YY")
    .replace(/syyyy/gi, "YYYY")
    .replace(/x?ff[7-9]?(?![1-6])/gi, (found) => (/^x/i.test(found) ? ".US" : "US"))
    .replace(/x?ff([1-6])/gi, (found, digits: string) => `${/^x/i.test(found) ? "." : ""}FF${digits}`)
    .replace(/tzr|tzd/gi, "TZ")
    .replace(/\bts\b/gi, "HH24:MI:SS")
    .replace(/\bd[sl]\b/gi, "YYYY-MM-DD");
}

/** The argument as a timestamp where only the server knows its type: a text column that holds a date must be cast. */
function moment(expression: Expression, env: Environment): string {
  return momentOf(writeOperand(expression, env), env);
}

function momentOf(written: Written, env: Environment): string {
  return written.type.family === "timestamptz" || written.type.family === "string"
    ? `${written.sql}::timestamp`
    : toMoment(written, env).sql;
}

/** TRUNC and ROUND take numbers and dates; where the type is unknown the server chooses between two functions of one name. */
function shortened(name: "trunc" | "round", [value, by]: readonly Expression[], env: Environment): Written | undefined {
  if (!value) return undefined;
  const own = writeOperand(value, env);
  // What its other uses say of an unknown column chooses the function here.
  const leaning = own.type.family === "unknown" ? (formatLeaning(by) ?? leaningOf(own)) : undefined;
  const written = toKind(own, leaning === "text" ? "number" : leaning, env);
  const second = by ? `, ${writeSql(by, env)}` : "";
  const isDateFormat = by?.kind === "literal" && by.type === "string";
  if (isNumeric(written.type) && !isDateFormat) {
    const digits = by && by.kind !== "literal" ? `, ${writeOperand(by, env).sql}::integer` : second;
    const number = by && written.type.family === "float" ? `${written.sql}::numeric` : written.sql;
    return { sql: `${name}(${number}${digits})`, type: NUMERIC };
  }
  if (name === "trunc" && isMoment(written.type) && !by)
    return { sql: `date_trunc('day', ${written.sql})${written.type.family === "date" ? "" : "::timestamp"}`, type: DATE };
  const isDate = isMoment(written.type) || isDateFormat;
  const argument = isDate ? momentOf(written, env) : written.sql;
  return { sql: `${env.output.use(name)}(${argument}${second})`, type: isDate ? DATE : written.type };
}

function numberToInterval([amount, unit]: readonly Expression[], env: Environment): Written | undefined {
  if (!amount || !unit) return undefined;
  const step =
    unit.kind === "literal" ? `interval '1 ${unit.value.toLowerCase()}'` : `concat('1 ', ${writeSql(unit, env)})::interval`;
  return { sql: `(${toNumber(writeOperand(amount, env), env).sql} * ${step})`, type: INTERVAL };
}

function toInterval([value]: readonly Expression[], env: Environment): Written | undefined {
  return value && { sql: `CAST(${writeSql(value, env)} AS interval)`, type: INTERVAL };
}
