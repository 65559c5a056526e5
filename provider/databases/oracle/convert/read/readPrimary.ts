import type { Cursor } from "./cursor.js";
import { readDataType } from "./dataType.js";
import type { Argument, CallTail, CaseBranch, Expression } from "./expression.js";
import { readCallTail, readSortKeys } from "./readCallTail.js";
import { readExpression, readSum } from "./readExpression.js";
import { atQuery, readQuery } from "./readQuery.js";
import { atWorded, readWorded } from "./readWorded.js";

/** A literal, name, call, bracket or one of the forms with a syntax of their own, with everything that follows it by . ( or %. */
export function readPrimary(cursor: Cursor): Expression {
  return readPostfix(cursor, readAtom(cursor));
}

/** Words that end an expression: as a name each would be reserved in Oracle, too. */
const NOT_A_NAME = new Set(
  `SELECT FROM WHERE GROUP HAVING ORDER UNION INTERSECT MINUS CONNECT START AND OR NOT IN LIKE BETWEEN THEN ELSE ELSIF WHEN
  INTO VALUES SET BEGIN END IF LOOP IS AS BY WITH ON FOR OF`.split(/\s+/),
);

function readAtom(cursor: Cursor): Expression {
  const token = cursor.peek();
  const line = token.line;
  if (token.kind === "string") return literal("string", cursor.next().value, line);
  if (token.kind === "number") return literal("number", cursor.next().value, line);
  if (token.kind === "bind") {
    cursor.next();
    const hasField = cursor.at(".") && cursor.peek(1).kind !== "operator" && cursor.accept(".");
    const field = hasField ? cursor.name() : undefined;
    return { kind: "bind", name: token.text.toLowerCase(), ...(field === undefined ? {} : { field }), line };
  }
  if (token.kind === "directive") return { kind: "inquiry", name: cursor.next().value.toLowerCase(), line };
  if (cursor.at("(")) return readBracket(cursor);
  if (cursor.accept("*")) return { kind: "star", of: [], line };
  if (token.kind === "word") {
    const special = readSpecial(cursor);
    if (special) return special;
    if (NOT_A_NAME.has(token.text) && !cursor.at("SET", "(")) cursor.fail("expected an expression");
  } else if (token.kind !== "quoted") cursor.fail("expected an expression");
  return readName(cursor);
}

function literal(type: "string" | "number", value: string, line: number): Expression {
  return { kind: "literal", type, value: type === "number" ? value.replace(/[fd]$/i, "") : value, line };
}

function readSpecial(cursor: Cursor): Expression | undefined {
  const line = cursor.line;
  if (cursor.atAhead(1, ".")) return undefined;
  if (cursor.accept("NULL")) return { kind: "literal", type: "null", value: "", line };
  const truth = cursor.acceptAny("TRUE", "FALSE");
  if (truth) return { kind: "literal", type: "boolean", value: truth.toLowerCase(), line };
  if (cursor.peek(1).kind === "string") {
    const type = cursor.at("DATE")
      ? "date"
      : cursor.at("TIMESTAMP")
        ? "timestamp"
        : cursor.at("INTERVAL")
          ? "interval"
          : undefined;
    if (type) {
      cursor.next();
      const value = cursor.next().value;
      return { kind: "literal", type, value: type === "interval" ? `${value}|${readIntervalFields(cursor)}` : value, line };
    }
  }
  if (cursor.at("CASE")) return readCase(cursor);
  if (cursor.at("NEW") && cursor.peek(1).kind === "word" && cursor.atAhead(2, "(", ".")) cursor.next();
  if (cursor.accept("DEFAULT")) return { kind: "name", parts: ["default"], outer: false, line };
  if (!cursor.atAhead(1, "(")) return undefined;
  if (cursor.at("EXISTS") && (cursor.atAhead(2, "SELECT", "WITH", "(") || cursor.atAhead(2, "/"))) {
    cursor.next();
    return { kind: "exists", query: readBracketedQuery(cursor), line };
  }
  if (cursor.at("CAST") || cursor.at("TREAT")) return readCast(cursor);
  if (cursor.at("VALIDATE_CONVERSION")) return readValidation(cursor);
  if (cursor.at("XMLCAST")) return readCast(cursor);
  if (cursor.at("EXTRACT")) return readExtract(cursor);
  if (cursor.at("TRIM")) return readTrim(cursor);
  if (cursor.at("CURSOR")) {
    cursor.next();
    return { kind: "cursor", query: readBracketedQuery(cursor), line };
  }
  if (cursor.at("MULTISET")) cursor.refuse("MULTISET outside CAST");
  if (atWorded(cursor)) return readWorded(cursor);
  return undefined;
}

