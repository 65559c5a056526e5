import { Unconvertible } from "../read/cursor.js";
import type { Block, Parameter, Routine } from "../read/plsql.js";
import { writeAutonomous } from "./autonomous.js";
import { writeDeclarations } from "./blocks.js";
import { asCursor, cursorNames } from "./cursorVariables.js";
import { type Captured, type Environment, Scope, Unit } from "./environment.js";
import { COUNT_BULK, COUNT_BULK_START } from "./forall.js";
import { writeGuardedBlock } from "./guardedBlocks.js";
import { dollarQuote, indent, quoteName } from "./names.js";
import { settleSavepoints } from "./savepoints.js";
import { COUNT_AS, COUNT_ROWS } from "./statements.js";
import { castable, mapParameterType, mapType, type Type } from "./types.js";
import { writeExpression } from "./writeExpression.js";

export interface Surroundings {
  readonly captured?: readonly Captured[];
  readonly changed?: (name: string) => boolean;
  /** Lines that run first. */
  readonly preface?: readonly string[];
  /** A method's object, as its first argument. */
  readonly self?: { readonly type: Type; readonly mode: "IN" | "INOUT" | "LOCAL" };
}

/** Statements that create a function or procedure. */
export function writeRoutine(routine: Routine, sql: string, env: Environment, around: Surroundings = {}): string[] {
  if (routine.traits.foreign !== undefined) throw new Unconvertible(routine.traits.foreign, routine.line);
  if (routine.traits.macro === "SCALAR") throw new Unconvertible("a scalar SQL macro", routine.line);
  if (!routine.block) throw new Unconvertible("a routine without a body", routine.line);
  const scope = new Scope(env.scope);
  const parameters = writeParameters(routine, scope, env, around);
  const isFunction = routine.kind === "function";
  const name = routine.name.at(-1) ?? "";
  const returns =
    !routine.returns || routine.returns.name[0] === "self" ? around.self?.type : mapType(routine.returns, env, "parameter");
  const hasOut = parameters.some(({ mode }) => mode !== "IN");
  const result = !isFunction ? "" : returns ? returnsClause(returns, hasOut, parameters) : " RETURNS SETOF record";
  const unit = makeUnit(routine, name, returns, hasOut, around);
  const inner: Environment = { ...env, scope, unit, place: "procedure" };
  if (routine.block.autonomous) {
    const alone = writeAutonomous(routine, sql, parameters, returns, env);
    if (alone)
      return [
        ...writeRoutine({ ...routine, block: { ...routine.block, autonomous: false } }, alone.inner, env, around),
        alone.sql,
      ];
    env.output.warn("AUTONOMOUS_TRANSACTION with OUT parameters runs in the caller's transaction", routine.line);
  }
  const body = writeBody(routine.block, inner, around);
  const traits = [
    routine.traits.deterministic && isFunction ? " IMMUTABLE" : "",
    routine.traits.authid === "DEFINER" ? " SECURITY DEFINER" : "",
  ].join("");
  const list = parameters.map(({ text }) => text).join(", ");
  const comments = routine.comments.length > 0 ? `${routine.comments.join("\n")}\n` : "";
  return [
    `${comments}CREATE OR REPLACE ${isFunction ? "FUNCTION" : "PROCEDURE"} ${sql}(${list})${result} LANGUAGE plpgsql${traits} AS ${dollarQuote(body.join("\n"))}`,
  ];
}

export interface WrittenParameter {
  readonly text: string;
  readonly name: string;
  readonly mode: "IN" | "OUT" | "INOUT";
  readonly type: Type;
}

const RESULT = "godwit_result";

function returnsClause(returns: Type, hasOut: boolean, parameters: WrittenParameter[]): string {
  if (!hasOut) return ` RETURNS ${returns.sql}`;
  parameters.push({ text: `OUT ${RESULT} ${returns.sql}`, name: RESULT, mode: "OUT", type: returns });
  return "";
}

