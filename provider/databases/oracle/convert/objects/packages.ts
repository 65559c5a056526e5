import type { Cursor } from "../read/cursor.js";
import { Unconvertible } from "../read/cursor.js";
import type { Declaration, Handler, Routine, RoutineTraits, Statement } from "../read/plsql.js";
import { readBlockBody } from "../read/readBlock.js";
import { readDeclarations } from "../read/readDeclarations.js";
import { registerExceptions } from "../write/blocks.js";
import { type Environment, Scope, Unit } from "../write/environment.js";
import { dollarQuote, quoteName, quoteNames } from "../write/names.js";
import { type Variable, writeState } from "../write/packageState.js";
import { writeBody } from "../write/routines.js";
import { declareType } from "../write/typeDeclarations.js";
import { writeRoutineOrError } from "../write/unconverted.js";
import { type Converted, type LeftOut, readUnitEnd } from "./converted.js";
import { Overloads } from "./overloads.js";

/**
 * CREATE PACKAGE and CREATE PACKAGE BODY. A package becomes a schema of its name with a function or procedure per routine; variables
 * become settings of the session, read through a function of the variable's name.
 */
export function convertPackage(cursor: Cursor, env: Environment): Converted {
  cursor.expect("PACKAGE");
  const isBody = cursor.accept("BODY");
  const names = cursor.names();
  const home = names.at(-1) ?? "";
  let authid: RoutineTraits["authid"];
  while (!cursor.acceptAny("IS", "AS")) {
    if (cursor.accept("AUTHID")) authid = cursor.next().text === "DEFINER" ? "DEFINER" : "CURRENT_USER";
    else cursor.skip();
    if (cursor.done) cursor.fail("expected IS");
  }
  const { declarations } = readDeclarations(cursor);
  const initial = cursor.at("BEGIN") ? readBlockBody(cursor) : undefined;
  if (!initial) cursor.expect("END");
  readUnitEnd(cursor, "package");
  const kind = isBody ? "package body" : "package";
  return isBody
    ? writePackageBody(kind, names, home, declarations, initial, env)
    : writeSpecification(kind, names, home, declarations, authid, env);
}

function writeSpecification(
  kind: string,
  names: readonly string[],
  home: string,
  declarations: readonly Declaration[],
  authid: RoutineTraits["authid"],
  env: Environment,
): Converted {
  const scope = new Scope(env.scope);
  const inner: Environment = { ...env, scope, home, place: "procedure" };
  registerRoutines(declarations, inner, authid);
  registerExceptions(declarations, inner);
  const leftOut: LeftOut[] = [];
  const state = declareAll(declarations, inner, leftOut);
  const variables = declarations.filter(
    (declaration): declaration is Variable => declaration.kind === "variable" && !declaration.constant,
  );
  env.catalog.packageVariables.set(home, { variables, env: inner });
  env.catalog.packages.set(home, scope);
  // Those in another language have no body in the package's body.
  const foreign = declarations.flatMap((each) =>
    each.kind === "routine" && each.routine.traits.foreign !== undefined
      ? writeRoutineOrError(each.routine, quoteNames([home, each.routine.name.at(-1) ?? ""]), inner)
      : [],
  );
  return {
    kind,
    name: names.join("."),
    sql: [`CREATE SCHEMA IF NOT EXISTS ${quoteName(home)}`, ...env.output.before, ...state, ...foreign],
    leftOut,
  };
}

function hasBody({ block, traits }: Routine): boolean {
  return block !== undefined || traits.foreign !== undefined;
}

function writePackageBody(
  kind: string,
  names: readonly string[],
  home: string,
  declarations: readonly Declaration[],
  initial: { body: Statement[]; handlers: Handler[] } | undefined,
  env: Environment,
): Converted {
  const specification = env.catalog.packages.get(home);
  const scope = new Scope(specification ?? env.scope);
  const preface = initial ? [`CALL ${quoteNames([home, "godwit_initialize"])}();`] : [];
  const inner: Environment = { ...env, scope, home, ...(specification ? {} : { openHome: true }), place: "procedure" };
  const authid = specificationTraits(specification);
  registerRoutines(declarations, inner, undefined);
  registerExceptions(declarations, inner);
  const leftOut: LeftOut[] = [];
  const state = declareAll(declarations, inner, leftOut, preface);
  // The specification's variables have been written before it was known that the body initializes them.
  const known = initial ? env.catalog.packageVariables.get(home) : undefined;
  if (known) for (const variable of known.variables) state.push(...writeState(variable, known.env, preface));
  const routines: string[] = [];
  const bodies = declarations.flatMap((each) => (each.kind === "routine" && hasBody(each.routine) ? [each.routine] : []));
  const overloads = new Overloads(bodies, inner);
  for (const declaration of declarations) {
    if (declaration.kind !== "routine" || !hasBody(declaration.routine)) continue;
    const { routine } = declaration;
    attempt(routine.kind, `${home}.${routine.name.join(".")}`, routine.line, leftOut, () => {
      const distinct = overloads.distinct(routine);
      const traits = authid.get(routine.name.at(-1) ?? "");
      const own = traits ? { ...distinct, traits: { ...distinct.traits, authid: traits } } : distinct;
      const before = env.output.before.length;
      const written = writeRoutineOrError(own, quoteNames([home, routine.name.at(-1) ?? ""]), inner, { preface });
      routines.push(...env.output.before.splice(before), ...written);
    });
  }
  const initialize = initial ? [writeInitialize(home, initial, inner)] : [];
  return {
    kind,
    name: names.join("."),
    sql: [`CREATE SCHEMA IF NOT EXISTS ${quoteName(home)}`, ...env.output.before, ...state, ...routines, ...initialize],
    leftOut,
  };
}

