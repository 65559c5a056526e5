import type { Cursor } from "./cursor.js";
import { readDataType } from "./dataType.js";
import type { Block, Parameter, Routine, RoutineTraits } from "./plsql.js";
import { readBlockBody } from "./readBlock.js";
import { readDeclarations } from "./readDeclarations.js";
import { readExpression } from "./readExpression.js";

/** Reads FUNCTION or PROCEDURE name ... with its body if it has one. The word itself must stand here. */
export function readRoutine(cursor: Cursor, member?: RoutineTraits["member"]): Routine {
  const comments = cursor.peek().comments;
  const line = cursor.line;
  const kind = cursor.next().text === "FUNCTION" ? "function" : "procedure";
  const name = cursor.names();
  if (cursor.accept("OID")) cursor.next();
  const parameters = cursor.at("(") ? cursor.listed(() => readParameter(cursor)) : [];
  const traits: RoutineTraits = member ? { member } : {};
  let returns: Routine["returns"];
  if (cursor.accept("RETURN")) {
    if (cursor.accept("SELF", "AS", "RESULT")) returns = { name: ["self"], line };
    else if (cursor.at("TABLE") && cursor.atAhead(1, "PIPELINED")) {
      cursor.next();
      traits.foreign = "a polymorphic table function";
    } else returns = readDataType(cursor);
  }
  readTraits(cursor, traits);
  const block = cursor.acceptAny("IS", "AS") ? readBody(cursor, traits) : undefined;
  return { kind, name, parameters, ...(returns ? { returns } : {}), traits, ...(block ? { block } : {}), line, comments };
}

/** Declarations, BEGIN ... END and the name behind it, up to the semicolon. */
export function readUnitBody(cursor: Cursor): Block {
  const line = cursor.line;
  const { declarations, autonomous } = readDeclarations(cursor);
  const { body, handlers } = readBlockBody(cursor);
  if (cursor.atName()) cursor.names();
  return { declarations, autonomous, body, handlers, line };
}

function readBody(cursor: Cursor, traits: RoutineTraits): Block | undefined {
  if (cursor.atAny("LANGUAGE", "EXTERNAL", "MLE")) {
    traits.foreign = cursor.at("LANGUAGE") ? `written in ${cursor.peek(1).value}` : "written in another language";
    while (!cursor.done && !cursor.at(";")) cursor.next();
    return undefined;
  }
  return readUnitBody(cursor);
}

export function readParameter(cursor: Cursor): Parameter {
  const name = cursor.name();
  let mode: Parameter["mode"] = "IN";
  if (cursor.accept("IN", "OUT") || cursor.accept("OUT", "IN") || cursor.accept("INOUT")) mode = "IN OUT";
  else if (cursor.accept("OUT")) mode = "OUT";
  else if (cursor.at("IN")) cursor.next();
  cursor.accept("NOCOPY");
  const type = readDataType(cursor);
  const init = cursor.acceptAny(":=", "DEFAULT") ? readExpression(cursor) : undefined;
  return { name, mode, type, ...(init ? { default: init } : {}) };
}

function readTraits(cursor: Cursor, traits: RoutineTraits): void {
  for (;;) {
    if (cursor.accept("DETERMINISTIC")) traits.deterministic = true;
    else if (cursor.accept("PIPELINED")) {
      traits.pipelined = true;
      if (cursor.atAny("ROW", "TABLE") && cursor.atAhead(1, "POLYMORPHIC")) {
        cursor.next();
        cursor.next();
        traits.foreign = "a polymorphic table function";
      }
      if (cursor.accept("USING")) {
        cursor.names();
        traits.foreign ??= "a pipelined function of an implementation type";
      }
    } else if (cursor.accept("AUTHID")) traits.authid = cursor.next().text === "DEFINER" ? "DEFINER" : "CURRENT_USER";
    else if (cursor.accept("SQL_MACRO")) {
      traits.macro = "TABLE";
      if (cursor.at("(")) traits.macro = cursor.bracketed().some((token) => token.text === "SCALAR") ? "SCALAR" : "TABLE";
    } else if (cursor.accept("AGGREGATE", "USING")) {
      traits.aggregate = cursor.names();
    } else if (cursor.accept("RESULT_CACHE")) {
      if (cursor.accept("RELIES_ON")) cursor.bracketed();
    } else if (cursor.acceptAny("CLUSTER", "ORDER")) {
      if (!cursor.at("BY")) cursor.name();
      cursor.expect("BY");
      cursor.bracketed();
    } else if (cursor.acceptAny("PARALLEL_ENABLE", "ACCESSIBLE", "DEFAULT", "SHARING", "BY", "COLLATION", "USING_NLS_COMP")) {
      cursor.accept("=");
      cursor.acceptAny("NONE", "METADATA", "COLLATION", "BY");
      while (cursor.at("(")) cursor.bracketed();
    } else return;
  }
}
