import { Unconvertible } from "../read/cursor.js";
import type { ExpressionOf, SortKey } from "../read/expression.js";
import { writeArguments, writeOver } from "./calls.js";
import { toNumber, unified } from "./coercion.js";
import type { Environment } from "./environment.js";
import { writeIgnoringNulls } from "./ignoreNulls.js";
import { quoteName } from "./names.js";
import { INTEGER, isNumeric, NUMERIC, TEXT, type Type, UNKNOWN } from "./types.js";
import { type Written, writeExpression, writeSql } from "./writeExpression.js";

/** The functions that look at several rows and are spelt alike in both databases, by the type they give. */
const SAME: Readonly<Record<string, Type>> = {
  count: INTEGER,
  sum: NUMERIC,
  avg: NUMERIC,
  min: UNKNOWN,
  max: UNKNOWN,
  stddev: NUMERIC,
  stddev_pop: NUMERIC,
  stddev_samp: NUMERIC,
  variance: NUMERIC,
  var_pop: NUMERIC,
  var_samp: NUMERIC,
  corr: NUMERIC,
  covar_pop: NUMERIC,
  covar_samp: NUMERIC,
  regr_slope: NUMERIC,
  regr_intercept: NUMERIC,
  regr_count: NUMERIC,
  regr_r2: NUMERIC,
  rank: INTEGER,
  dense_rank: INTEGER,
  percent_rank: NUMERIC,
  cume_dist: NUMERIC,
  ntile: INTEGER,
  row_number: INTEGER,
  lag: UNKNOWN,
  lead: UNKNOWN,
  first_value: UNKNOWN,
  last_value: UNKNOWN,
  nth_value: UNKNOWN,
  percentile_cont: NUMERIC,
  percentile_disc: UNKNOWN,
};

/** Writes an aggregate or window function; undefined when the name is none. */
export function writeAggregate(parts: readonly string[], e: ExpressionOf<"call">, env: Environment): Written | undefined {
  if (parts.length !== 1) return undefined;
  const name = parts[0] ?? "";
  if (e.tail.keep) return writeKeep(name, e, env);
  const ignoring = writeIgnoringNulls(name, e, env);
  if (ignoring) return ignoring;
  const special = SPECIAL[name];
  if (special) return special(e, env);
  if (name === "count" && e.tail.distinct && e.tail.over)
    return { sql: `coalesce(cardinality(${writeDistinct(e, env)}), 0)`, type: INTEGER };
  const type = SAME[name];
  if (!type && !e.tail.over && !e.tail.withinGroup && !e.tail.distinct) return undefined;
  const distinct = e.tail.distinct ? "DISTINCT " : "";
  const within = e.tail.withinGroup ? ` WITHIN GROUP (ORDER BY ${writeKeys(e.tail.withinGroup, env)})` : "";
  const written = e.args.map(({ value }) => writeExpression(value, env));
  const inner = written[0]?.type ?? UNKNOWN;
  const args = e.args.some((arg) => arg.name !== undefined) ? writeArguments(e.args, env) : writeValues(name, written, env);
  const sql = `${quoteName(name)}(${distinct}${args})${within}${writeOver(e, env)}`;
  return { sql, type: !type || (type === UNKNOWN && inner.family !== "unknown") ? inner : type };
}

/** Aggregates that take numbers. */
const NUMBERS_ONLY = new Set(
  "sum avg stddev stddev_pop stddev_samp variance var_pop var_samp corr covar_pop covar_samp".split(" "),
);

function writeValues(name: string, written: readonly Written[], env: Environment): string {
  if (NUMBERS_ONLY.has(name)) return written.map((each) => toNumber(each, env).sql).join(", ");
  const [value, offset, otherwise] = written;
  if (!(name === "lag" || name === "lead") || !value || !offset || !otherwise) return written.map(({ sql }) => sql).join(", ");
  // A default is of the value's type.
  const [own, rest] = unified([value, otherwise], env).sql;
  return [own, offset.sql, rest].join(", ");
}

/** The different values of a partition, in their order: PostgreSQL has no DISTINCT in a window function. */
function writeDistinct(e: ExpressionOf<"call">, env: Environment): string {
  const [value] = e.args;
  if (!value) throw new Unconvertible("DISTINCT of nothing", e.line);
  const written = writeExpression(value.value, env);
  const isPlain = written.type.family === "unknown" || written.type.family === "string";
  return `${env.output.use("distinct_values")}(array_agg(${isPlain ? `(${written.sql})::text` : written.sql})${writeOver(e, env)})`;
}

function writeKeys(keys: readonly SortKey[], env: Environment): string {
  return keys.map((key) => writeSql(key.value, env) + key.direction).join(", ");
}

