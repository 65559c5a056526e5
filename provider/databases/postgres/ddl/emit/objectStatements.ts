import { ident, literal, qualified } from "../../sql.js";
import type { Change } from "../difference.js";
import type { RoutineStructure, Structure, ViewStructure } from "../structure.js";
import type { EmitContext } from "./ddlDialect.js";

/** A step of anything but a table: views, routines, sequences, types. `subject`: the object after the change, or before a drop. */
export function objectStatements(change: Change, subject: Structure, context: EmitContext): string[] {
  if (subject.type === "schema") return schemaStatements(change, context);
  const { sql, relation } = context;
  const to = relation(subject);
  const word = wordOf(subject);
  const signature = subject.type === "function" || subject.type === "procedure" ? `(${sql.definition(subject.signature)})` : "";
  const name = `${qualified(to)}${signature}`;
  switch (change.kind) {
    case "rename":
      return [`ALTER ${word} ${qualified({ ...to, name: change.from })}${signature} RENAME TO ${ident(to.name)}`];
    case "setSchema": {
      const from = relation({ schema: change.from, name: subject.name });
      return from.schema === to.schema ? [] : [`ALTER ${word} ${qualified(from)}${signature} SET SCHEMA ${ident(to.schema)}`];
    }
    case "createView":
      return [createView(change.view, change.replaces, context)];
    case "dropView":
      return [`DROP ${word} IF EXISTS ${name}`];
    case "createIndex":
      return [sql.onTable(change.index.definition, subject)];
    case "dropIndex":
      return [`DROP INDEX IF EXISTS ${qualified({ ...to, name: change.index.name })}`];
    case "createRoutine":
      return ["SET LOCAL check_function_bodies = off", routine(change.routine, context)];
    case "dropRoutine":
      return [`DROP ${word} IF EXISTS ${name}`];
    case "createSequence":
      return [`CREATE SEQUENCE IF NOT EXISTS ${name} ${change.sequence.options}`];
    case "alterSequence":
      return [`ALTER SEQUENCE ${name} ${change.sequence.options}`];
    case "dropSequence":
      return [`DROP SEQUENCE IF EXISTS ${name}`];
    case "createType":
      return [createType(change.type, context)];
    case "dropType":
      return [`DROP ${word} IF EXISTS ${name}`];
    case "addLabel": {
      const place = change.before === undefined ? "" : ` BEFORE ${literal(change.before).trim()}`;
      return [`ALTER TYPE ${name} ADD VALUE IF NOT EXISTS ${literal(change.label).trim()}${place}`];
    }
    case "renameLabel":
      return [`ALTER TYPE ${name} RENAME VALUE ${literal(change.from).trim()} TO ${literal(change.to).trim()}`];
    case "addAttribute":
      return [`ALTER TYPE ${name} ADD ATTRIBUTE ${ident(change.name)} ${sql.definition(change.type)}`];
    case "dropAttribute":
      return [`ALTER TYPE ${name} DROP ATTRIBUTE IF EXISTS ${ident(change.name)}`];
    case "renameAttribute":
      return [`ALTER TYPE ${name} RENAME ATTRIBUTE ${ident(change.from)} TO ${ident(change.to)}`];
    case "changeAttribute":
      return [`ALTER TYPE ${name} ALTER ATTRIBUTE ${ident(change.name)} TYPE ${sql.definition(change.type)}`];
    case "alterDomain":
      return [`ALTER DOMAIN ${name} ${sql.definition(change.clause)}`];
    default:
      return [];
  }
}

function schemaStatements(change: Change, { schema }: EmitContext): string[] {
  switch (change.kind) {
    case "createSchema":
      return [`CREATE SCHEMA IF NOT EXISTS ${ident(schema(change.name))}`];
    case "rename":
      return [`ALTER SCHEMA ${ident(schema(change.from))} RENAME TO ${ident(schema(change.to))}`];
    case "dropSchema":
      // What else the target keeps in it stays, and it with that.
      return [
        `DO $$ BEGIN DROP SCHEMA IF EXISTS ${ident(schema(change.name))}; EXCEPTION WHEN dependent_objects_still_exist THEN NULL; END $$`,
      ];
    default:
      return [];
  }
}

/** As ALTER and DROP call it. */
export function wordOf({ type }: Structure): string {
  switch (type) {
    case "materializedView":
      return "MATERIALIZED VIEW";
    case "enum":
    case "composite":
      return "TYPE";
    default:
      return type.toUpperCase();
  }
}

function createView(view: ViewStructure, replaces: boolean, { sql, relation }: EmitContext): string {
  const options = view.options.map((option) => option.replace("=", " = ")).join(", ");
  const withOptions = options && ` WITH (${options})`;
  const query = sql.query(view.query.trim().replace(/;$/, ""));
  const name = qualified(relation(view));
  if (view.type === "materializedView")
    return `CREATE MATERIALIZED VIEW ${name}${withOptions} AS ${query} WITH ${view.populated ? "" : "NO "}DATA`;
  return `CREATE ${replaces ? "OR REPLACE " : ""}VIEW ${name}${withOptions} AS ${query}`;
}

function routine({ definition, body }: RoutineStructure, { sql }: EmitContext): string {
  return sql.routine(definition, body ?? undefined);
}

function createType(type: Extract<Structure, { labels: unknown }>, { sql, relation }: EmitContext): string {
  const name = qualified(relation(type));
  if (type.type === "enum")
    return `CREATE TYPE ${name} AS ENUM (${(type.labels ?? []).map(({ label }) => literal(label).trim()).join(", ")})`;
  if (type.type === "composite")
    return `CREATE TYPE ${name} AS (${(type.attributes ?? []).map((each) => `${ident(each.name)} ${sql.definition(each.type)}`).join(", ")})`;
  return [
    `CREATE DOMAIN ${name} AS ${sql.definition(type.base ?? "")}`,
    ...(type.default === null ? [] : [`DEFAULT ${sql.definition(type.default)}`]),
    ...(type.notNull ? ["NOT NULL"] : []),
    ...type.constraints.map((each) => `CONSTRAINT ${ident(each.name)} ${sql.definition(each.definition)}`),
  ].join(" ");
}
