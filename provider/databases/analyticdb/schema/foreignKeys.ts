import type { DdlStep, PlannedTable } from "../../../engine/models/plan.js";
import { type SchemaContext, shown, shownTarget } from "../../postgres/schema/draft.js";
import { tokenize } from "../../postgres/schema/sqlTokens.js";
import { constraintBlocked } from "../../postgres/schema/tableChecks.js";
import { ident, qualified } from "../../postgres/sql.js";
import type { Storage } from "../storage.js";
import { uniqueColumns } from "./uniqueKeys.js";

/**
 * Foreign keys, which the family accepts and does not check ("Referential integrity constraints can be declared but are not enforced": Greenplum's CREATE
 * TABLE). They still tell planners and people what joins what. The columns they point at must be a key of the target's table.
 */
export function foreignKeySteps(context: SchemaContext, tables: readonly PlannedTable[], storage: Storage): DdlStep[] {
  const byId = new Map(tables.map((table) => [table.id, table]));
  return context.catalog.constraints.flatMap((constraint): DdlStep[] => {
    const table = byId.get(constraint.relation);
    if (constraint.kind !== "foreignKey" || !table) return [];
    const referencing = context.relations.get(table.id);
    const referenced = context.relations.get(constraint.referenced);
    if (!referencing || !referenced) return [];
    // A key that points at a partitioned table has a copy for each of its partitions.
    if (constraint.parent !== undefined && referencing.partitionBound === undefined) return [];
    const name = `${shownTarget(table.target)}.${constraint.name}`;
    const skip = (reason: string): DdlStep[] => {
      context.skipped.push({ kind: "foreignKey", name, reason });
      return [];
    };
    const other = byId.get(referenced.id);
    if (!other) return skip(`it points at ${shown(context, referenced)}, which is not moved as one table`);
    const older = constraintBlocked(context, constraint);
    if (older !== undefined) return skip(older);
    const definition = context.sql.foreignKey(constraint.definition, referencing, referenced);
    const pointed = referencedColumns(definition);
    const unique = uniqueColumns(context, other, storage).some(
      (columns) => columns.length === pointed.length && pointed.every((column) => columns.includes(column)),
    );
    if (!unique) return skip(`(${pointed.join(", ")}) is no key of ${shownTarget(other.target)} on the target`);
    return [
      {
        id: `foreignKey:${name}`,
        stage: "foreignKeys",
        kind: "foreignKey",
        name,
        sql: [
          `ALTER TABLE ONLY ${qualified(table.target)} ADD CONSTRAINT ${ident(constraint.name)} ${withoutColumnLists(definition)}`,
        ],
        dependsOn: [`table:${shownTarget(table.target)}`, `table:${shownTarget(other.target)}`],
        weight: 0,
      },
    ];
  });
}

/** The columns after REFERENCES. Pure. */
export function referencedColumns(definition: string): string[] {
  const tokens = tokenize(definition).filter(({ kind }) => kind !== "space");
  const at = tokens.findIndex(({ bare, value }) => bare && value === "references");
  const open = tokens.findIndex(({ text }, index) => index > at && text === "(");
  const close = tokens.findIndex(({ text }, index) => index > open && text === ")");
  return tokens.slice(open + 1, close).flatMap(({ kind, value }) => (kind === "identifier" ? [value] : []));
}

/** ON DELETE SET NULL (a, b) came with PostgreSQL 15; as nothing is enforced, what it would do does not matter. */
export function withoutColumnLists(definition: string): string {
  return definition.replace(/(ON DELETE SET (?:NULL|DEFAULT)) \([^)]*\)/, "$1");
}
