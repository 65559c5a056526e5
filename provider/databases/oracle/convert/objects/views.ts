import type { Cursor } from "../read/cursor.js";
import type { Query } from "../read/query.js";
import { readQuery } from "../read/readQuery.js";
import type { Environment } from "../write/environment.js";
import { quoteName, quoteNames } from "../write/names.js";
import { columnMap, writeStoredQuery } from "../write/queries.js";
import { mentions } from "../write/tree.js";
import { atConstraint, readConstraint } from "./constraints.js";
import { type Converted, schemaStatements, skipRest } from "./converted.js";

/** CREATE VIEW, also of an object type. */
export function convertView(cursor: Cursor, orReplace: boolean, env: Environment): Converted {
  cursor.expect("VIEW");
  cursor.accept("IF", "NOT", "EXISTS");
  const line = cursor.line;
  const name = cursor.names();
  cursor.accept("IF", "NOT", "EXISTS");
  let columns: string[] = [];
  let invoker = false;
  for (;;) {
    if (cursor.at("(")) columns = readViewColumns(cursor, env);
    else if (cursor.accept("OF")) {
      const type = cursor.names();
      // Oracle calls the value of such a row OBJECT_VALUE, as in a table of XMLTYPE.
      columns = type.at(-1) === "xmltype" ? ["object_value"] : [...(env.catalog.type(type)?.fields?.keys() ?? [])];
      if (cursor.acceptAny("XMLSCHEMA", "ELEMENT")) while (!cursor.done && !cursor.at("AS") && !cursor.at("WITH")) cursor.skip();
    } else if (cursor.accept("UNDER")) cursor.names();
    else if (cursor.accept("WITH", "OBJECT")) {
      cursor.acceptAny("OID", "IDENTIFIER", "ID");
      if (!cursor.accept("DEFAULT")) cursor.bracketed();
    } else if (cursor.accept("ANNOTATIONS")) cursor.bracketed();
    else if (cursor.accept("BEQUEATH")) invoker = cursor.next().text === "CURRENT_USER";
    else if (cursor.accept("DEFAULT", "COLLATION") || cursor.accept("SHARING", "=") || cursor.accept("CONTAINER_MAP"))
      cursor.next();
    else break;
  }
  cursor.expect("AS");
  const query = readQuery(cursor);
  const check = readEnd(cursor, query, line, env);
  const written = writeStoredQuery(query, env, columns);
  const known = columnMap(written.columns, columns);
  env.catalog.relations.set(name.slice(-2).join("."), { kind: "view", ...(known ? { columns: known } : {}) });
  const list = columns.length > 0 ? ` (${columns.map(quoteName).join(", ")})` : "";
  const options = invoker ? " WITH (security_invoker = true)" : "";
  return {
    kind: "view",
    name: name.join("."),
    sql: [
      ...schemaStatements(name, env),
      `CREATE ${orReplace ? "OR REPLACE " : ""}VIEW ${quoteNames(name)}${list}${options} AS ${written.sql}${check}`,
    ],
  };
}

function readViewColumns(cursor: Cursor, env: Environment): string[] {
  const columns: string[] = [];
  cursor.listed(() => {
    const line = cursor.line;
    let constrained = atConstraint(cursor);
    if (constrained) readConstraint(cursor);
    else {
      if (cursor.accept("SCOPE", "FOR")) {
        while (!cursor.atAny(",", ")")) cursor.skip();
        return;
      }
      columns.push(cursor.name());
      while (cursor.acceptAny("VISIBLE", "INVISIBLE", "ENCRYPT", "ANNOTATIONS"))
        while (!cursor.atAny(",", ")", "VISIBLE", "INVISIBLE", "ANNOTATIONS") && !atConstraint(cursor)) cursor.skip();
      while (atConstraint(cursor)) {
        constrained = true;
        readConstraint(cursor, columns.at(-1) ?? "");
      }
    }
    if (constrained) env.output.warn("constraints of a view were left out: PostgreSQL has none", line);
  });
  return columns;
}

function readEnd(cursor: Cursor, query: Query, line: number, env: Environment): string {
  let check = "";
  if (cursor.accept("WITH", "CHECK", "OPTION")) {
    if (isUpdatable(query)) check = " WITH CASCADED CHECK OPTION";
    else env.output.warn("WITH CHECK OPTION was left out: PostgreSQL has it for views of one table", line);
  } else if (cursor.accept("WITH", "READ", "ONLY"))
    env.output.warn("WITH READ ONLY was left out: grant only SELECT on the view", line);
  if (cursor.accept("CONSTRAINT")) cursor.name();
  if (cursor.acceptAny("CONTAINER_MAP", "CONTAINERS_DEFAULT")) skipRest(cursor);
  if (!cursor.done) cursor.fail("expected the end of the view");
  return check;
}

/** PostgreSQL changes rows through a view of one table without grouping and the like. */
function isUpdatable(query: Query): boolean {
  if (query.with.length > 0 || query.body.kind !== "select" || query.fetch || query.offset) return false;
  const { select } = query.body;
  const [table] = select.from;
  return (
    select.from.length === 1 &&
    table?.kind === "table" &&
    table.name.at(-1) !== "dual" &&
    !select.distinct &&
    select.group.length === 0 &&
    !select.having &&
    !select.connectBy &&
    !mentions(select.where, "rownum")
  );
}

/** CREATE MATERIALIZED VIEW. When it is refreshed is for a scheduler to say: PostgreSQL has REFRESH MATERIALIZED VIEW only. */
export function convertMaterializedView(cursor: Cursor, env: Environment): Converted {
  cursor.expect("MATERIALIZED");
  cursor.expect("VIEW");
  const line = cursor.line;
  if (cursor.at("LOG"))
    return {
      kind: "materialized view log",
      name: "",
      sql: [],
      nothing: "a log for fast refreshes: PostgreSQL refreshes from the tables themselves",
    };
  const guard = cursor.accept("IF", "NOT", "EXISTS") ? "IF NOT EXISTS " : "";
  const name = cursor.names();
  let columns: string[] = [];
  let deferred = false;
  let refreshed = false;
  let isFirst = true;
  while (!cursor.done && !(cursor.at("AS") && cursor.atAhead(1, "SELECT", "WITH", "("))) {
    if (cursor.at("(") && isFirst) columns = readViewColumns(cursor, env);
    else if (cursor.accept("BUILD", "DEFERRED")) deferred = true;
    else {
      refreshed ||= cursor.atAny("NEXT", "COMMIT", "START");
      cursor.skip();
    }
    isFirst = false;
  }
  cursor.expect("AS");
  const query = readQuery(cursor);
  if (!cursor.done) cursor.fail("expected the end of the materialized view");
  if (refreshed) env.output.warn("the refresh schedule was left out: run REFRESH MATERIALIZED VIEW from a scheduler", line);
  const written = writeStoredQuery(query, env, columns);
  const known = columnMap(written.columns, columns);
  env.catalog.relations.set(name.slice(-2).join("."), { kind: "materialized view", ...(known ? { columns: known } : {}) });
  const list = columns.length > 0 ? ` (${columns.map(quoteName).join(", ")})` : "";
  return {
    kind: "materialized view",
    name: name.join("."),
    sql: [
      ...schemaStatements(name, env),
      `CREATE MATERIALIZED VIEW ${guard}${quoteNames(name)}${list} AS ${written.sql}${deferred ? " WITH NO DATA" : ""}`,
    ],
  };
}
