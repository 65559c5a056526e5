import type { Cursor } from "./cursor.js";
import { readDataType } from "./dataType.js";
import type { Expression } from "./expression.js";
import { readPrimary } from "./readPrimary.js";
import { atQuery, readQuery } from "./readQuery.js";

/** Reads an expression or a condition: in PL/SQL the two are one. */
export function readExpression(cursor: Cursor): Expression {
  return readOr(cursor);
}

function readOr(cursor: Cursor): Expression {
  const line = cursor.line;
  let left = readAnd(cursor);
  while (cursor.accept("OR")) left = { kind: "binary", operator: "OR", left, right: readAnd(cursor), line };
  return left;
}

function readAnd(cursor: Cursor): Expression {
  const line = cursor.line;
  let left = readNot(cursor);
  while (cursor.accept("AND")) left = { kind: "binary", operator: "AND", left, right: readNot(cursor), line };
  return left;
}

function readNot(cursor: Cursor): Expression {
  const line = cursor.line;
  if (cursor.accept("NOT")) return { kind: "unary", operator: "NOT", operand: readNot(cursor), line };
  return readComparison(cursor);
}

function readComparison(cursor: Cursor): Expression {
  let left = readSum(cursor);
  for (;;) {
    const next = readTest(cursor, left);
    if (!next) return left;
    left = next;
  }
}

function readTest(cursor: Cursor, value: Expression): Expression | undefined {
  const line = cursor.line;
  const operator = readComparisonOperator(cursor);
  if (operator !== undefined) return { kind: "binary", operator, left: value, right: readOperand(cursor), line };
  if (cursor.accept("IS")) {
    const negated = cursor.accept("NOT");
    if (cursor.accept("OF")) {
      cursor.accept("TYPE");
      const types = cursor.listed(() => {
        cursor.accept("ONLY");
        return readDataType(cursor);
      });
      return { kind: "is", value, test: "OF", types, negated, line };
    }
    if (cursor.accept("A", "SET")) return { kind: "is", value, test: "A SET", negated, line };
    const test = cursor.acceptAny("NULL", "NAN", "INFINITE", "EMPTY", "DANGLING", "JSON", "PRESENT", "TRUE", "FALSE");
    if (test === undefined) cursor.fail("expected NULL");
    if (test === "JSON") return { kind: "is", value, test: readJsonTest(cursor), negated, line };
    return { kind: "is", value, test, negated, line };
  }
  const start = cursor.position;
  const negated = cursor.accept("NOT");
  if (cursor.accept("BETWEEN")) {
    const low = readSum(cursor);
    cursor.expect("AND");
    return { kind: "between", value, low, high: readSum(cursor), negated, line };
  }
  if (cursor.accept("IN")) return { kind: "in", value, items: readInItems(cursor), negated, line };
  if (cursor.acceptAny("LIKE", "LIKEC", "LIKE2", "LIKE4")) {
    const pattern = readSum(cursor);
    const escaped = cursor.accept("ESCAPE") ? readSum(cursor) : undefined;
    return { kind: "like", value, pattern, ...(escaped ? { escape: escaped } : {}), negated, line };
  }
  const submultiset = cursor.at("SUBMULTISET");
  if (submultiset || (cursor.at("MEMBER") && !cursor.atAhead(1, ".", "("))) {
    cursor.next();
    cursor.accept("OF");
    return { kind: "membership", submultiset, value, of: readSum(cursor), negated, line };
  }
  cursor.goTo(start);
  return undefined;
}

/** What stands behind IS JSON. STRICT and LAX say how names are quoted: PostgreSQL reads JSON by the standard only, as STRICT does. */
function readJsonTest(cursor: Cursor): string {
  cursor.accept("FORMAT", "JSON");
  const kind = cursor.acceptAny("VALUE", "ARRAY", "OBJECT", "SCALAR");
  cursor.acceptAny("STRICT", "LAX");
  if (cursor.at("DISALLOW") || cursor.at("ALLOW")) {
    cursor.next();
    cursor.expect("SCALARS");
  }
  let unique = "";
  if (cursor.at("WITH", "UNIQUE") || cursor.at("WITHOUT", "UNIQUE")) {
    unique = cursor.next().text === "WITH" ? " WITH UNIQUE KEYS" : "";
    cursor.next();
    cursor.accept("KEYS");
  }
  return `JSON${kind === undefined ? "" : ` ${kind}`}${unique}`;
}

