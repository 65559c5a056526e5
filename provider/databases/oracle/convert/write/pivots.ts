import { Unconvertible } from "../read/cursor.js";
import type { Expression } from "../read/expression.js";
import type { SelectItem, TableItem } from "../read/query.js";
import type { Environment } from "./environment.js";
import { quoteName, quoteText } from "./names.js";
import { columnMap, writeQuery } from "./queries.js";
import { visit } from "./tree.js";
import { writeOperand, writeSql } from "./writeExpression.js";

type WriteSource = (source: TableItem) => string;

/** PIVOT: one filtered aggregate per value, grouped by every column that is neither aggregated nor turned. */
export function writePivot(
  item: Extract<TableItem, { kind: "pivot" }>,
  env: Environment,
  name: string,
  write: WriteSource,
): string {
  const columns = sourceColumns(item.source, env);
  if (!columns) throw new Unconvertible("PIVOT over columns that this file does not name", item.line);
  const used = new Set(item.by);
  visit(item.aggregates, (node) => {
    if (node.kind === "name") used.add(node.parts.at(-1) ?? "");
    return undefined;
  });
  const groups = columns.filter((column) => !used.has(column)).map(quoteName);
  const source = write(item.source);
  const turned = item.values.flatMap((value) =>
    item.aggregates.map((aggregate) => writeTurned(item.by, value, aggregate, item.aggregates.length > 1, env)),
  );
  const group = groups.length > 0 ? ` GROUP BY ${groups.join(", ")}` : "";
  return `(SELECT ${[...groups, ...turned].join(", ")} FROM ${source}${group}) AS ${quoteName(name)}`;
}

function writeTurned(
  by: readonly string[],
  value: SelectItem,
  aggregate: SelectItem,
  several: boolean,
  env: Environment,
): string {
  const wanted = value.value.kind === "list" ? value.value.items : [value.value];
  const test = by
    .map((column, index) => `${quoteName(column)} = ${wanted[index] ? writeOperand(wanted[index], env).sql : "NULL"}`)
    .join(" AND ");
  const base = value.alias ?? wanted.map(label).join("_");
  const name =
    aggregate.alias === undefined || (!several && value.alias === undefined && aggregate.alias === undefined)
      ? base
      : `${base}_${aggregate.alias}`;
  return `${writeSql(aggregate.value, env)} FILTER (WHERE ${test}) AS ${quoteName(name)}`;
}

/** Oracle names a column without an alias after the value as written, quotes included. */
function label(value: Expression): string {
  if (value.kind !== "literal") return "value";
  return value.type === "string" ? `'${value.value}'` : value.value;
}

/** UNPIVOT: a lateral list of the turned columns with their labels. */
export function writeUnpivot(
  item: Extract<TableItem, { kind: "unpivot" }>,
  env: Environment,
  name: string,
  write: WriteSource,
): string {
  const turned = new Set(item.columns.map((column) => column.name));
  const kept = sourceColumns(item.source, env)?.filter((column) => !turned.has(column));
  if (!kept) throw new Unconvertible("UNPIVOT over columns that this file does not name", item.line);
  const rows = item.columns.map(
    (column) =>
      `(${column.label ? writeSql(column.label, env) : quoteText(column.name.toUpperCase())}, ${quoteName(column.name)})`,
  );
  const list = [...kept, item.by, item.value].map(quoteName).join(", ");
  const filter = item.nulls ? "" : ` WHERE ${quoteName(item.value)} IS NOT NULL`;
  const lateral = `CROSS JOIN LATERAL (VALUES ${rows.join(", ")}) AS godwit_turned(${quoteName(item.by)}, ${quoteName(item.value)})`;
  return `(SELECT ${list} FROM ${write(item.source)} ${lateral}${filter}) AS ${quoteName(name)}`;
}

function sourceColumns(source: TableItem, env: Environment): string[] | undefined {
  if (source.kind === "table") {
    const [first = ""] = source.name;
    const columns = env.common?.get(first) ?? env.catalog.columns(source.name);
    return columns && [...columns.keys()];
  }
  if (source.kind !== "query") return undefined;
  const columns = columnMap(writeQuery(source.query, env).columns);
  return columns && [...columns.keys()];
}
