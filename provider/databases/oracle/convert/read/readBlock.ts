import { type Cursor, Unconvertible } from "./cursor.js";
import type { Block, Handler, Statement } from "./plsql.js";
import { readDeclarations } from "./readDeclarations.js";
import { readStatement } from "./readStatement.js";

/** Reads [DECLARE ...] BEGIN ... END with a name behind it. */
export function readBlock(cursor: Cursor): Block {
  const line = cursor.line;
  const declared = cursor.accept("DECLARE") ? readDeclarations(cursor) : { declarations: [], autonomous: false };
  const { body, handlers } = readBlockBody(cursor);
  if (cursor.atName()) cursor.name();
  return { ...declared, body, handlers, line };
}

/** BEGIN statements [EXCEPTION handlers] END. */
export function readBlockBody(cursor: Cursor): { body: Statement[]; handlers: Handler[] } {
  cursor.expect("BEGIN");
  const body = readStatements(cursor, "EXCEPTION", "END");
  const handlers: Handler[] = [];
  if (cursor.accept("EXCEPTION")) {
    while (cursor.accept("WHEN")) {
      const exceptions = [cursor.names()];
      while (cursor.accept("OR")) exceptions.push(cursor.names());
      cursor.expect("THEN");
      handlers.push({ exceptions, body: readStatements(cursor, "WHEN", "END") });
    }
  }
  cursor.expect("END");
  return { body, handlers };
}

/** Statements up to one of these words, which is not taken. */
export function readStatements(cursor: Cursor, ...until: readonly string[]): Statement[] {
  const statements: Statement[] = [];
  while (!cursor.atAny(...until)) {
    if (cursor.done) cursor.fail(`expected ${until.join(" or ")}`);
    statements.push(readOrSkip(cursor));
  }
  return statements;
}

/** A statement with its semicolon; of one that cannot be read the reason, if it is clear where it ends. */
function readOrSkip(cursor: Cursor): Statement {
  const start = cursor.position;
  const { line, comments } = cursor.peek();
  try {
    const statement = readStatement(cursor);
    cursor.expect(";");
    return statement;
  } catch (cause) {
    if (!(cause instanceof Unconvertible)) throw cause;
    const failed = cursor.position;
    cursor.goTo(start);
    if (!skipStatement(cursor) || cursor.position < failed) throw cause;
    return { kind: "unconvertible", reason: cause.reason, line: cause.line ?? line, labels: [], comments };
  }
}

/** Steps behind a statement's semicolon, over what is nested in it; false where its end is not to be told. */
function skipStatement(cursor: Cursor): boolean {
  if (cursor.at("DECLARE")) return false;
  let depth = 0;
  for (; !cursor.done; cursor.next()) {
    const isWord = cursor.peek().kind === "word" && !cursor.isBehind(".");
    if (isWord && cursor.at("END")) {
      if (--depth < 0) return false;
      if (cursor.atAhead(1, "IF", "LOOP", "CASE")) cursor.next();
    } else if (isWord && cursor.atAny("IF", "LOOP", "CASE", "BEGIN")) depth++;
    else if (depth === 0 && cursor.accept(";")) return true;
  }
  return false;
}
