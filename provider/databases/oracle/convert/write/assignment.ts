import { Unconvertible } from "../read/cursor.js";
import type { Expression } from "../read/expression.js";
import { type Access, findAccess, refuseOpaque, type Step, typeAt, writeElement, writeSteps } from "./access.js";
import { changesCollection, writeCollectionChange } from "./collections.js";
import type { Environment, Unit } from "./environment.js";
import { quoteName, quoteText } from "./names.js";
import { castable, RECORD, TEXT, type Type } from "./types.js";
import { type Written, writeSql } from "./writeExpression.js";

/** Where INTO or an OUT argument can write: a variable, with what must run before and after. */
export interface Target {
  readonly sql: string;
  readonly type: Type;
  readonly before: readonly string[];
  readonly after: readonly string[];
}

/** Statements that put a value at the path an expression names. */
export function writeAssignment(target: Expression, value: string, env: Environment): string[] {
  return assign(requireAccess(target, env), value, env, target.line);
}

/** x.EXTEND, x.TRIM(n) and x.DELETE(i) as statements; undefined when the call is none of them. */
export function writeChangingMethod(call: Expression, env: Environment): string[] | undefined {
  const access = findAccess(call, env);
  const last = access?.steps.at(-1);
  if (!access || last?.kind !== "method" || !changesCollection(last.name)) return undefined;
  const collection: Access = { ...access, steps: access.steps.slice(0, -1) };
  const args = last.args.map((arg) => writeSql(arg.value, env));
  const value = writeCollectionChange(read(collection, env, call.line), last.name, args, env, call.line);
  return assign(collection, value, env, call.line);
}

/** A variable to read into; for an element or package state a hidden one, which is copied afterwards. */
export function writeTarget(expression: Expression, env: Environment): Target {
  // Of another file's package variable only the name is known, not the type; a setting holds its text.
  const access = withTextType(requireAccess(expression, env));
  const type = typeAt(access) ?? access.root.type;
  if (access.root.kind === "variable" && access.steps.every((step) => step.kind === "field")) {
    return {
      sql: [access.root.sql, ...access.steps.map((step) => (step.kind === "field" ? quoteName(step.name) : ""))].join("."),
      type,
      before: [],
      after: [],
    };
  }
  const hidden = unitOf(env, expression.line).fresh(`into_${access.name.replace(/\W/g, "_")}`, type.sql);
  return { sql: hidden, type, before: [], after: assign(access, hidden, env, expression.line) };
}

function assign(access: Access, value: string, env: Environment, line: number): string[] {
  const { root, steps } = access;
  if (steps.length > 0) refuseOpaque(root.type, line);
  if (root.kind === "state") return assignState(access, value, env, line);
  const map = steps.findIndex(
    (step, index) => step.kind === "index" && typeAt({ ...access, steps: steps.slice(0, index) })?.family === "map",
  );
  if (map < 0) return [`${writeLeft(root.sql, steps, env, line)} := ${value};`];
  return assignInMap(access, map, value, env, line);
}

/** An element of a table indexed by a string: the jsonb object is made anew with it. */
function assignInMap(access: Access, at: number, value: string, env: Environment, line: number): string[] {
  const key = access.steps[at];
  const rest = access.steps.slice(at + 1);
  const base: Access = { ...access, steps: access.steps.slice(0, at) };
  const map = read(base, env, line);
  const element = map.type.element;
  if (key?.kind !== "index" || !element) throw new Unconvertible("an assignment to this element", line);
  const path = `(${writeSql(key.key, env)})::text`;
  const target = castable(element);
  // Records and maps are kept as JSON objects; every other value as its text, which reading casts back whatever its type is.
  const asText = element.family === "record" || element.family === "map" ? "" : "::text";
  const put = (sql: string) =>
    assign(base, `jsonb_set(coalesce(${map.sql}, '{}'), ARRAY[${path}], coalesce(to_jsonb(${sql}${asText}), 'null'))`, env, line);
  if (rest.length === 0) return put(target ? `(${value})::${target}` : `(${value})`);
  const hidden = unitOf(env, line).fresh("element", element.sql);
  const inner: Access = { root: { kind: "variable", sql: hidden, type: element }, name: hidden, steps: rest };
  return [`${hidden} := ${writeElement(map, writeSql(key.key, env)).sql};`, ...assign(inner, value, env, line), ...put(hidden)];
}