function readIntervalFields(cursor: Cursor): string {
  const fields: string[] = [];
  for (;;) {
    const word = cursor.acceptAny("YEAR", "MONTH", "DAY", "HOUR", "MINUTE", "SECOND", "TO");
    if (word === undefined) return fields.join(" ");
    fields.push(word.toLowerCase());
    if (cursor.at("(")) cursor.bracketed();
  }
}

function readBracket(cursor: Cursor): Expression {
  const line = cursor.line;
  cursor.expect("(");
  if (atQuery(cursor)) {
    const start = cursor.position;
    const query = readQuery(cursor);
    if (cursor.accept(")")) return { kind: "subquery", query, line };
    cursor.goTo(start);
  }
  if (cursor.accept(")")) return { kind: "list", items: [], line };
  const items = cursor.list(() => readExpression(cursor));
  // (self AS supertype): the value seen as its supertype.
  if (cursor.accept("AS")) {
    const value = items[0];
    const type = readDataType(cursor);
    cursor.expect(")");
    if (value) return { kind: "paren", inner: { kind: "cast", value, type, line }, line };
  }
  cursor.expect(")");
  const [inner] = items;
  return items.length === 1 && inner ? { kind: "paren", inner, line } : { kind: "list", items, line };
}

function readBracketedQuery(cursor: Cursor) {
  cursor.expect("(");
  const query = readQuery(cursor);
  cursor.expect(")");
  return query;
}

function readCase(cursor: Cursor): Expression {
  const line = cursor.line;
  cursor.expect("CASE");
  const subject = cursor.at("WHEN") ? undefined : readExpression(cursor);
  const branches: CaseBranch[] = [];
  while (cursor.accept("WHEN")) {
    const when = readExpression(cursor);
    cursor.expect("THEN");
    branches.push({ when, value: readExpression(cursor) });
  }
  const otherwise = cursor.accept("ELSE") ? readExpression(cursor) : undefined;
  cursor.expect("END");
  cursor.accept("CASE");
  return { kind: "case", ...(subject ? { subject } : {}), branches, ...(otherwise ? { otherwise } : {}), line };
}

function readCast(cursor: Cursor): Expression {
  const line = cursor.line;
  cursor.next();
  cursor.expect("(");
  if (cursor.accept("MULTISET")) {
    const query = readBracketedQuery(cursor);
    cursor.expect("AS");
    const type = readDataType(cursor);
    cursor.expect(")");
    return { kind: "multisetCast", query, type, line };
  }
  const value = readExpression(cursor);
  cursor.expect("AS");
  const type = readDataType(cursor);
  const otherwise = cursor.accept("DEFAULT") ? readExpression(cursor) : undefined;
  if (otherwise) cursor.expect("ON", "CONVERSION", "ERROR");
  if (cursor.accept(",")) {
    if (otherwise) cursor.refuse("CAST with a format and DEFAULT ON CONVERSION ERROR");
    readExpression(cursor);
  }
  cursor.expect(")");
  return { kind: "cast", value, type, ...(otherwise ? { otherwise } : {}), line };
}

/** VALIDATE_CONVERSION(value AS type, format): 1 or 0. */
function readValidation(cursor: Cursor): Expression {
  const line = cursor.line;
  cursor.next();
  cursor.expect("(");
  const value = readExpression(cursor);
  cursor.expect("AS");
  const type = readDataType(cursor);
  const format = cursor.accept(",") ? readExpression(cursor) : undefined;
  // What the formats say of languages has no counterpart.
  if (cursor.accept(",")) readExpression(cursor);
  cursor.expect(")");
  return { kind: "validation", value, type, ...(format ? { format } : {}), line };
}

const EXTRACTED = ["YEAR", "MONTH", "DAY", "HOUR", "MINUTE", "SECOND", "TIMEZONE_HOUR", "TIMEZONE_MINUTE"];

function readExtract(cursor: Cursor): Expression {
  const line = cursor.line;
  if (!(cursor.atAhead(2, ...EXTRACTED) && cursor.atAhead(3, "FROM"))) return readName(cursor);
  cursor.next();
  cursor.expect("(");
  const field = cursor.next().text.toLowerCase();
  cursor.expect("FROM");
  const from = readExpression(cursor);
  cursor.expect(")");
  return { kind: "extract", field, from, line };
}

function readTrim(cursor: Cursor): Expression {
  const line = cursor.line;
  cursor.next();
  cursor.expect("(");
  const side = cursor.acceptAny("LEADING", "TRAILING", "BOTH") ?? "BOTH";
  let from = cursor.at("FROM") ? undefined : readExpression(cursor);
  let characters: Expression | undefined;
  if (cursor.accept("FROM")) {
    characters = from;
    from = readExpression(cursor);
  }
  cursor.expect(")");
  if (!from) cursor.fail("expected what to trim");
  return { kind: "trim", side, ...(characters ? { characters } : {}), from, line };
}

