import type { Cursor } from "./cursor.js";
import type { Expression } from "./expression.js";
import type { Dml, InsertTarget, Returning, SetItem } from "./query.js";
import { readExpression } from "./readExpression.js";
import { readJoined, readTableAlias } from "./readFrom.js";
import { atQuery, readQuery } from "./readQuery.js";

export function atDml(cursor: Cursor): boolean {
  if (cursor.at("MERGE", "INTO")) return true;
  if (cursor.at("INSERT")) return cursor.atAhead(1, "INTO", "ALL", "FIRST", "WHEN");
  if (!cursor.atAny("UPDATE", "DELETE")) return false;
  return !cursor.atAhead(1, ":=", ";", ".", "%") && !(cursor.atAhead(1, "(") && cursor.at("DELETE"));
}

/** Reads INSERT (also into several tables), UPDATE, DELETE or MERGE. */
export function readDml(cursor: Cursor): Dml {
  if (cursor.at("INSERT")) return readInsert(cursor);
  if (cursor.at("UPDATE")) return readUpdate(cursor);
  return cursor.at("DELETE") ? readDelete(cursor) : readMerge(cursor);
}

function readInsert(cursor: Cursor): Dml {
  const line = cursor.line;
  cursor.next();
  if (!cursor.at("INTO")) return readInsertAll(cursor, line);
  const target = readTarget(cursor);
  const query = target.values || target.record ? undefined : readQuery(cursor);
  const returning = readReturning(cursor);
  refuseErrorLog(cursor);
  return { kind: "insert", target, ...(query ? { query } : {}), ...(returning ? { returning } : {}), line };
}

function refuseErrorLog(cursor: Cursor): void {
  if (cursor.at("LOG", "ERRORS")) cursor.refuse("LOG ERRORS");
}

function readTarget(cursor: Cursor): InsertTarget {
  cursor.expect("INTO");
  if (cursor.at("(")) cursor.refuse("INSERT into a query");
  if (cursor.at("TABLE", "(") || cursor.at("THE", "(")) cursor.refuse("INSERT into a nested table");
  const table = cursor.names();
  const link = cursor.accept("@") ? cursor.names().join(".") : undefined;
  if (cursor.at("PARTITION")) {
    cursor.next();
    cursor.bracketed();
  }
  const alias = cursor.at("(") ? undefined : readTableAlias(cursor);
  const columns = cursor.at("(") && !atQuery(cursor) ? cursor.listed(() => cursor.names().at(-1) ?? "") : [];
  const base = { table, ...(link === undefined ? {} : { link }), ...(alias === undefined ? {} : { alias }), columns };
  if (!cursor.accept("VALUES")) return base;
  if (!cursor.at("(")) return { ...base, record: readExpression(cursor) };
  return { ...base, values: cursor.listed(() => readExpression(cursor)) };
}

function readInsertAll(cursor: Cursor, line: number): Dml {
  const first = cursor.acceptAny("ALL", "FIRST") === "FIRST";
  const branches: { when?: Expression; otherwise: boolean; targets: InsertTarget[] }[] = [];
  while (cursor.atAny("WHEN", "ELSE", "INTO")) {
    if (cursor.accept("WHEN")) {
      const when = readExpression(cursor);
      cursor.expect("THEN");
      branches.push({ when, otherwise: false, targets: [] });
    } else if (cursor.accept("ELSE")) branches.push({ otherwise: true, targets: [] });
    else if (branches.length === 0) branches.push({ otherwise: false, targets: [] });
    while (cursor.at("INTO")) branches.at(-1)?.targets.push(readTarget(cursor));
  }
  return { kind: "insertAll", first, branches, query: readQuery(cursor), line };
}

