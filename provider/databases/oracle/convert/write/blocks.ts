import { Unconvertible } from "../read/cursor.js";
import type { Block, Declaration } from "../read/plsql.js";
import { writeCursorType } from "./cursorStatements.js";
import { asCursor } from "./cursorVariables.js";
import type { Environment } from "./environment.js";
import { stateOfCode, stateOfName } from "./exceptionStates.js";
import { writeHandlers } from "./exceptions.js";
import { hoistRoutines } from "./innerRoutines.js";
import { indent, quoteName } from "./names.js";
import { writeStatements } from "./statements.js";
import { declareType } from "./typeDeclarations.js";
import { mapType, type Type } from "./types.js";
import { writeSql } from "./writeExpression.js";

/** Writes a block inside a routine; its scope is taken from `env` and filled. */
export function writeBlock(block: Block, env: Environment): string[] {
  const declarations = writeDeclarations(block.declarations, env);
  const body = writeStatements(block.body, env);
  const handlers = writeHandlers(block.handlers, env);
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
        if (!declaration.query) throw new Unconvertible("a cursor without its query", declaration.line);
        lines.push(
          `${quoteName(declaration.name)} ${writeCursorType(declaration.parameters, declaration.query, local).declaration};`,
        );
        env.scope.set(declaration.name, {
          kind: "cursor",
          sql: declaration.name,
          parameters: declaration.parameters,
          query: declaration.query,
        });
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
  const initial = declaration.initial ? writeSql(declaration.initial, env) : initialOf(type);
  env.scope.set(declaration.name, { kind: "variable", sql, type });
  return `${sql} ${declaration.constant && initial !== undefined ? "CONSTANT " : ""}${type.sql}${initial === undefined ? "" : ` := ${initial}`};`;
}

/** What Oracle gives a variable without being told: index-by tables are empty, records have their fields' defaults. */
export function initialOf(type: Type): string | undefined {
  if (type.family === "map" || type.sparse) return "'{}'";
  if (!type.defaults || !type.fields) return undefined;
  const defaults = type.defaults;
  return `ROW(${[...type.fields.keys()].map((field) => defaults.get(field) ?? "NULL").join(", ")})`;
}
