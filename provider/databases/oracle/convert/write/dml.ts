import { Unconvertible } from "../read/cursor.js";
import type { Expression } from "../read/expression.js";
import type { Dml, InsertTarget, Returning, SetItem } from "../read/query.js";
import { findAccess, typeAt } from "./access.js";
import { writeTarget } from "./assignment.js";
import { type Environment, inQuery, Scope } from "./environment.js";
import { writeItem } from "./fromItems.js";
import { quoteName, quoteNames, quoteText } from "./names.js";
import { writeQuery } from "./queries.js";
import { takeRowLimit } from "./rowLimits.js";
import { replaceNodes } from "./tree.js";
import { writeSql } from "./writeExpression.js";

export interface WrittenDml {
  readonly sql: string;
  /** What must run before and after, for targets that INTO cannot write. */
  readonly before: readonly string[];
  readonly after: readonly string[];
  /** How many rows it changed, where that is not what GET DIAGNOSTICS says. */
  readonly count?: string;
}

type DmlOf<K extends Dml["kind"]> = Extract<Dml, { kind: K }>;

/** Writes a statement that changes rows. */
export function writeDml(dml: Dml, env: Environment): WrittenDml {
  switch (dml.kind) {
    case "insert":
      return writeInsert(dml, env);
    case "insertAll":
      return plain(writeInsertAll(dml, env));
    case "update":
      return writeUpdate(dml, env);
    case "delete":
      return writeDelete(dml, env);
    case "merge":
      return plain(writeMerge(dml, env));
  }
}

function plain(sql: string): WrittenDml {
  return { sql, before: [], after: [] };
}

function tableScope(table: readonly string[], alias: string | undefined, env: Environment): Environment {
  const scope = new Scope(env.scope);
  const name = alias ?? table.at(-1) ?? "";
  scope.set(name, { kind: "table", sql: quoteName(name), columns: env.catalog.columns(table) });
  return inQuery(env, scope);
}

function writeInsert(dml: DmlOf<"insert">, env: Environment): WrittenDml {
  const { target } = dml;
  if (target.link !== undefined) throw new Unconvertible("INSERT through a database link", dml.line);
  const inner = tableScope(target.table, target.alias, env);
  // The values see no column of the table; a query sees its own tables only.
  const outer = inQuery(env, new Scope(env.scope));
  const head = `INSERT INTO ${quoteNames(target.table)}${target.alias === undefined ? "" : ` AS ${quoteName(target.alias)}`}${columnList(target.columns)}`;
  const source = dml.query ? writeQuery(dml.query, outer).sql : writeValues(target, outer);
  return withReturning(`${head} ${source}`, dml.returning, inner, env);
}

function columnList(columns: readonly string[]): string {
  return columns.length > 0 ? ` (${columns.map(quoteName).join(", ")})` : "";
}

function writeValues(target: InsertTarget, env: Environment): string {
  if (!target.record) return `VALUES (${(target.values ?? []).map((value) => writeSql(value, env)).join(", ")})`;
  const access = findAccess(target.record, env);
  const record = writeSql(target.record, env);
  const isVariable = access && access.steps.length === 0 && access.root.kind === "variable";
  return isVariable && typeAt(access) ? `VALUES (${record}.*)` : `SELECT (${record}).*`;
}

/** RETURNING ... INTO; of several rows an aggregate over them. */
function withReturning(sql: string, returning: Returning | undefined, inner: Environment, env: Environment): WrittenDml {
  if (!returning) return plain(sql);
  const targets = returning.into.map((target) => writeTarget(target, env));
  const before = targets.flatMap((target) => target.before);
  const after = targets.flatMap((target) => target.after);
  const into = targets.map((target) => target.sql).join(", ");
  const values = returning.values.map((value) => writeSql(value, inner));
  if (!returning.bulk) return { sql: `${sql} RETURNING ${values.join(", ")} INTO ${into}`, before, after };
  const names = values.map((_, index) => `godwit_r${index + 1}`);
  const rows = `WITH godwit_changed AS (${sql} RETURNING ${values.map((value, index) => `${value} AS ${names[index]}`).join(", ")})`;
  return {
    sql: `${rows} SELECT ${names.map((name) => `coalesce(array_agg(${name}), '{}')`).join(", ")} INTO ${into} FROM godwit_changed`,
    before,
    after,
    count: `coalesce(cardinality(${targets[0]?.sql ?? "NULL"}), 0)`,
  };
}

function writeSet(set: readonly SetItem[], env: Environment): string {
  return set
    .map(({ columns, value }) => {
      const names = columns.map((column) => quoteName(column.at(-1) ?? ""));
      return names.length === 1 && !(value.kind === "list")
        ? `${names[0]} = ${writeSql(value, env)}`
        : `(${names.join(", ")}) = ${writeSql(value, env)}`;
    })
    .join(", ");
}

function writeCondition(
  where: Expression | undefined,
  current: readonly string[] | undefined,
  table: string,
  env: Environment,
): string {
  if (current) return ` WHERE CURRENT OF ${quoteName(current.at(-1) ?? "")}`;
  const { limit, where: rest } = takeRowLimit(where, env);
  const condition = rest ? ` WHERE ${writeSql(rest, env)}` : "";
  return limit === undefined ? condition : ` WHERE ctid IN (SELECT ctid FROM ${table}${condition} LIMIT ${limit})`;
}

