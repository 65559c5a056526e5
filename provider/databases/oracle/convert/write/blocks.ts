import { Unconvertible } from "../read/cursor.js";
import type { Expression } from "../read/expression.js";
import type { Block, Declaration } from "../read/plsql.js";
import { writeCursorType } from "./cursorStatements.js";
import { asCursor } from "./cursorVariables.js";
import type { Environment } from "./environment.js";
import { stateOfCode, stateOfName } from "./exceptionStates.js";
import { writeGuardedBlock } from "./guardedBlocks.js";
import { hoistRoutines } from "./innerRoutines.js";
import { indent, quoteName } from "./names.js";
import { declareType } from "./typeDeclarations.js";
import { mapType, type Type } from "./types.js";
import { writeUnconverted } from "./unconverted.js";
import { writeSql } from "./writeExpression.js";

/** Writes a block inside a routine; its scope is taken from `env` and filled. */
export function writeBlock(block: Block, env: Environment): string[] {
  const declarations = writeDeclarations(block.declarations, env);
  const { body, handlers } = writeGuardedBlock(block.body, block.handlers, env);
  const head = declarations.length > 0 ? ["DECLARE", ...indent(declarations)] : [];
  return [...head, "BEGIN", ...indent(body), ...handlers, "END;"];
}

/** Variables and cursors as PL/pgSQL declares them. Types and inner routines become objects of their own before the routine. */
export function writeDeclarations(declarations: readonly Declaration[], env: Environment): string[] {
  const lines: string[] = [];
  const local: Environment = { ...env, place: "procedure" };
  registerExceptions(declarations, env);
  for (const declaration of declarations) {
    switch (declaration.kind) {
      case "variable":
        lines.push(
          ...declaration.comments.flatMap((comment) => comment.split("\n").map((line) => line.trimEnd())),
          writeVariable(declaration, local),
        );
        break;
      case "cursor":
        lines.push(...writeCursor(declaration, env));
        break;
      case "type":
        env.scope.set(declaration.name, {
          kind: "type",
          type: declareType(declaration.name, declaration.definition, [env.home, env.unit?.name], local, declaration.line),
        });
        break;
      default:
        break;
    }
  }
  hoistRoutines(
    declarations.flatMap((declaration) => (declaration.kind === "routine" ? [declaration.routine] : [])),
    env,
  );
  return lines;
}

/** A cursor whose query has no counterpart is not declared; each statement that uses it raises the reason. */
function writeCursor(declaration: Extract<Declaration, { kind: "cursor" }>, env: Environment): string[] {
  const { name, parameters, query } = declaration;
  const entry = { kind: "cursor" as const, sql: name, parameters };
  // A declaration of what stands further down.
  if (!query && declaration.problem === undefined) return [];
  try {
    if (!query) throw new Unconvertible(declaration.problem ?? "", declaration.line);
    const written = writeCursorType(parameters, query, { ...env, place: "procedure" });
    env.scope.set(name, { ...entry, query });
    return [`${quoteName(name)} ${written.declaration};`];
  } catch (cause) {
    if (!(cause instanceof Unconvertible)) throw cause;
    env.scope.set(name, { ...entry, problem: cause.reason });
    return [];
  }
}

/** EXCEPTION_INIT may stand before or after other declarations, so exceptions are known first. */
export function registerExceptions(declarations: readonly Declaration[], env: Environment): void {
  for (const declaration of declarations) {
    if (declaration.kind !== "exception") continue;
    const name = [env.home, declaration.name].filter((part) => part !== undefined).join(".");
    env.scope.set(declaration.name, { kind: "exception", state: stateOfName(name) });
  }
  for (const declaration of declarations) {
    if (declaration.kind === "exceptionCode")
      env.scope.set(declaration.name, { kind: "exception", state: stateOfCode(declaration.code) });
  }
}

function writeVariable(declaration: Extract<Declaration, { kind: "variable" }>, env: Environment): string {
  const type = asCursor(declaration.name, mapType(declaration.type, env, "variable"), env.unit?.cursors ?? new Set());
  const sql = quoteName(declaration.name);
  const initial = declaration.initial ? writeInitial(declaration.initial, env) : initialOf(type);
  env.scope.set(declaration.name, { kind: "variable", sql, type });
  return `${sql} ${declaration.constant && initial !== undefined ? "CONSTANT " : ""}${type.sql}${initial === undefined ? "" : ` := ${initial}`};`;
}

/** A value without a counterpart is an error when the block begins. */
function writeInitial(initial: Expression, env: Environment): string | undefined {
  const unit = env.unit;
  try {
    return writeSql(initial, env);
  } catch (cause) {
    if (!(cause instanceof Unconvertible) || !unit) throw cause;
    unit.before.push(...writeUnconverted(cause, initial.line, env));
    return undefined;
  }
}

/** What Oracle gives a variable without being told: index-by tables are empty, records have their fields' defaults. */
export function initialOf(type: Type): string | undefined {
  if (type.family === "map" || type.sparse) return "'{}'";
  if (!type.defaults || !type.fields) return undefined;
  const defaults = type.defaults;
  return `ROW(${[...type.fields.keys()].map((field) => defaults.get(field) ?? "NULL").join(", ")})`;
}
