import type { StepPlace } from "../../postgres/ddl/emit/ddlDialect.js";
import type { ColumnStructure, ConstraintStructure } from "../../postgres/ddl/structure.js";
import { ident, qualified } from "../../postgres/sql.js";
import { withoutColumnLists } from "../schema/foreignKeys.js";

/** ADD CONSTRAINT of a foreign key, with what PostgreSQL 12 does not parse taken out. */
export function foreignKeyStep({ name }: ConstraintStructure, { table, referenced }: StepPlace): string[] {
  if (!referenced) return [];
  const text = withoutColumnLists(referenced.definition).replace(/ NOT VALID$| NOT ENFORCED$/, "");
  return [`ALTER TABLE ONLY ${qualified(table.to)} ADD CONSTRAINT ${ident(name)} ${text}`];
}

/**
 * ALTER COLUMN ... TYPE of a column that rows are distributed by. The server does it where the new type hashes as the old one did (integers among
 * themselves, text and varchar), or where there are no rows; else it says "cannot alter type of a column used in a distribution policy". Then the
 * table is spread at random, for which its keys must go, and by the same columns again. Undefined: the plain statement does.
 */
export function retypedDistribution(column: ColumnStructure, type: string, { table, now }: StepPlace): string[] | undefined {
  const name = table.columnAfter(column.number) ?? column.name;
  const before = now.columns.find((each) => each.name === name);
  if (!before || table.empty || !now.distributed?.includes(name) || hashFamily(before.type) === hashFamily(type))
    return undefined;
  const keys = now.constraints.filter(({ kind }) => kind === "p" || kind === "u");
  const unique = now.indexes.filter((index) => index.unique && !index.constraint);
  const alter = (clause: string): string => `ALTER TABLE ${qualified(table.to)} ${clause}`;
  return [
    ...keys.map((key) => alter(`DROP CONSTRAINT ${ident(key.name)}`)),
    ...unique.map((index) => `DROP INDEX ${qualified({ schema: table.to.schema, name: index.name })}`),
    alter("SET DISTRIBUTED RANDOMLY"),
    alter(`ALTER COLUMN ${ident(name)} TYPE ${type}`),
    alter(`SET DISTRIBUTED BY (${now.distributed.map(ident).join(", ")})`),
    ...keys.map((key) => alter(`ADD CONSTRAINT ${ident(key.name)} ${key.definition}`)),
    ...unique.map((index) => index.definition),
  ];
}

/** Types of one family have equal hashes for equal values (the hash operator families of PostgreSQL 9.4 and 12). */
function hashFamily(type: string): string {
  const bare = type.replace(/ ?\([\d,]+\)/, "");
  if (/^(smallint|integer|bigint)$/.test(bare)) return "integer";
  if (/^(text|character varying|name)$/.test(bare)) return "text";
  if (/^(real|double precision)$/.test(bare)) return "float";
  return bare;
}
