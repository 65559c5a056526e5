import type { Client } from "pg";
import type { PlannedTable } from "../../../engine/models/plan.js";
import type { MaskedType } from "./maskSql.js";

/** By table and column. */
export type MaskedTypes = ReadonlyMap<number, ReadonlyMap<string, Omit<MaskedType, "version">>>;

/** A domain is what lies below it. A length is the modifier less the four bytes that a value's own length takes. */
const TYPES = `
  WITH RECURSIVE below AS (
    SELECT a.attrelid, a.attname, a.atttypid AS id, a.atttypmod AS modifier
      FROM pg_catalog.pg_attribute a
     WHERE a.attrelid = ANY ($1::pg_catalog.int8[]::pg_catalog.oid[]) AND a.attnum > 0 AND NOT a.attisdropped
    UNION ALL
    SELECT b.attrelid, b.attname, t.typbasetype, t.typtypmod
      FROM below b JOIN pg_catalog.pg_type t ON t.oid = b.id WHERE t.typtype = 'd')
  SELECT b.attrelid::pg_catalog.int8::text AS "tableId", b.attname::text AS name, t.typcategory::text AS category,
         pg_catalog.format_type(t.oid, NULL) AS base, CASE WHEN t.typcategory = 'S' AND b.modifier > 4 THEN b.modifier - 4 END AS length
    FROM below b JOIN pg_catalog.pg_type t ON t.oid = b.id
   WHERE t.typtype <> 'd'`;

/** Of all columns of the tables: those are few. */
export async function readMaskedTypes(client: Client, tables: readonly PlannedTable[]): Promise<MaskedTypes> {
  const { rows } = await client.query<{
    tableId: string;
    name: string;
    category: string;
    base: string;
    length: number | null;
  }>(TYPES, [tables.map(({ id }) => id)]);
  const types = new Map<number, Map<string, Omit<MaskedType, "version">>>();
  for (const { tableId, name, category, base, length } of rows) {
    const columns = types.get(Number(tableId)) ?? new Map<string, Omit<MaskedType, "version">>();
    types.set(Number(tableId), columns);
    columns.set(name, { category, base, length: length ?? undefined });
  }
  return types;
}
