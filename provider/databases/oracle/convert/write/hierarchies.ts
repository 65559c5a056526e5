import { Unconvertible } from "../read/cursor.js";
import type { Expression } from "../read/expression.js";
import type { Query, Select, SelectItem } from "../read/query.js";
import type { Environment } from "./environment.js";
import { isDual } from "./fromItems.js";
import {
  isColumnName,
  joinedSource,
  mapNames,
  prior,
  type Source,
  singleSource,
  stepCondition,
  WHOLE,
} from "./hierarchySources.js";
import { quoteName } from "./names.js";
import { takeRowLimit } from "./rowLimits.js";
import { hasAggregate, type WrittenSelect, writeGrouping, writeItems } from "./selects.js";
import { mentions, replaceNodes } from "./tree.js";
import { INTEGER } from "./types.js";
import { writeSql } from "./writeExpression.js";

type ConnectBy = NonNullable<Select["connectBy"]>;

/**
 * CONNECT BY as a recursive query. Its rows are those of the table with the level and what CONNECT_BY_ROOT, SYS_CONNECT_BY_PATH and
 * PRIOR carry down; they come depth first, which is the order that Oracle gives them in.
 */
export function writeHierarchy(select: Select, connect: ConnectBy, env: Environment, into: string, query?: Query): WrittenSelect {
  const tables = select.from.filter((item) => !isDual(item));
  const [only, ...others] = tables;
  if (only === undefined) return writeSeries(select, connect, env, into);
  const isJoin = others.length > 0 || only.kind === "join";
  const hierarchy = isJoin ? joinedSource(tables, select.where, env) : singleSource(only, select.where, env);
  const { name, inner } = hierarchy;
  const carried = new Carried(name);
  const items = carried.take(hierarchy.place(select.items));
  const where = hierarchy.where && carried.take(hierarchy.place(hierarchy.where));
  const [group, having] = [carried.take(hierarchy.place(select.group)), carried.take(hierarchy.place(select.having))];
  const start = connect.start ? writeSql(hierarchy.place(connect.start), inner) : "true";
  const condition = hierarchy.place(connect.condition);
  const step = writeSql(stepCondition(condition, hierarchy), {
    ...inner,
    pseudo: new Map([["level", "godwit_h.level + 1"]]),
  });
  const write = (expression: Expression) => writeSql(stepCondition(expression, hierarchy), inner);
  const siblings = query?.siblings ? query.order.map((key) => write(hierarchy.place(key.value)) + key.direction).join(", ") : "";
  // Numbered level by level, since SEARCH knows no DESC. Without ORDER SIBLINGS BY any order below a parent will do.
  const [first, next] =
    siblings === ""
      ? ["", ""]
      : [
          `, ARRAY[row_number() OVER (ORDER BY ${siblings})] AS godwit_order`,
          `, godwit_h.godwit_order || row_number() OVER (ORDER BY ${siblings})`,
        ];
  const search = siblings === "" ? " SEARCH DEPTH FIRST BY godwit_row SET godwit_order" : "";
  const whole =
    [...hierarchy.stars.values()].some((star) => star.includes(WHOLE)) && items.some(isStar)
      ? `, ${hierarchy.whole} AS ${WHOLE}`
      : "";
  const branches = [
    `SELECT ${quoteName(name)}.*, (${quoteName(name)}.*)::text AS godwit_row, 1 AS level${carried.list(write)}${whole}${first} FROM ${hierarchy.sql} WHERE ${start}`,
    `SELECT ${quoteName(name)}.*, (${quoteName(name)}.*)::text, godwit_h.level + 1${carried.stepList(write, (e) => writeSql(prior(e, hierarchy), inner))}${whole}${next} FROM godwit_h JOIN ${hierarchy.sql} ON ${step}`,
  ];
  const cycle = connect.nocycle ? " CYCLE godwit_row SET godwit_cycle USING godwit_path" : "";
  const common = `WITH RECURSIVE godwit_h AS (${branches.join(" UNION ALL ")})${search}${cycle}`;
  hierarchy.show(env.scope);
  const usesLeaf = [items, where, group, having].some((each) => mentions(each, "connect_by_isleaf"));
  const pseudo = new Map<string, string>([
    ["level", "level"],
    ...hierarchy.stars,
    ["connect_by_isleaf", usesLeaf ? writeLeaf(condition, hierarchy, env) : "NULL"],
    ["connect_by_iscycle", connect.nocycle ? writeIsCycle(name) : "0"],
    ...(mentions(items, "rownum") ? ([["rownum", "row_number() OVER ()"]] as const) : []),
  ]);
  const outer = { ...env, pseudo };
  const list = writeItems({ ...select, items }, outer);
  const limited = takeRowLimit(where, outer);
  const conditions = [connect.nocycle ? "NOT godwit_cycle" : "", limited.where ? writeSql(limited.where, outer) : ""].filter(
    Boolean,
  );
  const filter = conditions.length > 0 ? [`WHERE ${conditions.join(" AND ")}`] : [];
  const isReduced = select.distinct || group.length > 0 || hasAggregate(items);
  if (limited.limit !== undefined && isReduced)
    throw new Unconvertible("ROWNUM beside CONNECT BY and what gathers rows", select.line);
  const isPlain = !isReduced && !(query && query.order.length > 0 && !query.siblings) && query?.body.kind === "select";
  const sql = [
    `${common} SELECT ${select.distinct ? "DISTINCT " : ""}${list.sql}${into === "" ? "" : ` ${into}`} FROM godwit_h AS ${quoteName(name)}`,
    ...filter,
    ...writeGrouping({ ...select, group, ...(having ? { having } : {}) }, outer),
    ...(isPlain ? ["ORDER BY godwit_order"] : []),
  ].join(" ");
  return {
    sql,
    columns: list.columns,
    env: outer,
    ordered: isPlain,
    ...(limited.limit === undefined ? {} : { limit: limited.limit }),
  };
}

