import type { Cursor } from "./cursor.js";
import type { Expression, SortKey } from "./expression.js";
import type { CommonTable, GroupItem, Query, QueryBody, Select, SelectItem } from "./query.js";
import { readSortKeys } from "./readCallTail.js";
import { readExpression } from "./readExpression.js";
import { readFrom } from "./readFrom.js";

/** A query begins here, after any number of opening brackets. */
export function atQuery(cursor: Cursor): boolean {
  let ahead = 0;
  while (cursor.atAhead(ahead, "(")) ahead++;
  if (cursor.atAhead(ahead, "SELECT")) return true;
  return cursor.atAhead(ahead, "WITH") && !cursor.atAhead(ahead + 1, ".", ",", ")");
}

/** Reads SELECT ... or WITH ... SELECT, up to what is no part of it. */
export function readQuery(cursor: Cursor): Query {
  const line = cursor.line;
  const common = cursor.accept("WITH") ? cursor.list(() => readCommonTable(cursor)) : [];
  const body = readSetOperations(cursor);
  let order: SortKey[] = [];
  let siblings = false;
  if (cursor.at("ORDER") && cursor.atAhead(1, "BY", "SIBLINGS")) {
    cursor.next();
    siblings = cursor.accept("SIBLINGS");
    cursor.expect("BY");
    order = readSortKeys(cursor);
  }
  const offset = cursor.accept("OFFSET") ? readRowCount(cursor) : undefined;
  const fetch = readFetch(cursor);
  const lock = readLock(cursor);
  return {
    with: common,
    body,
    order,
    siblings,
    ...(offset ? { offset } : {}),
    ...(fetch ? { fetch } : {}),
    ...(lock ? { lock } : {}),
    line,
  };
}

function readRowCount(cursor: Cursor): Expression {
  const count = readExpression(cursor);
  cursor.acceptAny("ROW", "ROWS");
  return count;
}

function readFetch(cursor: Cursor): Query["fetch"] {
  if (!(cursor.at("FETCH") && cursor.atAhead(1, "FIRST", "NEXT"))) return undefined;
  cursor.next();
  cursor.next();
  const one: Expression = { kind: "literal", type: "number", value: "1", line: cursor.line };
  const rows = cursor.atAny("ROW", "ROWS") ? one : readExpression(cursor);
  const percent = cursor.accept("PERCENT");
  cursor.acceptAny("ROW", "ROWS");
  const ties = cursor.accept("WITH", "TIES");
  if (!ties) cursor.expect("ONLY");
  return { rows, percent, ties };
}

function readLock(cursor: Cursor): Query["lock"] {
  if (!cursor.accept("FOR", "UPDATE")) return undefined;
  const of = cursor.accept("OF") ? cursor.list(() => cursor.names()) : [];
  if (cursor.accept("NOWAIT")) return { of, wait: " NOWAIT" };
  if (cursor.accept("SKIP", "LOCKED")) return { of, wait: " SKIP LOCKED" };
  if (cursor.accept("WAIT")) readExpression(cursor);
  return { of, wait: "" };
}

function readCommonTable(cursor: Cursor): CommonTable {
  if (cursor.atAny("FUNCTION", "PROCEDURE") && cursor.peek(1).kind === "word" && !cursor.atAhead(1, "AS")) {
    cursor.refuse("a function in WITH");
  }
  const name = cursor.name();
  const columns = cursor.at("(") ? cursor.listed(() => cursor.name()) : [];
  cursor.expect("AS");
  cursor.expect("(");
  const query = readQuery(cursor);
  cursor.expect(")");
  let search: CommonTable["search"];
  if (cursor.at("SEARCH") && cursor.atAhead(1, "DEPTH", "BREADTH")) {
    cursor.next();
    const depth = cursor.next().text === "DEPTH";
    cursor.expect("FIRST", "BY");
    const by = cursor.list(() => {
      const column = cursor.name();
      cursor.acceptAny("ASC", "DESC");
      if (cursor.accept("NULLS")) cursor.next();
      return column;
    });
    cursor.expect("SET");
    search = { depth, by, set: cursor.name() };
  }
  let cycle: CommonTable["cycle"];
  if (cursor.accept("CYCLE")) {
    const cycled = cursor.list(() => cursor.name());
    cursor.expect("SET");
    const set = cursor.name();
    cursor.expect("TO");
    const to = readExpression(cursor);
    cursor.expect("DEFAULT");
    cycle = { columns: cycled, set, to, otherwise: readExpression(cursor) };
  }
  return { name, columns, query, ...(search ? { search } : {}), ...(cycle ? { cycle } : {}) };
}

