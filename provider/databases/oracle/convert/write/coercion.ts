import type { Expression, ExpressionOf } from "../read/expression.js";
import type { Environment } from "./environment.js";
import type { Leaning } from "./leanings.js";
import { quoteText } from "./names.js";
import { numberText } from "./numberText.js";
import { INTERVAL, isMoment, isNumeric, NUMERIC, TEXT, type Type, UNKNOWN } from "./types.js";
import { type Written, writeOperand } from "./writeExpression.js";

/**
 * Oracle converts between numbers, texts and dates in silence, PostgreSQL does not. These functions write the conversion where the two
 * sides of an operator are of different kinds, or where one side's kind is not known because its table is in another file: a cast to
 * the type that a column has already is no work for PostgreSQL, and its views and indexes are as if it were not there.
 */

/** The kind of a value; of an unknown one what its uses say. */
export function leaningOf({ type }: Written): Leaning | undefined {
  if (isNumeric(type)) return "number";
  if (isMoment(type)) return "moment";
  return type.family === "string" ? "text" : type.family === "unknown" ? type.leaning : undefined;
}

/** The kind as the type says it, not as it seems. */
function knownKind(written: Written): Leaning | undefined {
  return written.type.family === "unknown" ? undefined : leaningOf(written);
}

function isNull({ sql }: Written): boolean {
  return sql === "NULL";
}

/** A constant in quotes takes whatever type stands beside it. */
function isQuoted({ sql }: Written): boolean {
  return /^E?'(?:[^'\\]|'')*'$/.test(sql);
}

function isUnknown(written: Written): boolean {
  return written.type.family === "unknown" && !isNull(written) && !isQuoted(written);
}

const CASTS: Readonly<Record<Leaning, { readonly name: string; readonly type: Type }>> = {
  number: { name: "numeric", type: NUMERIC },
  moment: { name: "timestamp", type: { sql: "timestamp(0)", family: "date" } },
  text: { name: "text", type: TEXT },
};

/** The value as one of that kind. */
function cast({ sql }: Written, to: Leaning): Written {
  return { sql: `${operand(sql)}::${CASTS[to].name}`, type: CASTS[to].type };
}

/** In brackets, unless an operator binds it as a whole anyway. */
export function operand(sql: string): string {
  return isAtom(sql) ? sql : `(${sql})`;
}

