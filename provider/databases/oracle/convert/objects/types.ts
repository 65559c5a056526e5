import type { Cursor } from "../read/cursor.js";
import { Unconvertible } from "../read/cursor.js";
import { readDataType } from "../read/dataType.js";
import type { Routine, RoutineTraits } from "../read/plsql.js";
import { readTypeDefinition } from "../read/readDeclarations.js";
import { readRoutine } from "../read/readRoutine.js";
import { type Environment, Scope } from "../write/environment.js";
import { dollarQuote, quoteName, quoteNames, quoteText } from "../write/names.js";
import { createComposite, declareType } from "../write/typeDeclarations.js";
import { arrayOf, castable, mapParameterType, mapType, type Type } from "../write/types.js";
import { writeRoutineOrError } from "../write/unconverted.js";
import { type Converted, type LeftOut, schemaStatements } from "./converted.js";
import { Overloads } from "./overloads.js";

/**
 * CREATE TYPE and CREATE TYPE BODY. An object type becomes a composite type with a function of its name that makes a value; its
 * methods become functions whose first argument is the object, static ones functions in a schema of the type's name.
 */
export function convertType(cursor: Cursor, env: Environment): Converted {
  cursor.expect("TYPE");
  if (cursor.accept("BODY")) return convertTypeBody(cursor, env);
  const names = cursor.names();
  const name = names.join(".");
  if (cursor.accept("OID")) cursor.next();
  while (cursor.acceptAny("FORCE", "AUTHID", "CURRENT_USER", "DEFINER", "SHARING", "=", "METADATA", "NONE"));
  if (cursor.accept("ACCESSIBLE", "BY")) cursor.bracketed();
  const schema = schemaStatements(names, env);
  if (cursor.done || cursor.at(";"))
    return { kind: "type", name, sql: [], nothing: "an incomplete type: PostgreSQL needs no declaration before the type itself" };
  const isObject = cursor.accept("UNDER")
    ? "under"
    : cursor.acceptAny("IS", "AS") && cursor.accept("OBJECT")
      ? "object"
      : undefined;
  if (isObject) return { kind: "type", name, sql: [...schema, ...writeObject(cursor, names, isObject === "under", env)] };
  if (cursor.accept("OPAQUE")) cursor.refuse("an opaque type");
  const line = cursor.line;
  const definition = readTypeDefinition(cursor);
  const type = declareType(names.at(-1) ?? "", definition, names.length > 1 ? [names.at(-2), undefined] : [], env, line);
  env.catalog.types.set(names.slice(-2).join("."), type);
  return { kind: "type", name, sql: [...schema, ...env.output.before, ...collectionConstructor(names, type)] };
}

/** tags('a', 'b') builds a collection wherever its type is not known to the converter. */
function collectionConstructor(names: readonly string[], type: Type): string[] {
  if (type.family !== "array" || !type.element) return [];
  const sql = quoteNames(names);
  return [
    `CREATE OR REPLACE FUNCTION ${sql}(VARIADIC elements ${arrayOf(type.element)} DEFAULT '{}') RETURNS ${sql} LANGUAGE sql IMMUTABLE AS ${dollarQuote(`  SELECT CAST(elements AS ${sql})`)}`,
  ];
}

const QUALIFIERS = ["OVERRIDING", "FINAL", "INSTANTIABLE", "NOT", "MAP", "ORDER"];

function writeObject(cursor: Cursor, names: readonly string[], isUnder: boolean, env: Environment): string[] {
  const parent = isUnder ? cursor.names() : undefined;
  const fields = new Map<string, Type>();
  const declared: Routine[] = [];
  if (cursor.accept("EXTERNAL")) cursor.refuse("an SQLJ object type");
  if (cursor.at("(")) {
    cursor.listed(() => {
      while (cursor.atAny(...QUALIFIERS) && !cursor.atAhead(1, ",", ")", "(")) cursor.next();
      const member = cursor.acceptAny("MEMBER", "STATIC", "CONSTRUCTOR");
      if (member) declared.push(readRoutine(cursor, member as NonNullable<RoutineTraits["member"]>));
      else if (cursor.accept("PRAGMA")) {
        cursor.next();
        cursor.bracketed();
      } else {
        const field = cursor.name();
        fields.set(field, mapType(readDataType(cursor), { ...env, object: names.at(-1) ?? "" }, "column"));
      }
    });
  }
  const sql = quoteNames(names);
  const found = parent && env.catalog.type(parent);
  const inherited = found?.open ? undefined : found;
  const all = new Map([...(found?.fields ?? []), ...fields]);
  const isComplete = !parent || inherited?.fields !== undefined;
  const type: Type = { sql, family: "record", fields: all, ...(isComplete ? {} : { open: true }) };
  env.catalog.types.set(names.slice(-2).join("."), type);
  for (const routine of declared) registerMethod(routine, names, env);
  if (parent && !isComplete) return [...env.output.before, writeUnder(sql, parent, fields)];
  if (all.size === 0) {
    createComposite(sql, all, env);
    return [...env.output.before];
  }
  createComposite(sql, all, env);
  // A constructor written by the user with the same arguments takes the place of this one when the body is created.
  const list = [...all]
    .map(
      ([field, fieldType]) =>
        `${quoteName(field)} ${fieldType.family === "integer" ? "numeric" : (castable(fieldType) ?? "text").replace(/\(.*\)/, "")} DEFAULT NULL`,
    )
    .join(", ");
  const row = Array.from(all, (_, index) => `$${index + 1}`).join(", ");
  const make = `CREATE OR REPLACE FUNCTION ${sql}(${list}) RETURNS ${sql} LANGUAGE sql IMMUTABLE AS ${dollarQuote(`  SELECT CAST(ROW(${row}) AS ${sql})`)}`;
  return [...env.output.before, ...(all.size <= 100 ? [make] : [])];
}

