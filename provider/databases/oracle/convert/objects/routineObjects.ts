import type { Cursor } from "../read/cursor.js";
import { Cursor as TokenCursor, Unconvertible } from "../read/cursor.js";
import { Lexer, type Token } from "../read/lexer.js";
import type { Routine } from "../read/plsql.js";
import { readQuery } from "../read/readQuery.js";
import { readRoutine } from "../read/readRoutine.js";
import { type Environment, Scope, Unit } from "../write/environment.js";
import { dollarQuote, quoteName, quoteNames } from "../write/names.js";
import { writeQuery } from "../write/queries.js";
import { mapType } from "../write/types.js";
import { writeRoutineOrError } from "../write/unconverted.js";
import { type Converted, readUnitEnd, schemaStatements } from "./converted.js";
import { writeUserAggregate } from "./userAggregates.js";

/** CREATE FUNCTION and CREATE PROCEDURE. */
export function convertRoutine(cursor: Cursor, env: Environment): Converted {
  const routine = readRoutine(cursor);
  readUnitEnd(cursor, "routine");
  const name = routine.name.join(".");
  const sqlName = quoteNames(routine.name);
  const known = env.scope.own(name);
  // A routine knows itself and those before it, for OUT parameters and calls without brackets.
  if (known?.kind === "routine") known.routines.push(routine);
  else env.scope.set(routine.name.at(-1) ?? "", { kind: "routine", sql: sqlName, routines: [routine], captured: [] });
  const scope = new Scope(env.scope);
  const inner: Environment = { ...env, scope };
  const { macro, aggregate } = routine.traits;
  const special = aggregate
    ? () => writeUserAggregate(routine, aggregate, inner)
    : macro === "TABLE"
      ? () => [writeMacro(routine, sqlName, inner)]
      : undefined;
  const sql = writeRoutineOrError(routine, sqlName, inner, {}, special);
  return { kind: routine.kind, name, sql: [...schemaStatements(routine.name, env), ...env.output.before, ...sql] };
}

/**
 * A table macro that returns a constant query: a function that runs it. Its rows have the columns of the query, which only the
 * caller can name (FROM budget('x') AS t(deptno integer, budget numeric)).
 */
function writeMacro(routine: Routine, sqlName: string, env: Environment): string {
  const [statement, ...others] = routine.block?.body ?? [];
  const text = statement?.kind === "return" && statement.value?.kind === "literal" ? statement.value.value : undefined;
  if (text === undefined || others.length > 0)
    throw new Unconvertible("an SQL macro whose text is put together at run time", routine.line);
  const scope = new Scope(env.scope);
  const parameters = routine.parameters.map((parameter) => {
    const type = mapType(parameter.type, env, "parameter");
    scope.set(parameter.name, { kind: "variable", sql: quoteName(parameter.name), type });
    return `${quoteName(parameter.name)} ${type.sql}`;
  });
  const unit = new Unit("function", routine.name.at(-1) ?? "", []);
  const tokens: Token[] = [];
  const lexer = new Lexer(text);
  for (let token = lexer.next(); token.kind !== "end"; token = lexer.next()) tokens.push(token);
  const query = writeQuery(readQuery(new TokenCursor(tokens, text)), { ...env, scope, unit, place: "query" });
  env.output.warn("an SQL macro became a function that returns records: callers name its columns and types", routine.line);
  const body = ["#variable_conflict use_column", "BEGIN", `  RETURN QUERY ${query.sql};`, "END"].join("\n");
  return `CREATE OR REPLACE FUNCTION ${sqlName}(${parameters.join(", ")}) RETURNS SETOF record LANGUAGE plpgsql STABLE AS ${dollarQuote(body)}`;
}
