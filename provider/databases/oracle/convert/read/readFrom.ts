import type { Cursor } from "./cursor.js";
import type { Expression } from "./expression.js";
import type { SelectItem, TableItem } from "./query.js";
import { readExpression } from "./readExpression.js";
import { atQuery, readQuery } from "./readQuery.js";

/** Reads the items behind FROM, joins included. */
export function readFrom(cursor: Cursor): TableItem[] {
  return cursor.list(() => readJoined(cursor));
}

/** One item with the joins behind it. */
export function readJoined(cursor: Cursor): TableItem {
  return readJoins(cursor, readTableItem(cursor));
}

function readJoins(cursor: Cursor, first: TableItem): TableItem {
  let left = first;
  for (;;) {
    const start = cursor.position;
    const type = readJoinType(cursor);
    if (type === undefined) return left;
    let right = readTableItem(cursor);
    // a JOIN b JOIN c ON ... ON ...: a condition that does not come at once comes behind the joins of the right side.
    if (/^(LEFT |RIGHT |FULL )?JOIN$/.test(type) && !cursor.atAny("ON", "USING")) {
      right = readJoins(cursor, right);
      if (right.kind === "join" && !cursor.atAny("ON", "USING")) {
        cursor.goTo(start);
        cursor.refuse("a join without its condition");
      }
    }
    let on: Expression | undefined;
    let using: string[] = [];
    if (cursor.accept("ON")) on = readExpression(cursor);
    else if (cursor.accept("USING")) using = cursor.listed(() => cursor.name());
    left = { kind: "join", left, right, type, ...(on ? { on } : {}), using };
  }
}

function readJoinType(cursor: Cursor): string | undefined {
  if (cursor.accept("CROSS", "JOIN")) return "CROSS JOIN";
  if (cursor.accept("CROSS", "APPLY")) return "CROSS APPLY";
  if (cursor.accept("OUTER", "APPLY")) return "OUTER APPLY";
  const start = cursor.position;
  const natural = cursor.accept("NATURAL") ? "NATURAL " : "";
  const side = cursor.acceptAny("INNER", "LEFT", "RIGHT", "FULL");
  if (side && side !== "INNER") cursor.accept("OUTER");
  if (cursor.accept("JOIN")) return `${natural}${side && side !== "INNER" ? `${side} ` : ""}JOIN`;
  if (cursor.at("PARTITION", "BY")) cursor.refuse("a partitioned outer join");
  cursor.goTo(start);
  return undefined;
}

/** Words behind a table that are no alias of it. */
const AFTER_TABLE = new Set(
  `WHERE GROUP ORDER HAVING UNION MINUS INTERSECT EXCEPT CONNECT START ON USING INNER LEFT RIGHT FULL CROSS NATURAL JOIN OUTER SET
  FOR FETCH OFFSET WITH VALUES SELECT RETURNING RETURN LOG MODEL PIVOT UNPIVOT WHEN PARTITION SAMPLE LOOP AS THEN BULK INTO SUBPARTITION MATCH_RECOGNIZE`.split(
    /\s+/,
  ),
);

/** An optional alias; AS is an error in Oracle but harmless here. */
export function readTableAlias(cursor: Cursor): string | undefined {
  if (cursor.at("AS") && !cursor.atAhead(1, "OF")) cursor.next();
  if (cursor.peek().kind === "quoted" || (cursor.peek().kind === "word" && !AFTER_TABLE.has(cursor.peek().text)))
    return cursor.name();
  return undefined;
}

function readTableItem(cursor: Cursor): TableItem {
  let item = readSource(cursor);
  for (;;) {
    if (cursor.at("PIVOT") && cursor.atAhead(1, "(", "XML")) item = readPivot(cursor, item);
    else if (cursor.at("UNPIVOT")) item = readUnpivot(cursor, item);
    else return item;
  }
}

function readSource(cursor: Cursor): TableItem {
  const line = cursor.line;
  if (cursor.at("ONLY", "(")) {
    cursor.next();
    cursor.expect("(");
    const item = readSource(cursor);
    cursor.expect(")");
    return item;
  }
  const lateral = cursor.at("LATERAL", "(") ? cursor.accept("LATERAL") : false;
  if (cursor.at("(")) return readBracketedSource(cursor, lateral);
  if (cursor.atAny("TABLE", "THE") && cursor.atAhead(1, "(")) {
    cursor.next();
    cursor.expect("(");
    const call: Expression = atQuery(cursor) ? { kind: "subquery", query: readQuery(cursor), line } : readExpression(cursor);
    cursor.expect(")");
    const outer = cursor.accept("(", "+", ")");
    return withAlias({ kind: "function", call, outer, line }, readTableAlias(cursor));
  }
  if (cursor.atAny("XMLTABLE", "JSON_TABLE") && cursor.atAhead(1, "(")) {
    const call = readExpression(cursor);
    return withAlias({ kind: "function", call, outer: false, line }, readTableAlias(cursor));
  }
  const start = cursor.position;
  const name = cursor.names();
  if (cursor.at("(") && !cursor.at("(", "+")) {
    cursor.goTo(start);
    const call = readExpression(cursor);
    return withAlias({ kind: "function", call, outer: false, line }, readTableAlias(cursor));
  }
  return readTable(cursor, name, line);
}

