import type { Cursor } from "./cursor.js";
import type { Expression } from "./expression.js";
import type { ForallBounds, Statement, StatementOf } from "./plsql.js";
import { readBlock, readStatements } from "./readBlock.js";
import { atDml, readDml } from "./readDml.js";
import { readExpression, readSum } from "./readExpression.js";
import { atQuery, readQuery } from "./readQuery.js";

type Content = { [K in Statement["kind"]]: Omit<StatementOf<K>, "line" | "labels" | "comments"> }[Statement["kind"]];

/** Reads one PL/SQL statement with its labels, without the semicolon. */
export function readStatement(cursor: Cursor): Statement {
  const comments = cursor.peek().comments;
  const line = cursor.line;
  const labels: string[] = [];
  while (cursor.accept("<<")) {
    labels.push(cursor.name());
    cursor.expect(">>");
  }
  // A label before END names nothing; PL/SQL wants a statement there, which older versions did not.
  const content: Content = cursor.at("END") && labels.length > 0 ? { kind: "null" } : readContent(cursor);
  return { ...content, line, labels, comments } as Statement;
}

function readContent(cursor: Cursor): Content {
  if (
    cursor.atAhead(1, ":=", ".", "(", "%") &&
    !cursor.atAny("FORALL", "IF", "CASE", "WHILE", "RETURN", "SELECT", "INSERT", "PIPE", "WITH")
  ) {
    return readAssignmentOrCall(cursor);
  }
  if (atQuery(cursor)) return { kind: "select", query: readQuery(cursor) };
  if (atDml(cursor)) return { kind: "dml", dml: readDml(cursor) };
  const word = cursor.peek().text;
  const read = READERS[word];
  return read && cursor.peek().kind === "word" ? (read(cursor) ?? readAssignmentOrCall(cursor)) : readAssignmentOrCall(cursor);
}

const READERS: Readonly<Record<string, (cursor: Cursor) => Content | undefined>> = {
  DECLARE: (cursor) => ({ kind: "block", block: readBlock(cursor) }),
  BEGIN: (cursor) => ({ kind: "block", block: readBlock(cursor) }),
  NULL: (cursor) => {
    cursor.next();
    return { kind: "null" };
  },
  IF: readIf,
  CASE: readCase,
  LOOP: (cursor) => readLoop(cursor, {}),
  WHILE: (cursor) => {
    cursor.next();
    return readLoop(cursor, { while: readExpression(cursor) });
  },
  FOR: readFor,
  FORALL: readForall,
  EXIT: (cursor) => readExit(cursor),
  CONTINUE: (cursor) => readExit(cursor),
  RETURN: (cursor) => {
    cursor.next();
    return cursor.at(";") ? { kind: "return" } : { kind: "return", value: readExpression(cursor) };
  },
  RAISE: (cursor) => {
    cursor.next();
    return cursor.at(";") ? { kind: "raise" } : { kind: "raise", exception: cursor.names() };
  },
  GOTO: (cursor) => {
    cursor.next();
    return { kind: "goto", label: cursor.name() };
  },
  OPEN: readOpen,
  FETCH: readFetch,
  CLOSE: (cursor) => {
    cursor.next();
    return { kind: "close", cursor: readExpression(cursor) };
  },
  EXECUTE: readExecute,
  PIPE: (cursor) => {
    cursor.next();
    cursor.expect("ROW");
    cursor.expect("(");
    const value = readExpression(cursor);
    cursor.expect(")");
    return { kind: "pipe", value };
  },
  // INLINE and COVERAGE tell the compiler something and do nothing.
  PRAGMA: (cursor) => {
    while (!cursor.done && !cursor.at(";")) cursor.next();
    return { kind: "null" };
  },
  COMMIT: readTransaction,
  ROLLBACK: readTransaction,
  SAVEPOINT: readTransaction,
  SET: readTransaction,
  LOCK: readTransaction,
};

function readAssignmentOrCall(cursor: Cursor): Content {
  const target = readSum(cursor);
  if (cursor.accept(":=")) return { kind: "assign", target, value: readExpression(cursor) };
  if (!["name", "call", "member", "bind"].includes(target.kind)) cursor.fail("expected a statement");
  return { kind: "call", call: target };
}

function readIf(cursor: Cursor): Content {
  cursor.next();
  const branches = [];
  do {
    const when = readExpression(cursor);
    cursor.expect("THEN");
    branches.push({ when, body: readStatements(cursor, "ELSIF", "ELSE", "END") });
  } while (cursor.accept("ELSIF"));
  const otherwise = cursor.accept("ELSE") ? readStatements(cursor, "END") : undefined;
  cursor.expect("END");
  cursor.expect("IF");
  return { kind: "if", branches, ...(otherwise ? { otherwise } : {}) };
}

function readCase(cursor: Cursor): Content {
  cursor.next();
  const subject = cursor.at("WHEN") ? undefined : readExpression(cursor);
  const branches = [];
  while (cursor.accept("WHEN")) {
    const when = readExpression(cursor);
    cursor.expect("THEN");
    branches.push({ when, body: readStatements(cursor, "WHEN", "ELSE", "END") });
  }
  const otherwise = cursor.accept("ELSE") ? readStatements(cursor, "END") : undefined;
  cursor.expect("END");
  cursor.expect("CASE");
  if (cursor.atName()) cursor.name();
  return { kind: "case", ...(subject ? { subject } : {}), branches, ...(otherwise ? { otherwise } : {}) };
}

