import { Unconvertible } from "../read/cursor.js";
import type { Argument, Expression } from "../read/expression.js";
import type { Parameter, StatementOf } from "../read/plsql.js";
import { findAccess, typeAt } from "./access.js";
import { writeAssignment, writeTarget } from "./assignment.js";
import { writeCursorVariable } from "./cursorVariables.js";
import { writeDynamicText } from "./dynamicSql.js";
import { type Entry, type Environment, inQuery, Scope } from "./environment.js";
import { indent, quoteName } from "./names.js";
import { columnMap, writeQuery } from "./queries.js";
import { COUNT_AS, unitOf } from "./statements.js";
import { mapType, type Type } from "./types.js";
import { cursorBase, writeSql } from "./writeExpression.js";

type CursorEntry = Extract<Entry, { kind: "cursor" }>;

/** A declared cursor with its arguments, when the expression names one. */
export function cursorCall(
  expression: Expression,
  env: Environment,
): { entry: CursorEntry; args: readonly Argument[] } | undefined {
  const name = expression.kind === "call" ? expression.callee : expression;
  const args = expression.kind === "call" ? expression.args : [];
  if (name.kind !== "name") return undefined;
  const own = env.scope.find(name.parts.at(-1) ?? "");
  const entry =
    name.parts.length > 1 ? (env.catalog.packages.get(name.parts.at(-2) ?? "")?.own(name.parts.at(-1) ?? "") ?? own) : own;
  return entry?.kind === "cursor" ? { entry, args } : undefined;
}

/** The cursor as a variable of the routine: a package's cursor is declared anew in each routine that uses it. */
export function localCursor(
  entry: CursorEntry,
  env: Environment,
  line: number,
): { sql: string; fields?: ReadonlyMap<string, Type> } {
  if (!entry.query) throw new Unconvertible(entry.problem ?? "a cursor whose query is not in this file", line);
  const { declaration, fields } = writeCursorType(entry.parameters, entry.query, env);
  if (entry.shared) unitOf(env, line).hidden.set(entry.sql, declaration);
  return { sql: quoteName(entry.sql), ...(fields ? { fields } : {}) };
}

/** CURSOR (parameters) FOR query. */
export function writeCursorType(parameters: readonly Parameter[], query: NonNullable<CursorEntry["query"]>, env: Environment) {
  const scope = new Scope(env.scope);
  const list = parameters.map((parameter) => {
    const type = mapType(parameter.type, env, "parameter");
    scope.set(parameter.name, { kind: "variable", sql: quoteName(parameter.name), type });
    return `${quoteName(parameter.name)} ${type.sql}`;
  });
  const written = writeQuery(query, inQuery(env, scope));
  return {
    declaration: `CURSOR${list.length > 0 ? ` (${list.join(", ")})` : ""} FOR ${written.sql}`,
    fields: columnMap(written.columns),
  };
}

export function writeOpen(s: StatementOf<"open">, env: Environment): string[] {
  const declared = cursorCall(s.cursor, env);
  if (declared && !s.query) {
    const { sql } = localCursor(declared.entry, env, s.line);
    const args = argumentsInOrder(declared.entry.parameters, declared.args, env);
    return [`OPEN ${sql}${args.length > 0 ? `(${args.join(", ")})` : ""};`, ...resetCounters(s.cursor, env)];
  }
  if (!s.query) throw new Unconvertible("OPEN of a cursor that is not in this file", s.line);
  const target = writeCursorVariable(s.cursor, env);
  const using = s.using.length > 0 ? ` USING ${s.using.map((value) => writeSql(value, env)).join(", ")}` : "";
  if ("body" in s.query)
    return [
      ...target.before,
      `OPEN ${target.sql} FOR ${writeQuery(s.query, env).sql};`,
      ...resetCounters(s.cursor, env),
      ...target.after,
    ];
  return [
    ...target.before,
    `OPEN ${target.sql} FOR EXECUTE ${writeDynamicText(s.query, s.using.length, env)}${using};`,
    ...resetCounters(s.cursor, env),
    ...target.after,
  ];
}

/** Defaults are filled in, since PL/pgSQL's cursor parameters have none. */
export function argumentsInOrder(parameters: readonly Parameter[], args: readonly Argument[], env: Environment): string[] {
  return parameters.map((parameter, index) => {
    const arg = args.find((each) => each.name === parameter.name) ?? (args[index]?.name === undefined ? args[index] : undefined);
    const value = arg?.value ?? parameter.default;
    return value ? writeSql(value, env) : "NULL";
  });
}