function makeUnit(routine: Routine, name: string, returns: Type | undefined, hasOut: boolean, around: Surroundings): Unit {
  if (routine.kind === "procedure") return new Unit("procedure", name, ["RETURN;"]);
  const pipe = routine.traits.pipelined && returns ? { sql: "godwit_rows_piped", type: returns } : undefined;
  const leave = pipe ? [`RETURN ${pipe.sql};`] : around.self?.mode === "LOCAL" ? ["RETURN self;"] : ["RETURN;"];
  // A function with OUT parameters gives a row of them, its own result among them.
  const result = hasOut ? (sql: string) => [`${RESULT} := ${sql};`, "RETURN;"] : (sql: string) => [`RETURN ${sql};`];
  return new Unit("function", name, leave, result, returns, pipe);
}

function writeParameters(routine: Routine, scope: Scope, env: Environment, around: Surroundings): WrittenParameter[] {
  const isFunction = routine.kind === "function";
  const written: WrittenParameter[] = [];
  const add = (name: string, mode: WrittenParameter["mode"], type: Type, init: string) => {
    // A row type is named by its table in a signature.
    const sql = type.sql.replace(/%ROWTYPE$/, "");
    written.push({ text: `${mode === "IN" ? "" : `${mode} `}${quoteName(name)} ${sql}${init}`, name, mode, type });
    scope.set(name, { kind: "variable", sql: quoteName(name), type });
  };
  const own = routine.parameters.filter((parameter) => !(around.self && parameter.name === "self"));
  if (around.self && around.self.mode !== "LOCAL") add("self", around.self.mode, around.self.type, "");
  if (around.self?.mode === "LOCAL") scope.set("self", { kind: "variable", sql: "self", type: around.self.type });
  const cursors = cursorNames(routine.block);
  let optional = false;
  for (const parameter of own) {
    const type = asCursor(parameter.name, mapParameterType(parameter.type, env), cursors);
    const init = parameter.default ? ` DEFAULT ${writeDefault(parameter, type, env)}` : "";
    optional ||= init !== "";
    if (parameter.mode === "IN") {
      // PostgreSQL wants defaults on every parameter behind the first that has one.
      add(parameter.name, "IN", type, init === "" && optional ? " DEFAULT NULL" : init);
    } else if (isFunction)
      add(
        parameter.name,
        parameter.mode === "OUT" ? "OUT" : "INOUT",
        type,
        parameter.mode === "OUT" || !optional ? "" : " DEFAULT NULL",
      );
    else add(parameter.name, parameter.mode === "OUT" && !optional ? "OUT" : "INOUT", type, optional ? " DEFAULT NULL" : "");
  }
  for (const { name, type } of around.captured ?? [])
    add(name, around.changed?.(name) ? "INOUT" : "IN", type, optional ? " DEFAULT NULL" : "");
  return written;
}

/** What a value of unknown type becomes is said, where the parameter's type is not one that text turns into by itself. */
function writeDefault(parameter: Parameter, type: Type, env: Environment): string {
  if (!parameter.default) return "NULL";
  const value = writeExpression(parameter.default, { ...env, place: "procedure" });
  const target = castable(type);
  const cast = value.type.family === "unknown" && value.sql !== "NULL" && target !== undefined && !type.sql.includes("%");
  return cast ? `CAST(${value.sql} AS ${target})` : value.sql;
}