function assignState(access: Access, value: string, env: Environment, line: number): string[] {
  const { root, steps } = access;
  if (root.kind !== "state") throw new Unconvertible("an assignment to this element", line);
  const store = (sql: string) => `PERFORM set_config(${quoteText(root.setting)}, ${sql}, false);`;
  if (steps.length === 0) {
    const target = castable(root.type);
    if (value === "NULL") return [store("''")];
    return [store(target && !/^godwit_into\w*$/.test(value) ? `((${value})::${target})::text` : `(${value})::text`)];
  }
  const hidden = unitOf(env, line).fresh(`state_${access.name}`, root.type.sql);
  const inner: Access = { root: { kind: "variable", sql: hidden, type: root.type }, name: hidden, steps };
  return [`${hidden} := ${root.read};`, ...assign(inner, value, env, line), store(`${hidden}::text`)];
}

function writeLeft(root: string, steps: readonly Step[], env: Environment, line: number): string {
  let sql = root;
  for (const step of steps) {
    if (step.kind === "method") throw new Unconvertible("an assignment to a method's result", line);
    sql += step.kind === "field" ? `.${quoteName(step.name)}` : `[${writeSql(step.key, env)}]`;
  }
  return sql;
}

function read(access: Access, env: Environment, line: number): Written {
  const root = { sql: access.root.kind === "variable" ? access.root.sql : access.root.read, type: access.root.type };
  return writeSteps(root, access.steps, env, line);
}

function withTextType(access: Access): Access {
  return access.root.kind === "state" && access.root.type === RECORD
    ? { ...access, root: { ...access.root, type: TEXT } }
    : access;
}

function requireAccess(target: Expression, env: Environment): Access {
  const access = findAccess(target, env);
  // Nothing can be assigned to a method's result, so what looked like one is an element of a collection.
  if (access) return { ...access, steps: access.steps.flatMap((step) => (step.kind === "method" ? elementOf(step) : [step])) };
  const own = env.openSelf ? selfAccess(target) : undefined;
  if (own) return own;
  // A package variable of another file: what is behind the dot is its name.
  const path = target.kind === "name" ? target.parts : [];
  const [home, name = ""] = path.length >= 2 ? path.slice(-2) : env.openHome ? [env.home, path[0]] : [];
  if (home === undefined || name === "") throw new Unconvertible("an assignment to what this file does not declare", target.line);
  const read = `${quoteName(home)}.${quoteName(name)}()`;
  return { root: { kind: "state", read, setting: settingName(home, name), type: RECORD }, name, steps: [] };
}

function elementOf(step: Extract<Step, { kind: "method" }>): Step[] {
  const [key] = step.args;
  return [{ kind: "field", name: step.name }, ...(key ? [{ kind: "index" as const, key: key.value }] : [])];
}

/** A path that starts at an attribute which the type's supertype, in another file, must have. */
function selfAccess(target: Expression): Access | undefined {
  const root: Access["root"] = { kind: "variable", sql: "self", type: RECORD };
  if (target.kind === "name") return { root, name: "self", steps: target.parts.map((name) => ({ kind: "field", name })) };
  const of = target.kind === "call" ? selfAccess(target.callee) : target.kind === "member" ? selfAccess(target.of) : undefined;
  if (!of) return undefined;
  if (target.kind === "member") return { ...of, steps: [...of.steps, { kind: "field", name: target.name }] };
  const [key] = target.kind === "call" ? target.args : [];
  return key && { ...of, steps: [...of.steps, { kind: "index", key: key.value }] };
}

/** Names of settings are letters, digits, _ and $, in two parts. */
export function settingName(home: string, name: string): string {
  return [home, name].map((part) => part.replace(/[^\p{L}\p{N}_$]/gu, "_")).join(".");
}

function unitOf(env: Environment, line: number): Unit {
  if (!env.unit) throw new Unconvertible("an assignment outside PL/SQL", line);
  return env.unit;
}