function isStar({ value }: SelectItem): boolean {
  return value.kind === "star";
}

/** CONNECT BY over DUAL: a series of numbers, of which there is always the first, since the condition is asked of the rows below it. */
function writeSeries(select: Select, connect: ConnectBy, env: Environment, into: string): WrittenSelect {
  const outer: Environment = {
    ...env,
    pseudo: new Map([
      ["level", "level"],
      ["rownum", "level"],
    ]),
  };
  const series = writeNumbers(connect.condition, env);
  env.scope.set("godwit_series", { kind: "table", sql: "godwit_series", columns: new Map([["level", INTEGER]]) });
  const list = writeItems(select, outer);
  const where = select.where ? [`WHERE ${writeSql(select.where, outer)}`] : [];
  const head = `SELECT ${select.distinct ? "DISTINCT " : ""}${list.sql}${into === "" ? "" : ` ${into}`} FROM ${series}`;
  return { sql: [head, ...where, ...writeGrouping(select, outer)].join(" "), columns: list.columns, env: outer };
}

function writeNumbers(test: Expression, env: Environment): string {
  const isCounter = (e: Expression) => e.kind === "name" && (e.parts[0] === "level" || e.parts[0] === "rownum");
  if (test.kind === "binary" && isCounter(test.left) && (test.operator === "<=" || test.operator === "<")) {
    const end = writeSql(test.right, env);
    const least = test.operator === "<" ? 2 : 1;
    if (/^\d+$/.test(end) && Number(end) >= least) return `generate_series(1, ${Number(end) - least + 1}) AS level`;
    const last = test.operator === "<" ? `ceil((${end})::numeric) - 1` : `floor((${end})::numeric)`;
    return `generate_series(1, greatest((${last})::integer, 1)) AS level`;
  }
  const next = "(godwit_series.level + 1)";
  const condition = writeSql(stripPrior(test), {
    ...env,
    pseudo: new Map([
      ["level", next],
      ["rownum", next],
    ]),
  });
  return `(WITH RECURSIVE godwit_series AS (SELECT 1 AS level UNION ALL SELECT ${next} FROM godwit_series WHERE ${condition}) SELECT level FROM godwit_series) AS godwit_series`;
}

