import type { Cursor } from "../read/cursor.js";
import type { Expression, SortKey } from "../read/expression.js";
import { readSortKeys } from "../read/readCallTail.js";
import { toText } from "../write/coercion.js";
import { type Environment, Scope } from "../write/environment.js";
import { gatherLeanings } from "../write/leanings.js";
import { fitName, quoteName, quoteNames } from "../write/names.js";
import { writeExpression } from "../write/writeExpression.js";
import { type Converted, skipRest } from "./converted.js";

/** CREATE INDEX. A bitmap index becomes an ordinary one; PostgreSQL makes bitmaps from those when a query needs them. */
export function convertIndex(cursor: Cursor, env: Environment): Converted {
  const unique = cursor.accept("UNIQUE");
  const bitmap = cursor.accept("BITMAP");
  cursor.accept("MULTIVALUE");
  const search = cursor.accept("SEARCH");
  const line = cursor.line;
  cursor.expect("INDEX");
  const isGuarded = cursor.accept("IF", "NOT", "EXISTS");
  const name = cursor.names();
  const guard = cursor.accept("IF", "NOT", "EXISTS") || isGuarded ? "IF NOT EXISTS " : "";
  cursor.expect("ON");
  if (cursor.at("CLUSTER")) {
    skipRest(cursor);
    return {
      kind: "index",
      name: name.join("."),
      sql: [],
      nothing: "an index of a cluster: PostgreSQL has no clusters of tables",
    };
  }
  const table = cursor.names();
  if (cursor.atName()) cursor.name();
  const keys = readKeys(cursor);
  if (cursor.at("FROM")) cursor.refuse("a bitmap join index");
  const json = search && cursor.accept("FOR", "JSON");
  const method = cursor.accept("INDEXTYPE", "IS") ? readIndexType(cursor) : search ? "gin" : "btree";
  if (method === "gist" && !env.catalog.postgis) {
    skipRest(cursor);
    return {
      kind: "index",
      name: name.join("."),
      sql: [],
      nothing: "a spatial index: without PostGIS nothing is searched by place",
    };
  }
  let invisible = false;
  while (!cursor.done) invisible = cursor.next().text === "INVISIBLE" || invisible;
  skipRest(cursor);
  if (bitmap) env.output.warn("BITMAP became an ordinary index", line);
  if (invisible) env.output.warn("INVISIBLE: PostgreSQL uses the index as any other", line);
  const columns = keys.flatMap((key) => (key.value.kind === "name" ? [key.value.parts.at(-1) ?? ""] : []));
  env.catalog.indexes.set(name.at(-1) ?? "", { table: table.slice(-2).join("."), columns, unique });
  const scope = new Scope(env.scope);
  scope.set(table.at(-1) ?? "", { kind: "table", sql: quoteName(table.at(-1) ?? ""), columns: env.catalog.columns(table) });
  const inner: Environment = { ...env, scope, place: "definition", leanings: gatherLeanings(keys) };
  const list =
    method === "gin"
      ? keys.map((key) =>
          json
            ? `((${writeExpression(key.value, inner).sql})::jsonb)`
            : `to_tsvector('simple', ${toText(writeExpression(key.value, inner), inner).sql})`,
        )
      : keys.map((key) => writeKey(key, inner));
  // Oracle's indexes have names of their own; here they share them with tables.
  let own = name.at(-1) ?? "";
  if (own === table.at(-1) || env.catalog.relations.has(own)) {
    own = fitName(`${own}_index`);
    env.output.warn(`the index ${name.join(".")} became ${own}: a table has its name`, line);
  }
  const using = method === "btree" ? "" : ` USING ${method}`;
  return {
    kind: "index",
    name: name.join("."),
    sql: [
      `CREATE ${unique ? "UNIQUE " : ""}INDEX ${guard}${quoteName(own)} ON ${quoteNames(table)}${using} (${list.join(", ")})`,
    ],
  };
}

function readKeys(cursor: Cursor): SortKey[] {
  cursor.expect("(");
  const keys = readSortKeys(cursor);
  cursor.expect(")");
  return keys;
}

function readIndexType(cursor: Cursor): string {
  const type = cursor.names().at(-1) ?? "";
  if (/^(context|ctxcat|search_index)/.test(type)) return "gin";
  if (/^spatial_index/.test(type)) return "gist";
  return cursor.refuse(`an index of the type ${type}`);
}

function writeKey(key: SortKey, env: Environment): string {
  const { sql } = writeExpression(key.value, env);
  const isPlain = key.value.kind === "name" && /^[\w$"]+$/.test(sql);
  return `${isPlain || isFunctionCall(key.value, sql) ? sql : `(${sql})`}${key.direction}`;
}

function isFunctionCall(value: Expression, sql: string): boolean {
  return (
    value.kind === "call" && /^[a-z_.]+\(/.test(sql) && sql.endsWith(")") && !/^(coalesce|greatest|least|nullif)\(/.test(sql)
  );
}
