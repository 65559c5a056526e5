import { Unconvertible } from "../read/cursor.js";
import type { ExpressionOf } from "../read/expression.js";
import { writeOver } from "./calls.js";
import type { Environment } from "./environment.js";
import { type Written, writeExpression, writeSql } from "./writeExpression.js";

const BEFORE = ["ROWS", "BETWEEN", "UNBOUNDED PRECEDING", "AND", "1 PRECEDING"];
const AFTER = ["ROWS", "BETWEEN", "1 FOLLOWING", "AND", "UNBOUNDED FOLLOWING"];

/**
 * A window function with IGNORE NULLS, which PostgreSQL 17 has not: the values of the frame that are not NULL are gathered in an
 * array, of which the function is one element. LAG and LEAD look at the frame before and behind the row.
 */
export function writeIgnoringNulls(name: string, e: ExpressionOf<"call">, env: Environment): Written | undefined {
  const [value, second, otherwise] = e.args.map((arg) => arg.value);
  const over = e.tail.over;
  if (e.tail.nulls !== "IGNORE" || !over || !value) return undefined;
  const written = writeExpression(value, env);
  const values = (frame = over.frame) =>
    `(array_agg(${written.sql}) FILTER (WHERE (${written.sql}) IS NOT NULL)${writeOver({ ...e, tail: { over: { ...over, frame } } }, env)})`;
  const nth = second ? writeSql(second, env) : "1";
  const withDefault = (sql: string) => (otherwise ? `coalesce(${sql}, ${writeSql(otherwise, env)})` : sql);
  switch (name) {
    case "first_value":
      return { sql: `${values()}[1]`, type: written.type };
    case "last_value":
      return { sql: `${values()}[cardinality(${values()})]`, type: written.type };
    case "nth_value":
      return { sql: `${values()}[${nth}]`, type: written.type };
    case "lag": {
      const before = values(BEFORE);
      return { sql: withDefault(`${before}[cardinality(${before})${nth === "1" ? "" : ` - (${nth}) + 1`}]`), type: written.type };
    }
    case "lead":
      return { sql: withDefault(`${values(AFTER)}[${nth}]`), type: written.type };
    default:
      throw new Unconvertible(`IGNORE NULLS of ${name.toUpperCase()}`, e.line);
  }
}
