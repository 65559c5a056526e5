import type { Expression, ExpressionOf } from "../read/expression.js";

/** Visits every node of a tree of expressions; a visitor that returns false keeps out of the node's inside. */
export function visit(node: unknown, visitor: (node: Expression) => boolean | undefined): void {
  if (Array.isArray(node)) {
    for (const each of node) visit(each, visitor);
  } else if (typeof node === "object" && node !== null) {
    if ("kind" in node && "line" in node && visitor(node as Expression) === false) return;
    for (const value of Object.values(node)) visit(value, visitor);
  }
}

/** A copy in which some nodes are replaced; a replaced node's inside is left as the replacement has it. */
export function replaceNodes<T>(node: T, replace: (node: Expression) => Expression | undefined): T {
  if (Array.isArray(node)) return node.map((each) => replaceNodes(each, replace)) as T;
  if (typeof node !== "object" || node === null) return node;
  const replaced = "kind" in node && "line" in node ? replace(node as unknown as Expression) : undefined;
  if (replaced) return replaced as T;
  return Object.fromEntries(Object.entries(node).map(([key, value]) => [key, replaceNodes(value, replace)])) as T;
}

/** Whether a name occurs, outside of queries inside the expression. */
export function mentions(node: unknown, name: string): boolean {
  let found = false;
  visit(node, (each) => {
    if (isInnerQuery(each)) return false;
    found ||= each.kind === "name" && each.parts.length === 1 && each.parts[0] === name;
    return undefined;
  });
  return found;
}

export function isInnerQuery(node: Expression): boolean {
  return node.kind === "subquery" || node.kind === "exists" || node.kind === "cursor" || node.kind === "multisetCast";
}

/** The conditions that AND joins. */
export function conjuncts(condition: Expression | undefined): Expression[] {
  if (!condition) return [];
  if (condition.kind === "binary" && condition.operator === "AND")
    return [...conjuncts(condition.left), ...conjuncts(condition.right)];
  if (condition.kind === "paren" && condition.inner.kind === "binary" && condition.inner.operator === "AND")
    return conjuncts(condition.inner);
  return [condition];
}

export function conjunction(conditions: readonly Expression[]): Expression | undefined {
  let all: Expression | undefined;
  for (const condition of conditions) {
    const side: Expression =
      condition.kind === "binary" && condition.operator === "OR"
        ? { kind: "paren", inner: condition, line: condition.line }
        : condition;
    all = all ? { kind: "binary", operator: "AND", left: all, right: side, line: side.line } : side;
  }
  return all;
}

export function nameOf(...parts: string[]): ExpressionOf<"name"> {
  return { kind: "name", parts, outer: false, line: 0 };
}