/** A subtype whose supertype is in another file: its attributes are read from the target when the statement runs. */
function writeUnder(sql: string, parent: readonly string[], fields: ReadonlyMap<string, Type>): string {
  const own = [...fields].map(([name, type]) => `${quoteName(name)} ${castable(type) ?? "text"}`);
  const body = [
    "DECLARE",
    `  godwit_parent ${quoteNames(parent)};`,
    "  godwit_attributes text[];",
    "BEGIN",
    "  SELECT array_agg(format('%I %s', attname, format_type(atttypid, atttypmod)) ORDER BY attnum) INTO godwit_attributes",
    "  FROM pg_attribute JOIN pg_type ON typrelid = attrelid",
    "  WHERE pg_type.oid = pg_typeof(godwit_parent) AND attnum > 0 AND NOT attisdropped;",
    `  EXECUTE format('CREATE TYPE %s AS (%s)', ${quoteText(sql)}, array_to_string(godwit_attributes || ARRAY[${own.map(quoteText).join(", ")}]::text[], ', '));`,
    "END",
  ];
  return `DO ${dollarQuote(body.join("\n"))}`;
}

function registerMethod(routine: Routine, names: readonly string[], env: Environment): void {
  if (routine.traits.member !== "STATIC") return;
  const home = names.at(-1) ?? "";
  const scope = env.catalog.packages.get(home) ?? new Scope(env.scope);
  env.catalog.packages.set(home, scope);
  const name = routine.name.at(-1) ?? "";
  const entry = scope.own(name);
  if (entry?.kind === "routine") entry.routines.push(routine);
  else scope.set(name, { kind: "routine", sql: quoteNames([home, name]), routines: [routine], captured: [] });
}

function convertTypeBody(cursor: Cursor, env: Environment): Converted {
  const names = cursor.names();
  const name = names.join(".");
  if (!cursor.acceptAny("IS", "AS")) cursor.fail("expected IS");
  const routines: Routine[] = [];
  while (!cursor.at("END")) {
    while (cursor.acceptAny(...QUALIFIERS));
    const member = cursor.acceptAny("MEMBER", "STATIC", "CONSTRUCTOR");
    if (!member) cursor.fail("expected MEMBER, STATIC or CONSTRUCTOR");
    routines.push(readRoutine(cursor, member as NonNullable<RoutineTraits["member"]>));
    cursor.expect(";");
  }
  const type = env.catalog.type(names) ?? { sql: quoteNames(names), family: "record" as const };
  const leftOut: LeftOut[] = [];
  const sql: string[] = [];
  const overloads = new Overloads(routines, env);
  if (routines.some(({ traits }) => traits.member === "STATIC"))
    sql.push(`CREATE SCHEMA IF NOT EXISTS ${quoteName(names.at(-1) ?? "")}`);
  const scope = methodScope(routines, names, type, env);
  for (const each of routines) {
    let routine = each;
    try {
      routine = overloads.distinct(each);
      const isOpen = (!type.fields || type.open) && routine.traits.member !== "STATIC";
      sql.push(
        ...writeMethod(routine, names, type, {
          ...env,
          scope,
          object: names.at(-1) ?? "",
          ...(isOpen ? { openSelf: true } : {}),
        }),
      );
    } catch (cause) {
      if (!(cause instanceof Unconvertible)) throw cause;
      leftOut.push({
        kind: routine.kind,
        name: `${name}.${routine.name.join(".")}`,
        reason: cause.reason,
        line: cause.line || routine.line,
      });
    }
  }
  return { kind: "type body", name, sql: [...env.output.before, ...sql], leftOut };
}

/** Attributes and methods may be named without SELF in front. */
function methodScope(routines: readonly Routine[], names: readonly string[], type: Type, env: Environment): Scope {
  const scope = new Scope(env.scope);
  for (const [field, fieldType] of type.fields ?? [])
    scope.set(field, { kind: "variable", sql: `self.${quoteName(field)}`, type: fieldType });
  for (const routine of routines) {
    if (routine.traits.member === "STATIC") registerMethod(routine, names, env);
  }
  return scope;
}

function writeMethod(routine: Routine, names: readonly string[], type: Type, env: Environment): string[] {
  const schema = names.slice(0, -1);
  const name = routine.name.at(-1) ?? "";
  const given = routine.parameters.find((parameter) => parameter.name === "self");
  switch (routine.traits.member) {
    case "STATIC":
      return writeRoutineOrError(routine, quoteNames([names.at(-1) ?? "", name]), env);
    case "CONSTRUCTOR": {
      const own = routine.parameters.filter((parameter) => parameter.name !== "self");
      // The constructor from all attributes would stand in the way: its parameters have other names and defaults.
      const replaces = own.length === type.fields?.size;
      const list = own.map((parameter) => mapParameterType(parameter.type, env).sql).join(", ");
      const made = writeRoutineOrError(routine, quoteNames(names), env, { self: { type, mode: "LOCAL" } });
      return replaces ? [`DROP FUNCTION IF EXISTS ${quoteNames(names)}(${list})`, ...made] : made;
    }
    default: {
      // A procedure may change its object without saying so; a function says SELF IN OUT.
      const mode =
        routine.kind === "procedure"
          ? given && given.mode === "IN"
            ? "IN"
            : "INOUT"
          : given?.mode === "IN OUT"
            ? "INOUT"
            : "IN";
      return writeRoutineOrError(routine, quoteNames([...schema, name]), env, { self: { type, mode } });
    }
  }
}