function writeUpdate(dml: DmlOf<"update">, env: Environment): WrittenDml {
  const inner = tableScope(dml.table, dml.alias, env);
  const table = `${quoteNames(dml.table)}${dml.alias === undefined ? "" : ` AS ${quoteName(dml.alias)}`}`;
  const columns = env.catalog.columns(dml.table);
  if (dml.row && !columns) return writeSetRow(dml, dml.row, table, inner, env);
  const set = dml.row
    ? `(${[...(columns?.keys() ?? [])].map(quoteName).join(", ")}) = ROW(${writeSql(dml.row, env)}.*)`
    : writeSet(dml.set, inner);
  return withReturning(
    `UPDATE ${table} SET ${set}${writeCondition(dml.where, dml.current, table, inner)}`,
    dml.returning,
    inner,
    env,
  );
}

/** SET ROW of a table whose columns are not in this file: they are read from the target when the statement runs. */
function writeSetRow(dml: DmlOf<"update">, row: Expression, table: string, inner: Environment, env: Environment): WrittenDml {
  if (dml.returning) throw new Unconvertible("SET ROW with RETURNING of a table whose columns are not in this file", dml.line);
  const name = quoteNames(dml.table);
  const rows = `ARRAY(SELECT ctid FROM ${table}${writeCondition(dml.where, dml.current, table, inner)})`;
  const list = `(SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute WHERE attrelid = ${quoteText(name)}::regclass AND attnum > 0 AND NOT attisdropped)`;
  const update = `UPDATE ${name} SET (%s) = (SELECT ($1).*) WHERE ctid = ANY ($2)`.replace("($1)", `($1::${name})`);
  return plain(`EXECUTE format(${quoteText(update)}, ${list}) USING ${writeSql(row, env)}, ${rows}`);
}

function writeDelete(dml: DmlOf<"delete">, env: Environment): WrittenDml {
  const inner = tableScope(dml.table, dml.alias, env);
  const table = `${quoteNames(dml.table)}${dml.alias === undefined ? "" : ` AS ${quoteName(dml.alias)}`}`;
  return withReturning(`DELETE FROM ${table}${writeCondition(dml.where, dml.current, table, inner)}`, dml.returning, inner, env);
}

/** INSERT ALL and INSERT FIRST: the query once, then one INSERT per target over its rows. */
function writeInsertAll(dml: DmlOf<"insertAll">, env: Environment): string {
  const query = writeQuery(dml.query, env);
  const inner = inQuery(env, new Scope(env.scope));
  inner.scope.set("godwit_rows", { kind: "table", sql: "godwit_rows", columns: undefined });
  const inserts: string[] = [];
  const earlier: string[] = [];
  for (const branch of dml.branches) {
    const own = branch.when ? `(${writeSql(branch.when, inner)})` : undefined;
    const excluded = branch.otherwise || dml.first ? earlier.map((condition) => `${condition} IS NOT TRUE`) : [];
    const filter = [...excluded, ...(own === undefined ? [] : [own])];
    if (own !== undefined) earlier.push(own);
    for (const target of branch.targets) {
      const values = target.values ? target.values.map((value) => writeSql(value, inner)).join(", ") : "*";
      const where = filter.length > 0 ? ` WHERE ${filter.join(" AND ")}` : "";
      inserts.push(
        `INSERT INTO ${quoteNames(target.table)}${columnList(target.columns)} SELECT ${values} FROM godwit_rows${where}`,
      );
    }
  }
  const last = inserts.pop();
  if (last === undefined) throw new Unconvertible("INSERT ALL without a target", dml.line);
  const parts = inserts.map((insert, index) => `godwit_i${index + 1} AS (${insert})`);
  return `WITH ${[`godwit_rows AS (${query.sql})`, ...parts].join(", ")} ${last}`;
}

function writeMerge(dml: DmlOf<"merge">, env: Environment): string {
  const inner = tableScope(dml.table, dml.alias, env);
  const source = registerSource(dml, inner);
  const on = writeSql(dml.on, inner);
  const clauses: string[] = [];
  if (dml.update) {
    const condition = dml.update.where ? ` AND (${writeSql(dml.update.where, inner)})` : "";
    if (dml.update.delete) {
      // Oracle tests DELETE WHERE on the row as updated, so the new values stand in for the columns.
      const gone = writeSql(updated(dml.update.delete, dml.update.set), inner);
      clauses.push(`WHEN MATCHED${condition} AND (${gone}) THEN DELETE`);
    }
    clauses.push(`WHEN MATCHED${condition} THEN UPDATE SET ${writeSet(dml.update.set, inner)}`);
  }
  if (dml.insert) {
    const condition = dml.insert.where ? ` AND (${writeSql(dml.insert.where, inner)})` : "";
    const values = dml.insert.values.map((value) => writeSql(value, inner)).join(", ");
    clauses.push(`WHEN NOT MATCHED${condition} THEN INSERT${columnList(dml.insert.columns)} VALUES (${values})`);
  }
  const alias = dml.alias === undefined ? "" : ` AS ${quoteName(dml.alias)}`;
  return `MERGE INTO ${quoteNames(dml.table)}${alias} USING ${source} ON (${on}) ${clauses.join(" ")}`;
}

function registerSource(dml: DmlOf<"merge">, env: Environment): string {
  const { source } = dml;
  if (source.kind === "table" && source.name.at(-1) === "dual") return "(SELECT 1) AS dual";
  if (source.kind === "table") {
    const name = source.alias ?? source.name.at(-1) ?? "";
    env.scope.set(name, { kind: "table", sql: quoteName(name), columns: env.catalog.columns(source.name) });
  }
  return writeItem(source, env, false);
}

function updated(condition: Expression, set: readonly SetItem[]): Expression {
  return replaceNodes(condition, (node) => {
    if (node.kind !== "name") return undefined;
    const item = set.find(
      ({ columns }) =>
        columns.length === 1 &&
        columns[0]?.at(-1) === node.parts.at(-1) &&
        (node.parts.length === 1 || columns[0]?.[0] === node.parts[0]),
    );
    return item && { kind: "paren", inner: item.value, line: node.line };
  });
}