function readName(cursor: Cursor): Expression {
  const line = cursor.line;
  const parts = [cursor.name()];
  while (cursor.at(".")) {
    if (cursor.atAhead(1, "*")) {
      cursor.next();
      cursor.next();
      return { kind: "star", of: parts, line };
    }
    if (cursor.peek(1).kind !== "word" && cursor.peek(1).kind !== "quoted") break;
    cursor.next();
    parts.push(cursor.name());
  }
  const outer = acceptOuter(cursor);
  const link = !outer && cursor.accept("@") ? cursor.names().join(".") : undefined;
  return { kind: "name", parts, outer, ...(link === undefined ? {} : { link }), line };
}

function acceptOuter(cursor: Cursor): boolean {
  return cursor.accept("(", "+", ")");
}

function readPostfix(cursor: Cursor, atom: Expression): Expression {
  let value = atom;
  for (;;) {
    const line = cursor.line;
    if (cursor.at("(") && isCallable(value)) {
      const call = readCall(cursor, value);
      value = acceptOuter(cursor) ? { ...call, outer: true } : call;
    } else if (cursor.at(".") && value.kind !== "name" && value.kind !== "literal" && isNameAhead(cursor)) {
      cursor.next();
      value = { kind: "member", of: value, name: cursor.name(), line };
    } else if (cursor.at("%") && cursor.peek(1).kind === "word" && isCallable(value)) {
      cursor.next();
      value = { kind: "attribute", of: value, name: cursor.next().text, line };
    } else return value;
  }
}

function isNameAhead(cursor: Cursor): boolean {
  return cursor.peek(1).kind === "word" || cursor.peek(1).kind === "quoted";
}

function isCallable(value: Expression): boolean {
  return (
    value.kind === "name" ||
    value.kind === "member" ||
    value.kind === "call" ||
    value.kind === "bind" ||
    value.kind === "attribute"
  );
}

function readCall(cursor: Cursor, callee: Expression): Extract<Expression, { kind: "call" }> {
  const line = cursor.line;
  cursor.expect("(");
  const tail: CallTail = {};
  if (cursor.acceptAny("DISTINCT", "UNIQUE")) tail.distinct = true;
  else if (!cursor.atAhead(1, ")", ",", ".")) cursor.accept("ALL");
  const args: Argument[] = [];
  if (!cursor.at(")"))
    args.push(
      ...cursor.list(() => {
        const argument = readArgument(cursor, callee);
        if (cursor.accept("DEFAULT")) {
          tail.otherwise = readExpression(cursor);
          cursor.expect("ON", "CONVERSION", "ERROR");
        }
        return argument;
      }),
    );
  if (cursor.accept("ORDER", "BY")) tail.order = readSortKeys(cursor);
  readNulls(cursor, tail);
  // PostgreSQL's lists may be a gigabyte long, so there is nothing to truncate.
  if (cursor.accept("ON", "OVERFLOW")) while (!cursor.done && !cursor.at(")")) cursor.skip();
  cursor.expect(")");
  readCallTail(cursor, tail);
  return { kind: "call", callee, args, tail, outer: false, line };
}

function readNulls(cursor: Cursor, tail: CallTail): void {
  if (!(cursor.atAny("IGNORE", "RESPECT") && cursor.atAhead(1, "NULLS"))) return;
  tail.nulls = cursor.next().text === "IGNORE" ? "IGNORE" : "RESPECT";
  cursor.next();
}

function readArgument(cursor: Cursor, callee: Expression): Argument {
  if (cursor.atName() && cursor.atAhead(1, "=>")) {
    const name = cursor.name();
    cursor.expect("=>");
    return { name, value: readExpression(cursor) };
  }
  // A bracketed query may be the first operand of an expression, so only a bare one is taken here.
  if (!cursor.at("(") && atQuery(cursor)) {
    const line = cursor.line;
    return { value: { kind: "subquery", query: readQuery(cursor), line } };
  }
  const value = readExpression(cursor);
  // TRANSLATE(text USING NCHAR_CS): both character sets are the database's one here.
  if (cursor.accept("USING")) {
    cursor.next();
    return {
      value: {
        kind: "call",
        callee: { kind: "name", parts: ["to_char"], outer: false, line: value.line },
        args: [{ value }],
        tail: {},
        outer: false,
        line: value.line,
      },
      name: "\uE000using",
    };
  }
  return callee.kind === "name" && cursor.accept("BY") ? { value: readSum(cursor) } : { value };
}