/** A name, a number, a string, or one pair of brackets with at most a function's name in front. */
function isAtom(sql: string): boolean {
  if (/^(?:[\p{L}\p{N}_$.]|"[^"]*")+$/u.test(sql) || /^E?'(?:[^']|'')*'$/.test(sql)) return true;
  const start = /^(?:[\p{L}\p{N}_$.]|"[^"]*")*\(/u.exec(sql);
  if (!start) return false;
  let depth = 0;
  for (let at = start[0].length - 1; at < sql.length; at++) {
    const character = sql[at];
    if (character === "'" || character === '"') {
      at = sql.indexOf(character, at + 1);
      if (at < 0) return false;
    } else if (character === "(") depth++;
    else if (character === ")" && --depth === 0) return at === sql.length - 1;
  }
  return false;
}

/** As a number where it is a text or not known; only outside PL/SQL, whose bodies resolve their types when they run. */
export function toNumber(written: Written, env: Environment): Written {
  if (isNull(written) || isQuoted(written)) return written;
  if (!env.leanings) return written.type.family === "string" ? cast(written, "number") : written;
  return isUnknown(written) || written.type.family === "string" ? cast(written, "number") : written;
}

export function toMoment(written: Written, env: Environment): Written {
  if (!env.leanings || isNull(written) || isQuoted(written)) return written;
  return isUnknown(written) || written.type.family === "string" ? cast(written, "moment") : written;
}

export function toText(written: Written, env: Environment): Written {
  return env.leanings && isUnknown(written) ? cast(written, "text") : written;
}

/** The kind of this leaning where the value's own is not known or a text. */
export function toKind(written: Written, kind: Leaning | undefined, env: Environment): Written {
  if (kind === "number") return toNumber(written, env);
  return kind === "moment" ? toMoment(written, env) : kind === "text" ? toText(written, env) : written;
}

/** A whole number as it stands: in quotes it compares with a number and with a text. */
function wholeNumber(expression: Expression): string | undefined {
  if (expression.kind === "paren") return wholeNumber(expression.inner);
  if (expression.kind === "unary" && expression.operator === "-") {
    const value = wholeNumber(expression.operand);
    return value === undefined ? undefined : `-${value}`;
  }
  return expression.kind === "literal" && expression.type === "number" && /^\d{1,9}$/.test(expression.value)
    ? expression.value
    : undefined;
}

export interface Sides {
  readonly value: string;
  readonly others: readonly string[];
  /** Of the value. */
  readonly type: Type;
}

/** The two sides of a comparison; of `value BETWEEN ...` and `value IN (...)` the value and the rest. */
export function comparable(value: Expression, others: readonly Expression[], isEquality: boolean, env: Environment): Sides {
  const [first] = others;
  // 1 = x is x = 1.
  const isTurnable = others.length === 1 && first !== undefined && first.kind !== "quantified";
  if (env.leanings && isTurnable && wholeNumber(value) !== undefined && wholeNumber(first) === undefined) {
    const turned = comparable(first, [value], isEquality, env);
    return { value: turned.others[0] ?? "", others: [turned.value], type: turned.type };
  }
  if (env.leanings && value.kind === "list") {
    const lists = others.flatMap((other) => (other.kind === "list" && other.items.length === value.items.length ? [other] : []));
    if (lists.length === others.length) return comparableLists(value.items, lists, isEquality, env);
  }
  const own = asRowId(value, others, env);
  const rest = others.map((other) => asRowId(other, [value], env));
  const plain = { value: own.sql, others: rest.map(({ sql }) => sql), type: own.type };
  // In PL/SQL only what is declared as a text, beside what is known for a number.
  const isText = (side: Written) => side.type.family === "string" && !isQuoted(side);
  if (!env.leanings && [own, ...rest].some((side) => isNumeric(side.type)) && [own, ...rest].some(isText))
    return { value: toNumber(own, env).sql, others: rest.map((side) => toNumber(side, env).sql), type: own.type };
  if (!env.leanings || value.kind === "list" || others.some(({ kind }) => kind === "list" || kind === "quantified")) return plain;
  const numbers = others.map(wholeNumber);
  if (isUnknown(own) && isEquality && numbers.every((number) => number !== undefined))
    return { ...plain, others: numbers.map((number) => quoteText(number ?? "")) };
  const kinds = new Set([own, ...rest].flatMap((side) => (isQuoted(side) ? [] : (knownKind(side) ?? []))));
  // Beside a number a text is read as one, and beside a moment as one.
  const kind = kinds.has("moment") ? "moment" : kinds.has("number") ? "number" : kinds.has("text") ? "text" : undefined;
  const side = toKind(own, kind, env);
  return { value: side.sql, others: rest.map((other) => toKind(other, kind, env).sql), type: side.type };
}

/** The place of a row beside ROWID, which a text does not compare with. */
function asRowId(value: Expression, others: readonly Expression[], env: Environment): Written {
  const written = writeOperand(value, env);
  const isRowId = (each: Expression) => each.kind === "name" && each.parts.at(-1) === "rowid";
  if (!others.some(isRowId) || isRowId(value) || value.kind === "quantified" || isNull(written)) return written;
  return { sql: `${operand(written.sql)}::tid`, type: UNKNOWN };
}

/** (a, b) = (1, 'x'): place by place. */
function comparableLists(
  value: readonly Expression[],
  others: readonly ExpressionOf<"list">[],
  isEquality: boolean,
  env: Environment,
): Sides {
  const places = value.map((each, at) =>
    comparable(
      each,
      others.flatMap(({ items }) => items[at] ?? []),
      isEquality,
      env,
    ),
  );
  const joined = (parts: readonly (string | undefined)[]) => `(${parts.join(", ")})`;
  return {
    value: joined(places.map((place) => place.value)),
    others: others.map((_, index) => joined(places.map((place) => place.others[index]))),
    type: UNKNOWN,
  };
}

/** A value that a query's only column is compared with. */
export function comparableWithQuery(value: Written, column: Type, env: Environment): string {
  return toKind(value, knownKind({ sql: "", type: column }), env).sql;
}

/**
 * The results of CASE, DECODE, NVL and the like as one type: Oracle takes that of the first and converts the others. `types` only says
 * what the whole gives.
 */
export function unified(results: readonly Written[], env: Environment): { readonly sql: readonly string[]; readonly type: Type } {
  const some = results.filter((each) => !isNull(each));
  const known = some.find((each) => knownKind(each) !== undefined);
  const other = some.find(({ type }) => type.family !== "unknown");
  const plain = { sql: results.map(({ sql }) => sql), type: (known ?? other ?? some[0])?.type ?? UNKNOWN };
  if (!env.leanings || (other && !knownKind(other))) return plain;
  const leaning = some.map(leaningOf).find((each) => each !== undefined);
  const isWord = (each: Written) => isQuoted(each) && !/^E?'\s*-?[\d.]+\s*'$/.test(each.sql);
  let kind = known ? knownKind(known) : some.length > 1 ? leaning : undefined;
  // A word is no number, so the others are texts here, though Oracle would fail only when it comes to it.
  if (kind === "number" && some.some(isWord)) kind = "text";
  if (kind === undefined) return plain;
  return {
    sql: results.map((each) => asKind(each, kind, env).sql),
    type: known && kind === knownKind(known) ? known.type : CASTS[kind].type,
  };
}

function asKind(written: Written, kind: Leaning, env: Environment): Written {
  if (isNull(written) || isQuoted(written)) return written;
  if (kind !== "text" || isUnknown(written)) return toKind(written, kind, env);
  if (isNumeric(written.type))
    return /^-?\d+$/.test(written.sql)
      ? { sql: quoteText(written.sql), type: TEXT }
      : { sql: numberText(written.sql, env), type: TEXT };
  return isMoment(written.type) ? cast(written, "text") : written;
}

/** The operands of + and -, whose kinds decide what the operator does. */
export function summands(operator: "+" | "-", left: Written, right: Written, env: Environment): readonly [Written, Written] {
  if (!env.leanings) {
    const isDated = [left, right].some(({ type }) => isMoment(type) || type.family === "interval");
    return isDated ? [left, right] : [toNumber(left, env), toNumber(right, env)];
  }
  if (!isUnknown(left) && !isUnknown(right) && left.type.family !== "string" && right.type.family !== "string")
    return [left, right];
  const kinds = [left, right].map((side) => (side.type.family === "interval" ? "interval" : knownKind(side)));
  const isOpenMoment = (side: Written) => isUnknown(side) && side.type.leaning === "moment";
  if (operator === "+") {
    if (kinds[0] === "moment" || isOpenMoment(left)) return [toMoment(left, env), interval(right) ? right : toNumber(right, env)];
    if (kinds[1] === "moment" || isOpenMoment(right)) return [toNumber(left, env), toMoment(right, env)];
    if (kinds.includes("interval"))
      return [interval(left) ? left : toMoment(left, env), interval(right) ? right : toMoment(right, env)];
    return [toNumber(left, env), toNumber(right, env)];
  }
  if (kinds[1] === "moment") return [toMoment(left, env), right];
  if (kinds[0] === "moment") {
    const isNumber =
      kinds[1] === "number" || right.type.family === "string" || (isUnknown(right) && right.type.leaning === "number");
    return [left, interval(right) ? right : isNumber ? toNumber(right, env) : toMoment(right, env)];
  }
  if (kinds[1] === "interval") return [toMoment(left, env), right];
  if (isOpenMoment(left)) return [toMoment(left, env), isOpenMoment(right) ? toMoment(right, env) : toNumber(right, env)];
  return [toNumber(left, env), toNumber(right, env)];
}

function interval({ type }: Written): boolean {
  return type.family === INTERVAL.family;
}

/** A moment and another one subtracted as timestamps, whose difference EXTRACT takes apart. */
export function spanOf(expression: Expression, env: Environment): Written | undefined {
  if (!env.leanings) return undefined;
  if (expression.kind === "paren") return spanOf(expression.inner, env);
  if (expression.kind !== "binary" || expression.operator !== "-") return undefined;
  const [left, right] = [expression.left, expression.right].map((side) => toMoment(writeOperand(side, env), env));
  if (!left || !right || interval(left) || interval(right)) return undefined;
  return { sql: `(${left.sql} - ${right.sql})`, type: INTERVAL };
}
