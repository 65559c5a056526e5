import { Unconvertible } from "../read/cursor.js";
import type { Expression } from "../read/expression.js";
import type { TableItem } from "../read/query.js";
import { findRoutine, withoutSys } from "./calls.js";
import { type Environment, inQuery, Scope } from "./environment.js";
import { fitName, quoteName, quoteNames } from "./names.js";
import { writeOuterJoins } from "./outerJoins.js";
import { writePivot, writeUnpivot } from "./pivots.js";
import { columnMap, writeQuery } from "./queries.js";
import type { Type } from "./types.js";
import { writeExpression, writeSql } from "./writeExpression.js";

/** Writes what stands behind FROM; of WHERE remains what is no condition of a (+) join. */
export function writeFrom(
  items: readonly TableItem[],
  where: Expression | undefined,
  env: Environment,
  uses: { readonly columnValue: boolean; readonly dual: boolean },
): { sql: string; where?: Expression } {
  const { columnValue } = uses;
  const tables = uses.dual ? items : items.filter((item) => !isDual(item));
  const names = tables.map((item) => nameTables(item, env));
  const joined = writeOuterJoins(tables, names, where, env, (item) => writeItem(item, env, columnValue));
  if (joined) return joined;
  const sql = tables.map((item) => writeItem(item, env, columnValue)).join(", ");
  return { sql, ...(where ? { where } : {}) };
}

/** The table of one row that is written only where something is taken from it. */
export function isDual(item: TableItem): boolean {
  return (
    item.kind === "table" &&
    item.name.at(-1) === "dual" &&
    (item.name.length === 1 || item.name[0] === "sys" || item.name[0] === "public")
  );
}

/** Registers the item's tables in the scope before anything refers to them; the names that can stand before a column. */
function nameTables(item: TableItem, env: Environment): string[] {
  if (item.kind === "join") return [...nameTables(item.left, env), ...nameTables(item.right, env)];
  const name = itemName(item);
  if (name === undefined) return [];
  const columns = item.kind === "table" ? tableColumns(item.name, env) : undefined;
  env.scope.set(name, { kind: "table", sql: quoteName(name), columns });
  return [name];
}

function itemName(item: TableItem): string | undefined {
  if (item.kind === "join") return undefined;
  if (item.alias !== undefined) return item.alias;
  if (item.kind === "table") return item.name.at(-1);
  return `godwit_q${item.line}`;
}

function tableColumns(name: readonly string[], env: Environment): ReadonlyMap<string, Type> | undefined {
  const [first = ""] = name;
  return name.length === 1 && env.common?.has(first) ? env.common.get(first) : env.catalog.columns(name);
}

/** One table, query, function or join. */
export function writeItem(item: TableItem, env: Environment, columnValue: boolean): string {
  switch (item.kind) {
    case "table": {
      if (isDual(item)) return `(SELECT 'X'::varchar(1) AS dummy) AS ${quoteName(item.alias ?? "dual")}`;
      const sample = item.sample ? ` TABLESAMPLE BERNOULLI (${writeSql(item.sample, env)})` : "";
      return `${writeTableName(item, env)}${item.alias === undefined ? "" : ` AS ${quoteName(item.alias)}`}${sample}`;
    }
    case "query": {
      const query = writeQuery(item.query, inQuery(env, new Scope(env.scope)));
      const name = itemName(item) ?? "";
      const columns = columnMap(query.columns);
      env.scope.set(name, { kind: "table", sql: quoteName(name), columns });
      return `${item.lateral ? "LATERAL " : ""}(${query.sql}) AS ${quoteName(name)}`;
    }
    case "function":
      return writeTableFunction(item, env, columnValue);
    case "join":
      return writeJoin(item, env, columnValue);
    case "pivot":
      return writePivot(item, env, itemName(item) ?? "", (source) => writeItem(source, env, columnValue));
    case "unpivot":
      return writeUnpivot(item, env, itemName(item) ?? "", (source) => writeItem(source, env, columnValue));
  }
}

/** A table reached through a link stands in a schema of foreign tables named after the link. */
function writeTableName(item: Extract<TableItem, { kind: "table" }>, env: Environment): string {
  if (item.link !== undefined) {
    const [owner, table = owner ?? ""] = item.name.slice(-2);
    const link = item.link.split(".")[0] ?? item.link;
    const schema = item.name.length > 1 ? `${owner}_${link}` : link;
    env.output.warn(
      `the link @${item.link} became the schema ${schema}: import the remote tables there (IMPORT FOREIGN SCHEMA)`,
      item.line,
    );
    return quoteNames([schema, table]);
  }
  if (item.partition === undefined) return quoteNames(item.name);
  return quoteNames([...item.name.slice(0, -1), fitName(`${item.name.at(-1)}_${item.partition}`)]);
}

function writeTableFunction(item: Extract<TableItem, { kind: "function" }>, env: Environment, columnValue: boolean): string {
  const name = itemName(item) ?? "";
  const isStandard = item.call.kind === "call" && item.call.tail.pieces !== undefined;
  const call = writeExpression(item.call, env);
  const columns = !isStandard && columnValue ? "(column_value)" : "";
  if (isStandard) return `${call.sql} AS ${quoteName(name)}`;
  const isMacro =
    item.call.kind === "call" &&
    item.call.callee.kind === "name" &&
    findRoutine(withoutSys(item.call.callee.parts), env)?.routines.some(({ traits }) => traits.macro);
  if (isMacro) throw new Unconvertible("a query over an SQL macro: its columns must be listed", item.line);
  if (call.type.element?.fields) env.scope.set(name, { kind: "table", sql: quoteName(name), columns: call.type.element.fields });
  return `unnest(${call.sql}) AS ${quoteName(name)}${columns}`;
}

function writeJoin(item: Extract<TableItem, { kind: "join" }>, env: Environment, columnValue: boolean): string {
  const left = writeItem(item.left, env, columnValue);
  const right = writeItem(item.right, env, columnValue);
  const bracketed = item.right.kind === "join" ? `(${right})` : right;
  if (item.type === "CROSS APPLY") return `${left} CROSS JOIN LATERAL ${bracketed}`;
  if (item.type === "OUTER APPLY") return `${left} LEFT JOIN LATERAL ${bracketed} ON true`;
  const condition = item.on
    ? ` ON ${writeSql(item.on, env)}`
    : item.using.length > 0
      ? ` USING (${item.using.map(quoteName).join(", ")})`
      : "";
  // A join with no condition pairs every row with every row.
  const type = condition === "" && item.type === "JOIN" ? "CROSS JOIN" : item.type;
  return `${left} ${type} ${bracketed}${condition}`;
}
