import type { Cursor } from "../read/cursor.js";
import { Unconvertible } from "../read/cursor.js";
import { atQuery, readQuery } from "../read/readQuery.js";
import { type Environment, Scope } from "../write/environment.js";
import { quoteName, quoteNames } from "../write/names.js";
import { columnMap, writeStoredQuery } from "../write/queries.js";
import type { Type } from "../write/types.js";
import { type ColumnDefinition, readColumn, writeColumn } from "./columns.js";
import { atConstraint, type Constraint, readConstraint, writeConstraint } from "./constraints.js";
import { type Converted, schemaStatements } from "./converted.js";
import { type Partitioning, writePartitions } from "./partitions.js";
import { readTableClauses, type TableClauses } from "./tableClauses.js";

/** CREATE TABLE, also of an object type, temporary, external, partitioned or from a query. */
export function convertTable(cursor: Cursor, env: Environment): Converted {
  const line = cursor.line;
  const temporary = readTemporary(cursor);
  while (cursor.acceptAny("SHARDED", "DUPLICATED", "IMMUTABLE", "BLOCKCHAIN"));
  cursor.expect("TABLE");
  const guard = cursor.accept("IF", "NOT", "EXISTS") ? "IF NOT EXISTS " : "";
  const name = cursor.names();
  if (cursor.accept("SHARING", "=")) cursor.next();
  let of: string[] | undefined;
  if (cursor.accept("OF")) of = cursor.names();
  const { columns, constraints } = cursor.at("(") && !atQuery(cursor) ? readElements(cursor) : { columns: [], constraints: [] };
  const clauses = readTableClauses(cursor);
  const query = clauses.hasQuery ? readQuery(cursor) : undefined;
  if (query) readTableClauses(cursor);
  if (!cursor.done) cursor.fail("expected the end of the table");
  const onCommit = temporary && clauses.preserveRows ? " ON COMMIT PRESERVE ROWS" : (temporary ?? "");
  const schema = temporary ? [] : schemaStatements(name, env);
  const sqlName = quoteNames(temporary ? name.slice(-1) : name);
  if (temporary) env.output.warn("a temporary table of PostgreSQL is gone with its session: each session creates its own", line);
  const head = `CREATE ${temporary ? "TEMPORARY " : ""}TABLE ${guard}${sqlName}`;
  if (query) {
    const names = columns.map((column) => column.name);
    const written = writeStoredQuery(query, env, names);
    register(name, columnMap(written.columns, names), env);
    const list = names.length > 0 ? ` (${names.map(quoteName).join(", ")})` : "";
    return { kind: "table", name: name.join("."), sql: [...schema, `${head}${list}${onCommit} AS ${written.sql}`] };
  }
  if (clauses.external)
    return { kind: "table", name: name.join("."), sql: [...schema, ...writeExternal(name, columns, clauses, env)] };
  if (of)
    return {
      kind: "table",
      name: name.join("."),
      sql: [...schema, `${head}${writeTyped(of, constraints, columns, name, env)}${onCommit}`],
    };
  return {
    kind: "table",
    name: name.join("."),
    sql: [...schema, ...writeTable(head, name, columns, constraints, clauses, onCommit, env)],
  };
}

/** What CREATE TEMPORARY TABLE says at its end; undefined for a permanent table. */
function readTemporary(cursor: Cursor): string | undefined {
  if (cursor.accept("GLOBAL", "TEMPORARY")) return " ON COMMIT DELETE ROWS";
  return cursor.accept("PRIVATE", "TEMPORARY") ? " ON COMMIT DROP" : undefined;
}

function register(name: readonly string[], columns: ReadonlyMap<string, Type> | undefined, env: Environment): void {
  env.catalog.relations.set(name.slice(-2).join("."), { kind: "table", ...(columns ? { columns } : {}) });
}

export function readElements(cursor: Cursor): { columns: ColumnDefinition[]; constraints: Constraint[] } {
  const columns: ColumnDefinition[] = [];
  const constraints: Constraint[] = [];
  cursor.listed(() => {
    if (cursor.at("SUPPLEMENTAL", "LOG")) while (!cursor.atAny(",", ")")) cursor.skip();
    else if (cursor.at("SCOPE", "FOR") || cursor.at("REF", "(")) cursor.refuse("a constraint on references");
    else if (cursor.at("PERIOD", "FOR")) cursor.refuse("a validity period of rows");
    else if (atConstraint(cursor) && !cursor.atAhead(1, "VARCHAR2", "NUMBER", "DATE")) constraints.push(readConstraint(cursor));
    else columns.push(readColumn(cursor));
  });
  return { columns, constraints };
}

