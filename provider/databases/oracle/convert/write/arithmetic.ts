import type { Expression, ExpressionOf } from "../read/expression.js";
import { comparable, summands, toNumber } from "./coercion.js";
import type { Environment } from "./environment.js";
import { numberText } from "./numberText.js";
import { BOOLEAN, DATE, INTEGER, INTERVAL, isMoment, isNumeric, NUMERIC, TEXT, TIMESTAMP, type Type, UNKNOWN } from "./types.js";
import { type Written, writeExpression, writeOperand } from "./writeExpression.js";

/** Writes an operator between two operands: dates count in days, divisions never cut off, NULL concatenates as nothing. */
export function writeBinary(e: ExpressionOf<"binary">, env: Environment): Written {
  if (e.operator === "||") return writeConcatenation(e, env);
  if (e.operator === "AND" || e.operator === "OR") {
    const [left, right] = [e.left, e.right].map((side) => logicSide(side, e.operator, env));
    return { sql: `${left} ${e.operator} ${right}`, type: BOOLEAN };
  }
  if (COMPARISONS.has(e.operator)) {
    const listed = asListTest(e);
    if (listed) return writeExpression(listed, env);
    const sides = comparable(e.left, [e.right], EQUALITIES.has(e.operator), env);
    return { sql: `${sides.value} ${e.operator} ${sides.others[0] ?? ""}`, type: BOOLEAN };
  }
  const [left, right] = operands(e, env);
  switch (e.operator) {
    case "+":
    case "-":
      return writeSum(e.operator, left, right);
    case "*":
      if (left.type.family === "interval" || right.type.family === "interval")
        return { sql: `${left.sql} * ${right.sql}`, type: INTERVAL };
      return writeProduct(left, right);
    case "/":
      return writeDivision(e, left, right);
    case "MOD":
    case "REM":
      return { sql: modulo(left.sql, right.sql), type: wider(left.type, right.type) };
    case "**":
      return { sql: `power(${left.sql}, ${right.sql})`, type: NUMERIC };
    default:
      return { sql: `${left.sql} ${e.operator} ${right.sql}`, type: BOOLEAN };
  }
}

/** = ANY (a, b) is IN (a, b), <> ALL (a, b) is NOT IN (a, b): these may hold values of several types. */
function asListTest({ operator, left, right, line }: ExpressionOf<"binary">): Expression | undefined {
  if (right.kind !== "quantified" || !Array.isArray(right.items)) return undefined;
  const negated = operator !== "=" && right.quantifier === "ALL";
  if (!(negated ? EQUALITIES.has(operator) : operator === "=" && right.quantifier === "ANY")) return undefined;
  return { kind: "in", value: left, items: right.items, negated, line };
}

const EQUALITIES = new Set(["=", "<>", "!=", "^=", "~="]);
const COMPARISONS = new Set([...EQUALITIES, "<", ">", "<=", ">="]);

function operands(e: ExpressionOf<"binary">, env: Environment): readonly [Written, Written] {
  const [left, right] = [writeOperand(e.left, env), writeOperand(e.right, env)];
  if (e.operator === "+" || e.operator === "-") return summands(e.operator, left, right, env);
  const isSpan = left.type.family === "interval" || right.type.family === "interval";
  return isSpan ? [left, right] : [toNumber(left, env), toNumber(right, env)];
}

/** By zero it is the dividend in Oracle, an error here. */
export function modulo(dividend: string, divisor: string): string {
  return /^[1-9]\d*$/.test(divisor)
    ? `mod(${dividend}, ${divisor})`
    : `coalesce(mod(${dividend}, nullif(${divisor}, 0)), ${dividend} + ${divisor})`;
}

/** OR inside AND needs brackets; the reader has dropped none, but rewriting may have added an OR. */
function logicSide(side: Expression, operator: string, env: Environment): string {
  const written = writeExpression(side, env).sql;
  return operator === "AND" && side.kind === "binary" && side.operator === "OR" ? `(${written})` : written;
}

