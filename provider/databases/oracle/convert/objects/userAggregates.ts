import { Unconvertible } from "../read/cursor.js";
import type { Routine } from "../read/plsql.js";
import type { Environment } from "../write/environment.js";
import { dollarQuote, fitName, quoteNames } from "../write/names.js";
import { mapParameterType, mapType } from "../write/types.js";

/**
 * CREATE FUNCTION ... AGGREGATE USING type: an aggregate whose steps call the methods that Oracle calls, ODCIAggregateInitialize for the
 * first row of a group, Iterate for each and Terminate for the result. Merge is for parallel queries, which this aggregate takes no
 * part in. A group without rows ends as Oracle's does: a fresh state is terminated.
 */
export function writeUserAggregate(routine: Routine, using: readonly string[], env: Environment): string[] {
  const [argument, ...others] = routine.parameters;
  if (!argument || others.length > 0 || !routine.returns)
    throw new Unconvertible("an aggregate with other than one argument", routine.line);
  const state = quoteNames(using);
  const schema = using.slice(0, -1);
  const value = mapParameterType(argument.type, env).sql;
  const returns = mapType(routine.returns, env, "parameter").sql;
  const named = (part: string) => quoteNames([...routine.name.slice(0, -1), fitName(`${routine.name.at(-1)}_${part}`)]);
  const start = `(SELECT s.state FROM ${quoteNames([using.at(-1) ?? "", "odciaggregateinitialize"])}(NULL) AS s(state, status))`;
  const fresh = `  IF state IS NOT DISTINCT FROM NULL THEN state := ${start}; END IF;`;
  const iterate = `(SELECT s.state FROM ${quoteNames([...schema, "odciaggregateiterate"])}(state, value) AS s(state, status))`;
  const terminate = `(SELECT s.value FROM ${quoteNames([...schema, "odciaggregateterminate"])}(state, 0) AS s(value, status))`;
  const body = (result: string, first: readonly string[] = []) =>
    dollarQuote(["BEGIN", fresh, ...first, `  RETURN ${result};`, "END"].join("\n"));
  // Oracle passes no NULL to Iterate.
  const skipNull = ["  IF value IS NULL THEN RETURN state; END IF;"];
  return [
    `CREATE OR REPLACE FUNCTION ${named("iterate")}(state ${state}, value ${value}) RETURNS ${state} LANGUAGE plpgsql AS ${body(iterate, skipNull)}`,
    `CREATE OR REPLACE FUNCTION ${named("terminate")}(state ${state}) RETURNS ${returns} LANGUAGE plpgsql AS ${body(terminate)}`,
    `CREATE OR REPLACE AGGREGATE ${quoteNames(routine.name)}(${value}) (SFUNC = ${named("iterate")}, STYPE = ${state}, FINALFUNC = ${named("terminate")})`,
  ];
}
