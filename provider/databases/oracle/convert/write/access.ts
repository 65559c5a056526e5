import { Unconvertible } from "../read/cursor.js";
import type { Argument, Expression } from "../read/expression.js";
import { writeAnydataMethod } from "./anydata.js";
import { isCollectionMethod, writeCollectionMethod } from "./collections.js";
import type { Entry, Environment } from "./environment.js";
import { quoteName } from "./names.js";
import { writeObjectMethod } from "./objectMethods.js";
import { castable, isAnydata, type Type, UNKNOWN } from "./types.js";
import { type Written, writeSql } from "./writeExpression.js";

export type Step =
  | { readonly kind: "field"; readonly name: string }
  | { readonly kind: "index"; readonly key: Expression }
  | { readonly kind: "method"; readonly name: string; readonly args: readonly Argument[] };

/** A variable with what follows it: v.field(i).field. */
export interface Access {
  readonly root: Extract<Entry, { kind: "variable" | "state" }>;
  readonly name: string;
  readonly steps: readonly Step[];
}

/** The value at a path from a variable; undefined when the expression does not start at one. */
export function writeAccess(expression: Expression, env: Environment): Written | undefined {
  const access = findAccess(expression, env);
  if (!access) return undefined;
  const root: Written = { sql: access.root.kind === "variable" ? access.root.sql : access.root.read, type: access.root.type };
  return writeSteps(root, access.steps, env, expression.line, true);
}

/** `reads`: the value is asked for, so that an element which is not there is an error; else something is put into it. */
export function writeSteps(root: Written, steps: readonly Step[], env: Environment, line: number, reads = false): Written {
  let value = root;
  let simple = !root.sql.endsWith(")");
  for (const step of steps) {
    value =
      step.kind === "index" && reads
        ? readElement(value, writeSql(step.key, env), env)
        : writeStep(value, step, simple, env, line);
    simple = simple && step.kind === "field" && root === value;
  }
  return value;
}

function writeStep(value: Written, step: Step, simple: boolean, env: Environment, line: number): Written {
  refuseOpaque(value.type, line);
  if (step.kind !== "index" && isAnydata(value.type)) return writeAnydataMethod(value.sql, step.name, env, line);
  switch (step.kind) {
    case "field": {
      const sql = simple ? `${value.sql}.${quoteName(step.name)}` : `(${value.sql}).${quoteName(step.name)}`;
      return { sql, type: value.type.fields?.get(step.name) ?? UNKNOWN };
    }
    case "index":
      return writeElement(value, writeSql(step.key, env));
    case "method": {
      if (isCollectionMethod(step.name)) return writeCollectionMethod(value, step, env, line);
      return writeObjectMethod(
        value.sql,
        step.name,
        step.args.map((arg) => writeSql(arg.value, env)),
      );
    }
  }
}

/** What a handle of Oracle's holds is not here. */
export function refuseOpaque(type: Type, line: number): void {
  if (type.opaque !== undefined) throw new Unconvertible(`a part of a ${type.opaque}, which PostgreSQL has not`, line);
}

/**
 * An element that is read. Tables indexed by a string raise NO_DATA_FOUND for what they have not; those indexed by a number where a handler
 * around waits for it, since a call for each element costs.
 */
function readElement(value: Written, key: string, env: Environment): Written {
  const { type } = value;
  refuseOpaque(type, 0);
  if (type.family === "map") {
    const element = type.element ?? UNKNOWN;
    const entry = `${env.output.use("entry")}(${value.sql}, ${/^'/.test(key) ? key : `(${key})::text`})`;
    const target = castable(element);
    if (element.family === "map") return { sql: entry, type: element };
    if (element.family === "record" && target) return { sql: `jsonb_populate_record(NULL::${target}, ${entry})`, type: element };
    return { sql: target ? `CAST(${entry} #>> '{}' AS ${target})` : `(${entry} #>> '{}')`, type: element };
  }
  if (!type.sparse || !env.awaitsMissing) return writeElement(value, key);
  return { sql: `${env.output.use("element")}(${value.sql}, ${key}::integer)`, type: type.element ?? UNKNOWN };
}

export function writeElement(value: Written, key: string): Written {
  const { type } = value;
  const element = type.element ?? UNKNOWN;
  if (type.family !== "map") return { sql: `${/^\w+$/.test(value.sql) ? value.sql : `(${value.sql})`}[${key}]`, type: element };
  const path = /^'/.test(key) ? key : `(${key})::text`;
  const target = castable(element);
  if (element.family === "map") return { sql: `(${value.sql} -> ${path})`, type: element };
  if (element.family === "record" && target)
    return { sql: `jsonb_populate_record(NULL::${target}, ${value.sql} -> ${path})`, type: element };
  return { sql: target ? `CAST(${value.sql} ->> ${path} AS ${target})` : `(${value.sql} ->> ${path})`, type: element };
}