const SPECIAL: Readonly<Record<string, (e: ExpressionOf<"call">, env: Environment) => Written>> = {
  listagg: writeList,
  wm_concat: writeList,
  median: (e, env) => ({
    sql: `percentile_cont(0.5) WITHIN GROUP (ORDER BY ${e.args.map(({ value }) => toNumber(writeExpression(value, env), env).sql).join(", ")})${writeOver(e, env)}`,
    type: NUMERIC,
  }),
  stats_mode: (e, env) => ({ sql: `mode() WITHIN GROUP (ORDER BY ${writeArguments(e.args, env)})`, type: UNKNOWN }),
  collect: (e, env) => {
    const order = e.tail.order ? ` ORDER BY ${writeKeys(e.tail.order, env)}` : "";
    return { sql: `array_agg(${e.tail.distinct ? "DISTINCT " : ""}${writeArguments(e.args, env)}${order})`, type: UNKNOWN };
  },
  ratio_to_report: (e, env) => {
    const value = writeArguments(e.args, env);
    return { sql: `((${value})::numeric / sum(${value})${writeOver(e, env)})`, type: NUMERIC };
  },
  grouping_id: (e, env) => ({ sql: `GROUPING(${writeArguments(e.args, env)})`, type: INTEGER }),
  grouping: (e, env) => ({ sql: `GROUPING(${writeArguments(e.args, env)})`, type: INTEGER }),
  approx_count_distinct: (e, env) => ({ sql: `count(DISTINCT ${writeArguments(e.args, env)})`, type: INTEGER }),
  any_value: (e, env) => ({ sql: `min(${writeArguments(e.args, env)})`, type: UNKNOWN }),
};

function writeList(e: ExpressionOf<"call">, env: Environment): Written {
  const [value, separator] = e.args;
  if (!value) throw new Unconvertible("LISTAGG without a value", e.line);
  const written = writeExpression(value.value, env);
  const text = written.type.family === "string" ? written.sql : `(${written.sql})::text`;
  const between = separator ? writeSql(separator.value, env) : e.tail.withinGroup ? "NULL" : "','";
  const inside = `${e.tail.distinct ? "DISTINCT " : ""}${text}, ${between === "NULL" ? "''" : between}`;
  const order = e.tail.withinGroup ? writeKeys(e.tail.withinGroup, env) : "";
  if (!e.tail.over) return { sql: `string_agg(${inside}${order === "" ? "" : ` ORDER BY ${order}`})`, type: TEXT };
  if (e.tail.distinct) {
    const [key, ...others] = e.tail.withinGroup ?? [];
    const isOwn = key === undefined || (others.length === 0 && key.direction === "" && writeSql(key.value, env) === written.sql);
    if (!isOwn) throw new Unconvertible("LISTAGG(DISTINCT ...) over a window in another order", e.line);
    const sql = `nullif(array_to_string(${writeDistinct(e, env)}, ${between === "NULL" ? "''" : between}), '')`;
    return { sql, type: TEXT };
  }
  // A window function takes no ORDER BY in its brackets; the window's own gives it, over all rows of the partition.
  const partition = e.tail.over.partition.map((each) => writeSql(each, env)).join(", ");
  const window = [
    partition === "" ? "" : `PARTITION BY ${partition}`,
    order === "" ? "" : `ORDER BY ${order} ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING`,
  ];
  return { sql: `string_agg(${inside}) OVER (${window.filter(Boolean).join(" ")})`, type: TEXT };
}

/** MAX(x) KEEP (DENSE_RANK FIRST ORDER BY k): of the rows that come first by k, the greatest x. */
function writeKeep(name: string, e: ExpressionOf<"call">, env: Environment): Written {
  const keep = e.tail.keep;
  const [value] = e.args;
  if (!keep || !value || (name !== "max" && name !== "min")) throw new Unconvertible(`${name.toUpperCase()} with KEEP`, e.line);
  const written = writeExpression(value.value, env);
  const keys = keep.order.map((key) => {
    if (!keep.last) return writeSql(key.value, env) + key.direction;
    const nulls = key.direction.includes("NULLS FIRST")
      ? " NULLS LAST"
      : key.direction.includes("NULLS LAST")
        ? " NULLS FIRST"
        : "";
    return `${writeSql(key.value, env)}${key.direction.includes("DESC") ? " ASC" : " DESC"}${nulls}`;
  });
  const order = [...keys, `${written.sql}${name === "max" ? " DESC NULLS LAST" : ""}`].join(", ");
  if (e.tail.over) {
    const partition = e.tail.over.partition.map((each) => writeSql(each, env)).join(", ");
    const window = `${partition === "" ? "" : `PARTITION BY ${partition} `}ORDER BY ${order}`;
    return { sql: `first_value(${written.sql}) OVER (${window})`, type: written.type };
  }
  return { sql: `(array_agg(${written.sql} ORDER BY ${order}))[1]`, type: isNumeric(written.type) ? NUMERIC : written.type };
}
