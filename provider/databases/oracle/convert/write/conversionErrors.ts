import { Unconvertible } from "../read/cursor.js";
import type { Expression, ExpressionOf } from "../read/expression.js";
import { writeFormat } from "./dateFunctions.js";
import type { Environment } from "./environment.js";
import { asText, FUNCTIONS } from "./functions.js";
import { quoteText } from "./names.js";
import { INTEGER, isMoment, mapType, type Type } from "./types.js";
import type { Written } from "./writeExpression.js";

/** What the functions that may have DEFAULT ... ON CONVERSION ERROR convert to. */
const TARGETS: Readonly<Record<string, string>> = {
  to_number: "numeric",
  to_binary_double: "double precision",
  to_binary_float: "real",
  to_date: "timestamp",
  to_timestamp: "timestamp",
  to_timestamp_tz: "timestamptz",
  to_dsinterval: "interval",
  to_yminterval: "interval",
};

/** TO_NUMBER(value DEFAULT other ON CONVERSION ERROR, format): the other value goes the same way, if it comes to it. */
export function writeWithDefault(name: string, e: ExpressionOf<"call">, env: Environment): Written {
  const [value, ...rest] = e.args;
  const target = TARGETS[name];
  const write = FUNCTIONS[name];
  if (!value || !e.tail.otherwise || target === undefined || !write)
    throw new Unconvertible(`DEFAULT ON CONVERSION ERROR of ${name.toUpperCase()}`, e.line);
  const others = rest.map((arg) => arg.value);
  const plain = { ...e, tail: {} };
  const converted = write([value.value, ...others], env, plain);
  const otherwise = write([e.tail.otherwise, ...others], env, plain);
  if (!converted || !otherwise) throw new Unconvertible(`${name.toUpperCase()} of this form`, e.line);
  const test = writeTest(value.value, target, others[0], env);
  return { sql: `CASE WHEN ${test} THEN ${converted.sql} ELSE ${otherwise.sql} END`, type: converted.type };
}

/** VALIDATE_CONVERSION: 1 for what can be converted, NULL included. */
export function writeValidation(e: ExpressionOf<"validation">, env: Environment): Written {
  const type: Type = mapType(e.type, env, "variable");
  const target = isMoment(type) ? (type.family === "timestamptz" ? "timestamptz" : "timestamp") : type.sql;
  return { sql: `CASE WHEN ${writeTest(e.value, target, e.format, env)} THEN 1 ELSE 0 END`, type: INTEGER };
}

function writeTest(value: Expression, target: string, format: Expression | undefined, env: Environment): string {
  const shown = format ? `, ${writeFormat(format, env, !/^timestamp/.test(target))}` : "";
  return `${env.output.use("is_convertible")}(${asText(value, env)}, ${quoteText(target)}${shown})`;
}
