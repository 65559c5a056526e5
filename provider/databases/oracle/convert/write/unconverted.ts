import { Unconvertible } from "../read/cursor.js";
import type { Routine } from "../read/plsql.js";
import type { Environment } from "./environment.js";
import { quoteText } from "./names.js";
import { type Surroundings, writeRoutine } from "./routines.js";

/**
 * What a statement without a counterpart becomes: an error that names it, raised where the statement would have run. The routine
 * around it is there, its other paths work, and none computes something else in silence. Every one is in the report.
 */
export function writeUnconverted(cause: Unconvertible, line: number, env: Environment): string[] {
  const name = fullName(env.unit?.name ?? "", env);
  const at = cause.line || line;
  env.output.unconverted.push({ kind: "statement", name, reason: cause.reason, line: at });
  const message = `${name}, line ${at} of the Oracle source, is not converted: ${cause.reason}`;
  return [`RAISE EXCEPTION USING ERRCODE = '0A000', MESSAGE = ${quoteText(message)};`];
}

/** Writes a routine; where it cannot be converted as a whole, one with its parameters that raises the reason. */
export function writeRoutineOrError(
  routine: Routine,
  sql: string,
  env: Environment,
  around: Surroundings = {},
  write: () => string[] = () => writeRoutine(routine, sql, env, around),
): string[] {
  const undo = env.output.mark();
  try {
    return write();
  } catch (cause) {
    if (!(cause instanceof Unconvertible)) throw cause;
    undo();
    return writeError(routine, cause, sql, env, around);
  }
}

function writeError(routine: Routine, cause: Unconvertible, sql: string, env: Environment, around: Surroundings): string[] {
  const line = cause.line || routine.line;
  const { foreign: _, macro: __, pipelined, ...traits } = routine.traits;
  const body = [{ kind: "unconvertible" as const, reason: cause.reason, line, labels: [], comments: [] }];
  const block = { declarations: [], autonomous: false, body, handlers: [], line };
  const written = writeRoutine(
    { ...routine, traits: { ...traits, ...(pipelined ? { pipelined } : {}) }, block },
    sql,
    env,
    around,
  );
  const at = env.output.unconverted.length - 1;
  env.output.unconverted[at] = { kind: routine.kind, name: fullName(routine.name.join("."), env), reason: cause.reason, line };
  return written;
}

function fullName(name: string, env: Environment): string {
  const home = env.home ?? env.object;
  return home === undefined || home === name ? name : `${home}.${name}`;
}
