import type { Expression, ExpressionOf } from "../read/expression.js";
import { visit } from "./tree.js";

/** What a column of a table that is in no file seems to hold. */
export type Leaning = "number" | "moment" | "text";

/** By column name: two tables of one query seldom have columns of one name and different types. */
export interface Leanings {
  of(column: string): Leaning | undefined;
}

/** Weight of what only fits one type, against what Oracle would convert in silence. */
const SURE = 10;
const HINT = 1;

const NUMBERS = new Set(
  `sum avg abs ceil floor sign mod power sqrt median stddev stddev_pop stddev_samp variance var_pop var_samp ratio_to_report bitand remainder ln exp log
  to_number length lengthb instr count months_between rank dense_rank row_number ntile`.split(/\s+/),
);
const NUMBER_RESULTS_ONLY = new Set(
  "to_number length lengthb instr count months_between rank dense_rank row_number ntile".split(" "),
);
const MOMENTS = new Set(
  "add_months last_day next_day sys_extract_utc from_tz to_date to_timestamp to_timestamp_tz new_time".split(" "),
);
const MOMENT_RESULTS_ONLY = new Set("to_date to_timestamp to_timestamp_tz".split(" "));
const TEXTS = new Set(
  "upper lower initcap substr substrb trim ltrim rtrim lpad rpad replace translate to_char concat regexp_replace regexp_substr listagg".split(
    " ",
  ),
);
/** The result is of the argument's type. */
const SAME = new Set("max min nvl coalesce first_value last_value lag lead greatest least nullif".split(" "));
const NOW = new Set("sysdate systimestamp current_date current_timestamp localtimestamp".split(" "));
const COMPARISONS = new Set(["=", "<>", "!=", "^=", "<", ">", "<=", ">="]);

/** A name that says so decides only where no use of the column does. */
const MOMENT_NAME =
  /(^|_)(date|dt|datetime|time|timestamp|ts|day|datum)\d*$|(?<!up|vali|candi|man)date$|timestamp$|^(created|updated|modified)$|_(on|at)$/;

const DAY_TEXT = /^(\d{1,2}[-/. ]([a-z]{3,9}|\d{1,2})[-/. ]\d{2,4}|\d{4}-\d\d-\d\d)( |$)/i;