function readUpdate(cursor: Cursor): Dml {
  const line = cursor.line;
  cursor.next();
  const table = readChangedTable(cursor);
  const alias = readTableAlias(cursor);
  cursor.expect("SET");
  if (cursor.accept("ROW", "=")) {
    const row = readExpression(cursor);
    return { kind: "update", table, ...(alias === undefined ? {} : { alias }), set: [], row, ...readWhere(cursor), line };
  }
  const set = cursor.list(() => readSetItem(cursor));
  return { kind: "update", table, ...(alias === undefined ? {} : { alias }), set, ...readWhere(cursor), line };
}

function readChangedTable(cursor: Cursor): string[] {
  if (cursor.at("ONLY", "(")) cursor.next();
  if (cursor.at("(")) cursor.refuse("a change of a query's rows");
  if (cursor.at("TABLE", "(")) cursor.refuse("a change of a nested table's rows");
  const table = cursor.names();
  if (cursor.at("@")) cursor.refuse("a change through a database link");
  if (cursor.accept("PARTITION")) cursor.bracketed();
  return table;
}

function readSetItem(cursor: Cursor): SetItem {
  const columns = cursor.at("(") ? cursor.listed(() => cursor.names()) : [cursor.names()];
  cursor.expect("=");
  return { columns, value: readExpression(cursor) };
}

function readWhere(cursor: Cursor): { where?: Expression; current?: string[]; returning?: Returning } {
  const result: { where?: Expression; current?: string[]; returning?: Returning } = {};
  if (cursor.accept("WHERE")) {
    if (cursor.accept("CURRENT", "OF")) result.current = cursor.names();
    else result.where = readExpression(cursor);
  }
  const returning = readReturning(cursor);
  if (returning) result.returning = returning;
  refuseErrorLog(cursor);
  return result;
}

function readReturning(cursor: Cursor): Returning | undefined {
  if (!cursor.acceptAny("RETURNING", "RETURN")) return undefined;
  const values = cursor.list(() => readExpression(cursor));
  const bulk = cursor.accept("BULK", "COLLECT");
  cursor.expect("INTO");
  return { values, bulk, into: cursor.list(() => readExpression(cursor)) };
}

function readDelete(cursor: Cursor): Dml {
  const line = cursor.line;
  cursor.next();
  cursor.accept("FROM");
  const table = readChangedTable(cursor);
  const alias = readTableAlias(cursor);
  return { kind: "delete", table, ...(alias === undefined ? {} : { alias }), ...readWhere(cursor), line };
}

function readMerge(cursor: Cursor): Dml {
  const line = cursor.line;
  cursor.expect("MERGE", "INTO");
  const table = readChangedTable(cursor);
  const alias = readTableAlias(cursor);
  cursor.expect("USING");
  const source = readJoined(cursor);
  cursor.expect("ON");
  const on = readExpression(cursor);
  let update: Extract<Dml, { kind: "merge" }>["update"];
  let insert: Extract<Dml, { kind: "merge" }>["insert"];
  while (cursor.accept("WHEN")) {
    if (cursor.accept("MATCHED", "THEN", "UPDATE", "SET")) {
      const set = cursor.list(() => readSetItem(cursor));
      const where = cursor.accept("WHERE") ? readExpression(cursor) : undefined;
      const gone = cursor.accept("DELETE", "WHERE") ? readExpression(cursor) : undefined;
      update = { set, ...(where ? { where } : {}), ...(gone ? { delete: gone } : {}) };
    } else {
      cursor.expect("NOT", "MATCHED", "THEN", "INSERT");
      const columns = cursor.at("(") ? cursor.listed(() => cursor.names().at(-1) ?? "") : [];
      cursor.expect("VALUES");
      const values = cursor.listed(() => readExpression(cursor));
      const where = cursor.accept("WHERE") ? readExpression(cursor) : undefined;
      insert = { columns, values, ...(where ? { where } : {}) };
    }
  }
  refuseErrorLog(cursor);
  return {
    kind: "merge",
    table,
    ...(alias === undefined ? {} : { alias }),
    source,
    on,
    ...(update ? { update } : {}),
    ...(insert ? { insert } : {}),
    line,
  };
}
