import type { DdlOperations, PlannedTable } from "../../../engine/models/plan.js";
import type { PostgresCatalog } from "../../postgres/catalog/model.js";
import type { DdlEvent } from "../../postgres/ddl/ddlEvent.js";
import { type Change, difference } from "../../postgres/ddl/difference.js";
import { type EmitContext, operationOf, postgresDdl } from "../../postgres/ddl/emit/ddlDialect.js";
import { objectStatements } from "../../postgres/ddl/emit/objectStatements.js";
import { tableStatements } from "../../postgres/ddl/emit/tableStatements.js";
import type { FollowedNames } from "../../postgres/ddl/follow/followedNames.js";
import { sqlFor } from "../../postgres/ddl/follow/followedSql.js";
import type { Structure, TableStructure } from "../../postgres/ddl/structure.js";

export type ChangeEvent = Extract<DdlEvent, { kind: "change" }>;

export interface TextOptions {
  readonly names: FollowedNames;
  /** Asked only where names are others than the source's: texts are then rewritten. */
  readonly catalog: PostgresCatalog | undefined;
  /** The source's major version. */
  readonly version: number;
  readonly operations: DdlOperations;
  /** A table's plan before and after the change, where the task has it. */
  readonly former: PlannedTable | undefined;
  readonly next: PlannedTable | undefined;
}

/**
 * What changed, as SQL: the user's own statement where it stood alone and every name is the source's, else statements written from the difference. Only
 * what `operations` choose, and only kinds that DTS lists: tables with their columns, keys and indexes, views, functions and procedures.
 */
export function structureTexts(event: ChangeEvent, options: TextOptions): readonly string[] {
  const subject = event.after ?? event.before;
  if (!subject || !TOLD.has(subject.type)) return [];
  const operations = options.former?.ddl ?? options.operations;
  const chosen = difference(event.before, event.after).filter((change) => operations[operation(change, subject)]);
  if (chosen.length === 0) return [];
  if (event.command.statement !== undefined && !options.names.renames) return [event.command.statement];
  const named = [event.before, event.after].flatMap((each) => (each ? [{ schema: each.schema, name: each.name }] : []));
  const context: EmitContext = {
    dialect: postgresDdl(options.version),
    sql: sqlFor(options.catalog, options.names, named),
    relation: (source) => options.names.relation(source),
    schema: (source) => options.names.schema(source),
  };
  return chosen.flatMap((change) =>
    subject.type === "table"
      ? tableStatements(change, emitTable(event, subject, options), context)
      : objectStatements(change, subject, context),
  );
}

const TOLD: ReadonlySet<string> = new Set(["table", "view", "materializedView", "function", "procedure"]);

/** A view's or a routine's rename belongs to views and routines, not to tables. */
function operation(change: Change, subject: Structure): keyof DdlOperations {
  if (subject.type === "view" || subject.type === "materializedView") return "view";
  return subject.type === "table" ? operationOf(change) : "routine";
}

function emitTable({ before, after }: ChangeEvent, subject: TableStructure, { names, former, next }: TextOptions) {
  const by = (planned: PlannedTable | undefined, structure: Structure | undefined) => {
    const planNames = new Map(planned?.columns.map(({ number, target }) => [number, target]));
    const own = new Map(structure?.type === "table" ? structure.columns.map(({ number, name }) => [number, name]) : []);
    return (number: number) => planNames.get(number) ?? (planned ? undefined : names.spell(own.get(number) ?? ""));
  };
  const from = former?.target ?? names.newTable(before ?? subject);
  return {
    source: subject,
    from,
    to: next?.target ?? (after ? names.newTable(after) : from),
    columnBefore: by(former, before),
    columnAfter: by(next, after),
    empty: false,
    hasParent: () => true,
  };
}
