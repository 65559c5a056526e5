import { Unconvertible } from "../read/cursor.js";
import type { Expression, ExpressionOf } from "../read/expression.js";
import type { TableItem } from "../read/query.js";
import { type Environment, inQuery, Scope } from "./environment.js";
import { writeFrom, writeItem } from "./fromItems.js";
import { fitName, quoteName, quoteNames } from "./names.js";
import { conjunction, conjuncts, replaceNodes, visit } from "./tree.js";
import type { Type } from "./types.js";
import { writeSql } from "./writeExpression.js";

/** What a hierarchy goes over: one table, or what several give when they are joined. */
export interface Source {
  readonly name: string;
  /** As FROM has it, under that name. */
  readonly sql: string;
  readonly inner: Environment;
  /** Of the query's WHERE what is no condition of the join: Oracle asks it of the rows that the hierarchy gives. */
  readonly where?: Expression;
  /** The source once more, as the rows below a row. */
  readonly child: { readonly sql: string; readonly env: Environment };
  /** Columns with the name of their table before them, where there are several tables. */
  place<T>(tree: T): T;
  /** The name's parts that stand for this column of the row above, or of a row below. */
  parts(of: "prior" | "own" | "child", parts: readonly string[]): string[];
  /** The row as one value. */
  readonly whole: string;
  /** What stands for * and table.*: the recursion has columns of its own beside the table's. */
  readonly stars: ReadonlyMap<string, string>;
  /** Makes its tables known to what is written around the recursion. */
  show(scope: Scope): void;
}

export function singleSource(table: TableItem, where: Expression | undefined, env: Environment): Source {
  const name =
    ("alias" in table ? table.alias : undefined) ?? (table.kind === "table" ? table.name.at(-1) : undefined) ?? "godwit_source";
  const inner = tableEnvironment(table, name, env);
  const scope = new Scope(env.scope);
  scope.set(CHILD, { kind: "table", sql: CHILD, columns: undefined });
  const childEnv = inQuery(env, scope);
  const places = { prior: "godwit_h", own: name, child: CHILD };
  const sql = writeItem({ ...table, alias: name } as TableItem, inner, false);
  const known = tableColumns(inner, name);
  const row = quoteName(name);
  const star = known ? [...known.keys()].map((column) => `${row}.${quoteName(column)}`).join(", ") : `(${row}.${WHOLE}).*`;
  return {
    name,
    sql,
    whole: table.kind === "table" && !env.common?.has(table.name.join(".")) ? `(${row}.*)::${quoteNames(table.name)}` : row,
    stars: new Map([
      ["*", star],
      [`${name}.*`, star],
    ]),
    inner,
    ...(where ? { where } : {}),
    child: { sql: writeItem({ ...table, alias: CHILD } as TableItem, childEnv, false), env: childEnv },
    place: (tree) => tree,
    parts: (of, parts) => [places[of], parts.at(-1) ?? ""],
    show: (outer) =>
      outer.set(name, {
        kind: "table",
        sql: row,
        columns: known,
      }),
  };
}

const CHILD = "godwit_child";
/** The table's row as one column, where its columns are not known. */
export const WHOLE = "godwit_whole";
const JOINED = "godwit_source";

/**
 * Joined tables: each is one column of the rows that the recursion carries, of the table's own row type. What is selected from a query
 * has no such type, so only tables can be joined.
 */
