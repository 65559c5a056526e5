import { Unconvertible } from "../read/cursor.js";
import type { StatementOf } from "../read/plsql.js";
import { argumentsInOrder, cursorCall, localCursor } from "./cursorStatements.js";
import { type Environment, Scope } from "./environment.js";
import { indent, quoteName, quoteVariable } from "./names.js";
import { columnMap, writeQuery } from "./queries.js";
import { writeStatements } from "./statements.js";
import { INTEGER, RECORD } from "./types.js";
import { cursorBase, writeSql } from "./writeExpression.js";

export function writeForRange(s: StatementOf<"forRange">, env: Environment): string[] {
  const [low, high] = [s.low, s.high].map((bound) => writeSql(bound, env));
  const scope = new Scope(env.scope);
  scope.set(s.variable, { kind: "variable", sql: quoteName(s.variable), type: INTEGER });
  // Oracle names the lower bound first in both directions.
  const range = s.reverse ? `REVERSE ${high} .. ${low}` : `${low} .. ${high}`;
  return [
    `FOR ${quoteVariable(s.variable)} IN ${range} LOOP`,
    ...indent(writeStatements(s.body, { ...env, scope })),
    "END LOOP;",
  ];
}

/** FOR row IN query or cursor. The row gets a variable of its own around the loop, since PL/pgSQL wants it declared. */
export function writeForQuery(s: StatementOf<"forQuery">, env: Environment): string[] {
  const scope = new Scope(env.scope);
  const name = quoteName(s.variable);
  if (!("body" in s.query)) return writeForCursor(s, env, scope);
  const query = writeQuery(s.query, env);
  const fields = columnMap(query.columns);
  scope.set(s.variable, { kind: "variable", sql: name, type: { ...RECORD, ...(fields ? { fields } : {}) } });
  const loop = [`FOR ${name} IN ${query.sql} LOOP`, ...indent(writeStatements(s.body, { ...env, scope })), "END LOOP;"];
  return declareRow(s, loop, env);
}

function declareRow(s: StatementOf<"forQuery">, loop: string[], env: Environment): string[] {
  const unit = env.unit;
  const isFree = env.scope.find(s.variable) === undefined && s.labels.length === 0;
  if (
    unit &&
    (isFree || s.labels.length > 0) &&
    (unit.hidden.get(s.variable) ?? "record") === "record" &&
    env.scope.find(s.variable) === undefined
  ) {
    unit.hidden.set(s.variable, "record");
    return loop;
  }
  return ["DECLARE", `  ${quoteName(s.variable)} record;`, "BEGIN", ...indent(loop), "END;"];
}

function writeForCursor(s: StatementOf<"forQuery">, env: Environment, scope: Scope): string[] {
  if ("body" in s.query) throw new Unconvertible("a loop of this form", s.line);
  const called = cursorCall(s.query, env);
  if (!called) throw new Unconvertible("a loop over a cursor that is not in this file", s.line);
  const cursor = localCursor(called.entry, env, s.line);
  scope.set(s.variable, {
    kind: "variable",
    sql: quoteName(s.variable),
    type: { ...RECORD, ...(cursor.fields ? { fields: cursor.fields } : {}) },
  });
  const hasDefaults = called.entry.parameters.length > called.args.length;
  const args = hasDefaults
    ? `(${argumentsInOrder(called.entry.parameters, called.args, env).join(", ")})`
    : called.args.length > 0
      ? `(${called.args.map((arg) => (arg.name === undefined ? "" : `${quoteName(arg.name)} := `) + writeSql(arg.value, env)).join(", ")})`
      : "";
  const base = cursorBase(s.query);
  return [
    `\uE000reset ${base}`,
    `FOR ${quoteVariable(s.variable)} IN ${cursor.sql}${args} LOOP`,
    ...indent([`\uE000looped ${base}`, ...writeStatements(s.body, { ...env, scope })]),
    "END LOOP;",
  ];
}
