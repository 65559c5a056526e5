import { Unconvertible } from "../read/cursor.js";
import type { Expression } from "../read/expression.js";
import type { Query, Select } from "../read/query.js";
import { findAccess, typeAt } from "./access.js";
import { writeAssignment, writeTarget } from "./assignment.js";
import type { Environment } from "./environment.js";
import { writeQuery } from "./queries.js";
import { COUNT_AS } from "./statements.js";
import { castable, type Type } from "./types.js";
import { writeExpression } from "./writeExpression.js";

/** SELECT ... BULK COLLECT INTO: an array of the rows, in the order of the query. */
export function writeBulkSelect(query: Query, select: Select, env: Environment): string[] {
  const [only] = select.into;
  const isStar = select.items.some((item) => item.value.kind === "star");
  const { sql } = writeQuery(query, env);
  if (only && select.into.length === 1)
    return [
      ...writeAssignment(only, collected(sql, targetType(only, env), select.items.length > 1 || isStar), env),
      countCollected(only, env),
    ];
  const names = select.into.map((_, index) => `c${index + 1}`);
  const arrays = names.map((name) => `coalesce(array_agg(godwit_q.${name}), '{}')`);
  if (select.into.some((target) => !targetType(target, env).element))
    return writeOpaqueBulk(sql, names, arrays, select.into, env);
  const targets = select.into.map((target) => writeTarget(target, env));
  return [
    ...targets.flatMap((target) => target.before),
    `SELECT ${arrays.join(", ")} INTO ${targets.map((target) => target.sql).join(", ")} FROM (${sql}) AS godwit_q(${names.join(", ")});`,
    ...targets.flatMap((target) => target.after),
    ...(only ? [countCollected(only, env)] : []),
  ];
}

/** SQL%ROWCOUNT is how many rows were gathered. */
export function countCollected(target: Expression, env: Environment): string {
  const { sql } = writeExpression(target, env);
  // What is declared in another file may be no array to the server, but its text is one.
  const array = targetType(target, env).element ? sql : `((${sql})::text)::text[]`;
  return `${COUNT_AS}coalesce(cardinality(${array}), 0)`;
}

/** Into collections whose types are in another file, which may be taken for rows where they stand in a list: one by one. */
function writeOpaqueBulk(
  sql: string,
  names: readonly string[],
  arrays: readonly string[],
  into: readonly Expression[],
  env: Environment,
): string[] {
  const row = env.unit?.fresh("columns", "record") ?? "";
  const values = arrays.map((array, index) => `${array}::text AS ${names[index]}`).join(", ");
  return [
    `SELECT ${values} INTO ${row} FROM (${sql}) AS godwit_q(${names.join(", ")});`,
    ...into.flatMap((target, index) => writeAssignment(target, `${row}.${names[index]}`, env)),
    ...into.slice(0, 1).map((target) => countCollected(target, env)),
  ];
}

function targetType(target: Expression, env: Environment): Type {
  const access = findAccess(target, env);
  const type = access && typeAt(access);
  if (!type) throw new Unconvertible("BULK COLLECT into what is no variable of this file", target.line);
  return type;
}

/** The rows of a query as an array of the collection's elements. */
export function collected(sql: string, type: Type, wide: boolean): string {
  const element = type.element ? castable(type.element) : undefined;
  if (type.element?.family === "record" && element) return `ARRAY(SELECT ROW(godwit_q.*)::${element} FROM (${sql}) AS godwit_q)`;
  if (!wide) return `ARRAY(${sql})`;
  // The element type is not in this file; the rows' text is what its input reads.
  return `ARRAY(SELECT godwit_q FROM (${sql}) AS godwit_q)::text`;
}
