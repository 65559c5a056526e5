import { Unconvertible } from "../read/cursor.js";
import type { CommonTable, Query, QueryBody, SelectItem } from "../read/query.js";
import { type Environment, inQuery, Scope } from "./environment.js";
import { gatherLeanings } from "./leanings.js";
import { fitName, quoteName } from "./names.js";
import { type Column, writeSelect } from "./selects.js";
import { unifyColumns } from "./setColumns.js";
import { writeOrder } from "./sorting.js";
import { replaceNodes, visit } from "./tree.js";
import type { Type } from "./types.js";
import { writeSql } from "./writeExpression.js";

export interface WrittenQuery {
  readonly sql: string;
  readonly columns: readonly Column[];
}

/** Writes a query. `into` is the whole INTO clause of PL/pgSQL, put behind the first select list. */
export function writeQuery(query: Query, env: Environment, into = ""): WrittenQuery {
  let inner = inQuery(env, new Scope(env.scope));
  // What stands inside another query is no column of the set around it.
  if (inner.marked && query.with.length > 0) inner = { ...inner, marked: false };
  const common: string[] = [];
  let recursive = false;
  for (const table of query.with) {
    const isRecursive = refersTo(table.query, table.name);
    recursive ||= isRecursive;
    const { sql, columns } = writeCommon(table, inner);
    common.push(sql);
    inner = { ...inner, common: new Map([...(inner.common ?? []), [table.name, columns]]) };
  }
  const body = writeBody(query.body, inner, into, query);
  const clauses = [body.sql];
  if (query.order.length > 0 && !body.ordered) {
    const order = writeOrder(query, body.env);
    if (order !== "") clauses.push(order);
    if (body.limit !== undefined)
      env.output.warn("ROWNUM beside ORDER BY: the rows are sorted before they are counted", query.line);
  }
  if (query.offset) clauses.push(`OFFSET ${writeSql(query.offset, body.env)} ROWS`);
  if (query.fetch) {
    if (query.fetch.percent && (into !== "" || common.length > 0))
      throw new Unconvertible("FETCH FIRST n PERCENT at this place", query.line);
    const amount = writeSql(query.fetch.rows, body.env);
    // A share of the rows is counted by the query itself, without its order.
    const rows = query.fetch.percent
      ? `SELECT ceil(count(*) * (${amount}) / 100.0)::bigint FROM (${body.sql}) AS godwit_all`
      : amount;
    clauses.push(`FETCH FIRST (${rows}) ROWS ${query.fetch.ties ? "WITH TIES" : "ONLY"}`);
  } else if (body.limit !== undefined) clauses.push(`LIMIT ${body.limit}`);
  if (query.lock) {
    const of = [...new Set(query.lock.of.filter((name) => name.length > 1).map((name) => quoteName(name.at(-2) ?? "")))];
    clauses.push(`FOR UPDATE${of.length > 0 ? ` OF ${of.join(", ")}` : ""}${query.lock.wait}`);
  }
  if (common.length === 0) return { sql: clauses.join(" "), columns: body.columns };
  const text = clauses.join(" ");
  // A hierarchy brings a WITH of its own, which joins this one.
  const nested = text.startsWith(RECURSIVE);
  const start = `WITH ${recursive || nested ? "RECURSIVE " : ""}${common.join(", ")}`;
  return { sql: nested ? `${start}, ${text.slice(RECURSIVE.length)}` : `${start} ${text}`, columns: body.columns };
}

/** The query of a view or of a table made from it, whose types the server must know when it is created. */
export function writeStoredQuery(query: Query, env: Environment, names: readonly string[] = []): WrittenQuery {
  const named = names.length > 0 ? query : { ...query, body: withNames(query.body, env) };
  return writeQuery(named, inQuery({ ...env, leanings: gatherLeanings(query) }, new Scope(env.scope)));
}

/** Several expressions without a name would be columns of one name here; Oracle wants a name for each. */
function withNames(body: QueryBody, env: Environment): QueryBody {
  if (body.kind === "nested") return { ...body, query: { ...body.query, body: withNames(body.query.body, env) } };
  if (body.kind === "set") return { ...body, left: withNames(body.left, env) };
  const { items } = body.select;
  const isNameless = ({ alias, value }: SelectItem) => alias === undefined && value.kind !== "name" && value.kind !== "star";
  if (items.filter(isNameless).length < 2) return body;
  env.output.warn(
    "expressions without a name became column_1, column_2 ... by their places: Oracle wants a name for each",
    body.select.line,
  );
  const named = items.map((item, index) => (isNameless(item) ? { ...item, alias: `column_${index + 1}` } : item));
  return { ...body, select: { ...body.select, items: named } };
}

const RECURSIVE = "WITH RECURSIVE ";

interface WrittenBody extends WrittenQuery {
  readonly env: Environment;
  readonly limit?: string;
  /** The body has its ORDER BY already. */
  readonly ordered?: boolean;
}

function writeBody(body: QueryBody, env: Environment, into: string, query?: Query): WrittenBody {
  if (body.kind === "select") return writeSelect(body.select, env, into, query);
  if (body.kind === "nested") {
    const nested = writeQuery(body.query, env, into);
    return { sql: `(${nested.sql})`, columns: nested.columns, env };
  }
  if (env.recursion) {
    const outside = { ...env, recursion: false };
    const both = writeSet(body, { ...outside, marked: "recursive" }, into);
    return { ...both, ...unifyColumns(both.sql, both.rows, true), env: outside };
  }
  if (!env.leanings || env.marked) return writeSet(body, env, into);
  const marked = writeSet(body, { ...env, marked: true }, into);
  return { ...marked, ...unifyColumns(marked.sql, marked.rows, false), env };
}