function readTable(cursor: Cursor, name: string[], line: number): TableItem {
  const link = cursor.accept("@") ? cursor.names().join(".") : undefined;
  let partition: string | undefined;
  if (cursor.atAny("PARTITION", "SUBPARTITION") && cursor.atAhead(1, "(", "FOR")) {
    cursor.next();
    if (cursor.at("FOR")) cursor.refuse("PARTITION FOR (value)");
    partition = cursor.listed(() => cursor.name())[0];
  }
  let sample: Expression | undefined;
  if (cursor.accept("SAMPLE")) {
    cursor.accept("BLOCK");
    cursor.expect("(");
    sample = readExpression(cursor);
    // Rows of each block, which BERNOULLI has no use for.
    if (cursor.accept(",")) readExpression(cursor);
    cursor.expect(")");
    if (cursor.accept("SEED")) cursor.bracketed();
  }
  if (cursor.at("AS", "OF") || cursor.at("VERSIONS", "BETWEEN")) cursor.refuse("a flashback query");
  if (cursor.at("MATCH_RECOGNIZE")) cursor.refuse("MATCH_RECOGNIZE");
  const item = {
    kind: "table" as const,
    name,
    ...(link === undefined ? {} : { link }),
    ...(partition === undefined ? {} : { partition }),
    ...(sample ? { sample } : {}),
    line,
  };
  return withAlias(item, readTableAlias(cursor));
}

function readBracketedSource(cursor: Cursor, lateral: boolean): TableItem {
  const line = cursor.line;
  const start = cursor.position;
  cursor.expect("(");
  if (atQuery(cursor)) {
    const query = readQuery(cursor);
    if (cursor.accept("WITH")) {
      cursor.acceptAny("READ", "CHECK");
      cursor.acceptAny("ONLY", "OPTION");
    }
    if (cursor.accept(")")) return withAlias({ kind: "query", query, lateral, line }, readTableAlias(cursor));
    cursor.goTo(start + 1);
  }
  const item = readJoined(cursor);
  cursor.expect(")");
  const isPlain = item.kind === "table" && item.alias === undefined;
  return isPlain ? withAlias(item, readTableAlias(cursor)) : item;
}

function withAlias<T extends TableItem>(item: T, alias: string | undefined): T {
  return alias === undefined ? item : { ...item, alias };
}

function readPivot(cursor: Cursor, source: TableItem): TableItem {
  const line = cursor.line;
  cursor.next();
  if (cursor.at("XML")) cursor.refuse("PIVOT XML");
  cursor.expect("(");
  const aggregates = cursor.list(() => readLabelled(cursor));
  cursor.expect("FOR");
  const by = cursor.at("(") ? cursor.listed(() => cursor.name()) : [cursor.name()];
  cursor.expect("IN");
  const values = cursor.listed(() => readLabelled(cursor));
  cursor.expect(")");
  return withAlias({ kind: "pivot", source, aggregates, by, values, line }, readTableAlias(cursor));
}

function readLabelled(cursor: Cursor): SelectItem {
  const value = readExpression(cursor);
  cursor.accept("AS");
  return cursor.atName() && !cursor.at("FOR") ? { value, alias: cursor.name() } : { value };
}

function readUnpivot(cursor: Cursor, source: TableItem): TableItem {
  const line = cursor.line;
  cursor.next();
  const nulls = cursor.accept("INCLUDE", "NULLS");
  cursor.accept("EXCLUDE", "NULLS");
  cursor.expect("(");
  if (cursor.at("(")) cursor.refuse("UNPIVOT into several columns");
  const value = cursor.name();
  cursor.expect("FOR");
  const by = cursor.name();
  cursor.expect("IN");
  const columns = cursor.listed(() => {
    const name = cursor.name();
    return cursor.accept("AS") ? { name, label: readExpression(cursor) } : { name };
  });
  cursor.expect(")");
  return withAlias({ kind: "unpivot", source, nulls, value, by, columns, line }, readTableAlias(cursor));
}
