import type { Expression } from "../read/expression.js";
import type { GroupItem, Query, Select, SelectItem } from "../read/query.js";
import type { Environment } from "./environment.js";
import { isDual, writeFrom } from "./fromItems.js";
import { writeHierarchy } from "./hierarchies.js";
import { quoteName } from "./names.js";
import { takeRowLimit } from "./rowLimits.js";
import { mark } from "./setColumns.js";
import { mentions, visit } from "./tree.js";
import { TEXT, type Type, UNKNOWN } from "./types.js";
import { writeExpression, writeSql } from "./writeExpression.js";

export interface Column {
  /** Absent when the database makes one up; "*" for columns that are not known. */
  readonly name?: string;
  readonly type: Type;
}

export interface WrittenSelect {
  readonly sql: string;
  readonly columns: readonly Column[];
  /** For ORDER BY, which sees the select's tables. */
  readonly env: Environment;
  /** From a condition on ROWNUM. */
  readonly limit?: string;
  readonly ordered?: boolean;
}

/** Writes one SELECT ... GROUP BY. The scope of `env` takes its tables. */
export function writeSelect(select: Select, around: Environment, into: string, query?: Query): WrittenSelect {
  const env: Environment = { ...around, marked: false, tableless: select.from.length > 0 && select.from.every(isDual) };
  if (select.connectBy) return writeHierarchy(select, select.connectBy, env, into, query);
  const columnValue = mentions([select.items, select.where], "column_value");
  const { where: joined, sql: from } = writeFrom(select.from, select.where, env, { columnValue, dual: usesDual(select) });
  const { limit, where } = takeRowLimit(joined, env);
  const clauses: string[] = [];
  if (from !== "") clauses.push(`FROM ${from}`);
  if (where) clauses.push(`WHERE ${writeSql(where, env)}`);
  const inner = mentions(select.items, "rownum")
    ? { ...env, pseudo: new Map([...(env.pseudo ?? []), ["rownum", "row_number() OVER ()"]]) }
    : env;
  // Grouped or made distinct, the rows are limited before; the first row of all is the same either way.
  const isReduced = select.group.length > 0 || (select.distinct && limit !== "1") || hasAggregate(select.items);
  const counted = limit !== undefined && isReduced;
  const head = `SELECT ${select.distinct ? "DISTINCT " : ""}`;
  const { sql: items, columns } = writeItems(select, inner, around.marked);
  const list = `${head}${items}${into === "" ? "" : ` ${into}`}`;
  if (counted && from !== "") {
    // The rows are limited before they are counted.
    const alias = select.from.length === 1 && select.from[0] && "alias" in select.from[0] ? select.from[0].alias : undefined;
    const table = select.from[0]?.kind === "table" ? select.from[0].name.at(-1) : undefined;
    const limited = `(SELECT * ${clauses.join(" ")} LIMIT ${limit}) AS ${quoteName(alias ?? table ?? "godwit_limited")}`;
    return { sql: [`${list} FROM ${limited}`, ...writeGrouping(select, inner)].join(" "), columns, env: inner };
  }
  clauses.push(...writeGrouping(select, inner));
  return { sql: [list, ...clauses].join(" "), columns, env: inner, ...(limit === undefined ? {} : { limit }) };
}

export function writeGrouping(select: Select, env: Environment): string[] {
  const group = select.group.map((item) => writeGroupItem(item, env)).join(", ");
  return [...(group === "" ? [] : [`GROUP BY ${group}`]), ...(select.having ? [`HAVING ${writeSql(select.having, env)}`] : [])];
}

const AGGREGATES = new Set(["count", "sum", "avg", "min", "max", "listagg", "stddev", "variance", "median", "collect"]);

export function hasAggregate(items: readonly SelectItem[]): boolean {
  let found = false;
  visit(items, (node) => {
    if (node.kind === "subquery") return false;
    found ||=
      node.kind === "call" &&
      !node.tail.over &&
      node.callee.kind === "name" &&
      node.callee.parts.length === 1 &&
      AGGREGATES.has(node.callee.parts[0] ?? "");
    return undefined;
  });
  return found;
}