/** The body's BEGIN block runs once a session, before the first routine does anything. */
function writeInitialize(home: string, initial: { body: Statement[]; handlers: Handler[] }, env: Environment): string {
  const name = quoteNames([home, "godwit_initialize"]);
  const unit = new Unit("procedure", "godwit_initialize", ["RETURN;"]);
  const setting = `${home.replace(/[^\p{L}\p{N}_$]/gu, "_")}.godwit_initialized`;
  const once = [
    `IF current_setting('${setting}', true) = 'yes' THEN RETURN; END IF;`,
    `PERFORM set_config('${setting}', 'yes', false);`,
  ];
  const block = { declarations: [], autonomous: false, ...initial, line: 0 };
  const body = writeBody(block, { ...env, scope: new Scope(env.scope), unit }, { preface: once });
  return `CREATE OR REPLACE PROCEDURE ${name}() LANGUAGE plpgsql AS ${dollarQuote(body.join("\n"))}`;
}

/** All routines are known before the first is written, since they may call each other in any order. */
function registerRoutines(declarations: readonly Declaration[], env: Environment, authid: RoutineTraits["authid"]): void {
  for (const declaration of declarations) {
    if (declaration.kind !== "routine") continue;
    const { routine } = declaration;
    if (authid) routine.traits.authid = authid;
    const name = routine.name.at(-1) ?? "";
    const entry = env.scope.own(name);
    if (entry?.kind === "routine") entry.routines.push(routine);
    else env.scope.set(name, { kind: "routine", sql: quoteNames([env.home ?? "", name]), routines: [routine], captured: [] });
  }
}

function specificationTraits(specification: Scope | undefined): ReadonlyMap<string, RoutineTraits["authid"]> {
  const traits = new Map<string, RoutineTraits["authid"]>();
  for (const [name, entry] of specification?.all() ?? [])
    if (entry.kind === "routine" && entry.routines[0]?.traits.authid) traits.set(name, entry.routines[0].traits.authid);
  return traits;
}

/** Types, cursors and variables in their order; the functions that read the variables. */
function declareAll(
  declarations: readonly Declaration[],
  env: Environment,
  leftOut: LeftOut[],
  preface: readonly string[] = [],
): string[] {
  const state: string[] = [];
  for (const declaration of declarations) {
    if (declaration.kind === "type") {
      attempt("type", `${env.home}.${declaration.name}`, declaration.line, leftOut, () => {
        env.scope.set(declaration.name, {
          kind: "type",
          type: declareType(declaration.name, declaration.definition, [env.home], env, declaration.line),
        });
      });
    } else if (declaration.kind === "cursor") {
      const { name, parameters, query, problem } = declaration;
      const known = env.scope.find(name);
      env.scope.set(name, {
        kind: "cursor",
        sql: name,
        parameters,
        ...(query ? { query } : known?.kind === "cursor" && known.query ? { query: known.query } : {}),
        ...(problem === undefined ? {} : { problem }),
        shared: env.scope,
      });
    } else if (declaration.kind === "variable") {
      attempt("variable", `${env.home}.${declaration.name}`, declaration.line, leftOut, () =>
        state.push(...writeState(declaration, env, declaration.constant ? [] : preface)),
      );
    }
  }
  return state;
}

function attempt(kind: string, name: string, line: number, leftOut: LeftOut[], write: () => unknown): void {
  try {
    write();
  } catch (cause) {
    if (!(cause instanceof Unconvertible)) throw cause;
    leftOut.push({ kind, name, reason: cause.reason, line: cause.line || line });
  }
}
