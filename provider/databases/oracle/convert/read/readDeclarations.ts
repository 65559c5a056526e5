import { type Cursor, Unconvertible } from "./cursor.js";
import { readDataType } from "./dataType.js";
import type { Declaration, TypeDefinition } from "./plsql.js";
import { readExpression } from "./readExpression.js";
import { readQuery } from "./readQuery.js";
import { readParameter, readRoutine } from "./readRoutine.js";

export interface Declarations {
  readonly declarations: readonly Declaration[];
  readonly autonomous: boolean;
}

/** Reads declarations up to BEGIN, END or the end of the unit. */
export function readDeclarations(cursor: Cursor): Declarations {
  const declarations: Declaration[] = [];
  let autonomous = false;
  for (;;) {
    if (cursor.done || cursor.at("BEGIN") || (cursor.at("END") && !cursor.atAhead(1, ":="))) return { declarations, autonomous };
    // Sections of a compound trigger end its declarations, too.
    if (cursor.atAny("BEFORE", "AFTER", "INSTEAD") && cursor.atAhead(1, "EACH", "STATEMENT", "OF"))
      return { declarations, autonomous };
    if (cursor.accept("PRAGMA")) {
      const pragma = cursor.next().text;
      if (pragma === "AUTONOMOUS_TRANSACTION") autonomous = true;
      else if (pragma === "EXCEPTION_INIT") declarations.push(readExceptionCode(cursor));
      while (!cursor.done && !cursor.at(";")) cursor.next();
    } else declarations.push(readDeclaration(cursor));
    cursor.expect(";");
  }
}

function readExceptionCode(cursor: Cursor): Declaration {
  const line = cursor.line;
  cursor.expect("(");
  const name = cursor.name();
  cursor.expect(",");
  const sign = cursor.accept("-") ? -1 : 1;
  const code = sign * Number(cursor.next().value);
  cursor.expect(")");
  return { kind: "exceptionCode", name, code, line };
}

function readDeclaration(cursor: Cursor): Declaration {
  const line = cursor.line;
  if (cursor.atAny("FUNCTION", "PROCEDURE") && cursor.peek(1).kind !== "operator")
    return { kind: "routine", routine: readRoutine(cursor), line };
  if (cursor.at("CURSOR") && cursor.peek(1).kind !== "operator") return readCursor(cursor);
  if (cursor.at("TYPE") && (cursor.atAhead(2, "IS", "AS") || cursor.atAhead(2, ";"))) {
    cursor.next();
    const name = cursor.name();
    if (cursor.at(";")) cursor.refuse("an incomplete type");
    cursor.next();
    return { kind: "type", name, definition: readTypeDefinition(cursor), line };
  }
  if (cursor.at("SUBTYPE") && cursor.atAhead(2, "IS")) return readSubtype(cursor);
  return readVariable(cursor);
}

function readVariable(cursor: Cursor): Declaration {
  const line = cursor.line;
  const comments = cursor.peek().comments;
  const name = cursor.name();
  if (cursor.accept("EXCEPTION")) return { kind: "exception", name, line };
  const constant = cursor.accept("CONSTANT");
  const type = readDataType(cursor);
  cursor.accept("NOT", "NULL");
  cursor.accept("NULL");
  const initial = cursor.acceptAny(":=", "DEFAULT") ? readExpression(cursor) : undefined;
  return { kind: "variable", name, type, constant, ...(initial ? { initial } : {}), line, comments };
}

function readCursor(cursor: Cursor): Declaration {
  const line = cursor.line;
  cursor.next();
  const name = cursor.name();
  const parameters = cursor.at("(") ? cursor.listed(() => readParameter(cursor)) : [];
  if (cursor.accept("RETURN")) readDataType(cursor);
  if (!cursor.acceptAny("IS", "AS")) return { kind: "cursor", name, parameters, line };
  const start = cursor.position;
  try {
    const query = readQuery(cursor);
    if (!cursor.at(";")) cursor.fail("expected ;");
    return { kind: "cursor", name, parameters, query, line };
  } catch (cause) {
    if (!(cause instanceof Unconvertible)) throw cause;
    cursor.goTo(start);
    while (!cursor.done && !cursor.at(";")) cursor.skip();
    return { kind: "cursor", name, parameters, problem: cause.reason, line: cause.line ?? line };
  }
}

function readSubtype(cursor: Cursor): Declaration {
  const line = cursor.line;
  cursor.next();
  const name = cursor.name();
  cursor.next();
  const base = readDataType(cursor);
  let range: readonly [ReturnType<typeof readExpression>, ReturnType<typeof readExpression>] | undefined;
  if (cursor.accept("RANGE")) {
    const low = readExpression(cursor);
    cursor.expect("..");
    range = [low, readExpression(cursor)];
  }
  cursor.accept("NOT", "NULL");
  return { kind: "type", name, definition: { kind: "subtype", base, ...(range ? { range } : {}) }, line };
}

/** What stands behind TYPE name IS: a record, a collection or a cursor type. Objects are read elsewhere. */
export function readTypeDefinition(cursor: Cursor): TypeDefinition {
  if (cursor.accept("RECORD")) return { kind: "record", fields: cursor.listed(() => readField(cursor)) };
  if (cursor.accept("REF", "CURSOR")) {
    if (cursor.accept("RETURN")) readDataType(cursor);
    return { kind: "cursor" };
  }
  if (cursor.accept("TABLE", "OF")) {
    const element = readElement(cursor);
    const index = cursor.accept("INDEX", "BY") ? readDataType(cursor) : undefined;
    return { kind: "table", element, ...(index ? { index } : {}) };
  }
  if (cursor.accept("VARRAY") || cursor.accept("VARYING", "ARRAY") || cursor.accept("ARRAY")) {
    const limit = cursor
      .bracketed()
      .map((token) => token.value)
      .join("");
    cursor.expect("OF");
    return { kind: "varray", element: readElement(cursor), limit };
  }
  cursor.refuse("a type of this kind");
}

function readElement(cursor: Cursor) {
  const bracketed = cursor.accept("(");
  const element = readDataType(cursor);
  cursor.accept("NOT", "NULL");
  if (bracketed) cursor.expect(")");
  return element;
}

function readField(cursor: Cursor) {
  const name = cursor.name();
  const type = readDataType(cursor);
  cursor.accept("NOT", "NULL");
  const init = cursor.acceptAny(":=", "DEFAULT") ? readExpression(cursor) : undefined;
  return { name, type, ...(init ? { default: init } : {}) };
}
