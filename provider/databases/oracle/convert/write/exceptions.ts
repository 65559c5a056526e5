import { Unconvertible } from "../read/cursor.js";
import type { Expression } from "../read/expression.js";
import type { Handler, StatementOf } from "../read/plsql.js";
import type { Environment } from "./environment.js";
import { predefinedCondition, stateOfCode, stateOfName } from "./exceptionStates.js";
import { indent, quoteText } from "./names.js";
import { unitOf, writeStatements } from "./statements.js";
import { writeOperand, writeSql } from "./writeExpression.js";

/**
 * WHEN ... THEN ... of a block. `unconverted` is how many statements had been given up before its body was written: where the body has some,
 * OTHERS must not swallow the errors that stand in their place.
 */
export function writeHandlers(handlers: readonly Handler[], unconverted: number, env: Environment): string[] {
  if (handlers.length === 0) return [];
  const unit = unitOf(env, 0);
  unit.handlers++;
  const swallows = handlers.some(({ exceptions }) => exceptions.some((name) => name.join(".") === "others"));
  const through = swallows && env.output.unconverted.length > unconverted ? ["WHEN feature_not_supported THEN", "  RAISE;"] : [];
  const lines = handlers.flatMap((handler) => {
    const conditions = handler.exceptions.map((name) => (name.join(".") === "others" ? "OTHERS" : writeCondition(name, env)));
    return [`WHEN ${[...new Set(conditions)].join(" OR ")} THEN`, ...indent(writeStatements(handler.body, env))];
  });
  unit.handlers--;
  return ["EXCEPTION", ...indent([...through, ...lines])];
}

/** Whether a handler takes errors of that state. */
export function handles(handler: Handler, state: string, env: Environment): boolean {
  return handler.exceptions.some((name) => name.join(".") === "others" || declaredState(name, env) === state);
}

function writeCondition(name: readonly string[], env: Environment): string {
  const state = declaredState(name, env);
  if (state !== undefined) return `SQLSTATE '${state}'`;
  const predefined = predefinedCondition(name.at(-1) ?? "");
  // VALUE_ERROR is any trouble with a value; a PL/SQL that catches it means the conversions, too.
  if (predefined !== undefined) return predefined;
  return `SQLSTATE '${stateOfName(name.slice(-2).join("."))}'`;
}

function declaredState(name: readonly string[], env: Environment): string | undefined {
  const entry =
    name.length === 1
      ? env.scope.find(name[0] ?? "")
      : (env.catalog.packages.get(name.at(-2) ?? "")?.own(name.at(-1) ?? "") ??
        (name[0] === env.home || name[0] === env.unit?.name ? env.scope.find(name.at(-1) ?? "") : undefined));
  return entry?.kind === "exception" ? entry.state : undefined;
}

export function writeRaise(s: StatementOf<"raise">, env: Environment): string[] {
  if (!s.exception) {
    if (unitOf(env, s.line).handlers === 0) throw new Unconvertible("RAISE without a name outside a handler", s.line);
    return ["RAISE;"];
  }
  const name = s.exception.at(-1) ?? "";
  const state = declaredState(s.exception, env);
  const predefined = state === undefined ? predefinedCondition(name) : undefined;
  if (predefined !== undefined) return [`RAISE ${predefined};`];
  const message = quoteText(s.exception.join(".").toUpperCase());
  return [`RAISE EXCEPTION USING ERRCODE = '${state ?? stateOfName(s.exception.slice(-2).join("."))}', MESSAGE = ${message};`];
}

/** RAISE_APPLICATION_ERROR(-20nnn, text): the number becomes the SQLSTATE, the text carries it as Oracle's SQLERRM does. */
export function writeRaiseApplicationError([code, message]: readonly Expression[], env: Environment, line: number): string[] {
  if (!code || !message) throw new Unconvertible("RAISE_APPLICATION_ERROR without a number and a text", line);
  const text = writeSql(message, env);
  const number = constantOf(code);
  if (number !== undefined) {
    const prefix = `ORA${number}: `;
    const whole =
      message.kind === "literal" && message.type === "string"
        ? quoteText(prefix + message.value)
        : `concat('${prefix}', ${text})`;
    return [`RAISE EXCEPTION USING ERRCODE = '${stateOfCode(number)}', MESSAGE = ${whole};`];
  }
  const value = writeOperand(code, env).sql;
  return [
    `RAISE EXCEPTION USING ERRCODE = 'OR' || lpad((-20000 - ${value})::integer::text, 3, '0'), MESSAGE = concat('ORA', ${value}, ': ', ${text});`,
  ];
}

function constantOf(code: Expression): number | undefined {
  if (code.kind === "literal" && code.type === "number") return Number(code.value);
  if (code.kind === "unary" && code.operator === "-" && code.operand.kind === "literal") return -Number(code.operand.value);
  return code.kind === "paren" ? constantOf(code.inner) : undefined;
}
