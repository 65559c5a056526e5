import type { Expression } from "../read/expression.js";
import type { Block } from "../read/plsql.js";
import { findAccess, typeAt } from "./access.js";
import { type Target, writeTarget } from "./assignment.js";
import type { Environment } from "./environment.js";
import { unitOf } from "./statements.js";
import { CURSOR, type Type } from "./types.js";
import { writeSql } from "./writeExpression.js";

/**
 * Names that a block opens, fetches from, closes or asks %FOUND of. A variable or parameter whose type is in another file and that is
 * used so is a cursor variable; PL/pgSQL takes nothing else there, not even a domain over refcursor.
 */
export function cursorNames(block: Block | undefined): ReadonlySet<string> {
  const names = new Set<string>();
  collect(block, names);
  return names;
}

function collect(node: unknown, names: Set<string>): void {
  if (Array.isArray(node)) {
    for (const each of node) collect(each, names);
    return;
  }
  if (typeof node !== "object" || node === null) return;
  const { kind, cursor, of } = node as { kind?: string; cursor?: Expression; of?: Expression };
  const named = kind === "open" || kind === "fetch" || kind === "close" ? cursor : kind === "attribute" ? of : undefined;
  if (named?.kind === "name" && named.parts.length === 1) names.add(named.parts[0] ?? "");
  for (const value of Object.values(node)) collect(value, names);
}

/** The type a variable is declared with, given how its block uses it. */
export function asCursor(name: string, type: Type, cursors: ReadonlySet<string>): Type {
  return type.family === "unknown" && cursors.has(name) && !type.sql.includes("%") ? CURSOR : type;
}

/**
 * A cursor variable as OPEN, FETCH and CLOSE take it: a plain variable. One in a record, a collection or a package's state is copied
 * to one before and, when it was opened, back after.
 */
export function writeCursorVariable(expression: Expression, env: Environment): Target {
  const access = findAccess(expression, env);
  if (access?.root.kind === "variable" && access.steps.length === 0) return writeTarget(expression, env);
  if (access && access.root.kind === "variable" && typeAt(access)?.family === "map") return writeTarget(expression, env);
  const written = writeTarget(expression, env);
  const value = access ? writeSql(expression, env) : written.sql;
  const hidden = unitOf(env, expression.line).fresh("cursor", "refcursor");
  const back = written.after.length > 0 ? [`${written.sql} := ${hidden};`, ...written.after] : [`${written.sql} := ${hidden};`];
  return { sql: hidden, type: CURSOR, before: [...written.before, `${hidden} := ${value};`], after: back };
}