/** Format elements that only dates have; a number's format is digits, signs and separators. */
export function formatLeaning(format: Expression | undefined): Leaning | undefined {
  if (format?.kind !== "literal" || format.type !== "string") return undefined;
  if (/YY|RR|MM|DD|HH|MI|SS|DY|DAY|MON|WW|IW|FF|TZ|^[QJDY]$/i.test(format.value.replace(/"[^"]*"/g, ""))) return "moment";
  return /[09X]|TM/i.test(format.value) ? "number" : undefined;
}

/** Reads from every use of a column in these trees what it holds. */
export function gatherLeanings(...trees: readonly unknown[]): Leanings {
  const votes = new Map<string, Map<Leaning, number>>();
  const alike: [string, string][] = [];
  const differences: [string, string][] = [];
  const vote = (expression: Expression | undefined, leaning: Leaning | undefined, weight: number) => {
    const column = expression && columnOf(expression);
    if (column === undefined || leaning === undefined) return;
    const own = votes.get(column) ?? new Map<Leaning, number>();
    votes.set(column, own.set(leaning, (own.get(leaning) ?? 0) + weight));
  };
  const pair = (left: Expression, right: Expression) => {
    for (const [one, other] of [
      [left, right],
      [right, left],
    ] as const)
      vote(one, natureOf(other), other.kind === "literal" && natureOf(other) !== "moment" ? HINT : SURE);
    const [a, b] = [columnOf(left), columnOf(right)];
    if (a !== undefined && b !== undefined && a !== b) alike.push([a, b]);
  };
  for (const tree of trees)
    visit(tree, (node) => {
      readUse(node, vote, pair);
      const [from, taken] = node.kind === "binary" && node.operator === "-" ? [columnOf(node.left), columnOf(node.right)] : [];
      if (from !== undefined && taken !== undefined) differences.push([from, taken]);
      return undefined;
    });
  // What is compared with a column of a known kind is of that kind; twice, for chains.
  for (const [a, b] of [...alike, ...alike]) {
    const [left, right] = [most(votes.get(a)), most(votes.get(b))];
    if (left && !right) votes.set(b, new Map([[left, SURE]]));
    if (right && !left) votes.set(a, new Map([[right, SURE]]));
  }
  // From a date a column is more often another date than a number of days; and only from a date can a date be taken.
  for (const [from, taken] of differences) {
    const [left, right] = [most(votes.get(from)) ?? named(from), most(votes.get(taken)) ?? named(taken)];
    if (left === "moment" && !right) votes.set(taken, new Map([["moment", HINT]]));
    if (right === "moment" && !left) votes.set(from, new Map([["moment", SURE]]));
  }
  return { of: (column) => most(votes.get(column)) ?? named(column) };
}

function named(column: string): Leaning | undefined {
  return MOMENT_NAME.test(column) ? "moment" : undefined;
}

/** n/24, n/1440, n/86400: hours, minutes and seconds as Oracle writes them. */
function isPartOfDay(expression: Expression): boolean {
  if (expression.kind === "paren") return isPartOfDay(expression.inner);
  if (expression.kind !== "binary" || (expression.operator !== "/" && expression.operator !== "*")) return false;
  const { left, right } = expression;
  return (right.kind === "literal" && /^(24|1440|86400)$/.test(right.value)) || isPartOfDay(left);
}

type Vote = (expression: Expression | undefined, leaning: Leaning | undefined, weight: number) => void;
type Pair = (left: Expression, right: Expression) => void;

function readUse(node: Expression, vote: Vote, pair: Pair): void {
  switch (node.kind) {
    case "binary":
      if (node.operator === "*" || node.operator === "/") for (const side of [node.left, node.right]) vote(side, "number", SURE);
      else if (COMPARISONS.has(node.operator)) pair(node.left, node.right);
      else if ((node.operator === "+" || node.operator === "-") && isPartOfDay(node.right)) vote(node.left, "moment", SURE);
      else if (node.operator === "+" && isNow(node.left)) vote(node.right, "number", SURE);
      else if (node.operator === "-" && natureOf(node.right) === "moment") vote(node.left, "moment", SURE);
      else if (node.operator === "-" && natureOf(node.left) === "moment") vote(node.right, "moment", 2 * HINT);
      return;
    case "unary":
      if (node.operator === "-") vote(node.operand, "number", SURE);
      return;
    case "between":
      pair(node.value, node.low);
      pair(node.value, node.high);
      return;
    case "in":
      if (!("body" in node.items)) for (const item of node.items) pair(node.value, item);
      return;
    case "like":
      vote(node.value, "text", SURE);
      return;
    case "extract":
      for (const side of node.from.kind === "binary" ? [node.from.left, node.from.right] : [node.from])
        vote(side, "moment", SURE);
      return;
    case "case":
      for (const { when, value } of node.branches) {
        if (node.subject) pair(node.subject, when);
        if (node.otherwise) pair(value, node.otherwise);
      }
      return;
    case "call":
      readCallUse(node, vote, pair);
  }
}

function readCallUse(node: ExpressionOf<"call">, vote: Vote, pair: Pair): void {
  const name = nameOfCall(node);
  const [first, second] = node.args.map((arg) => arg.value);
  if (NUMBERS.has(name) && !NUMBER_RESULTS_ONLY.has(name)) vote(first, "number", SURE);
  if (MOMENTS.has(name) && !MOMENT_RESULTS_ONLY.has(name)) vote(first, "moment", SURE);
  if (name === "months_between") for (const each of [first, second]) vote(each, "moment", SURE);
  if (name === "to_char") vote(first, formatLeaning(second), SURE);
  else if (TEXTS.has(name)) vote(first, "text", HINT);
  if ((name === "trunc" || name === "round") && second) vote(first, formatLeaning(second) ?? natureOf(second), SURE);
  if ((name === "nvl" || name === "coalesce" || name === "nullif") && first && second) pair(first, second);
  if (name === "decode" && first)
    for (let at = 1; at + 1 < node.args.length; at += 2) {
      const wanted = node.args[at]?.value;
      if (wanted) pair(first, wanted);
    }
}

function most(votes: ReadonlyMap<Leaning, number> | undefined): Leaning | undefined {
  const [first, second] = [...(votes ?? [])].sort((a, b) => b[1] - a[1]);
  return first && first[1] !== second?.[1] ? first[0] : undefined;
}

/** The column that an expression has the type of. */
function columnOf(expression: Expression): string | undefined {
  if (expression.kind === "name") return NOW.has(expression.parts.join(".")) ? undefined : expression.parts.at(-1);
  if (expression.kind === "paren") return columnOf(expression.inner);
  const isSame = expression.kind === "call" && (SAME.has(nameOfCall(expression)) || nameOfCall(expression) === "trunc");
  const [first] = isSame ? expression.args : [];
  return first && columnOf(first.value);
}

function nameOfCall(call: ExpressionOf<"call">): string {
  return call.callee.kind === "name" ? (call.callee.parts.at(-1) ?? "") : "";
}

function isNow(expression: Expression): boolean {
  return expression.kind === "name" && NOW.has(expression.parts.join("."));
}

/** What an expression gives, as far as its form says. */
function natureOf(expression: Expression): Leaning | undefined {
  switch (expression.kind) {
    case "literal":
      if (expression.type === "number") return "number";
      // '01-JAN-2006' stands beside a text and beside a date.
      if (expression.type === "string") return expression.value === "" || DAY_TEXT.test(expression.value) ? undefined : "text";
      return expression.type === "date" || expression.type === "timestamp" ? "moment" : undefined;
    case "name":
      if (isNow(expression)) return "moment";
      return ["rownum", "level"].includes(expression.parts.join(".")) ? "number" : undefined;
    case "paren":
      return natureOf(expression.inner);
    case "unary":
      return expression.operator === "-" ? "number" : undefined;
    case "extract":
      return "number";
    case "binary": {
      if (expression.operator === "||") return "text";
      if (expression.operator === "*" || expression.operator === "/") return "number";
      if (expression.operator !== "+" && expression.operator !== "-") return undefined;
      const [left, right] = [natureOf(expression.left), natureOf(expression.right)];
      if (left === "moment") return right === "moment" ? "number" : "moment";
      return right === "moment" && expression.operator === "+" ? "moment" : undefined;
    }
    case "call": {
      const name = nameOfCall(expression);
      const [first, second] = expression.args.map((arg) => arg.value);
      if (NUMBERS.has(name)) return "number";
      if (MOMENTS.has(name)) return "moment";
      if (TEXTS.has(name)) return "text";
      if (name === "trunc" || name === "round") return formatLeaning(second) ?? (first && natureOf(first));
      return SAME.has(name) ? ((first && natureOf(first)) ?? (second && natureOf(second))) : undefined;
    }
    default:
      return undefined;
  }
}
