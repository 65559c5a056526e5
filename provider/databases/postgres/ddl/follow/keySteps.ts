import type { QualifiedName } from "../../../../engine/models/catalog.js";
import type { DdlStep, PlannedTable } from "../../../../engine/models/plan.js";
import { shownTarget } from "../../schema/draft.js";
import { tokenize } from "../../schema/sqlTokens.js";
import { ident } from "../../sql.js";
import type { EmitContext, EmitTable } from "../emit/ddlDialect.js";
import type { ConstraintStructure } from "../structure.js";

/** The id under which the schema phase keeps a foreign key that waits; `PlannedTable.target` is the table's on the target. */
export function keyStepId({ target }: Pick<PlannedTable, "target">, constraint: Pick<ConstraintStructure, "name">): string {
  return `foreignKey:${shownTarget(target)}.${constraint.name}`;
}

/** A new foreign key as a step for later: while tables stand at different positions of the source it need not hold. */
export function keyStep(
  constraint: ConstraintStructure,
  sql: readonly string[],
  { to }: Pick<EmitTable, "to">,
  { relation }: Pick<EmitContext, "relation">,
): DdlStep {
  return {
    id: keyStepId({ target: to }, constraint),
    stage: "foreignKeys",
    kind: "foreignKey",
    name: `${shownTarget(to)}.${constraint.name}`,
    sql,
    dependsOn: [
      `table:${shownTarget(to)}`,
      ...(constraint.referenced ? [`table:${shownTarget(relation(constraint.referenced))}`] : []),
    ],
    weight: 0,
  };
}

/** A table that takes other names on the target. */
export interface Renaming {
  readonly from: QualifiedName;
  readonly to: QualifiedName;
  /** The column's new name, or its old one. */
  readonly column: (name: string) => string;
}

/** A waiting key's step under the names that one of its two tables has now. Pure. */
export function renamedKeyStep(step: DdlStep, renaming: Renaming): DdlStep {
  const [before, after] = [`table:${shownTarget(renaming.from)}`, `table:${shownTarget(renaming.to)}`];
  return {
    ...step,
    sql: step.sql.map((sql) => renamedKey(sql, renaming)),
    dependsOn: step.dependsOn.map((id) => (id === before ? after : id)),
  };
}

/** ALTER TABLE [ONLY] a.b ADD CONSTRAINT c FOREIGN KEY (d) REFERENCES e.f(g) .. */
function renamedKey(sql: string, { from, to, column }: Renaming): string {
  const tokens = tokenize(sql).map((token) => ({ ...token }));
  const words = tokens.filter(({ kind }) => kind !== "space");
  const word = (value: string): number => words.findIndex((token) => token.bare && token.value === value);
  const rename = (at: number): boolean => {
    const [schema, , name] = words.slice(at, at + 3);
    if (!schema || !name || schema.value !== from.schema || name.value !== from.name) return false;
    schema.text = ident(to.schema);
    name.text = ident(to.name);
    return true;
  };
  const renameColumns = (at: number): void => {
    for (let place = at; place < words.length && words[place]?.text !== ")"; place++) {
      const token = words[place];
      if (token?.kind === "identifier") token.text = ident(column(token.value));
    }
  };
  const table = word("table") + 1;
  const references = word("references") + 1;
  if (table === 0 || references === 0) return sql;
  if (rename(words[table]?.value === "only" && words[table]?.bare ? table + 1 : table)) renameColumns(word("foreign") + 2);
  if (rename(references)) renameColumns(references + 3);
  return tokens.map(({ text }) => text).join("");
}