interface WrittenSet extends WrittenBody {
  /** The columns of each SELECT that the operators join. */
  readonly rows: readonly (readonly Column[])[];
}

function writeSet(body: Extract<QueryBody, { kind: "set" }>, env: Environment, into: string): WrittenSet {
  const left = writeSide(body.left, env, into, body.operator.startsWith("INTERSECT"));
  const right = writeSide(body.right, env, "");
  const rows = [left, right].flatMap((side) => ("rows" in side ? (side as WrittenSet).rows : [side.columns]));
  return { sql: `${left.sql} ${body.operator} ${right.sql}`, columns: left.columns, env, rows };
}

/** A side of UNION and the like: INTERSECT binds tighter in PostgreSQL, in Oracle all are equal and go from left to right. */
function writeSide(body: QueryBody, env: Environment, into: string, intersects = false): WrittenBody {
  const side = writeBody(body, env, into);
  const isLooser = body.kind === "set" && (intersects || !body.operator.startsWith("UNION"));
  const needsBrackets = side.limit !== undefined || side.sql.startsWith("WITH ") || isLooser;
  return needsBrackets ? { ...side, sql: `(${side.sql}${side.limit === undefined ? "" : ` LIMIT ${side.limit}`})` } : side;
}

function refersTo(query: Query, name: string): boolean {
  let found = false;
  visit(query, (node) => {
    const table = node as unknown as { kind: string; name?: readonly string[] };
    found ||= table.kind === "table" && table.name?.length === 1 && table.name[0] === name;
    return undefined;
  });
  return found;
}

/**
 * SEARCH: Oracle's ordering column is a number, PostgreSQL's an array of records, which no view can show. So the recursion gets a
 * name of its own, and the table of the given name is its rows with their number in that order.
 */
function writeSearched(
  table: CommonTable,
  search: NonNullable<CommonTable["search"]>,
  env: Environment,
): { sql: string; columns: ReadonlyMap<string, Type> | undefined } {
  const name = fitName(`godwit_${table.name}`);
  const query = replaceNodes(table.query, (node) => {
    const item = node as unknown as { kind: string; name?: readonly string[]; alias?: string };
    const isOwn = item.kind === "table" && item.name?.length === 1 && item.name[0] === table.name;
    return isOwn ? ({ ...item, name: [name], alias: item.alias ?? table.name } as unknown as typeof node) : undefined;
  });
  const inner = writeCommon(
    { ...table, name, query, search: { ...search, set: "godwit_order" }, columns: [] },
    env,
    table.columns,
  );
  const list = table.columns.map(quoteName);
  const recursion = inner.sql.replace(quoteName(name), `${quoteName(name)}(${list.join(", ")})`);
  const shown = [...list, ...(table.cycle ? [quoteName(table.cycle.set)] : [])];
  const number = `row_number() OVER (ORDER BY godwit_order) AS ${quoteName(search.set)}`;
  return {
    sql: `${recursion}, ${quoteName(table.name)} AS (SELECT ${[...shown, number].join(", ")} FROM ${quoteName(name)})`,
    columns: undefined,
  };
}

function writeCommon(
  table: CommonTable,
  env: Environment,
  own: readonly string[] = table.columns,
): { sql: string; columns: ReadonlyMap<string, Type> | undefined } {
  if (table.search && table.columns.length > 0) return writeSearched(table, table.search, env);
  const known = new Map([...(env.common ?? []), [table.name, anchorColumns(table, own, env)]]);
  const { body, with: within } = table.query;
  const recursion = body.kind === "set" && within.length === 0 && refersTo(table.query, table.name);
  const query = writeQuery(table.query, { ...env, common: known, recursion });
  const names = table.columns.length > 0 ? `(${table.columns.map(quoteName).join(", ")})` : "";
  let sql = `${quoteName(table.name)}${names} AS (${query.sql})`;
  if (table.search)
    sql += ` SEARCH ${table.search.depth ? "DEPTH" : "BREADTH"} FIRST BY ${table.search.by.map(quoteName).join(", ")} SET ${quoteName(table.search.set)}`;
  if (table.cycle) {
    const { columns, set, to, otherwise } = table.cycle;
    sql += ` CYCLE ${columns.map(quoteName).join(", ")} SET ${quoteName(set)} TO ${writeSql(to, env)} DEFAULT ${writeSql(otherwise, env)} USING godwit_path`;
  }
  return { sql, columns: columnMap(query.columns, table.columns) };
}

/** The columns that a recursion starts from, which are those it has. */
function anchorColumns(
  { name, query }: CommonTable,
  columns: readonly string[],
  env: Environment,
): ReadonlyMap<string, Type> | undefined {
  if (!env.leanings || query.body.kind !== "set" || query.with.length > 0 || !refersTo(query, name)) return undefined;
  return columnMap(writeBody(query.body.left, inQuery(env, new Scope(env.scope)), "").columns, columns);
}

/** Columns by name; undefined when one of them is not known. */
export function columnMap(columns: readonly Column[], names: readonly string[] = []): ReadonlyMap<string, Type> | undefined {
  const map = new Map<string, Type>();
  for (const [index, column] of columns.entries()) {
    const name = names[index] ?? column.name;
    if (name === undefined || name === "*") return undefined;
    map.set(name, column.type);
  }
  return map;
}
