import type { PgConstraint } from "./model.js";
import { type CatalogSession, inUserSchema, rows, since } from "./query.js";

interface ConstraintRow {
  id: number;
  name: string;
  kind: "c" | "f" | "p" | "u" | "x" | "n";
  relation: number;
  domain: number;
  definition: string;
  validated: boolean;
  deferrable: boolean;
  enforced: boolean;
  period: boolean;
  local: boolean;
  no_inherit: boolean;
  parent: number;
  index: number;
  referenced: number;
  columns: number[];
}

const KINDS: Readonly<Record<ConstraintRow["kind"], PgConstraint["kind"]>> = {
  c: "check",
  f: "foreignKey",
  p: "primaryKey",
  u: "unique",
  x: "exclusion",
  n: "notNull",
};

/** Constraints of tables and domains. Constraint triggers are triggers; not-null constraints have rows from PostgreSQL 18 on. */
export async function readConstraints(session: CatalogSession): Promise<PgConstraint[]> {
  return (await rows<ConstraintRow>(session, constraintsSql(session))).map((row) => ({
    key: `pg_constraint/${row.id}`,
    name: row.name,
    kind: KINDS[row.kind],
    relation: row.relation,
    domain: row.domain === 0 ? undefined : `pg_type/${row.domain}`,
    definition: row.definition,
    validated: row.validated,
    deferrable: row.deferrable,
    enforced: row.enforced,
    period: row.period,
    local: row.local,
    noInherit: row.no_inherit,
    parent: row.parent === 0 ? undefined : `pg_constraint/${row.parent}`,
    index: row.index === 0 ? undefined : `pg_class/${row.index}`,
    referenced: row.referenced,
    columns: row.columns,
  }));
}

function constraintsSql(session: CatalogSession): string {
  return `
SELECT k.oid AS id, k.conname AS name, k.contype AS kind, k.conrelid AS relation, k.contypid AS domain,
       pg_catalog.pg_get_constraintdef(k.oid) AS definition, k.convalidated AS validated, k.condeferrable AS deferrable,
       ${since(session, 18, "k.conenforced", "true")} AS enforced, ${since(session, 18, "k.conperiod", "false")} AS period,
       k.conislocal AS local, k.connoinherit AS no_inherit, ${since(session, 11, "k.conparentid", "0::pg_catalog.oid")} AS parent,
       k.conindid AS index, k.confrelid AS referenced, coalesce(k.conkey, '{}') AS columns
FROM pg_catalog.pg_constraint k
WHERE k.contype IN ('c', 'f', 'p', 'u', 'x', 'n') AND ${inUserSchema("k.connamespace")}
ORDER BY k.oid`;
}
