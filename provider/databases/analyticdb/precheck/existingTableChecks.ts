import type { Client } from "pg";
import type { PlannedTable, PrecheckItem } from "../../../engine/models/plan.js";
import { migrates, type TaskDefinition } from "../../../engine/taskDefinition.js";
import { existingTableItems } from "../../postgres/precheck/existingTables.js";
import { listed, precheckItem } from "../../postgres/precheck/precheckItem.js";
import { qualified } from "../../postgres/sql.js";
import type { SegmentedServer } from "../serverKind.js";
import { tableKey } from "../tableKeys.js";

interface ExistingTable {
  readonly id: string;
  readonly writable: boolean;
  readonly appendOptimized: boolean;
  /** A table, or one with partitions: no view, no foreign or external table. */
  readonly ordinary: boolean;
  /** DISTRIBUTED REPLICATED. */
  readonly replicated: boolean;
  readonly columns: readonly {
    readonly name: string;
    readonly required: boolean;
    readonly identity: string;
    readonly generated: string;
  }[];
  /** Columns of its primary key. */
  readonly key: readonly string[] | null;
}

/** Only what PostgreSQL 9.4 has; later columns of pg_attribute are asked for by name in the row's JSON. */
function existing(server: SegmentedServer): string {
  // pg_class.relstorage is Greenplum's up to 6 (a: rows, c: columns, x: an external table); from 7 on a table's access method says it.
  const appendOptimized = server.accessMethods
    ? "EXISTS (SELECT 1 FROM pg_catalog.pg_am m WHERE m.oid = (pg_catalog.row_to_json(c) ->> 'relam')::oid AND m.amname LIKE 'ao\\_%')"
    : "coalesce(pg_catalog.row_to_json(c) ->> 'relstorage', 'h') IN ('a', 'c')";
  return `
SELECT w.id, ${appendOptimized} AS "appendOptimized",
       c.relkind IN ('r', 'p') AND coalesce(pg_catalog.row_to_json(c) ->> 'relstorage', 'h') NOT IN ('x', 'f', 'v') AS ordinary,
       EXISTS (SELECT 1 FROM pg_catalog.gp_distribution_policy d WHERE d.localoid = c.oid AND d.policytype = 'r') AS replicated,
       pg_catalog.has_table_privilege(c.oid, 'SELECT') AND pg_catalog.has_table_privilege(c.oid, 'INSERT')
         AND pg_catalog.has_table_privilege(c.oid, 'UPDATE') AND pg_catalog.has_table_privilege(c.oid, 'DELETE')
         AND pg_catalog.has_table_privilege(c.oid, 'TRUNCATE') AS writable,
       (SELECT pg_catalog.json_agg(pg_catalog.json_build_object(
                 'name', a.attname, 'required', a.attnotnull AND NOT a.atthasdef,
                 'identity', coalesce(pg_catalog.row_to_json(a) ->> 'attidentity', ''),
                 'generated', coalesce(pg_catalog.row_to_json(a) ->> 'attgenerated', '')))
          FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns,
       (SELECT pg_catalog.array_agg(a.attname::text)
          FROM pg_catalog.pg_index i
          JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey::pg_catalog.int2[])
         WHERE i.indrelid = c.oid AND i.indisprimary) AS key
  FROM unnest($1::pg_catalog.int8[], $2::text[], $3::text[]) AS w (id, schema, name)
  JOIN pg_catalog.pg_namespace n ON n.nspname = w.schema
  JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = w.name AND c.relkind IN ('r', 'p', 'f', 'v', 'm')`;
}

/** Tables of the plan that are on the target already. */
export async function existingTableChecks(
  client: Client,
  server: SegmentedServer,
  tables: readonly PlannedTable[],
  definition: TaskDefinition,
): Promise<PrecheckItem[]> {
  const { rows } = await client.query<ExistingTable>(existing(server), [
    tables.map(({ id }) => id),
    tables.map(({ target }) => target.schema),
    tables.map(({ target }) => target.name),
  ]);
  const found = new Map(rows.map((row) => [Number(row.id), row]));
  const present = tables.filter(({ id }) => found.has(id));
  const absent = tables.filter(({ id }) => !found.has(id));
  const careful = definition.conflictMode === "precheckAndReport";
  const clash = migrates(definition, "schema") && careful ? present : [];
  const missing = migrates(definition, "schema") ? [] : absent;
  const filled = clash.length === 0 && careful && migrates(definition, "full") ? await nonEmpty(client, present) : [];
  const unwritable = present.filter(({ id }) => !found.get(id)?.writable);
  return [
    ...existingTableItems({
      clash,
      filled,
      missing,
      unwritable,
      grant: "GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON the tables TO the endpoint's user",
    }),
    columnCheck(present, found),
    kindCheck(present, found),
    ...(migrates(definition, "incremental") ? changeChecks(present, found) : []),
  ];
}

