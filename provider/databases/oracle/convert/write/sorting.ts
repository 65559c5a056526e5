import type { Expression, SortKey } from "../read/expression.js";
import type { Query } from "../read/query.js";
import type { Environment } from "./environment.js";
import { isInnerQuery, mentions, replaceNodes } from "./tree.js";
import { writeSql } from "./writeExpression.js";

/** ORDER BY with what stands behind it; empty where all it names are constants, which sort nothing. */
export function writeOrder(query: Query, env: Environment): string {
  const keys = query.order.filter(({ value }) => !isConstant(value)).map((key) => writeKey(key, query, env));
  return keys.length > 0 ? `ORDER BY ${keys.join(", ")}` : "";
}

/** A number is a position in both databases; PostgreSQL refuses any other constant. */
function isConstant(value: Expression): boolean {
  return value.kind === "literal" && value.type !== "number";
}

/** In Oracle an expression may use the select list's aliases; in PostgreSQL only a key that is nothing but the alias is one. */
function writeKey({ value, direction }: SortKey, { body }: Query, env: Environment): string {
  const items = body.kind === "select" && value.kind !== "name" ? body.select.items : [];
  const aliased = new Map(
    items.flatMap((item) =>
      item.alias === undefined || mentions(item.value, item.alias) ? [] : [[item.alias, item.value] as const],
    ),
  );
  const resolved = replaceNodes(value, (node) => {
    if (isInnerQuery(node)) return node;
    const inner = node.kind === "name" && node.parts.length === 1 ? aliased.get(node.parts[0] ?? "") : undefined;
    return inner && { kind: "paren", inner, line: node.line };
  });
  // A name alone may be an alias, also where there is no table that it could be a column of.
  return writeSql(resolved, value.kind === "name" ? { ...env, tableless: false } : env) + direction;
}
