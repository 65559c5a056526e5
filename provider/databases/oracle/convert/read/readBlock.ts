import type { Cursor } from "./cursor.js";
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
    statements.push(readStatement(cursor));
    cursor.expect(";");
  }
  return statements;
}
