import { Unconvertible } from "../read/cursor.js";
import type { Argument, ExpressionOf } from "../read/expression.js";
import type { Routine } from "../read/plsql.js";
import { writeAccess } from "./access.js";
import { writeAggregate } from "./aggregates.js";
import { writeAssignment } from "./assignment.js";
import { writePackageFunction } from "./builtinPackages.js";
import { writeWithDefault } from "./conversionErrors.js";
import type { Entry, Environment } from "./environment.js";
import { FUNCTIONS } from "./functions.js";
import { geometryType } from "./geometry.js";
import { quoteName, quoteNames } from "./names.js";
import { writeObjectMethod } from "./objectMethods.js";
import { arrayOf, BYTES, castable, mapType, TEXT, type Type, UNKNOWN } from "./types.js";
import { type Written, writeExpression, writeSql } from "./writeExpression.js";

/** Writes a call: an indexed variable, a constructor, a method, a routine of this file, one of Oracle's functions or any other. */
export function writeCall(e: ExpressionOf<"call">, env: Environment): Written {
  if (e.outer) throw new Unconvertible("(+) at this place", e.line);
  if (e.tail.pieces) return writePieces(e, env);
  const accessed = writeAccess(e, env);
  if (accessed) return accessed;
  if (e.callee.kind === "member" || e.callee.kind === "call") return writeMethod(e, env);
  if (e.callee.kind !== "name") throw new Unconvertible("a call of this kind", e.line);
  const parts = withoutSys(e.callee.parts);
  const constructed = writeConstructor(parts, e.args, env);
  if (constructed) return constructed;
  // STANDARD.TO_CHAR is Oracle's, whatever the package calls its own.
  const routine = e.callee.parts[0] === "standard" ? undefined : findRoutine(parts, env);
  if (routine) return writeRoutineCall(routine, e, env);
  const special = writeAggregate(parts, e, env) ?? writePackageFunction(parts, e, env);
  if (special) return special;
  const own = parts.length === 1 ? FUNCTIONS[parts[0] ?? ""] : undefined;
  if (e.tail.otherwise) return writeWithDefault(parts.join("."), e, env);
  if (own) {
    const written = own(
      e.args.map((arg) => arg.value),
      env,
      e,
    );
    if (written) return written;
  }
  return { sql: `${quoteCallee(parts)}(${writeArguments(e.args, env)})${writeOver(e, env)}`, type: UNKNOWN };
}

/** SYS and STANDARD stand before Oracle's own functions and packages without changing what they are. */
export function withoutSys(parts: readonly string[]): readonly string[] {
  return parts.length > 1 && (parts[0] === "sys" || parts[0] === "standard") ? parts.slice(1) : parts;
}

/** Function names that PostgreSQL's grammar treats specially are its own functions, too, and stay unquoted. */
const GRAMMAR_FUNCTIONS = new Set([
  "coalesce",
  "greatest",
  "least",
  "nullif",
  "grouping",
  "left",
  "right",
  "position",
  "overlay",
]);

function quoteCallee(parts: readonly string[]): string {
  return parts.length === 1 && GRAMMAR_FUNCTIONS.has(parts[0] ?? "") ? (parts[0] ?? "") : quoteNames(parts);
}

export function writeArguments(args: readonly Argument[], env: Environment): string {
  return args
    .map((arg) =>
      arg.name === undefined || arg.name.startsWith("\uE000")
        ? writeSql(arg.value, env)
        : `${quoteName(arg.name)} => ${writeSql(arg.value, env)}`,
    )
    .join(", ");
}

export function writeOver(e: ExpressionOf<"call">, env: Environment): string {
  const over = e.tail.over;
  if (!over) return "";
  if (e.tail.nulls === "IGNORE") throw new Unconvertible("IGNORE NULLS of a window function", e.line);
  const parts: string[] = [];
  if (over.partition.length > 0) parts.push(`PARTITION BY ${over.partition.map((each) => writeSql(each, env)).join(", ")}`);
  if (over.order.length > 0)
    parts.push(`ORDER BY ${over.order.map((key) => writeSql(key.value, env) + key.direction).join(", ")}`);
  if (over.frame.length > 0)
    parts.push(over.frame.map((each) => (typeof each === "string" ? each : writeSql(each, env))).join(" "));
  return ` OVER (${parts.join(" ")})`;
}