function writeSum(operator: "+" | "-", left: Written, right: Written): Written {
  if (isMoment(left.type) && isMoment(right.type) && operator === "-") {
    // DATE minus DATE is a number of days; a TIMESTAMP on either side makes it an interval.
    if (left.type.family !== "date" || right.type.family !== "date")
      return { sql: `(${left.sql} - ${right.sql})`, type: INTERVAL };
    return { sql: `(EXTRACT(epoch FROM (${left.sql} - ${right.sql})) / 86400)`, type: NUMERIC };
  }
  if (isMoment(left.type) && isNumeric(right.type))
    return { sql: `(${left.sql} ${operator} ${days(right.sql)})`, type: shifted(left.type) };
  if (isMoment(right.type) && isNumeric(left.type) && operator === "+")
    return { sql: `(${right.sql} + ${days(left.sql)})`, type: shifted(right.type) };
  if (isMoment(left.type) && right.type.family === "interval")
    return { sql: `(${left.sql} ${operator} ${right.sql})`, type: left.type.family === "date" ? TIMESTAMP : left.type };
  const type = left.type.family === "interval" || right.type.family === "interval" ? INTERVAL : wider(left.type, right.type);
  return { sql: `${left.sql} ${operator} ${right.sql}`, type };
}

/** A moment shifted by days keeps its seconds' precision: DATE stays DATE. */
function shifted(type: Type): Type {
  return type.family === "date" ? DATE : type;
}

function days(sql: string): string {
  if (sql === "1") return "interval '1 day'";
  return /^\d+$/.test(sql) ? `interval '${sql} days'` : `${/^[\w.]+$|^\(.*\)$/.test(sql) ? sql : `(${sql})`} * interval '1 day'`;
}

function writeDivision(e: ExpressionOf<"binary">, left: Written, right: Written): Written {
  if (left.type.family === "interval") return { sql: `${left.sql} / ${right.sql}`, type: INTERVAL };
  const isInteger = (type: Type) => type.family === "integer" || type.family === "unknown";
  // Between integers PostgreSQL drops the fraction. NUMBER(9) columns are integers there, so unknown types count as such.
  if (!isInteger(left.type) || !isInteger(right.type))
    return { sql: `${left.sql} / ${right.sql}`, type: wider(left.type, right.type) };
  if (e.left.kind === "literal") return { sql: `${left.sql}.0 / ${right.sql}`, type: NUMERIC };
  if (e.right.kind === "literal") return { sql: `${left.sql} / ${right.sql}.0`, type: NUMERIC };
  return { sql: `${left.sql}::numeric / ${right.sql}`, type: NUMERIC };
}

/** NUMBER(4) times NUMBER(4) is more than a smallint holds; numbers of PL/SQL's own (PLS_INTEGER) overflow in Oracle, too. */
function writeProduct(left: Written, right: Written): Written {
  const isNarrow = ({ type }: Written) => type.family === "integer" && type !== INTEGER;
  const overflows =
    left.type.family === "integer" &&
    right.type.family === "integer" &&
    [left, right].some(isNarrow) &&
    ([left, right].every(isNarrow) || [left, right].some(({ type }) => isNarrow({ sql: "", type }) && type.sql !== "smallint"));
  if (!overflows) return { sql: `${left.sql} * ${right.sql}`, type: wider(left.type, right.type) };
  return { sql: `${left.sql}::numeric * ${right.sql}`, type: NUMERIC };
}

function wider(left: Type, right: Type): Type {
  if (left.family === "float" || right.family === "float") return left.family === "float" ? left : right;
  if (left.family === "number" || right.family === "number") return NUMERIC;
  if (left.family === "integer" && right.family === "integer") return INTEGER;
  return isNumeric(left) || isNumeric(right) ? NUMERIC : UNKNOWN;
}

function writeConcatenation(e: ExpressionOf<"binary">, env: Environment): Written {
  const operands = flatten(e).map((operand) => writeExpression(operand, env));
  if (operands.some(({ type }) => type.family === "bytes"))
    return { sql: operands.map(({ sql }) => sql).join(" || "), type: operands[0]?.type ?? TEXT };
  const isText = (sql: string) => /^E?'/.test(sql);
  const isUntyped = new Set(operands.filter(({ type }) => type.family === "unknown").map(({ sql }) => sql));
  const parts = operands
    .filter(({ sql }) => sql !== "NULL")
    .map(({ sql, type }) => (type.family === "number" && !/^\d+$/.test(sql) ? numberText(sql, env) : sql));
  if (parts.length === 0) return { sql: "NULL", type: TEXT };
  // concat() depends on settings (how a date is shown), which an index or a generated column does not allow.
  if (env.place === "definition")
    return {
      sql: parts
        .map((part) => (isText(part) ? part : `coalesce(${part}${isUntyped.has(part) ? "::text" : ""}, '')`))
        .join(" || "),
      type: TEXT,
    };
  const sql = `concat(${parts.join(", ")})`;
  return { sql: parts.some(isText) ? sql : `nullif(${sql}, '')`, type: TEXT };
}

function flatten(e: Expression): Expression[] {
  return e.kind === "binary" && e.operator === "||" ? [...flatten(e.left), ...flatten(e.right)] : [e];
}
