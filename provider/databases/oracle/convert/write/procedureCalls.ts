import { Unconvertible } from "../read/cursor.js";
import type { Argument, Expression } from "../read/expression.js";
import type { Parameter } from "../read/plsql.js";
import { findAccess } from "./access.js";
import { type Target, writeTarget } from "./assignment.js";
import { chooseOverload, findRoutine, withoutSys } from "./calls.js";
import type { Environment } from "./environment.js";
import { quoteName, quoteNames } from "./names.js";
import { writeSql } from "./writeExpression.js";

/** Writes a procedure call as CALL, OUT arguments into variables. */
export function writeProcedureCall(call: Expression, env: Environment): string[] {
  const callee = call.kind === "call" ? call.callee : call;
  const args = call.kind === "call" ? call.args : [];
  const method = writeMethodCall(call, env);
  if (method) return method;
  if (callee.kind === "member") {
    const rest = args.map((arg) => writeSql(arg.value, env));
    return [`CALL ${quoteName(callee.name)}(${[writeSql(callee.of, env), ...rest].join(", ")});`];
  }
  if (callee.kind !== "name") throw new Unconvertible("a call of this form", call.line);
  if (callee.link !== undefined || (call.kind === "name" && call.link !== undefined))
    throw new Unconvertible("a call through a database link", call.line);
  const parts = withoutSys(callee.parts);
  const routine = findRoutine(parts, env);
  const chosen = routine && chooseOverload(routine, args, "procedure");
  const written = args.map((arg, index) =>
    writeArgument(arg, chosen?.parameters.find((each) => each.name === arg.name) ?? chosen?.parameters[index], env),
  );
  const captured = (routine?.captured ?? []).map(({ name }) => {
    const entry = env.scope.find(name);
    return entry?.kind === "variable" ? entry.sql : quoteName(name);
  });
  // A package's body holds all its procedures, so one that is not in this file is none of them.
  const name = routine?.sql ?? quoteNames(parts);
  const targets = written.flatMap((each) => (each.target ? [each.target] : []));
  return [
    ...targets.flatMap((target) => target.before),
    `CALL ${name}(${[...written.map((each) => each.sql), ...captured].join(", ")});`,
    ...targets.flatMap((target) => target.after),
  ];
}

function writeArgument(arg: Argument, parameter: Parameter | undefined, env: Environment): { sql: string; target?: Target } {
  const prefix = arg.name === undefined ? "" : `${quoteName(arg.name)} => `;
  if (!parameter || parameter.mode === "IN" || !findAccess(arg.value, env)) return { sql: prefix + writeSql(arg.value, env) };
  const target = writeTarget(arg.value, env);
  const value = parameter.mode === "OUT" ? "" : writeSql(arg.value, env);
  // What the procedure reads from an IN OUT argument must be in the variable before.
  const loaded =
    target.sql === value || parameter.mode === "OUT"
      ? target
      : { ...target, before: [`${target.sql} := ${value};`, ...target.before] };
  return { sql: prefix + target.sql, target: loaded };
}

/** object.method(arguments): a procedure whose first argument is the object. */
function writeMethodCall(call: Expression, env: Environment): string[] | undefined {
  const access = findAccess(call, env);
  if (!access) return undefined;
  const last = access.steps.at(-1);
  if (last?.kind !== "method" && last?.kind !== "field")
    throw new Unconvertible("a variable where a procedure is called", call.line);
  const callee = call.kind === "call" ? call.callee : call;
  const owner: Expression | undefined =
    callee.kind === "name" ? { ...callee, parts: callee.parts.slice(0, -1) } : callee.kind === "member" ? callee.of : undefined;
  if (!owner) return undefined;
  const rest =
    last.kind === "method"
      ? last.args.map((arg) => (arg.name === undefined ? "" : `${quoteName(arg.name)} => `) + writeSql(arg.value, env))
      : [];
  return [`CALL ${quoteName(last.name)}(${[writeSql(owner, env), ...rest].join(", ")});`];
}
