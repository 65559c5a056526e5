import { Unconvertible } from "../read/cursor.js";
import type { Expression, ExpressionOf } from "../read/expression.js";
import type { Environment } from "./environment.js";
import { conjunction, conjuncts, mentions } from "./tree.js";
import { writeOperand, writeSql } from "./writeExpression.js";

const MIRRORED: Readonly<Record<string, string>> = { "<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "=" };

/** Takes conditions on ROWNUM out of a WHERE; what they allow is a number of rows. */
export function takeRowLimit(where: Expression | undefined, env: Environment): { where?: Expression; limit?: string } {
  if (!where || !mentions(where, "rownum")) return where ? { where } : {};
  const kept: Expression[] = [];
  const limits: string[] = [];
  for (const condition of conjuncts(where)) {
    if (mentions(condition, "rownum")) limits.push(limitOf(condition, env));
    else kept.push(condition);
  }
  const rest = conjunction(kept);
  const [limit, ...others] = limits;
  const least = others.length > 0 ? `least(${limits.join(", ")})` : limit;
  return { ...(rest ? { where: rest } : {}), ...(least === undefined ? {} : { limit: least }) };
}

function limitOf(condition: Expression, env: Environment): string {
  const test = condition.kind === "paren" ? condition.inner : condition;
  if (test.kind === "binary") {
    const [side, operator] = isRowNumber(test.left)
      ? [test.right, test.operator]
      : isRowNumber(test.right)
        ? [test.left, MIRRORED[test.operator]]
        : [];
    if (side && operator === "<=") return isCount(side) ? writeSql(side, env) : atLeastNone(writeSql(side, env));
    if (side && operator === "<")
      return isCount(side) && Number(side.value) > 0
        ? `${writeSql(side, env)} - 1`
        : atLeastNone(`ceil(${writeOperand(side, env).sql}) - 1`);
    // ROWNUM = 1 is the first row; no row ever has a number without the ones below it.
    if (side && operator === "=")
      return `CASE WHEN ${writeOperand(side, env).sql} = 1 THEN 1 ELSE 0 END`.replace("CASE WHEN 1 = 1 THEN 1 ELSE 0 END", "1");
    if (side && (operator === ">" || operator === ">="))
      return `CASE WHEN 1 ${operator} ${writeOperand(side, env).sql} THEN NULL ELSE 0 END`;
  }
  if (test.kind === "between" && isRowNumber(test.value) && !test.negated)
    return `CASE WHEN ${writeOperand(test.low, env).sql} <= 1 THEN ${writeOperand(test.high, env).sql} ELSE 0 END`;
  throw new Unconvertible("a condition on ROWNUM of this form", condition.line);
}

function isCount(expression: Expression): expression is ExpressionOf<"literal"> {
  return expression.kind === "literal" && /^\d+$/.test(expression.value);
}

/** PostgreSQL takes LIMIT NULL for no limit and refuses a negative one; a comparison with either is true of no row. */
function atLeastNone(limit: string): string {
  return `greatest(coalesce(${limit}, 0), 0)`;
}

function isRowNumber(expression: Expression): boolean {
  return expression.kind === "name" && expression.parts.length === 1 && expression.parts[0] === "rownum";
}