function readSetOperations(cursor: Cursor): QueryBody {
  let left = readBody(cursor);
  for (;;) {
    const word = cursor.acceptAny("UNION", "MINUS", "INTERSECT", "EXCEPT");
    if (word === undefined) return left;
    const all = cursor.acceptAny("ALL", "DISTINCT") === "ALL" ? " ALL" : "";
    const operator = `${word === "MINUS" ? "EXCEPT" : word}${all}`;
    left = { kind: "set", operator, left, right: readBody(cursor) };
  }
}

function readBody(cursor: Cursor): QueryBody {
  if (!cursor.accept("(")) return { kind: "select", select: readSelect(cursor) };
  const query = readQuery(cursor);
  cursor.expect(")");
  return { kind: "nested", query };
}

function readSelect(cursor: Cursor): Select {
  const line = cursor.line;
  cursor.expect("SELECT");
  const distinct = cursor.acceptAny("DISTINCT", "UNIQUE") !== undefined;
  if (!distinct) cursor.accept("ALL");
  const items = cursor.list(() => readSelectItem(cursor));
  const bulk = cursor.accept("BULK", "COLLECT");
  const into = cursor.accept("INTO") ? cursor.list(() => readExpression(cursor)) : [];
  const from = cursor.accept("FROM") ? readFrom(cursor) : [];
  const where = cursor.accept("WHERE") ? readExpression(cursor) : undefined;
  let connectBy = readConnectBy(cursor);
  let group: GroupItem[] = [];
  let having: Expression | undefined;
  // HAVING may stand before GROUP BY, and both before CONNECT BY.
  for (;;) {
    if (cursor.accept("GROUP", "BY")) group = cursor.list(() => readGroupItem(cursor));
    else if (cursor.accept("HAVING")) having = readExpression(cursor);
    else if (!connectBy && (cursor.at("CONNECT", "BY") || cursor.at("START", "WITH"))) connectBy = readConnectBy(cursor);
    else break;
  }
  if (cursor.at("MODEL") && !cursor.atAhead(1, ")", ",", ";", ".")) cursor.refuse("the MODEL clause");
  return {
    distinct,
    items,
    bulk,
    into,
    from,
    ...(where ? { where } : {}),
    ...(connectBy ? { connectBy } : {}),
    group,
    ...(having ? { having } : {}),
    line,
  };
}

/** Words behind a select item that are no alias of it. */
const AFTER_ITEM = [
  "FROM",
  "INTO",
  "BULK",
  "WHERE",
  "UNION",
  "MINUS",
  "INTERSECT",
  "ORDER",
  "GROUP",
  "HAVING",
  "CONNECT",
  "START",
  "FOR",
];

function readSelectItem(cursor: Cursor): SelectItem {
  const value = readExpression(cursor);
  if (cursor.accept("AS")) return { value, alias: cursor.name() };
  const isAlias = cursor.peek().kind === "quoted" || (cursor.peek().kind === "word" && !cursor.atAny(...AFTER_ITEM));
  return isAlias ? { value, alias: cursor.name() } : { value };
}

function readConnectBy(cursor: Cursor): Select["connectBy"] {
  let start: Expression | undefined;
  let condition: Expression | undefined;
  let nocycle = false;
  for (;;) {
    if (cursor.accept("START", "WITH")) start = readExpression(cursor);
    else if (cursor.accept("CONNECT", "BY")) {
      nocycle = cursor.accept("NOCYCLE");
      condition = readExpression(cursor);
    } else break;
  }
  if (!condition) return undefined;
  return { ...(start ? { start } : {}), condition, nocycle };
}

function readGroupItem(cursor: Cursor): GroupItem {
  if (cursor.atAny("ROLLUP", "CUBE") && cursor.atAhead(1, "(")) {
    const word = cursor.next().text;
    return { kind: "sets", word, items: cursor.listed(() => readGroupItem(cursor)) };
  }
  if (cursor.accept("GROUPING", "SETS"))
    return { kind: "sets", word: "GROUPING SETS", items: cursor.listed(() => readGroupItem(cursor)) };
  if (cursor.accept("(", ")")) return { kind: "empty" };
  return { kind: "value", value: readExpression(cursor) };
}
