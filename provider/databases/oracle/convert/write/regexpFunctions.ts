import type { Expression } from "../read/expression.js";
import type { Environment } from "./environment.js";
import { asText } from "./functions.js";
import { quoteText } from "./names.js";
import type { Type } from "./types.js";
import { type Written, writeSql } from "./writeExpression.js";

/** Match parameters: n (a dot matches a newline) is PostgreSQL's rule anyway, m is its w. */
export function writeFlags(flags: Expression | undefined, env: Environment): string[] {
  if (!flags || (flags.kind === "literal" && flags.type === "null")) return [];
  if (flags.kind === "literal" && flags.type === "string")
    return [quoteText(flags.value.replaceAll("n", "").replaceAll("m", "w"))];
  return [`translate(coalesce(${writeSql(flags, env)}, ''), 'mn', 'w')`];
}

/** \\1 is a group in both, & is one in PostgreSQL only after a backslash. */
export function writeReplacement(to: Expression, env: Environment): string {
  const sql = writeSql(to, env);
  return sql === "NULL" ? "''" : sql;
}

/** A function on regular expressions that both databases have; `integers` are the places of its numbers, `flags` that of its options. */
export function writeRegexp(
  name: string,
  args: readonly Expression[],
  integers: readonly number[],
  flags: number,
  type: Type,
  env: Environment,
): Written | undefined {
  const [value, pattern] = args;
  if (!value || !pattern) return undefined;
  const rest = args.slice(2).map((arg, index) => {
    if (index + 2 === flags) return writeFlags(arg, env)[0] === undefined ? "''" : (writeFlags(arg, env)[0] ?? "''");
    const sql = writeSql(arg, env);
    return integers.includes(index + 2) && !/^\d+$/.test(sql) ? `(${sql})::integer` : sql;
  });
  return { sql: `${name}(${[asText(value, env), writeSql(pattern, env), ...rest].join(", ")})`, type };
}