/** value.method(arguments) on what a call returned. */
function writeMethod(e: ExpressionOf<"call">, env: Environment): Written {
  if (e.callee.kind === "call") {
    // f(x)(i): an element of the collection that f returns.
    const [key] = e.args;
    const of = writeExpression(e.callee, env);
    if (!key) throw new Unconvertible("a call of a call's result", e.line);
    return { sql: `(${of.sql})[${writeSql(key.value, env)}]`, type: of.type.element ?? UNKNOWN };
  }
  if (e.callee.kind !== "member") throw new Unconvertible("a call of this kind", e.line);
  const args = e.args.map((arg) => (arg.name === undefined ? "" : `${quoteName(arg.name)} => `) + writeSql(arg.value, env));
  return writeObjectMethod(writeSql(e.callee.of, env), e.callee.name, args);
}

function writeConstructor(parts: readonly string[], args: readonly Argument[], env: Environment): Written | undefined {
  const type = env.scope.type(parts) ?? env.catalog.type(parts) ?? geometryType(parts, 0, env) ?? systemCollection(parts, env);
  if (!type) return undefined;
  const values = args.map((arg) => writeSql(arg.value, env));
  const target = castable(type) ?? type.sql;
  if (type.family === "map") return args.length === 0 ? { sql: "'{}'::jsonb", type } : undefined;
  if (type.family === "array") {
    if (values.length === 0) return { sql: `CAST('{}' AS ${target})`, type };
    const element = type.element ? arrayOf(type.element) : undefined;
    return { sql: `CAST(ARRAY[${values.join(", ")}]${element ? `::${element}` : ""} AS ${target})`, type };
  }
  // An object type's constructors are functions of its name; a record type of a package has none.
  if (type.family === "record" && (type.open || (parts.length === 1 && env.catalog.types.has(parts[0] ?? "")))) return undefined;
  if (type.family === "record" && type.fields) {
    const named = [...type.fields.keys()].map((field, index) => {
      const byName = args.find((arg) => arg.name === field);
      return byName ? writeSql(byName.value, env) : args[index]?.name === undefined ? (values[index] ?? "NULL") : "NULL";
    });
    return { sql: `CAST(ROW(${named.join(", ")}) AS ${target})`, type };
  }
  return undefined;
}

/** sys.odcivarchar2list('a', 'b'): a collection type that is no object of the file. */
function systemCollection(parts: readonly string[], env: Environment): Type | undefined {
  if (parts.length !== 1 || !/^(odci\w+list|dbms_debug_vc2coll|ora_mining_\w+_nt|ku\$_vcnt)$/.test(parts[0] ?? ""))
    return undefined;
  const type = mapType({ name: parts, line: 0 }, env, "variable");
  return type.family === "array" ? type : undefined;
}

type RoutineEntry = Extract<Entry, { kind: "routine" }>;

/** The routine of this file that a name calls, bare or with its package in front. */
export function findRoutine(parts: readonly string[], env: Environment): RoutineEntry | undefined {
  const [first = "", second = ""] = parts.slice(-2);
  const entry =
    parts.length === 1
      ? env.scope.find(first)
      : (env.catalog.packages.get(first)?.own(second) ?? (first === env.home ? env.scope.find(second) : undefined));
  return entry?.kind === "routine" ? entry : undefined;
}

/** The overload that takes these arguments, by their number and names; of a function and a procedure the one that is called. */
export function chooseOverload(entry: RoutineEntry, args: readonly Argument[], kind: Routine["kind"]): Routine | undefined {
  const fitting = entry.routines.filter(({ parameters }) => {
    const needed = parameters.filter((parameter) => !parameter.default);
    const fits = args.every((arg) => arg.name === undefined || parameters.some((parameter) => parameter.name === arg.name));
    return fits && args.length <= parameters.length && needed.length <= args.length;
  });
  return fitting.find((routine) => routine.kind === kind) ?? fitting[0];
}

function writeRoutineCall(entry: RoutineEntry, e: ExpressionOf<"call">, env: Environment): Written {
  const routine = chooseOverload(entry, e.args, "function");
  const captured = entry.captured.map(({ name }) => {
    const variable = env.scope.find(name);
    return variable?.kind === "variable" ? variable.sql : variable?.kind === "state" ? variable.read : quoteName(name);
  });
  const returns: Type = routine?.returns && routine.returns.name[0] !== "self" ? quietType(routine, env) : UNKNOWN;
  const outs = routine?.parameters.filter((parameter) => parameter.mode !== "IN") ?? [];
  if (routine && outs.length > 0 && env.unit) return writeOutCall(entry, e, env, captured, returns);
  const args = [writeArguments(e.args, env), ...captured].filter((each) => each !== "").join(", ");
  return { sql: `${entry.sql}(${args})`, type: returns };
}