/** PRIOR of what is no column (SYS_GUID() and the like, which keep Oracle from seeing a loop) is the value itself. */
function stripPrior(condition: Expression): Expression {
  return replaceNodes(condition, (node) => (node.kind === "unary" && node.operator === "PRIOR" ? node.operand : undefined));
}

/** A row that has one of the rows above it below it: the recursion went there once, and marked it. */
function writeIsCycle(name: string): string {
  const path = "godwit_loop.godwit_path";
  return `(EXISTS (SELECT FROM godwit_h AS godwit_loop WHERE godwit_loop.godwit_cycle AND ${path}[:cardinality(${path}) - 1] = ${quoteName(name)}.godwit_path))::integer`;
}

function writeLeaf(condition: Expression, source: Source, { scope }: Environment): string {
  const child = mapNames(
    condition,
    ({ parts }) => (parts.length > 1 || isColumnName(parts[0]) ? source.parts("child", parts) : undefined),
    (operand) => mapNames(operand, ({ parts }) => source.parts("own", parts)),
  );
  source.show(scope);
  // A child stands one level below its row.
  const inner = { ...source.child.env, pseudo: new Map([["level", `${quoteName(source.name)}.level + 1`]]) };
  return `(CASE WHEN EXISTS (SELECT FROM ${source.child.sql} WHERE ${writeSql(child, inner)}) THEN 0 ELSE 1 END)`;
}

/** Values that travel down the recursion in columns of their own. */
class Carried {
  readonly #columns: { name: string; root: Expression; separator?: Expression; kind: "root" | "path" | "prior" }[] = [];

  constructor(private readonly table: string) {}

  carry(kind: "root" | "path" | "prior", root: Expression, separator?: Expression): string {
    const name = `godwit_${kind}${this.#columns.length + 1}`;
    this.#columns.push({ name, root, kind, ...(separator ? { separator } : {}) });
    return name;
  }

  /** The tree with CONNECT_BY_ROOT, SYS_CONNECT_BY_PATH and PRIOR replaced by their columns. */
  take<T>(tree: T): T {
    return replaceNodes(tree, (node) => {
      const isPath = node.kind === "call" && node.callee.kind === "name" && node.callee.parts[0] === "sys_connect_by_path";
      if (node.kind === "unary" && node.operator === "CONNECT_BY_ROOT") return this.#name(this.carry("root", node.operand));
      if (node.kind === "unary" && node.operator === "PRIOR") return this.#name(this.carry("prior", node.operand));
      if (isPath && node.kind === "call" && node.args[0])
        return this.#name(this.carry("path", node.args[0].value, node.args[1]?.value));
      return undefined;
    });
  }

  list(write: (expression: Expression) => string): string {
    const columns = this.#columns.map(({ name, root, separator, kind }) => {
      if (separator) return `, concat(${write(separator)}, ${write(root)}) AS ${name}`;
      // Nothing is above the first row; the type is that of what is above the others.
      return `, ${kind === "prior" ? `CASE WHEN false THEN ${write(root)} END` : write(root)} AS ${name}`;
    });
    return columns.join("");
  }

  stepList(write: (expression: Expression) => string, above: (expression: Expression) => string): string {
    const steps = this.#columns.map(({ name, root, separator, kind }) => {
      if (separator) return `, concat(godwit_h.${name}, ${write(separator)}, ${write(root)})`;
      return kind === "prior" ? `, ${above(root)}` : `, godwit_h.${name}`;
    });
    return steps.join("");
  }

  #name(column: string): Expression {
    return { kind: "name", parts: [this.table, column], outer: false, line: 0 };
  }
}
