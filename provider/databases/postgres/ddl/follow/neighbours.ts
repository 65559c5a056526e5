import type { QualifiedName } from "../../../../engine/models/catalog.js";
import type { Change } from "../difference.js";
import type { EmitContext, StepPlace } from "../emit/ddlDialect.js";
import type { TableStructure } from "../structure.js";
import type { DdlTarget } from "./ddlTarget.js";

/** Which of a table's parents are on the target. */
export async function parentsOnTarget(
  parents: readonly QualifiedName[],
  context: EmitContext,
  target: DdlTarget,
): Promise<(source: QualifiedName) => boolean> {
  const there = new Set<string>();
  for (const parent of parents)
    if (await target.hasRelation(context.relation(parent))) there.add(JSON.stringify([parent.schema, parent.name]));
  return ({ schema, name }) => there.has(JSON.stringify([schema, name]));
}

/** A foreign key to a table that the target does not have is left out, as in the schema phase. */
export async function withoutUnknownReferences(
  is: TableStructure,
  context: EmitContext,
  target: DdlTarget,
): Promise<TableStructure> {
  const constraints = [];
  for (const constraint of is.constraints) {
    const { referenced } = constraint;
    const self = referenced?.schema === is.schema && referenced.name === is.name;
    if (!referenced || self || (await target.hasRelation(context.relation(referenced)))) constraints.push(constraint);
  }
  return { ...is, constraints };
}

/** What a new foreign key points at, as it is on the target; undefined: it is none, or the target does not have that table. */
export async function referencedTable(
  change: Change,
  source: QualifiedName,
  { relation, sql }: EmitContext,
  target: DdlTarget,
): Promise<StepPlace["referenced"]> {
  if (change.kind !== "addConstraint" || !change.constraint.referenced) return undefined;
  const { referenced, definition } = change.constraint;
  const table = await target.relation(relation(referenced));
  if (table?.type !== "table") return undefined;
  return { table, definition: sql.foreignKey(definition, source, referenced) };
}
