import { Unconvertible } from "../read/cursor.js";
import type { Expression } from "../read/expression.js";
import type { Query, Select, TableItem } from "../read/query.js";
import { type Environment, inQuery, Scope } from "./environment.js";
import { writeItem } from "./fromItems.js";
import { quoteName } from "./names.js";
import { takeRowLimit } from "./rowLimits.js";
import { type WrittenSelect, writeItems } from "./selects.js";
import { mentions, replaceNodes } from "./tree.js";
import { INTEGER, type Type } from "./types.js";
import { writeSql } from "./writeExpression.js";

type ConnectBy = NonNullable<Select["connectBy"]>;

/**
 * CONNECT BY as a recursive query. Its rows are those of the table with the level and what CONNECT_BY_ROOT and
 * SYS_CONNECT_BY_PATH carry down; they come depth first, which is the order that Oracle gives them in.
 */
export function writeHierarchy(select: Select, connect: ConnectBy, env: Environment, into: string, query?: Query): WrittenSelect {
  const tables = select.from.filter((item) => !(item.kind === "table" && item.name.at(-1) === "dual"));
  if (tables.length === 0) return writeSeries(select, connect, env, into);
  const [table] = tables;
  if (tables.length > 1 || !table || table.kind === "join")
    throw new Unconvertible("CONNECT BY over several tables", select.line);
  const name =
    ("alias" in table ? table.alias : undefined) ?? (table.kind === "table" ? table.name.at(-1) : undefined) ?? "godwit_source";
  const carried = new Carried(name);
  const items = carried.take(select.items);
  const where = select.where && carried.take(select.where);
  const siblings = query?.siblings ? query.order.map((key) => carried.carry("sort", key.value)) : [];
  const inner = tableEnvironment(table, name, env);
  const source = writeItem({ ...table, alias: name } as TableItem, inner, false);
  const start = connect.start ? writeSql(connect.start, inner) : "true";
  const step = writeSql(stepCondition(connect.condition, name), { ...inner, pseudo: new Map([["level", "godwit_h.level + 1"]]) });
  const roots = carried.list((expression) => writeSql(stepCondition(expression, name), inner));
  const steps = carried.stepList((expression) => writeSql(stepCondition(expression, name), inner));
  const sort = siblings.length > 0 ? siblings.join(", ") : "godwit_row";
  const branches = [
    `SELECT ${quoteName(name)}.*, ${quoteName(name)}::text AS godwit_row, 1 AS level${roots} FROM ${source} WHERE ${start}`,
    `SELECT ${quoteName(name)}.*, ${quoteName(name)}::text, godwit_h.level + 1${steps} FROM godwit_h JOIN ${source} ON ${step}`,
  ];
  const cycle = connect.nocycle ? " CYCLE godwit_row SET godwit_cycle USING godwit_path" : "";
  const common = `WITH RECURSIVE godwit_h AS (${branches.join(" UNION ALL ")}) SEARCH DEPTH FIRST BY ${sort} SET godwit_order${cycle}`;
  env.scope.set(name, {
    kind: "table",
    sql: quoteName(name),
    columns: inner.scope.own(name)?.kind === "table" ? tableColumns(inner, name) : undefined,
  });
  const leaf =
    mentions(items, "connect_by_isleaf") || mentions(where, "connect_by_isleaf")
      ? writeLeaf(connect.condition, table, name, env)
      : "NULL";
  const pseudo = new Map([
    ["level", "level"],
    ["connect_by_isleaf", leaf],
    ["connect_by_iscycle", connect.nocycle ? "godwit_cycle::integer" : "0"],
    ...(mentions(items, "rownum") ? ([["rownum", "row_number() OVER ()"]] as const) : []),
  ]);
  const outer = { ...env, pseudo };
  const list = writeItems({ ...select, items }, outer);
  const limited = takeRowLimit(where, outer);
  const conditions = [connect.nocycle ? "NOT godwit_cycle" : "", limited.where ? writeSql(limited.where, outer) : ""].filter(
    Boolean,
  );
  const filter = conditions.length > 0 ? ` WHERE ${conditions.join(" AND ")}` : "";
  const group =
    select.group.length > 0
      ? ` GROUP BY ${select.group.map((item) => (item.kind === "value" ? writeSql(item.value, outer) : "()")).join(", ")}`
      : "";
  const isPlain =
    group === "" && !select.distinct && !(query && query.order.length > 0 && !query.siblings) && query?.body.kind === "select";
  const sql = `${common} SELECT ${select.distinct ? "DISTINCT " : ""}${list.sql}${into === "" ? "" : ` ${into}`} FROM godwit_h AS ${quoteName(name)}${filter}${group}${isPlain ? " ORDER BY godwit_order" : ""}`;
  return {
    sql,
    columns: list.columns,
    env: outer,
    ordered: isPlain,
    ...(limited.limit === undefined ? {} : { limit: limited.limit }),
  };
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

/** SELECT LEVEL FROM dual CONNECT BY LEVEL <= n: a series of numbers. */
function writeSeries(select: Select, connect: ConnectBy, env: Environment, into: string): WrittenSelect {
  const test = connect.condition;
  const isCounter = (e: Expression) => e.kind === "name" && (e.parts[0] === "level" || e.parts[0] === "rownum");
  if (test.kind !== "binary" || !isCounter(test.left) || !(test.operator === "<=" || test.operator === "<"))
    throw new Unconvertible("CONNECT BY on DUAL with another condition than LEVEL <= n", select.line);
  const end = writeSql(test.right, env);
  const outer: Environment = {
    ...env,
    pseudo: new Map([
      ["level", "level"],
      ["rownum", "level"],
    ]),
  };
  env.scope.set("godwit_series", { kind: "table", sql: "godwit_series", columns: new Map([["level", INTEGER]]) });
  const list = writeItems(select, outer);
  const where = select.where ? ` WHERE ${writeSql(select.where, outer)}` : "";
  const last = test.operator === "<" ? `(${end}) - 1` : end;
  const series = `generate_series(1, (${last})::integer) AS level`;
  return {
    sql: `SELECT ${select.distinct ? "DISTINCT " : ""}${list.sql}${into === "" ? "" : ` ${into}`} FROM ${series}${where}`,
    columns: list.columns,
    env: outer,
  };
}

/** In the recursive step PRIOR looks at the row above, everything else at the joined row. */
function stepCondition(condition: Expression, table: string): Expression {
  return replaceNodes(condition, (node) => {
    if (node.kind === "unary" && node.operator === "PRIOR")
      return replaceNodes(node.operand, (inner) =>
        inner.kind === "name" ? { ...inner, parts: ["godwit_h", inner.parts.at(-1) ?? ""] } : undefined,
      );
    if (node.kind === "name" && node.parts.length === 1 && node.parts[0] !== "level" && isColumnName(node.parts[0]))
      return { ...node, parts: [table, ...node.parts] };
    return undefined;
  });
}

function isColumnName(name: string | undefined): boolean {
  return name !== "sysdate" && name !== "systimestamp" && name !== "user";
}

function writeLeaf(condition: Expression, table: TableItem, name: string, env: Environment): string {
  const child = replaceNodes(condition, (node) => {
    if (node.kind === "unary" && node.operator === "PRIOR")
      return replaceNodes(node.operand, (inner) =>
        inner.kind === "name" ? { ...inner, parts: [name, inner.parts.at(-1) ?? ""] } : undefined,
      );
    if (node.kind === "name" && node.parts.length === 1 && node.parts[0] === "level") return undefined;
    if (node.kind === "name") return { ...node, parts: ["godwit_child", node.parts.at(-1) ?? ""] };
    return undefined;
  });
  const scope = new Scope(env.scope);
  scope.set("godwit_child", { kind: "table", sql: "godwit_child", columns: undefined });
  // A child stands one level below its row.
  const inner = { ...inQuery(env, scope), pseudo: new Map([["level", `${quoteName(name)}.level + 1`]]) };
  const source = writeItem({ ...table, alias: "godwit_child" } as TableItem, inner, false);
  return `(CASE WHEN EXISTS (SELECT FROM ${source} WHERE ${writeSql(child, inner)}) THEN 0 ELSE 1 END)`;
}

/** Values that travel down the recursion in columns of their own. */
class Carried {
  readonly #columns: { name: string; root: Expression; separator?: Expression; kind: "root" | "path" | "sort" }[] = [];

  constructor(private readonly table: string) {}

  carry(kind: "root" | "path" | "sort", root: Expression, separator?: Expression): string {
    const name = `godwit_${kind}${this.#columns.length + 1}`;
    this.#columns.push({ name, root, kind, ...(separator ? { separator } : {}) });
    return name;
  }

  /** The tree with CONNECT_BY_ROOT and SYS_CONNECT_BY_PATH replaced by their columns, PRIOR by the column of the row above. */
  take<T>(tree: T): T {
    return replaceNodes(tree, (node) => {
      const isPath = node.kind === "call" && node.callee.kind === "name" && node.callee.parts[0] === "sys_connect_by_path";
      if (node.kind === "unary" && node.operator === "CONNECT_BY_ROOT") return this.#name(this.carry("root", node.operand));
      if (node.kind === "unary" && node.operator === "PRIOR") throw new Unconvertible("PRIOR outside CONNECT BY", node.line);
      if (isPath && node.kind === "call" && node.args[0])
        return this.#name(this.carry("path", node.args[0].value, node.args[1]?.value));
      return undefined;
    });
  }

  list(write: (expression: Expression) => string): string {
    return this.#columns
      .map(
        ({ name, root, separator }) => `, ${separator ? `concat(${write(separator)}, ${write(root)})` : write(root)} AS ${name}`,
      )
      .join("");
  }

  stepList(write: (expression: Expression) => string): string {
    const steps = this.#columns.map(({ name, root, separator, kind }) => {
      if (separator) return `, concat(godwit_h.${name}, ${write(separator)}, ${write(root)})`;
      return kind === "sort" ? `, ${write(root)}` : `, godwit_h.${name}`;
    });
    return steps.join("");
  }

  #name(column: string): Expression {
    return { kind: "name", parts: [this.table, column], outer: false, line: 0 };
  }
}