function writeTable(
  head: string,
  name: readonly string[],
  columns: readonly ColumnDefinition[],
  constraints: readonly Constraint[],
  clauses: TableClauses,
  end: string,
  env: Environment,
): string[] {
  const known = new Map<string, Type>();
  const scope = new Scope(env.scope);
  scope.set(name.at(-1) ?? "", { kind: "table", sql: quoteName(name.at(-1) ?? ""), columns: known });
  const inner: Environment = { ...env, scope, place: "definition" };
  const plain = columns.filter((column) => !column.generated).map((column) => [column, writeColumn(column, inner)] as const);
  for (const [column, { type }] of plain) known.set(column.name, type);
  // Generated columns come after the types that they are made from are known, in their old places.
  const written = columns.map((column) => plain.find(([each]) => each === column)?.[1] ?? writeColumn(column, inner));
  for (const [index, column] of columns.entries())
    known.set(column.name, written[index]?.type ?? { sql: "text", family: "unknown" });
  const elements = [
    ...written.map(({ sql }) => sql),
    ...constraints.flatMap((constraint) => writeConstraint(constraint, inner, "table") ?? []),
  ];
  register(
    name,
    new Map([...columns].map((column) => [column.name, known.get(column.name) ?? { sql: "text", family: "unknown" }])),
    env,
  );
  const partitioning = clauses.partitioning && usable(clauses.partitioning, columns, constraints, env);
  const partitions = partitioning ? writePartitions(name, partitioning, env) : undefined;
  if (partitioning) env.catalog.partitioned.set(name.slice(-2).join("."), partitioning.columns);
  const body = `${head} (\n  ${elements.join(",\n  ")}\n)`;
  return partitions ? [`${body} ${partitions.clause}`, ...partitions.statements] : [`${body}${end}`];
}

/**
 * A key of a partitioned table must hold the partition's columns, and a generated column cannot be one. Where the table asks for
 * more than that, its keys are kept and the partitioning, which only says where rows are stored, is not.
 */
function usable(
  partitioning: Partitioning,
  columns: readonly ColumnDefinition[],
  constraints: readonly Constraint[],
  env: Environment,
): Partitioning | undefined {
  const line = columns[0]?.line ?? 0;
  const keys = [...constraints, ...columns.flatMap((column) => column.constraints)].filter(
    ({ kind, disabled }) => (kind === "primary" || kind === "unique") && !disabled,
  );
  const all = [...partitioning.columns, ...(partitioning.sub?.columns ?? [])];
  if (all.length === 0) {
    env.output.warn(`PARTITION BY ${partitioning.method} was left out: PostgreSQL has no such partitioning`, line);
    return undefined;
  }
  if (partitioning.method === "LIST" && [partitioning, partitioning.sub].some((level) => (level?.columns.length ?? 0) > 1)) {
    env.output.warn("the partitioning was left out: PostgreSQL partitions by a list of one column's values only", line);
    return undefined;
  }
  if (keys.some((key) => !all.every((column) => key.columns.includes(column)))) {
    env.output.warn(
      "the partitioning was left out: a key of the table does not hold the partition's columns, as PostgreSQL wants it",
      line,
    );
    return undefined;
  }
  if (columns.some((column) => (column.generated || column.identity) && all.includes(column.name))) {
    env.output.warn("the partitioning was left out: PostgreSQL does not partition by a generated column", line);
    return undefined;
  }
  return partitioning;
}

function writeTyped(
  of: readonly string[],
  constraints: readonly Constraint[],
  columns: readonly ColumnDefinition[],
  name: readonly string[],
  env: Environment,
): string {
  if (of.at(-1) === "xmltype") {
    register(name, new Map([["object_value", { sql: "xml", family: "xml" }]]), env);
    return " (object_value xml)";
  }
  register(name, env.catalog.type(of)?.fields, env);
  const inner: Environment = { ...env, place: "definition" };
  const options = columns.flatMap((column) => {
    const parts = [
      ...(column.default ? [`DEFAULT ${writeColumn(column, inner).sql.split(" DEFAULT ")[1]}`] : []),
      ...column.constraints.flatMap((each) => writeConstraint(each, inner, "column") ?? []),
    ];
    return parts.length > 0 ? [`${quoteName(column.name)} WITH OPTIONS ${parts.join(" ")}`] : [];
  });
  const all = [...options, ...constraints.flatMap((constraint) => writeConstraint(constraint, inner, "table") ?? [])];
  return ` OF ${quoteNames(of)}${all.length > 0 ? ` (${all.join(", ")})` : ""}`;
}

/** An external table reads a file: file_fdw does the same. The folder is the server's to fill in. */
function writeExternal(
  name: readonly string[],
  columns: readonly ColumnDefinition[],
  clauses: TableClauses,
  env: Environment,
): string[] {
  const external = clauses.external;
  if (!external) throw new Unconvertible("an external table without its file");
  env.output.warn(
    `the external table reads ${external.file} through file_fdw: put the file where the server finds it`,
    columns[0]?.line ?? 0,
  );
  const known = new Map<string, Type>();
  const list = columns.map((column) => {
    const { type } = writeColumn(column, { ...env, place: "definition" });
    known.set(column.name, type);
    return `${quoteName(column.name)} ${type.sql}`;
  });
  register(name, known, env);
  const quote = (text: string) => `'${text.replaceAll("'", "''")}'`;
  return [
    "CREATE EXTENSION IF NOT EXISTS file_fdw",
    "CREATE SERVER IF NOT EXISTS godwit_files FOREIGN DATA WRAPPER file_fdw",
    `CREATE FOREIGN TABLE ${quoteNames(name)} (\n  ${list.join(",\n  ")}\n) SERVER godwit_files OPTIONS (filename ${quote(external.file)}, format 'csv', delimiter ${quote(external.delimiter)})`,
  ];
}
