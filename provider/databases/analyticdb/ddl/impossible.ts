import type { Change } from "../../postgres/ddl/difference.js";
import type { StepPlace } from "../../postgres/ddl/emit/ddlDialect.js";
import { holdsDistribution } from "../distribution.js";
import { referencedColumns } from "../schema/foreignKeys.js";

/**
 * Why a segmented table can't take a step, in words for the user. Pure. A unique key must hold the distribution key, else no segment sees all rows of a
 * value; rows of a table that lies at random are never unique; a replicated table has all of them everywhere.
 * `major`: PostgreSQL's below, 9 or 12.
 */
export function impossible(change: Change, on: StepPlace, major: number): string | undefined {
  if (change.kind === "addConstraint") {
    const { constraint } = change;
    if (constraint.kind === "f") return unkeyed(on);
    if (constraint.kind !== "p" && constraint.kind !== "u") return undefined;
    if (constraint.deferrable) return "deferrable keys are not moved: rows that swap a value would be refused";
    return newer(constraint.definition, major) ?? misfit(constraint.name, constraint.columns, on);
  }
  if (change.kind === "createIndex") {
    const { index } = change;
    const missing = index.columns.find((number) => number > 0 && on.table.columnAfter(number) === undefined);
    if (missing !== undefined) return `index ${index.name} is over a column that is not copied`;
    const unknown = newer(index.definition, major);
    if (unknown !== undefined || !/^CREATE UNIQUE /.test(index.definition)) return unknown;
    return misfit(index.name, index.columns, on);
  }
  return undefined;
}

function misfit(name: string, numbers: readonly number[], { table, now }: StepPlace): string | undefined {
  const columns = numbers.flatMap((number) => table.columnAfter(number) ?? []);
  if (columns.length < numbers.filter((number) => number > 0).length) return `key ${name} is over a column that is not copied`;
  const { distributed } = now;
  if (!distributed || holdsDistribution(columns, distributed)) return undefined;
  return `key ${name} does not hold the distribution key (${distributed.join(", ") || "rows lie at random"}): no segment sees all rows of a value; ALTER TABLE ... SET DISTRIBUTED BY on the target and add it there`;
}

/** Clauses of unique keys and indexes that the server's PostgreSQL does not parse. */
function newer(definition: string, major: number): string | undefined {
  if (/\bNULLS NOT DISTINCT\b/.test(definition)) return "NULLS NOT DISTINCT is known to newer servers only";
  if (/\bWITHOUT OVERLAPS\b/.test(definition)) return "WITHOUT OVERLAPS is known to newer servers only";
  return major < 11 && /\) INCLUDE \(/.test(definition) ? "INCLUDE is known from AnalyticDB 7 on" : undefined;
}

/** Declared, never enforced; still the columns that it points at must be a key. */
function unkeyed({ referenced }: StepPlace): string | undefined {
  if (!referenced) return "what it points at is not on the target";
  const { table, definition } = referenced;
  const pointed = referencedColumns(definition);
  const names = new Map(table.columns.map(({ number, name }) => [number, name]));
  const keys = [
    ...table.constraints.filter(({ kind }) => kind === "p" || kind === "u"),
    ...table.indexes.filter((index) => index.unique === true),
  ].map(({ columns }) => columns.map((number) => names.get(number)));
  const isKey = keys.some((key) => key.length === pointed.length && pointed.every((column) => key.includes(column)));
  return isKey ? undefined : `(${pointed.join(", ")}) is no key of ${table.schema}.${table.name} on the target`;
}