export function joinedSource(items: readonly TableItem[], where: Expression | undefined, env: Environment): Source {
  const line = where?.line ?? 0;
  const scope = new Scope(env.scope);
  const joinEnv = inQuery(env, scope);
  const tables = new Map<string, string>();
  const gather = (item: TableItem): void => {
    if (item.kind === "join") {
      if (item.using.length > 0 || item.type.startsWith("NATURAL"))
        throw new Unconvertible("CONNECT BY over tables that are joined by columns of one name", line);
      gather(item.left);
      gather(item.right);
    } else if (item.kind === "table" && !env.common?.has(item.name.join(".")))
      tables.set(item.alias ?? item.name.at(-1) ?? "", quoteNames(item.name));
    else throw new Unconvertible("CONNECT BY over several tables of which one is a query", line);
  };
  for (const item of items) gather(item);
  const names = [...tables.keys()];
  const joins = conjuncts(where).filter((condition) => joinsTables(condition, names));
  const rest = conjunction(conjuncts(where).filter((condition) => !joins.includes(condition)));
  const from = writeFrom(items, conjunction(joins), joinEnv, { columnValue: false, dual: false });
  const columns = (table: string) => tableColumns(joinEnv, table);
  const filter = from.where ? ` WHERE ${writeSql(from.where, joinEnv)}` : "";
  // Written so that neither a column of the table's name nor one of a query around it is meant.
  const list = names.map((table) => `(${quoteName(table)}.*)::${tables.get(table) ?? ""} AS ${rowOf(table)}`).join(", ");
  const query = `(SELECT ${list} FROM ${from.sql}${filter})`;
  const register = (into: Scope, prefix: string, row: string) => {
    for (const table of names)
      into.set(`${prefix}${table}`, { kind: "table", sql: `(${row}.${rowOf(table)})`, columns: columns(table) });
  };
  const own = new Scope(env.scope);
  register(own, "", JOINED);
  register(own, PRIOR, "godwit_h");
  const below = new Scope(env.scope);
  register(below, "", JOINED);
  register(below, BELOW, CHILD);
  const prefixes = { prior: PRIOR, own: "", child: BELOW };
  const place = <T>(tree: T): T =>
    mapNames(tree, ({ parts: [column = "", ...more], line }) => {
      if (more.length > 0 || !isColumnName(column)) return undefined;
      const [table, ...others] = names.filter((each) => columns(each)?.has(column) === true);
      if (table !== undefined && others.length === 0) return [table, column];
      if (names.every((each) => columns(each) !== undefined)) return undefined;
      throw new Unconvertible(`CONNECT BY over several tables, and ${column} does not say of which it is`, line);
    });
  return {
    name: JOINED,
    whole: "NULL",
    sql: `${query} AS ${JOINED}`,
    inner: inQuery(env, own),
    ...(rest ? { where: rest } : {}),
    child: { sql: `${query} AS ${CHILD}`, env: inQuery(env, below) },
    place,
    parts: (of, parts) => (parts.length > 1 ? [`${prefixes[of]}${parts[0]}`, ...parts.slice(1)] : [...parts]),
    show: (outer) => {
      register(outer, "", JOINED);
      outer.set(JOINED, { kind: "table", sql: JOINED, columns: undefined });
    },
    stars: new Map([
      ["*", names.map((table) => `(${JOINED}.${rowOf(table)}).*`).join(", ")],
      ...names.map((table): [string, string] => [`${table}.*`, `(${JOINED}.${rowOf(table)}).*`]),
    ]),
  };
}

const PRIOR = "godwit_prior ";
const BELOW = "godwit_below ";

function rowOf(table: string): string {
  return quoteName(fitName(`godwit_${table}`));
}

/** A condition of the join: on columns of two tables, or one with (+). */
function joinsTables(condition: Expression, names: readonly string[]): boolean {
  const tables = new Set<string>();
  let isOuter = false;
  visit(condition, (node) => {
    if (node.kind === "name" && node.parts.length > 1 && names.includes(node.parts[0] ?? "")) tables.add(node.parts[0] ?? "");
    if ((node.kind === "name" || node.kind === "call") && node.outer) isOuter = true;
    return undefined;
  });
  return isOuter || tables.size > 1;
}

function tableEnvironment(table: TableItem, name: string, env: Environment): Environment {
  const scope = new Scope(env.scope);
  const columns = table.kind === "table" ? (env.common?.get(table.name[0] ?? "") ?? env.catalog.columns(table.name)) : undefined;
  scope.set("godwit_h", { kind: "table", sql: "godwit_h", columns });
  scope.set(name, { kind: "table", sql: quoteName(name), columns });
  return inQuery(env, scope);
}

function tableColumns(env: Environment, name: string): ReadonlyMap<string, Type> | undefined {
  const entry = env.scope.own(name);
  return entry?.kind === "table" ? entry.columns : undefined;
}

/** In the recursive step PRIOR looks at the row above, everything else at the joined row. */
export function stepCondition(condition: Expression, source: Source): Expression {
  return mapNames(
    condition,
    ({ parts }) => (parts.length === 1 && isColumnName(parts[0]) ? source.parts("own", parts) : undefined),
    (operand) => prior(operand, source),
  );
}

/** The same of the row above. */
export function prior(expression: Expression, source: Source): Expression {
  return mapNames(expression, ({ parts }) => source.parts("prior", parts));
}

/** Gives columns other names; what is called is no column. */
export function mapNames<T>(
  tree: T,
  rename: (name: ExpressionOf<"name">) => readonly string[] | undefined,
  above?: (operand: Expression) => Expression,
): T {
  return replaceNodes(tree, (node) => {
    if (above && node.kind === "unary" && node.operator === "PRIOR") return above(node.operand);
    if (node.kind === "call" && node.callee.kind === "name")
      return { ...node, args: mapNames(node.args, rename, above), tail: mapNames(node.tail, rename, above) };
    if (node.kind !== "name") return undefined;
    const parts = rename(node);
    return parts && { ...node, parts };
  });
}

export function isColumnName(name: string | undefined): boolean {
  return (
    name !== undefined &&
    !["sysdate", "systimestamp", "user", "level", "rownum", "connect_by_isleaf", "connect_by_iscycle"].includes(name)
  );
}
