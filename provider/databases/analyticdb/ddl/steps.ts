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
 * ALTER COLUMN ... TYPE where the plain statement does not do. Undefined: it does.
 *
 * A column that rows are distributed by: the server does it where the new type hashes as the old one did (integers among themselves, text and
 * varchar), or where there are no rows; else it says "cannot alter type of a column used in a distribution policy". Then the table is spread at
 * random, for which its keys must go, and by the same columns again.
 *
 * A column of an index, on 6: "cannot alter indexed column", and of a primary key "relation ... already exists" from a segment (seen on Greenplum 6.0.0
 * beta): what is over it goes before and comes back after, and so do foreign keys that point at it.
 */
export function retypedColumn(
  column: ColumnStructure,
  type: string,
  { table, now }: StepPlace,
  major: number,
): string[] | undefined {
  const name = table.columnAfter(column.number) ?? column.name;
  const before = now.columns.find((each) => each.name === name);
  if (!before) return undefined;
  const distributed = now.distributed ?? [];
  const respread = !table.empty && distributed.includes(name) && hashFamily(before.type) !== hashFamily(type);
  const inTheWay = (over: readonly number[], unique: boolean) =>
    (respread && unique) || (major < 12 && over.includes(before.number));
  const keys = now.constraints.filter(({ kind, columns }) => (kind === "p" || kind === "u") && inTheWay(columns, true));
  const indexes = now.indexes.filter((index) => !index.constraint && inTheWay(index.columns, index.unique === true));
  if (!respread && keys.length === 0 && indexes.length === 0) return undefined;
  const alter = (clause: string): string => `ALTER TABLE ${qualified(table.to)} ${clause}`;
  const pointing = keys.length > 0 ? (now.pointing ?? []) : [];
  return [
    ...pointing.map(({ table: from, name: key }) => `ALTER TABLE ${qualified(from)} DROP CONSTRAINT ${ident(key)}`),
    ...keys.map((key) => alter(`DROP CONSTRAINT ${ident(key.name)}`)),
    ...indexes.map((index) => `DROP INDEX ${qualified({ schema: table.to.schema, name: index.name })}`),
    ...(respread ? [alter("SET DISTRIBUTED RANDOMLY")] : []),
    alter(`ALTER COLUMN ${ident(name)} TYPE ${type}`),
    ...(respread ? [alter(`SET DISTRIBUTED BY (${distributed.map(ident).join(", ")})`)] : []),
    ...keys.map((key) => alter(`ADD CONSTRAINT ${ident(key.name)} ${key.definition}`)),
    ...indexes.map((index) => index.definition),
    ...pointing.map(
      ({ table: from, name: key, definition }) => `ALTER TABLE ${qualified(from)} ADD CONSTRAINT ${ident(key)} ${definition}`,
    ),
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