function columnCheck(present: readonly PlannedTable[], found: ReadonlyMap<number, ExistingTable>): PrecheckItem {
  const misfits = present.flatMap((table) => {
    const columns = found.get(table.id)?.columns ?? [];
    const copied = new Set(table.columns.map(({ target }) => target));
    const wrong = [
      ...[...copied].filter((name) => !columns.some((column) => column.name === name)).map((name) => `${name} is missing`),
      ...columns.flatMap(({ name, required, identity, generated }) => {
        if (copied.has(name)) {
          if (identity === "a") return [`${name} is GENERATED ALWAYS AS IDENTITY, which takes no values of the source`];
          return generated === "" ? [] : [`${name} is generated, and takes no values of the source`];
        }
        return required && identity === "" ? [`${name} is NOT NULL without a default`] : [];
      }),
    ];
    return wrong.map((what) => `${shown(table)}: ${what}`);
  });
  return precheckItem({
    item: "targetColumns",
    passed: misfits.length === 0,
    message: misfits.length === 0 ? "existing tables have the columns that are copied" : listed(misfits),
    remedy: "change the columns, or leave them out with excludeColumns",
  });
}

function kindCheck(present: readonly PlannedTable[], found: ReadonlyMap<number, ExistingTable>): PrecheckItem {
  const others = present.filter(({ id }) => found.get(id)?.ordinary === false);
  return precheckItem({
    item: "targetTableKind",
    passed: others.length === 0,
    message:
      others.length === 0
        ? "what exists of the tables can be written to"
        : `${names(others)} are views, external or foreign tables: rows of a task can't be kept there`,
    remedy: "drop or rename them, give the task's tables another rename, or make them tables",
  });
}

/** What only a stream of changes needs of tables that were made by hand. */
function changeChecks(present: readonly PlannedTable[], found: ReadonlyMap<number, ExistingTable>): PrecheckItem[] {
  const appendOptimized = present.filter(({ id }) => found.get(id)?.appendOptimized);
  const otherKeys = present.filter((table) => {
    const wanted = tableKey(table)?.columns;
    const key = found.get(table.id)?.key;
    if (!wanted) return key !== null && key !== undefined;
    return !key || key.length !== wanted.length || wanted.some((name) => !key.includes(name));
  });
  // "Hidden system columns (ctid, ..., gp_segment_id) cannot be referenced in user queries on replicated tables" (Greenplum 6, CREATE TABLE).
  const everywhere = present.filter((table) => found.get(table.id)?.replicated && tableKey(table) === undefined);
  const surplus = present.flatMap((table) => {
    const copied = new Set(table.columns.map(({ target }) => target));
    const more = (found.get(table.id)?.columns ?? []).filter(({ name, generated }) => !copied.has(name) && generated === "");
    return more.map(({ name }) => `${shown(table)}.${name}`);
  });
  return [
    precheckItem({
      item: "targetAppendOptimized",
      passed: appendOptimized.length === 0,
      message:
        appendOptimized.length === 0
          ? "no existing table is append-optimized"
          : `${names(appendOptimized)} are append-optimized: changes of single rows would bloat them and lock the whole table`,
      remedy: "ALTER TABLE ... SET ACCESS METHOD beam (7), make them anew as heap tables, or leave incremental out",
    }),
    precheckItem({
      item: "targetKeys",
      ignorable: true,
      passed: otherKeys.length === 0,
      message:
        otherKeys.length === 0
          ? "existing tables have the keys of their sources"
          : `the primary key of ${names(otherKeys)} is not the source's: every batch would scan the whole table, or rows be refused`,
      remedy: "give them the source's primary key; a source without one can fill only a table without one",
    }),
    precheckItem({
      item: "targetReplicated",
      passed: everywhere.length === 0,
      message:
        everywhere.length === 0
          ? "no table without a key is replicated to every segment"
          : `${names(everywhere)} lie on every segment (DISTRIBUTED REPLICATED) and have no key: a row can't be told from one like it`,
      remedy: "ALTER TABLE ... SET DISTRIBUTED RANDOMLY, or BY columns; or name a primaryKey for them in objects[].tables[]",
    }),
    precheckItem({
      item: "targetSurplusColumns",
      ignorable: true,
      passed: surplus.length === 0,
      message:
        surplus.length === 0
          ? "existing tables have no columns beyond those that are copied"
          : `${listed(surplus)} would fall back to their defaults whenever the source updates a row: an update is a delete and an insert`,
      remedy: "drop the columns, or keep them in a table of their own",
    }),
  ];
}

async function nonEmpty(client: Client, tables: readonly PlannedTable[]): Promise<PlannedTable[]> {
  const filled: PlannedTable[] = [];
  for (const table of tables) {
    const { rows } = await client.query<{ filled: boolean }>(
      `SELECT EXISTS (SELECT 1 FROM ONLY ${qualified(table.target)}) AS filled`,
    );
    if (rows[0]?.filled) filled.push(table);
  }
  return filled;
}

function names(tables: readonly PlannedTable[]): string {
  return listed(tables.map(shown));
}

function shown({ target }: PlannedTable): string {
  return `${target.schema}.${target.name}`;
}
