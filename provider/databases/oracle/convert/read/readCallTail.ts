import type { Cursor } from "./cursor.js";
import type { CallTail, Expression, SortKey, WindowSpec } from "./expression.js";
import { readExpression, readSum } from "./readExpression.js";

/** WITHIN GROUP, KEEP, IGNORE NULLS and OVER behind a call. */
export function readCallTail(cursor: Cursor, tail: CallTail): void {
  if (cursor.accept("WITHIN", "GROUP")) {
    cursor.expect("(");
    cursor.expect("ORDER", "BY");
    tail.withinGroup = readSortKeys(cursor);
    cursor.expect(")");
  }
  if (cursor.at("KEEP", "(", "DENSE_RANK")) {
    cursor.accept("KEEP", "(", "DENSE_RANK");
    const last = cursor.next().text === "LAST";
    cursor.expect("ORDER", "BY");
    tail.keep = { last, order: readSortKeys(cursor) };
    cursor.expect(")");
  }
  if (cursor.accept("FROM", "LAST")) cursor.refuse("NTH_VALUE FROM LAST");
  cursor.accept("FROM", "FIRST");
  if (cursor.atAny("IGNORE", "RESPECT") && cursor.atAhead(1, "NULLS")) {
    tail.nulls = cursor.next().text === "IGNORE" ? "IGNORE" : "RESPECT";
    cursor.next();
  }
  if (cursor.at("OVER", "(")) {
    cursor.next();
    tail.over = readWindow(cursor);
  }
}

/** The keys behind ORDER BY, with their directions. */
export function readSortKeys(cursor: Cursor): SortKey[] {
  return cursor.list(() => {
    const value = readExpression(cursor);
    let direction = cursor.acceptAny("DESC", "ASC") === "DESC" ? " DESC" : "";
    if (cursor.accept("NULLS", "FIRST")) direction += " NULLS FIRST";
    else if (cursor.accept("NULLS", "LAST")) direction += " NULLS LAST";
    return { value, direction };
  });
}

function readWindow(cursor: Cursor): WindowSpec {
  cursor.expect("(");
  let partition: Expression[] = [];
  if (cursor.accept("PARTITION", "BY")) partition = cursor.list(() => readExpression(cursor));
  const order = cursor.accept("ORDER", "BY") ? readSortKeys(cursor) : [];
  const frame: (string | Expression)[] = [];
  const unit = cursor.acceptAny("ROWS", "RANGE", "GROUPS");
  if (unit !== undefined) {
    frame.push(unit);
    if (cursor.accept("BETWEEN")) {
      frame.push("BETWEEN", ...readBound(cursor), "AND");
      cursor.expect("AND");
    }
    frame.push(...readBound(cursor));
  }
  cursor.expect(")");
  return { partition, order, frame };
}

function readBound(cursor: Cursor): (string | Expression)[] {
  if (cursor.accept("CURRENT", "ROW")) return ["CURRENT ROW"];
  const distance: string | Expression = cursor.accept("UNBOUNDED") ? "UNBOUNDED" : readSum(cursor);
  const side = cursor.acceptAny("PRECEDING", "FOLLOWING");
  if (side === undefined) cursor.fail("expected PRECEDING or FOLLOWING");
  return [distance, side];
}
