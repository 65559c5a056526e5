import type { Expression } from "../read/expression.js";
import type { GroupItem, Query, Select, SelectItem } from "../read/query.js";
import type { Environment } from "./environment.js";
import { writeFrom } from "./fromItems.js";
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
  const env: Environment = around.marked ? { ...around, marked: false } : around;
  if (select.connectBy) return writeHierarchy(select, select.connectBy, env, into, query);
  const usesColumnValue = mentions([select.items, select.where], "column_value");
  const { where: joined, sql: from } = writeFrom(select.from, select.where, env, usesColumnValue);
  const { limit, where } = takeRowLimit(joined, env);
  const clauses: string[] = [];
  if (from !== "") clauses.push(`FROM ${from}`);
  if (where) clauses.push(`WHERE ${writeSql(where, env)}`);
  const inner = mentions(select.items, "rownum")
    ? { ...env, pseudo: new Map([...(env.pseudo ?? []), ["rownum", "row_number() OVER ()"]]) }
    : env;
  const counted = limit !== undefined && select.group.length === 0 && hasAggregate(select.items);
  const head = `SELECT ${select.distinct ? "DISTINCT " : ""}`;
  const { sql: items, columns } = writeItems(select, inner, around.marked);
  const list = `${head}${items}${into === "" ? "" : ` ${into}`}`;
  if (counted && from !== "") {
    // The rows are limited before they are counted.
    const alias = select.from.length === 1 && select.from[0] && "alias" in select.from[0] ? select.from[0].alias : undefined;
    const table = select.from[0]?.kind === "table" ? select.from[0].name.at(-1) : undefined;
    return {
      sql: `${list} FROM (SELECT * ${clauses.join(" ")} LIMIT ${limit}) AS ${quoteName(alias ?? table ?? "godwit_limited")}`,
      columns,
      env: inner,
    };
  }
  if (select.group.length > 0) clauses.push(`GROUP BY ${select.group.map((item) => writeGroupItem(item, inner)).join(", ")}`);
  if (select.having) clauses.push(`HAVING ${writeSql(select.having, inner)}`);
  return { sql: [list, ...clauses].join(" "), columns, env: inner, ...(limit === undefined ? {} : { limit }) };
}

const AGGREGATES = new Set(["count", "sum", "avg", "min", "max", "listagg", "stddev", "variance", "median", "collect"]);

function hasAggregate(items: readonly SelectItem[]): boolean {
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
export function writeItems(select: Select, env: Environment, marked = false): { sql: string; columns: Column[] } {
  const columns: Column[] = [];
  const items = select.items.map((item) => {
    if (item.value.kind === "star" && isOnlyDual(select)) {
      columns.push({ name: "dummy", type: TEXT });
      return "'X'::varchar(1) AS dummy";
    }
    if (item.value.kind === "star") columns.push(...starColumns(item.value.of, env));
    const written = writeExpression(item.value, env);
    const sql =
      marked && written.type.family === "unknown" && item.value.kind !== "star" ? mark(written.sql, columns.length) : written.sql;
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
  return select.from.length === 1 && select.from.every((item) => item.kind === "table" && item.name.at(-1) === "dual");
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
  if (item.kind === "value") return writeSql(item.value, env);
  return `${item.word} (${item.items.map((each) => writeGroupItem(each, env)).join(", ")})`;
}