function quietType(routine: { readonly returns?: Parameters<typeof mapType>[0] }, env: Environment): Type {
  return routine.returns ? mapType(routine.returns, env, "parameter") : UNKNOWN;
}

/** A function with OUT parameters gives a row in PostgreSQL: it is called by a statement of its own before the one it stands in. */
function writeOutCall(
  entry: RoutineEntry,
  e: ExpressionOf<"call">,
  env: Environment,
  captured: string[],
  returns: Type,
): Written {
  const unit = env.unit;
  const routine = chooseOverload(entry, e.args, "function");
  if (!unit || !routine) throw new Unconvertible("a function with OUT parameters at this place", e.line);
  const row = unit.fresh("answer", "record");
  const inputs: string[] = [];
  const outputs: string[] = [];
  for (const [index, parameter] of routine.parameters.entries()) {
    const arg =
      e.args.find((each) => each.name === parameter.name) ?? (e.args[index]?.name === undefined ? e.args[index] : undefined);
    if (!arg) continue;
    if (parameter.mode !== "OUT") inputs.push(`${quoteName(parameter.name)} => ${writeSql(arg.value, env)}`);
    if (parameter.mode !== "IN") outputs.push(...writeAssignment(arg.value, `${row}.${quoteName(parameter.name)}`, env));
  }
  unit.before.push(`SELECT * INTO ${row} FROM ${entry.sql}(${[...inputs, ...captured].join(", ")});`, ...outputs);
  return { sql: `${row}.godwit_result`, type: returns };
}

/** JSON_SERIALIZE(value RETURNING type PRETTY ...): the options behind the value say how the text looks, which jsonb_pretty decides. */
function writeJsonSerialize(pieces: readonly string[]): Written {
  const [value = "NULL"] = pieces;
  const at = pieces.indexOf("RETURNING");
  const type = at < 0 ? "" : (pieces[at + 1] ?? "");
  const sql = pieces.includes("PRETTY") ? `jsonb_pretty((${value})::jsonb)` : `(${value})::jsonb::text`;
  return /^bytea/.test(type) ? { sql: `convert_to(${sql}, 'UTF8')`, type: BYTES } : { sql, type: TEXT };
}

function writePieces(e: ExpressionOf<"call">, env: Environment): Written {
  const name = e.callee.kind === "name" ? (e.callee.parts[0] ?? "") : "";
  const pieces = (e.tail.pieces ?? []).map((piece) => (typeof piece === "string" ? piece : writeSql(piece, env)));
  refusePieces(name, e.tail.pieces ?? [], e.line);
  if (name === "xmlserialize") completeSerialize(pieces);
  let sql = "";
  for (const piece of pieces) sql += piece === "," || sql === "" || piece === ")" || sql.endsWith("(") ? piece : ` ${piece}`;
  if (name === "xmlagg" || name === "json_arrayagg" || name === "json_objectagg")
    return { sql: `${name}(${sql})${writeOver(e, env)}`, type: UNKNOWN };
  if (name === "json_serialize") return writeJsonSerialize(pieces);
  if (name === "xmlcolattval" || name === "xmlquery") throw new Unconvertible(name.toUpperCase(), e.line);
  return {
    sql: `${name}(${sql})`,
    type: name.startsWith("xml") && name !== "xmlserialize" ? { sql: "xml", family: "xml" } : UNKNOWN,
  };
}

function refusePieces(name: string, pieces: readonly unknown[], line: number): void {
  if (pieces.includes("EVALNAME")) throw new Unconvertible("EVALNAME: a name that is known at run time only", line);
  if (name === "xmltable" && !pieces.includes("COLUMNS")) throw new Unconvertible("XMLTABLE without columns, an XQuery", line);
}

/** PostgreSQL wants the type of the text to be said, and knows no width of the indent. */
function completeSerialize(pieces: string[]): void {
  const at = pieces.findIndex((piece, index) => piece === "INDENT" || (piece === "NO" && pieces[index + 1] === "INDENT"));
  if (!pieces.includes("AS")) pieces.splice(at < 0 ? pieces.length : at, 0, "AS", "text");
}
