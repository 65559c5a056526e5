import type { Entry, Environment } from "./environment.js";
import { inQuery, Scope } from "./environment.js";
import { fitName, quoteNames } from "./names.js";
import { columnMap, writeQuery } from "./queries.js";
import { castable, mapType, RECORD, type Type } from "./types.js";

/**
 * A type for the rows of a declared cursor, where one must have a name (TABLE OF c%ROWTYPE): that of a view over the cursor's query, in
 * which parameters and variables are NULL. A plain variable of c%ROWTYPE needs none, it is a record.
 */
export function cursorRowType(name: string, cursor: Extract<Entry, { kind: "cursor" }>, env: Environment): Type {
  if (!cursor.query) return RECORD;
  const sql = quoteNames([
    ...(env.home === undefined ? [] : [env.home]),
    fitName([env.unit?.name, name, "row"].filter(Boolean).join("_")),
  ]);
  const scope = new Scope(cursor.shared ?? env.scope, {
    capture: (_, found) => (found.kind === "variable" ? { ...found, sql: `(NULL::${castable(found.type) ?? "text"})` } : found),
  });
  for (const parameter of cursor.parameters) {
    const type = mapType(parameter.type, env, "parameter");
    scope.set(parameter.name, { kind: "variable", sql: `(NULL::${castable(type) ?? "text"})`, type });
  }
  const { unit: _, ...outside } = env;
  const query = writeQuery(cursor.query, inQuery(outside, scope));
  const create = `CREATE OR REPLACE VIEW ${sql} AS ${query.sql}`;
  if (!env.output.before.includes(create)) env.output.before.push(create);
  const fields = columnMap(query.columns);
  return { sql, family: "record", ...(fields ? { fields } : {}) };
}