/** The select list. */
export function writeItems(
  select: Select,
  env: Environment,
  marked: Environment["marked"] = false,
): { sql: string; columns: Column[] } {
  const columns: Column[] = [];
  const items = select.items.map((item) => {
    if (item.value.kind === "star" && isOnlyDual(select)) {
      columns.push({ name: "dummy", type: TEXT });
      return "'X'::varchar(1) AS dummy";
    }
    if (item.value.kind === "star") columns.push(...starColumns(item.value.of, env));
    const star = item.value.kind === "star" ? env.pseudo?.get([...item.value.of, "*"].join(".")) : undefined;
    const written = star === undefined ? writeExpression(item.value, env) : { sql: star, type: UNKNOWN };
    const isMarked = item.value.kind !== "star" && (marked === "recursive" || (marked && written.type.family === "unknown"));
    const sql = isMarked ? mark(written.sql, columns.length) : written.sql;
    const natural = naturalName(item.value);
    if (item.value.kind !== "star")
      columns.push({
        ...((item.alias ?? natural) === undefined ? {} : { name: item.alias ?? natural ?? "" }),
        type: written.type,
      });
    // A name that the rewriting changed (SYSDATE, a sequence's NEXTVAL) keeps its column name through an alias.
    const alias =
      item.alias ?? (natural !== undefined && !endsInName(written.sql, natural) && isPlainPlace(env) ? natural : undefined);
    return alias === undefined ? sql : `${sql} AS ${quoteName(alias)}`;
  });
  return { sql: items.join(", "), columns };
}

function isOnlyDual(select: Select): boolean {
  return select.from.length === 1 && select.from.every((item) => isDual(item) && !("alias" in item && item.alias));
}

/** Something is taken from DUAL: its column, its row by an alias, or all columns of it and of another table. */
function usesDual(select: Select): boolean {
  const duals = select.from.filter(isDual);
  if (duals.length === 0) return false;
  const aliases = new Set(duals.flatMap((item) => ("alias" in item && item.alias !== undefined ? [item.alias] : [])));
  let uses = false;
  visit([select.items, select.where, select.group, select.having], (node) => {
    if (node.kind === "name")
      uses ||= node.parts.at(-1) === "dummy" || (node.parts.length > 1 && aliases.has(node.parts[0] ?? ""));
    if (node.kind === "star")
      uses ||= node.of.length > 0 ? aliases.has(node.of[0] ?? "") : !isOnlyDual(select) && !isCounted(select);
    return undefined;
  });
  return uses;
}

/** COUNT(*) over one DUAL or over DUAL and others: its star names no columns. */
function isCounted(select: Select): boolean {
  return select.items.every(({ value }) => value.kind !== "star");
}

function isPlainPlace(env: Environment): boolean {
  return env.unit === undefined;
}

function endsInName(sql: string, name: string): boolean {
  return sql === quoteName(name) || sql.endsWith(`.${quoteName(name)}`);
}

function naturalName(value: Expression): string | undefined {
  return value.kind === "name" ? value.parts.at(-1) : undefined;
}

function starColumns(of: readonly string[], env: Environment): Column[] {
  const columns: Column[] = [];
  for (const table of env.scope.tables()) {
    if (of.length > 0 && table.sql !== quoteName(of.at(-1) ?? "")) continue;
    if (!table.columns) return [{ name: "*", type: UNKNOWN }];
    for (const [name, type] of table.columns) columns.push({ name, type });
  }
  return columns.length > 0 ? columns : [{ name: "*", type: UNKNOWN }];
}

function writeGroupItem(item: GroupItem, env: Environment): string {
  if (item.kind === "empty") return "()";
  // A constant is a group of its own in Oracle, never a position; PostgreSQL would take a number for one and refuse any other.
  if (item.kind === "value" && item.value.kind === "literal")
    return `CAST(${writeSql(item.value, env)} AS ${item.value.type === "number" ? "numeric" : "text"})`;
  if (item.kind === "value") return writeSql(item.value, env);
  return `${item.word} (${item.items.map((each) => writeGroupItem(each, env)).join(", ")})`;
}
