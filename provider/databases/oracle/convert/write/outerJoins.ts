import { Unconvertible } from "../read/cursor.js";
import type { Expression } from "../read/expression.js";
import type { TableItem } from "../read/query.js";
import type { Environment } from "./environment.js";
import { conjunction, conjuncts, isInnerQuery, replaceNodes, visit } from "./tree.js";
import { writeSql } from "./writeExpression.js";

/**
 * Writes joins marked by (+) as LEFT JOIN; undefined when WHERE has no such mark. The table whose columns carry the mark is the one
 * that may be missing; all conditions with the mark on one table are its join condition.
 */
export function writeOuterJoins(
  tables: readonly TableItem[],
  names: readonly (readonly string[])[],
  where: Expression | undefined,
  env: Environment,
  write: (item: TableItem) => string,
): { sql: string; where?: Expression } | undefined {
  const conditions = new Map<number, Expression[]>();
  const kept: Expression[] = [];
  for (const each of conjuncts(where)) {
    const marked = new Set<number>();
    const supposed = new Map<string, string>();
    visit(each, (node) => {
      if (isInnerQuery(node)) return false;
      if ((node.kind !== "name" && node.kind !== "call") || !node.outer) return undefined;
      const owner = ownerOf(node, names, env, { condition: each, where });
      marked.add(owner.index);
      if (owner.supposed !== undefined) supposed.set(owner.supposed, names[owner.index]?.[0] ?? "");
      return undefined;
    });
    const condition = qualified(each, supposed);
    const [table, ...others] = marked;
    if (others.length > 0) throw new Unconvertible("(+) on two tables in one condition", condition.line);
    if (table === undefined) kept.push(condition);
    else conditions.set(table, [...(conditions.get(table) ?? []), withoutMarks(condition)]);
  }
  for (const [index, item] of tables.entries())
    if (item.kind === "function" && item.outer && !conditions.has(index)) conditions.set(index, []);
  if (conditions.size === 0) return undefined;
  const rest = conjunction(kept);
  return { sql: joinAll(tables, names, conditions, env, write), ...(rest ? { where: rest } : {}) };
}

function joinAll(
  tables: readonly TableItem[],
  names: readonly (readonly string[])[],
  conditions: ReadonlyMap<number, Expression[]>,
  env: Environment,
  write: (item: TableItem) => string,
): string {
  const placed = new Set<number>();
  const inner = tables.flatMap((item, index) => {
    if (conditions.has(index)) return [];
    placed.add(index);
    return [write(item)];
  });
  let sql = inner.join(" CROSS JOIN ");
  const waiting = new Set(conditions.keys());
  while (waiting.size > 0) {
    const next = [...waiting].find((index) =>
      needed(conditions.get(index) ?? [], names, env).every((table) => table === index || placed.has(table)),
    );
    const item = next === undefined ? undefined : tables[next];
    if (next === undefined || !item || sql === "") throw new Unconvertible("outer joins (+) in a circle", 0);
    const on = conjunction(conditions.get(next) ?? []);
    sql += ` LEFT JOIN ${write(item)} ON ${on ? writeSql(on, env) : "true"}`;
    placed.add(next);
    waiting.delete(next);
  }
  return sql;
}

function needed(conditions: readonly Expression[], names: readonly (readonly string[])[], env: Environment): number[] {
  const tables: number[] = [];
  visit(conditions, (node) => {
    if (node.kind === "name" && node.parts.length > 1) {
      const index = names.findIndex((own) => own.includes(node.parts.at(-2) ?? "") || own.includes(node.parts[0] ?? ""));
      if (index >= 0) tables.push(index);
    } else if (node.kind === "name") {
      const index = columnOwner(node.parts[0] ?? "", names, env);
      if (index >= 0) tables.push(index);
    }
    return undefined;
  });
  return tables;
}

interface Owner {
  readonly index: number;
  /** The column, where nothing says which table has it. */
  readonly supposed?: string;
}

/** Which item of FROM a marked column belongs to. */
function ownerOf(node: Expression, names: readonly (readonly string[])[], env: Environment, place: Place): Owner {
  const parts =
    node.kind === "name"
      ? node.parts
      : node.kind === "call" && node.args[0]?.value.kind === "name"
        ? node.args[0].value.parts
        : [];
  const index =
    parts.length > 1
      ? names.findIndex((own) => own.includes(parts.at(-2) ?? "") || own.includes(parts[0] ?? ""))
      : columnOwner(parts[0] ?? "", names, env);
  if (index >= 0) return { index };
  const [column] = parts;
  const open = column !== undefined && parts.length === 1 ? openItems(column, names, env, place) : [];
  const [only, ...others] = open;
  if (only !== undefined && others.length === 0) return { index: only };
  const last = open.at(-1);
  const table = last === undefined ? undefined : names[last]?.[0];
  if (column === undefined || last === undefined || table === undefined)
    throw new Unconvertible(`(+) on ${parts.join(".")}, a column whose table is not named`, node.line);
  env.output.warn(
    `(+) on ${column}, a column whose table is not named: taken for a column of ${table}; if it is none, the statement fails`,
    node.line,
  );
  return { index: last, supposed: column };
}

/** With the table that a column is supposed to be of before it: should it be another's, the server says so. */
function qualified(condition: Expression, supposed: ReadonlyMap<string, string>): Expression {
  if (supposed.size === 0) return condition;
  return replaceNodes(condition, (node) => {
    const table = node.kind === "name" && node.parts.length === 1 ? supposed.get(node.parts[0] ?? "") : undefined;
    return node.kind === "name" && table !== undefined ? { ...node, parts: [table, ...node.parts] } : undefined;
  });
}

interface Place {
  readonly condition: Expression;
  readonly where: Expression | undefined;
}

/**
 * The items that may have a column which no item is known to have: not what the condition compares it with, nor one whose columns are
 * known. Of several it is the one that carries the mark elsewhere: the mark on a table that is joined to nothing would mean nothing.
 */
function openItems(
  column: string,
  names: readonly (readonly string[])[],
  env: Environment,
  { condition, where }: Place,
): number[] {
  const compared = new Set<string>();
  visit(condition, (node) => {
    if (node.kind === "name" && !node.outer && node.parts.length > 1) compared.add(node.parts.at(-2) ?? "");
    return undefined;
  });
  const open = names.flatMap((own, index) => {
    const lacks = own.every((name) => {
      const table = env.scope.own(name);
      return compared.has(name) || (table?.kind === "table" && table.columns !== undefined && !table.columns.has(column));
    });
    return lacks ? [] : [index];
  });
  if (open.length === 1) return open;
  const marked = new Set<string>();
  visit(where, (node) => {
    if (isInnerQuery(node)) return false;
    if (node.kind === "name" && node.outer && node.parts.length > 1) marked.add(node.parts.at(-2) ?? "");
    return undefined;
  });
  const likely = open.filter((index) => names[index]?.some((name) => marked.has(name)));
  return likely.length > 0 ? likely : open;
}

function columnOwner(column: string, names: readonly (readonly string[])[], env: Environment): number {
  return names.findIndex((own) =>
    own.some((name) => {
      const table = env.scope.own(name);
      return table?.kind === "table" && table.columns?.has(column) === true;
    }),
  );
}

function withoutMarks(condition: Expression): Expression {
  return replaceNodes(condition, (node) =>
    node.kind === "name" && node.outer
      ? { ...node, outer: false }
      : node.kind === "call" && node.outer
        ? { ...node, outer: false }
        : undefined,
  );
}
