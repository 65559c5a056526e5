import { Unconvertible } from "../read/cursor.js";
import type { Expression } from "../read/expression.js";
import type { Statement, StatementOf } from "../read/plsql.js";
import { findAccess, typeAt } from "./access.js";
import { writeAssignment } from "./assignment.js";
import { type Environment, Scope, type Unit } from "./environment.js";
import { stateOfCode, writeSqlCode } from "./exceptionStates.js";
import { indent, quoteName, quoteVariable } from "./names.js";
import { COUNT_AS, COUNT_ROWS, unitOf, writeStatements } from "./statements.js";
import { nameOf } from "./tree.js";
import { INTEGER } from "./types.js";
import { writeSql } from "./writeExpression.js";

/** ORA-24381, which FORALL ... SAVE EXCEPTIONS raises when it has been through. */
export const BULK_ERRORS = stateOfCode(-24381);
export const RAISE_BULK_ERRORS = `RAISE EXCEPTION USING ERRCODE = '${BULK_ERRORS}', MESSAGE = 'ORA-24381: error(s) in array DML';`;

/** Marks around a FORALL's loop that writing the routine turns into the upkeep of SQL%ROWCOUNT and SQL%BULK_ROWCOUNT. */
export const COUNT_BULK_START = "\uE000bulk count start";
export const COUNT_BULK = "\uE000bulk count";

/** FORALL as a loop: PL/pgSQL runs statements in the server anyway, so there is no switch of engines to save. */
export function writeForall(s: StatementOf<"forall">, env: Environment): string[] {
  const unit = unitOf(env, s.line);
  const scope = new Scope(env.scope);
  scope.set(s.variable, { kind: "variable", sql: quoteName(s.variable), type: INTEGER });
  const inner: Environment = { ...env, scope };
  const { start, statement, end } = gatherReturned(s.statement, inner, unit);
  const lines = [...writeStatements([statement], inner).map((line) => countBulk(line, s.variable)), ...end];
  const { first, each, last } = s.saveExceptions ? saveExceptions(lines, env, unit) : { first: [], each: lines, last: [] };
  return [COUNT_BULK_START, ...start, ...first, ...writeBounds(s, each, env), ...last];
}

function countBulk(line: string, variable: string): string {
  const [before, number] = line.split(COUNT_AS);
  if (number !== undefined) return `${before}${COUNT_BULK} ${quoteName(variable)}${COUNT_AS}${number}`;
  return line.endsWith(COUNT_ROWS) ? line.replace(COUNT_ROWS, `${COUNT_BULK} ${quoteName(variable)}`) : line;
}

function writeBounds(s: StatementOf<"forall">, lines: readonly string[], env: Environment): string[] {
  const name = quoteVariable(s.variable);
  const { bounds } = s;
  if (bounds.kind === "range")
    return [`FOR ${name} IN ${writeSql(bounds.low, env)} .. ${writeSql(bounds.high, env)} LOOP`, ...indent(lines), "END LOOP;"];
  if (!findAccess(bounds.of, env)) throw new Unconvertible("FORALL over a collection that is not in this file", s.line);
  const of = writeSql(bounds.of, env);
  if (bounds.kind === "values") {
    env.unit?.hidden.set(s.variable, "integer");
    return [`FOREACH ${name} IN ARRAY ${of} LOOP`, ...indent(lines), "END LOOP;"];
  }
  const low = `coalesce(array_lower(${of}, 1), 1)`;
  const high = `coalesce(array_upper(${of}, 1), 0)`;
  const [from, to] = bounds.between ? bounds.between.map((bound) => writeSql(bound, env)) : [];
  const range = from === undefined ? `${low} .. ${high}` : `greatest(${low}, ${from}) .. least(${high}, ${to})`;
  const skip = `  CONTINUE WHEN (${of})[${name}] IS NOT DISTINCT FROM NULL;`;
  return [`FOR ${name} IN ${range} LOOP`, skip, ...indent(lines), "END LOOP;"];
}

/**
 * SAVE EXCEPTIONS: each run in a block of its own, so that a failed one takes back only itself; then ORA-24381, if there was any. Where the
 * block around has a handler for that, the block is left instead and the handler runs behind it (see guardedBlocks.ts): PL/pgSQL would
 * take the successful rows back before.
 */
function saveExceptions(lines: readonly string[], env: Environment, unit: Unit) {
  const { at, indexes, codes, messages } = bulkVariables(unit);
  const leave = env.bulk ? [`${env.bulk.flag} := true;`, `EXIT ${env.bulk.label};`] : [RAISE_BULK_ERRORS];
  return {
    first: [`${at} := 0;`, `${indexes} := '{}';`, `${codes} := '{}';`, `${messages} := '{}';`],
    each: [
      `${at} := ${at} + 1;`,
      "BEGIN",
      ...indent(lines),
      "EXCEPTION",
      "  WHEN OTHERS THEN",
      `    ${indexes} := array_append(${indexes}, ${at});`,
      `    ${codes} := array_append(${codes}, abs(${writeSqlCode()}));`,
      `    ${messages} := array_append(${messages}, SQLERRM);`,
      "END;",
    ],
    last: [`IF cardinality(${indexes}) > 0 THEN`, ...indent(leave), "END IF;"],
  };
}

/** What SQL%BULK_EXCEPTIONS is read from: the number of the run, Oracle's code without its sign and the message. */
export function bulkVariables(unit: Unit) {
  return {
    at: unit.hide("bulk_at", "integer"),
    indexes: unit.hide("bulk_indexes", "integer[]"),
    codes: unit.hide("bulk_codes", "integer[]"),
    messages: unit.hide("bulk_messages", "text[]"),
  };
}

/** RETURNING ... BULK COLLECT INTO: the collections have the rows of all runs, not of the last. */
function gatherReturned(statement: Statement, env: Environment, unit: Unit) {
  const returning = statement.kind === "dml" && "returning" in statement.dml ? statement.dml.returning : undefined;
  if (statement.kind !== "dml" || !returning?.bulk) return { start: [], statement, end: [] };
  const parts = returning.into.map((target) => gathered(target, env, unit));
  const into = parts.map(({ name }) => nameOf(name));
  return {
    start: parts.flatMap(({ start }) => start),
    statement: { ...statement, dml: { ...statement.dml, returning: { ...returning, into } } } as Statement,
    end: parts.flatMap(({ end }) => end),
  };
}

function gathered(target: Expression, env: Environment, unit: Unit) {
  const access = findAccess(target, env);
  const type = access && typeAt(access);
  if (!type) throw new Unconvertible("BULK COLLECT into what is no variable of this file", target.line);
  const name = unit.fresh("returned", type.sql);
  env.scope.set(name, { kind: "variable", sql: name, type });
  const all = `array_cat(${writeSql(target, env)}, ${name})`;
  return { name, start: writeAssignment(target, "'{}'", env), end: writeAssignment(target, all, env) };
}