function readLoopBody(cursor: Cursor): Statement[] {
  cursor.expect("LOOP");
  const body = readStatements(cursor, "END");
  cursor.expect("END");
  cursor.expect("LOOP");
  if (cursor.atName()) cursor.name();
  return body;
}

function readLoop(cursor: Cursor, condition: { while?: Expression }): Content {
  return { kind: "loop", ...condition, body: readLoopBody(cursor) };
}

function readFor(cursor: Cursor): Content {
  cursor.next();
  const variable = cursor.name();
  cursor.expect("IN");
  const reverse = cursor.accept("REVERSE");
  if (cursor.at("(")) {
    const start = cursor.position;
    cursor.next();
    if (atQuery(cursor)) {
      const query = readQuery(cursor);
      if (cursor.accept(")") && cursor.at("LOOP")) return { kind: "forQuery", variable, query, body: readLoopBody(cursor) };
    }
    cursor.goTo(start);
  }
  const low = readSum(cursor);
  if (cursor.accept("..")) {
    const high = readSum(cursor);
    if (!cursor.at("LOOP")) cursor.refuse("an iteration control of Oracle 21c");
    return { kind: "forRange", variable, reverse, low, high, body: readLoopBody(cursor) };
  }
  if (!cursor.at("LOOP")) cursor.refuse("an iteration control of Oracle 21c");
  return { kind: "forQuery", variable, query: low, body: readLoopBody(cursor) };
}

function readForall(cursor: Cursor): Content {
  cursor.next();
  const variable = cursor.name();
  cursor.expect("IN");
  const bounds = readBounds(cursor);
  const saveExceptions = cursor.accept("SAVE", "EXCEPTIONS");
  return { kind: "forall", variable, bounds, saveExceptions, statement: readStatement(cursor) };
}

function readBounds(cursor: Cursor): ForallBounds {
  if (cursor.accept("INDICES", "OF")) {
    const of = readSum(cursor);
    if (!cursor.accept("BETWEEN")) return { kind: "indices", of };
    const from = readSum(cursor);
    cursor.expect("AND");
    return { kind: "indices", of, between: [from, readSum(cursor)] };
  }
  if (cursor.accept("VALUES", "OF")) return { kind: "values", of: readSum(cursor) };
  const low = readSum(cursor);
  cursor.expect("..");
  return { kind: "range", low, high: readSum(cursor) };
}

function readExit(cursor: Cursor): Content {
  const isContinue = cursor.next().text === "CONTINUE";
  const to = cursor.atName() && !cursor.at("WHEN") ? cursor.name() : undefined;
  const when = cursor.accept("WHEN") ? readExpression(cursor) : undefined;
  return { kind: "exit", continue: isContinue, ...(to === undefined ? {} : { to }), ...(when ? { when } : {}) };
}

function readOpen(cursor: Cursor): Content {
  cursor.next();
  const opened = readSum(cursor);
  if (!cursor.accept("FOR")) return { kind: "open", cursor: opened, using: [] };
  const query = atQuery(cursor) && !cursor.at("(") ? readQuery(cursor) : readQueryOrText(cursor);
  const using = cursor.accept("USING") ? cursor.list(() => readBound(cursor)) : [];
  return { kind: "open", cursor: opened, query, using };
}

/** A value behind USING; IN is what it is anyway. */
function readBound(cursor: Cursor): Expression {
  cursor.accept("IN");
  return readExpression(cursor);
}

function readQueryOrText(cursor: Cursor) {
  if (!atQuery(cursor)) return readExpression(cursor);
  const start = cursor.position;
  const query = readQuery(cursor);
  if (cursor.atAny(";", "USING")) return query;
  cursor.goTo(start);
  return readExpression(cursor);
}

function readFetch(cursor: Cursor): Content {
  cursor.next();
  const fetched = readSum(cursor);
  const bulk = cursor.accept("BULK", "COLLECT");
  cursor.expect("INTO");
  const into = cursor.list(() => readSum(cursor));
  const limit = cursor.accept("LIMIT") ? readExpression(cursor) : undefined;
  return { kind: "fetch", cursor: fetched, into, bulk, ...(limit ? { limit } : {}) };
}

function readExecute(cursor: Cursor): Content | undefined {
  if (!cursor.accept("EXECUTE", "IMMEDIATE")) return undefined;
  const command = readExpression(cursor);
  let into: Expression[] = [];
  let bulk = false;
  let using: { mode: string; value: Expression }[] = [];
  let returning: Expression[] = [];
  for (;;) {
    if (cursor.accept("BULK", "COLLECT")) bulk = true;
    else if (cursor.accept("INTO")) into = cursor.list(() => readSum(cursor));
    else if (cursor.accept("USING")) {
      using = cursor.list(() => {
        const mode = cursor.accept("IN", "OUT") ? "IN OUT" : (cursor.acceptAny("IN", "OUT") ?? "IN");
        return { mode, value: readExpression(cursor) };
      });
    } else if (cursor.acceptAny("RETURNING", "RETURN")) {
      bulk ||= cursor.accept("BULK", "COLLECT");
      cursor.expect("INTO");
      returning = cursor.list(() => readSum(cursor));
    } else return { kind: "execute", command, into, bulk, using, returning };
  }
}

function readTransaction(cursor: Cursor): Content {
  const words: string[] = [];
  while (!cursor.at(";") && !cursor.done) words.push(cursor.next().value);
  return { kind: "transaction", words: words.join(" ") };
}
