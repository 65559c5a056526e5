import type { Client } from "pg";
import type { PlannedTable, PrecheckItem } from "../../../engine/models/plan.js";
import { displayName } from "../../../engine/selection.js";
import { serverEncoding } from "../clients.js";
import { listed, precheckItem } from "../precheck/precheckItem.js";

/** What stands against the expressions for values, or may: other columns of their tables, and the database they are in. */
export async function valueChecks(
  client: Client,
  tables: readonly PlannedTable[],
  failures: readonly string[],
  followed: boolean,
): Promise<PrecheckItem[]> {
  if (tables.length === 0) return [];
  const rewritten = tables.map((table) => ({
    id: table.id,
    name: displayName(table.source),
    columns: table.columns.flatMap(({ source, value, derived }) => (value && !derived ? [source] : [])),
  }));
  const partitioned = await placedBy(client, rewritten);
  const bound = await boundBy(client, rewritten);
  const bytes = followed && (await serverEncoding(client)) === "SQL_ASCII";
  const problems = [
    ...failures,
    ...partitioned,
    ...(bytes
      ? ["a database in SQL_ASCII says nothing of what its bytes mean, so changed rows can't be asked for by their text"]
      : []),
  ];
  return [
    precheckItem({
      item: "sourceRowExpressions",
      passed: problems.length === 0,
      message:
        problems.length === 0
          ? `the source takes the expressions for values of ${listed(rewritten.map(({ name }) => name))}`
          : `\`etl\` can't be used: ${problems.slice(0, 5).join("; ")}`,
      remedy:
        "write `derive` as expressions on the table's own columns (functions outside of pg_catalog with their schema); with incremental only with immutable functions, so that a row has the same values at any time",
    }),
    precheckItem({
      item: "targetRewrittenColumns",
      severity: "warning",
      passed: bound.length === 0,
      message:
        bound.length === 0
          ? "no constraint is on a column whose values are derived or masked"
          : `constraints are on columns whose values are derived or masked, and the target may refuse the new values: ${listed(bound)}`,
      remedy:
        "take care that the new values satisfy them, or have the task not make them: create the target's tables without them",
    }),
  ];
}

interface Rewritten {
  readonly id: number;
  readonly name: string;
  readonly columns: readonly string[];
}

/** Rows of a partition lie there by the values of these columns. */
async function placedBy(client: Client, tables: readonly Rewritten[]): Promise<string[]> {
  const { rows } = await client.query<{ id: string; definition: string }>(
    `WITH RECURSIVE above AS (
       SELECT w.id AS leaf, w.id::pg_catalog.oid AS place FROM unnest($1::pg_catalog.int8[]) AS w (id)
       UNION ALL SELECT a.leaf, i.inhparent FROM above a JOIN pg_catalog.pg_inherits i ON i.inhrelid = a.place)
     SELECT a.leaf::text AS id, pg_catalog.pg_get_partkeydef(a.place) AS definition
       FROM above a JOIN pg_catalog.pg_class c ON c.oid = a.place WHERE c.relkind = 'p'`,
    [tables.map(({ id }) => id)],
  );
  return tables.flatMap(({ id, name, columns }) =>
    columns.flatMap((column) =>
      rows.some((row) => Number(row.id) === id && mentions(row.definition, column))
        ? [`${name}.${column} chooses the partition that a row lies in: it can't be derived or masked`]
        : [],
    ),
  );
}

/** A word of the partition key, quoted or not. A function of that name would be taken for the column: nobody is harmed. */
function mentions(definition: string, column: string): boolean {
  const words = definition.match(/"(?:[^"]|"")*"|[\p{L}_][\p{L}\p{N}_$]*/gu) ?? [];
  return words.some((word) => (word.startsWith('"') ? word.slice(1, -1).replaceAll('""', '"') : word) === column);
}

/** Foreign keys are left out of the schema by name; these are made, and judge rows. */
async function boundBy(client: Client, tables: readonly Rewritten[]): Promise<string[]> {
  const { rows } = await client.query<{ id: string; name: string; columns: string[] }>(
    `SELECT c.conrelid::pg_catalog.int8::text AS id, c.conname::text AS name,
            ARRAY(SELECT a.attname::text FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.conrelid AND a.attnum = ANY (c.conkey)) AS columns
       FROM pg_catalog.pg_constraint c
      WHERE c.conrelid = ANY ($1::pg_catalog.int8[]::pg_catalog.oid[]) AND c.contype IN ('c', 'u', 'x')
     UNION ALL
     SELECT i.indrelid::pg_catalog.int8::text, x.relname::text,
            ARRAY(SELECT a.attname::text FROM pg_catalog.pg_attribute a WHERE a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey::pg_catalog.int2[]))
       FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
      WHERE i.indrelid = ANY ($1::pg_catalog.int8[]::pg_catalog.oid[]) AND i.indisunique
        AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint c WHERE c.conindid = i.indexrelid AND c.contype IN ('p', 'u', 'x'))`,
    [tables.map(({ id }) => id)],
  );
  return tables.flatMap(({ id, name, columns }) =>
    rows
      .filter((row) => Number(row.id) === id && row.columns.some((column) => columns.includes(column)))
      .map((row) => `${row.name} of ${name}`),
  );
}