function resetCounters(cursor: Expression, env: Environment): string[] {
  return [`\uE000reset ${cursorBase(cursor.kind === "call" ? cursor.callee : cursor)}`].filter(() => env.unit !== undefined);
}

export function writeFetch(s: StatementOf<"fetch">, env: Environment): string[] {
  const declared = cursorCall(s.cursor, env);
  const variable = declared ? undefined : writeCursorVariable(s.cursor, env);
  const cursor = declared ? localCursor(declared.entry, env, s.line).sql : (variable?.sql ?? "");
  const base = cursorBase(s.cursor);
  if (s.bulk) return [...(variable?.before ?? []), ...writeBulkFetch(s, cursor, base, env)];
  const targets = s.into.map((target) => writeTarget(target, env));
  return [
    ...(variable?.before ?? []),
    `FETCH ${cursor} INTO ${targets.map((target) => target.sql).join(", ")};`,
    `\uE000fetched ${base}`,
    ...targets.flatMap((target) => target.after),
  ];
}

/** FETCH ... BULK COLLECT: PL/pgSQL fetches rows one by one, so they are gathered in a loop. */
function writeBulkFetch(s: StatementOf<"fetch">, cursor: string, base: string, env: Environment): string[] {
  const unit = unitOf(env, s.line);
  const targets = s.into.map((target) => {
    const access = findAccess(target, env);
    const type = access && typeAt(access);
    if (!access || !type) throw new Unconvertible("BULK COLLECT into what is no variable of this file", s.line);
    return { expression: target, type, value: writeSql(target, env) };
  });
  const [only] = targets;
  if (only && targets.length === 1 && !only.type.element) return writeOpaqueFetch(s, only, cursor, base, env);
  const elements = targets.map(({ type }) => unit.fresh("element", type.element?.sql ?? "text"));
  const limit = s.limit ? writeSql(s.limit, env) : undefined;
  const loop = limit === undefined ? "LOOP" : `FOR godwit_n IN 1 .. ${limit} LOOP`;
  return [
    ...targets.flatMap(({ expression }) => writeAssignment(expression, "'{}'", env)),
    loop,
    `  FETCH ${cursor} INTO ${elements.join(", ")};`,
    "  EXIT WHEN NOT FOUND;",
    ...indent(
      targets.flatMap(({ expression, value }, index) =>
        writeAssignment(expression, `array_append(${value}, ${elements[index] ?? "NULL"})`, env),
      ),
    ),
    "END LOOP;",
    ...afterBulk(base, limit, `coalesce(cardinality(${only?.value ?? "NULL"}), 0)`),
  ];
}

/** Into a collection whose element type is not in this file: the rows' text is that of the collection's elements. */
function writeOpaqueFetch(
  s: StatementOf<"fetch">,
  target: { expression: Expression; value: string },
  cursor: string,
  base: string,
  env: Environment,
): string[] {
  const unit = unitOf(env, s.line);
  const row = unit.fresh("row", "record");
  const rows = unit.fresh("rows_read", "text[]");
  const limit = s.limit ? writeSql(s.limit, env) : undefined;
  return [
    `${rows} := '{}';`,
    limit === undefined ? "LOOP" : `FOR godwit_n IN 1 .. ${limit} LOOP`,
    `  FETCH ${cursor} INTO ${row};`,
    "  EXIT WHEN NOT FOUND;",
    `  ${rows} := array_append(${rows}, ${row}::text);`,
    "END LOOP;",
    ...writeAssignment(target.expression, `${rows}::text`, env),
    ...afterBulk(base, limit, `cardinality(${rows})`),
  ];
}

/** After a bulk fetch %NOTFOUND tells that fewer rows came than the limit allows. */
function afterBulk(base: string, limit: string | undefined, count: string): string[] {
  return [`\uE000bulk ${base} ${limit === undefined ? "false" : `(${count} = ${limit})`}${COUNT_AS}${count}`];
}

export function writeClose(s: StatementOf<"close">, env: Environment): string[] {
  const declared = cursorCall(s.cursor, env);
  if (declared) return [`CLOSE ${localCursor(declared.entry, env, s.line).sql};`];
  const variable = writeCursorVariable(s.cursor, env);
  return [...variable.before, `CLOSE ${variable.sql};`];
}