function readComparisonOperator(cursor: Cursor): string | undefined {
  // Oracle allows blanks inside its operators.
  if (["<", "!", "^"].some((first) => cursor.accept(first, first === "<" ? ">" : "="))) return "<>";
  for (const operator of ["<", ">"]) if (cursor.accept(operator, "=")) return `${operator}=`;
  for (const operator of ["=", "<>", "<=", ">=", "<", ">"]) if (cursor.accept(operator)) return operator;
  if (cursor.acceptAny("!=", "^=", "~=")) return "<>";
  return undefined;
}

function readOperand(cursor: Cursor): Expression {
  const line = cursor.line;
  const quantifier = cursor.at("(") ? undefined : cursor.acceptAny("ANY", "SOME", "ALL");
  if (quantifier === undefined) return readSum(cursor);
  return { kind: "quantified", quantifier: quantifier === "SOME" ? "ANY" : quantifier, items: readInItems(cursor), line };
}

function readInItems(cursor: Cursor) {
  if (!cursor.at("(")) return [readSum(cursor)];
  const start = cursor.position;
  cursor.next();
  if (atQuery(cursor)) {
    const query = readQuery(cursor);
    if (cursor.accept(")")) return query;
    cursor.goTo(start + 1);
  }
  const items = cursor.list(() => readExpression(cursor));
  cursor.expect(")");
  return items;
}

/** Everything that binds tighter than a comparison. */
export function readSum(cursor: Cursor): Expression {
  const line = cursor.line;
  let left = readProduct(cursor);
  for (;;) {
    const operator = cursor.acceptAny("+", "-", "||");
    if (operator !== undefined) left = { kind: "binary", operator, left, right: readProduct(cursor), line };
    else if (cursor.at("|", "|")) {
      cursor.accept("|", "|");
      left = { kind: "binary", operator: "||", left, right: readProduct(cursor), line };
    } else if (cursor.at("MULTISET") && cursor.atAhead(1, "UNION", "INTERSECT", "EXCEPT")) {
      cursor.next();
      const set = cursor.next().text;
      const distinct = cursor.acceptAny("ALL", "DISTINCT") === "DISTINCT";
      left = { kind: "multiset", operator: set, distinct, left, right: readProduct(cursor), line };
    } else return left;
  }
}

function readProduct(cursor: Cursor): Expression {
  const line = cursor.line;
  let left = readPower(cursor);
  for (;;) {
    const operator = cursor.acceptAny("*", "/", "MOD", "REM");
    if (operator === undefined) return left;
    left = { kind: "binary", operator, left, right: readPower(cursor), line };
  }
}

function readPower(cursor: Cursor): Expression {
  const line = cursor.line;
  const left = readUnary(cursor);
  if (!cursor.accept("**")) return left;
  return { kind: "binary", operator: "**", left, right: readPower(cursor), line };
}

function readUnary(cursor: Cursor): Expression {
  const line = cursor.line;
  const sign = cursor.acceptAny("-", "+");
  if (sign !== undefined) return { kind: "unary", operator: sign, operand: readUnary(cursor), line };
  if (cursor.at("PRIOR") && !cursor.atAhead(1, ")", ",", ".", "(", "=", ";")) {
    cursor.next();
    return { kind: "unary", operator: "PRIOR", operand: readUnary(cursor), line };
  }
  if (cursor.accept("CONNECT_BY_ROOT")) return { kind: "unary", operator: "CONNECT_BY_ROOT", operand: readUnary(cursor), line };
  let value = readPrimary(cursor);
  for (;;) {
    if (cursor.accept("AT", "LOCAL")) value = { kind: "atZone", value, line };
    else if (cursor.accept("AT", "TIME", "ZONE")) value = { kind: "atZone", value, zone: readPrimary(cursor), line };
    else return value;
  }
}