/** Follows an expression down to the variable it starts from. */
export function findAccess(expression: Expression, env: Environment): Access | undefined {
  switch (expression.kind) {
    case "name":
      return fromName(expression.parts, env);
    case "bind":
      return fromBind(expression, env);
    case "member": {
      const of = findAccess(expression.of, env);
      return of && { ...of, steps: [...of.steps, nextField(of, expression.name)] };
    }
    case "call": {
      const of = findAccess(expression.callee, env);
      if (!of || expression.tail.over) return undefined;
      return withCall(of, expression.args, expression.line);
    }
    case "paren":
      return undefined;
    default:
      return undefined;
  }
}

function withCall(of: Access, args: readonly Argument[], line: number): Access | undefined {
  const last = of.steps.at(-1);
  if (last && last.kind !== "index") {
    const isField = typeAt(of)?.family === "array" || typeAt(of)?.family === "map";
    // A known collection in a field is indexed; anything else called by name behind a dot is a method.
    if (last.kind === "method" || !isField)
      return { ...of, steps: [...of.steps.slice(0, -1), { kind: "method", name: last.name, args }] };
  }
  // A plain variable and a routine may share a name; only what can be indexed is taken for the variable.
  if (of.steps.length === 0 && ["number", "integer", "string", "date", "boolean", "cursor"].includes(of.root.type.family))
    return undefined;
  const [first, second] = args;
  if (!first || second) {
    if (args.length === 0) return of;
    throw new Unconvertible("a collection with several indexes", line);
  }
  return { ...of, steps: [...of.steps, { kind: "index", key: first.value }] };
}

function fromName(parts: readonly string[], env: Environment): Access | undefined {
  const [first = ""] = parts;
  let entry = env.scope.find(first);
  let rest = parts.slice(1);
  let name = first;
  if (entry?.kind === "table" && env.place === "query") return undefined;
  if (entry?.kind !== "variable" && entry?.kind !== "state" && rest.length > 0) {
    // A variable named with its routine or package in front of it.
    const qualified =
      first === env.unit?.name || first === env.home
        ? env.scope.find(parts[1] ?? "")
        : (env.blocks?.get(first)?.own(parts[1] ?? "") ?? env.catalog.packages.get(first)?.own(parts[1] ?? ""));
    if (qualified?.kind === "variable" || qualified?.kind === "state") {
      // In a query the routine's name stays, or a column of the name would hide the variable.
      const keeps = env.place === "query" && first === env.unit?.name && qualified.kind === "variable";
      if (keeps && env.unit) env.unit.usesLabel = true;
      const isLabelled = qualified.kind === "variable" && env.blocks?.get(first)?.own(parts[1] ?? "") === qualified;
      entry =
        keeps || (isLabelled && qualified.kind === "variable")
          ? { ...qualified, sql: `${quoteName(first)}.${qualified.sql}` }
          : qualified;
      name = parts[1] ?? "";
      rest = parts.slice(2);
    }
  }
  if (entry?.kind !== "variable" && entry?.kind !== "state") return undefined;
  if (env.place === "query" && parts.length === 1 && isColumn(first, env)) return undefined;
  let access: Access = { root: entry, name, steps: [] };
  for (const part of rest) access = { ...access, steps: [...access.steps, nextField(access, part)] };
  return access;
}

/** A column of a table whose columns are known hides a variable of its name, as in Oracle. */
function isColumn(name: string, env: Environment): boolean {
  for (const table of env.scope.tables()) if (table.columns?.has(name)) return true;
  return false;
}

function fromBind(e: Extract<Expression, { kind: "bind" }>, env: Environment): Access | undefined {
  const bound = env.binds?.get(e.name);
  if (bound === undefined) {
    const entry = env.binds ? env.scope.find(e.name) : undefined;
    return entry?.kind === "variable" ? { root: entry, name: e.name, steps: [] } : undefined;
  }
  const columns = env.scope.find(bound.toLowerCase());
  const fields = columns?.kind === "variable" ? columns.type.fields : undefined;
  const root: Access["root"] = {
    kind: "variable",
    sql: bound,
    type: { sql: "record", family: "record", ...(fields ? { fields } : {}) },
  };
  return { root, name: bound, steps: e.field === undefined ? [] : [{ kind: "field", name: e.field }] };
}

function nextField(of: Access, name: string): Step {
  const type = typeAt(of);
  const isCollection = type?.family === "array" || type?.family === "map" || (type?.family === "unknown" && !type.fields);
  // What is no attribute of an object is a method of it, whose empty brackets may be left out.
  const isMethod = type?.family === "record" && type.fields !== undefined && type.open !== true && !type.fields.has(name);
  return isMethod || (isCollection && isCollectionMethod(name)) ? { kind: "method", name, args: [] } : { kind: "field", name };
}

/** The type that a path leads to, without writing anything. */
export function typeAt(access: Access): Type | undefined {
  let type: Type | undefined = access.root.type;
  for (const step of access.steps) {
    if (step.kind === "field") type = type?.fields?.get(step.name) ?? UNKNOWN;
    else type = step.kind === "index" ? (type?.element ?? UNKNOWN) : UNKNOWN;
  }
  return type;
}
