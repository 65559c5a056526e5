import type { SkippedObject } from "../../../engine/models/plan.js";
import type { PgRoutine } from "../catalog/model.js";
import { type Draft, type SchemaContext, schemaStep, shown } from "./draft.js";

/**
 * Functions, procedures and aggregates. Bodies are not checked when they are made (check_function_bodies), for what a text body names is
 * no dependency that the server knows; an SQL-standard body is parsed, and its dependencies are known.
 */
export function routineDrafts(context: SchemaContext): Draft[] {
  return [...context.catalog.routines.map((routine) => routineDraft(context, routine)), ...aggregateDrafts(context)];
}

function routineDraft(context: SchemaContext, routine: PgRoutine): Draft {
  const signature = `(${context.sql.definition(routine.signature)})`;
  const name = `${context.name(routine)}${signature}`;
  const setting = "SET LOCAL check_function_bodies = off";
  const create = context.sql.routine(routine.definition, routine.sqlBody);
  return {
    id: `routine:${shown(context, routine)}${signature}`,
    stage: "beforeRows",
    kind: routine.kind,
    name: `${shown(context, routine)}${signature}`,
    subject: { kind: routine.kind, schema: routine.schema, name: routine.name, signature: routine.signature },
    provides: [routine.key],
    uses: [routine.key],
    requires: [schemaStep(context, routine.schema)],
    sql: [setting, create, ...context.comment(routine.key, `${routine.kind.toUpperCase()} ${name}`)],
    ...(routine.sqlBody === undefined
      ? {}
      : {
          // Recursion, or a view and a function that need each other: the signature first, with a body that is replaced.
          shell: {
            sql: [
              setting,
              `${context.sql.routine(routine.definition.slice(0, routine.definition.lastIndexOf(routine.sqlBody)), undefined)} AS ''`,
            ],
            needs: (key: string) => key.startsWith("pg_type/") || key.startsWith("pg_extension/"),
            uses: [routine.key],
          },
        }),
    blocked: routineBlocked(context, routine),
  };
}

function aggregateDrafts(context: SchemaContext): Draft[] {
  return context.catalog.aggregates.map((aggregate) => {
    const signature = `(${context.sql.definition(aggregate.signature)})`;
    const name = `${context.name(aggregate)}${signature}`;
    return {
      id: `aggregate:${shown(context, aggregate)}${signature}`,
      stage: "beforeRows",
      kind: "aggregate",
      name: `${shown(context, aggregate)}${signature}`,
      subject: { kind: "aggregate", schema: aggregate.schema, name: aggregate.name, signature: aggregate.signature },
      provides: [aggregate.key],
      uses: [aggregate.key],
      requires: [schemaStep(context, aggregate.schema)],
      sql: [
        `CREATE AGGREGATE ${name} (${aggregate.clauses.map((clause) => context.sql.definition(clause)).join(", ")})`,
        ...context.comment(aggregate.key, `AGGREGATE ${name}`),
      ],
    };
  });
}

/** What to tell the user of routines whose text was rewritten: unqualified names in it still mean what the search_path finds. */
export function rewrittenTexts(context: SchemaContext, made: ReadonlySet<string>): SkippedObject[] {
  if (!context.resolved.names.renames) return [];
  const names = context.catalog.routines
    .filter((routine) => routine.sqlBody === undefined)
    .map((routine) => routineDraft(context, routine))
    .filter(({ id }) => made.has(id))
    .map(({ name }) => name);
  if (names.length === 0) return [];
  const reason =
    "moved; their texts follow renames only where they write schema.name: check unqualified and column names in them";
  return [{ kind: "routineText", name: names.join(", "), reason }];
}

/** A query can be given the old column names by an alias list; the target of an INSERT or UPDATE cannot. */
function routineBlocked(context: SchemaContext, routine: PgRoutine): string | undefined {
  if (routine.sqlBody === undefined || !/\b(INSERT|UPDATE|DELETE|MERGE)\b/.test(routine.sqlBody)) return undefined;
  const changed = (context.catalog.dependencies.get(routine.key) ?? []).some(({ on }) => {
    const relation = on.startsWith("pg_class/") ? context.relations.get(Number(on.slice("pg_class/".length))) : undefined;
    return relation !== undefined && context.resolved.names.columnsDiffer(relation);
  });
  return changed ? "its body writes to a table whose columns have other names on the target" : undefined;
}
