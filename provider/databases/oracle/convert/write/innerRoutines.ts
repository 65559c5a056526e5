import type { Routine } from "../read/plsql.js";
import { type Captured, type Entry, type Environment, Output, Scope } from "./environment.js";
import { fitName, quoteNames } from "./names.js";
import { writeRoutineOrError } from "./unconverted.js";

/**
 * Routines declared inside a routine become routines of their own beside it. What they use of the outer routine's variables comes
 * in as arguments behind their own: IN, or IN OUT where a procedure changes them.
 */
export function hoistRoutines(routines: readonly Routine[], env: Environment): void {
  const outer = env.unit?.name ?? "";
  const entries = new Map<string, Extract<Entry, { kind: "routine" }>>();
  for (const routine of routines) {
    const name = routine.name.at(-1) ?? "";
    const known = entries.get(name);
    if (known && routine.block) known.routines.push(routine);
    if (known) continue;
    const home = env.home === undefined ? [] : [env.home];
    const entry = {
      kind: "routine" as const,
      sql: quoteNames([...home, fitName(`${outer}_${name}`)]),
      routines: routine.block ? [routine] : [],
      captured: [],
    };
    entries.set(name, entry);
    env.scope.set(name, entry);
  }
  const written = routines.filter((routine) => routine.block);
  // The first pass finds what each captures; calls among them then pass it on.
  for (const routine of written) write(routine, { ...env, output: new Output() }, entries.get(routine.name.at(-1) ?? ""));
  for (const routine of written) env.output.before.push(...write(routine, env, entries.get(routine.name.at(-1) ?? "")));
}

function write(routine: Routine, env: Environment, entry: Extract<Entry, { kind: "routine" }> | undefined): string[] {
  if (!entry) return [];
  const scope = new Scope(env.scope, {
    capture: (name, found) => {
      if (found.kind === "cursor") return { ...found, shared: env.scope };
      if (found.kind !== "variable") return found;
      if (!entry.captured.some((each) => each.name === name)) entry.captured.push({ name, type: found.type });
      return found;
    },
  });
  const { unit: _, ...outside } = env;
  return writeRoutineOrError(routine, entry.sql, { ...outside, scope }, capturedParameters(routine, entry.captured));
}

function capturedParameters(
  routine: Routine,
  captured: readonly Captured[],
): { readonly captured: readonly Captured[]; readonly changed: (name: string) => boolean } {
  return { captured, changed: (name) => routine.kind === "procedure" && isChanged(routine.block, name) };
}

/** Whether a tree of statements may write to a variable: by := , INTO, an OUT argument or a collection's method. */
function isChanged(node: unknown, name: string): boolean {
  if (Array.isArray(node)) return node.some((each) => isChanged(each, name));
  if (typeof node !== "object" || node === null) return false;
  const fields = node as Record<string, unknown>;
  for (const key of ["target", "into", "returning", "call"]) if (startsAt(fields[key], name)) return true;
  return Object.values(fields).some((each) => isChanged(each, name));
}

function startsAt(node: unknown, name: string): boolean {
  if (Array.isArray(node)) return node.some((each) => startsAt(each, name));
  if (typeof node !== "object" || node === null) return false;
  const { kind, parts, callee, of } = node as { kind?: string; parts?: readonly string[]; callee?: unknown; of?: unknown };
  if (kind === "name") return parts?.[0] === name;
  return startsAt(callee, name) || startsAt(of, name);
}