/** DECLARE ... BEGIN ... END with the variables that the conversion added. */
export function writeBody(written: Block, env: Environment, around: Surroundings = {}, last: readonly string[] = []): string[] {
  const unit = env.unit;
  if (!unit) throw new Unconvertible("a body outside a routine", written.line);
  const block = settleSavepoints(written);
  unit.cursors = cursorNames(block);
  const declarations = writeDeclarations(block.declarations, env);
  const early = unit.before;
  unit.before = [];
  const { body: statements, handlers } = writeGuardedBlock(block.body, block.handlers, env);
  const resolved = { statements: resolveMarks(statements, unit), handlers: resolveMarks(handlers, unit) };
  const ending = unit.pipe ? [...unit.leave] : last;
  const extra = [...unit.hidden].map(([name, type]) => `${quoteName(name)} ${type};`);
  if (unit.pipe) extra.push(`${unit.pipe.sql} ${unit.pipe.type.sql} := '{}';`);
  if (around.self?.mode === "LOCAL") extra.unshift(`self ${around.self.type.sql};`);
  const all = resolveMarks([...declarations, ...extra], unit);
  return [
    "#variable_conflict use_column",
    ...(unit.usesLabel ? [`<<${quoteName(unit.name)}>>`] : []),
    ...(all.length > 0 ? ["DECLARE", ...indent(all)] : []),
    "BEGIN",
    ...indent([...(around.preface ?? []), ...early, ...resolved.statements, ...ending]),
    ...resolved.handlers,
    "END",
  ];
}

/** Marks left by statements become the upkeep of SQL%ROWCOUNT and cursor attributes, where something reads those. */
function resolveMarks(lines: readonly string[], unit: Unit): string[] {
  return lines.flatMap((line) => {
    const at = line.indexOf("\uE000");
    if (at < 0) return [line];
    const space = line.slice(0, at);
    const mark = line.slice(at);
    if (mark === COUNT_ROWS) return unit.usesRowCount ? [`${space}GET DIAGNOSTICS godwit_rows = ROW_COUNT;`] : [];
    if (mark.startsWith(COUNT_AS)) return unit.usesRowCount ? [`${space}godwit_rows := ${mark.slice(COUNT_AS.length)};`] : [];
    if (mark.startsWith(COUNT_BULK)) return countBulk(mark, unit).map((text) => space + text);
    const [, kind = "", base = "", rest = ""] = /^\uE000(fetched|reset|bulk|looped) (\S+) ?(.*)$/s.exec(mark) ?? [];
    const found = unit.hidden.has(`godwit_found_${base}`) ? quoteName(`godwit_found_${base}`) : undefined;
    const count = unit.hidden.has(`godwit_count_${base}`) ? quoteName(`godwit_count_${base}`) : undefined;
    const kept: string[] = [];
    if (kind === "reset" && found) kept.push(`${found} := NULL;`);
    if (kind === "reset" && count) kept.push(`${count} := 0;`);
    if (kind === "fetched" && found) kept.push(`${found} := FOUND;`);
    if (kind === "fetched" && count) kept.push(`IF FOUND THEN ${count} := ${count} + 1; END IF;`);
    if (kind === "looped" && found) kept.push(`${found} := true;`);
    if (kind === "looped" && count) kept.push(`${count} := ${count} + 1;`);
    const [isFull, amount = "0"] = rest.split(COUNT_AS);
    if (kind === "bulk" && found) kept.push(`${found} := ${isFull};`);
    if (kind === "bulk" && count) kept.push(`${count} := ${count} + ${amount};`);
    return kept.map((text) => space + text);
  });
}

/** SQL%ROWCOUNT of a FORALL is that of all its runs, SQL%BULK_ROWCOUNT(i) that of the run for i. */
function countBulk(mark: string, unit: Unit): string[] {
  const one = unit.hidden.has("godwit_bulk_rows") ? "godwit_bulk_rows" : undefined;
  if (mark === COUNT_BULK_START)
    return [...(unit.usesRowCount ? ["godwit_rows := 0;"] : []), ...(one === undefined ? [] : [`${one} := '{}';`])];
  if (!unit.usesRowCount && one === undefined) return [];
  const [variable = "", number] = mark.slice(COUNT_BULK.length + 1).split(COUNT_AS);
  unit.hide("rows_once", "bigint");
  return [
    number === undefined ? "GET DIAGNOSTICS godwit_rows_once = ROW_COUNT;" : `godwit_rows_once := ${number};`,
    ...(unit.usesRowCount ? ["godwit_rows := godwit_rows + godwit_rows_once;"] : []),
    ...(one === undefined ? [] : [`${one}[${variable}] := godwit_rows_once;`]),
  ];
}
