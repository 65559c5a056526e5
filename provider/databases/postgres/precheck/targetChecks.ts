import { statfs } from "node:fs/promises";
import type { Client } from "pg";
import type { PlannedTable, PrecheckItem } from "../../../engine/models/plan.js";
import { migrates, type TaskDefinition } from "../../../engine/taskDefinition.js";
import { type PostgresEndpoint, parseHost } from "../connection.js";
import { ident, qualified } from "../sql.js";
import { maySetReplicaRole } from "../target.js";
import { isLoopback } from "../tls.js";
import { existingTableItems } from "./existingTables.js";
import { listed, precheckItem } from "./precheckItem.js";

interface TargetFacts {
  version: number;
  serverVersion: string;
  mayCreate: boolean;
  mayUseTemp: boolean;
  user: string;
  database: string;
  dataDirectory: string | null;
}

const FACTS = `
SELECT current_setting('server_version_num')::integer AS "version", current_setting('server_version') AS "serverVersion",
       has_database_privilege(current_database(), 'CREATE') AS "mayCreate",
       has_database_privilege(current_database(), 'TEMP') AS "mayUseTemp",
       current_user AS "user", current_database() AS "database",
       CASE WHEN pg_has_role('pg_read_all_settings', 'USAGE') THEN current_setting('data_directory') END AS "dataDirectory"`;

const OLDEST = 140000;
const NEWEST = 190000;

interface ExistingTable {
  id: string;
  present: boolean;
  writable: boolean;
  columns: string[] | null;
  required: string[] | null;
}

/** What the target must have and allow. */
export async function targetChecks(
  client: Client,
  endpoint: PostgresEndpoint,
  tables: readonly PlannedTable[],
  definition: TaskDefinition,
): Promise<PrecheckItem[]> {
  const { rows } = await client.query<TargetFacts>(FACTS);
  const [facts] = rows;
  if (!facts) return [];
  const user = ident(facts.user);
  const database = ident(facts.database);
  const items = [
    precheckItem({
      item: "targetVersion",
      passed: facts.version >= OLDEST && facts.version < NEWEST,
      message: `the target is PostgreSQL ${facts.serverVersion}`,
      remedy: "use a target of PostgreSQL 14 to 18",
    }),
    precheckItem({
      item: "targetRights",
      passed: facts.mayCreate && facts.mayUseTemp,
      message:
        facts.mayCreate && facts.mayUseTemp
          ? `"${facts.user}" may create schemas and temporary tables in "${facts.database}"`
          : `"${facts.user}" may not create ${facts.mayCreate ? "temporary tables" : "schemas"} in "${facts.database}"`,
      remedy: `GRANT CREATE, TEMPORARY ON DATABASE ${database} TO ${user}`,
    }),
    ...(await existingTables(client, tables, definition, user)),
    await diskSpace(endpoint, facts, tables),
  ];
  if (!migrates(definition, "incremental")) return items;
  const quiet = await maySetReplicaRole(client);
  return [
    ...items,
    precheckItem({
      item: "targetReplicaRole",
      severity: "warning",
      passed: quiet,
      message: quiet
        ? "triggers and foreign keys stay quiet while changes are applied"
        : `"${facts.user}" may not set session_replication_role: triggers and foreign keys are created only when the task is stopped`,
      remedy: `GRANT SET ON PARAMETER session_replication_role TO ${user} (PostgreSQL 15 and up), or use a superuser`,
    }),
    ...(quiet ? [] : [await firingTables(client, tables)]),
  ];
}

async function existingTables(
  client: Client,
  tables: readonly PlannedTable[],
  definition: TaskDefinition,
  user: string,
): Promise<PrecheckItem[]> {
  const { rows } = await client.query<ExistingTable>(
    `SELECT t.id, c.oid IS NOT NULL AS present,
            coalesce(has_table_privilege(c.oid, 'INSERT') AND has_table_privilege(c.oid, 'SELECT'), true) AS writable,
            (SELECT array_agg(attname::text) FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped) AS columns,
            (SELECT array_agg(attname::text) FROM pg_attribute
             WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped AND attnotnull AND NOT atthasdef AND attidentity = '') AS required
     FROM unnest($1::bigint[], $2::text[]) AS t (id, name) LEFT JOIN pg_class c ON c.oid = to_regclass(t.name)`,
    [tables.map(({ id }) => id), tables.map(({ target }) => qualified(target))],
  );
  const found = new Map(rows.map((row) => [Number(row.id), row]));
  const present = tables.filter(({ id }) => found.get(id)?.present);
  const absent = tables.filter(({ id }) => !found.get(id)?.present);
  const clash = migrates(definition, "schema") && definition.conflictMode === "precheckAndReport" ? present : [];
  const missing = migrates(definition, "schema") ? [] : absent;
  const filled = await nonEmpty(
    client,
    clash.length === 0 && definition.conflictMode === "precheckAndReport" && migrates(definition, "full") ? present : [],
  );
  const unwritable = present.filter(({ id }) => !found.get(id)?.writable);
  const misfits = present.flatMap((table) => {
    const columns = found.get(table.id)?.columns ?? [];
    const lacking = table.columns.filter(({ target }) => !columns.includes(target)).map(({ target }) => `${target} is missing`);
    const surplus = (found.get(table.id)?.required ?? []).filter((name) => !table.columns.some(({ target }) => target === name));
    return [...lacking, ...surplus.map((name) => `${name} is NOT NULL without a default`)].map(
      (what) => `${table.target.schema}.${table.target.name}: ${what}`,
    );
  });
  return [
    ...existingTableItems({ clash, filled, missing, unwritable, grant: `GRANT ALL ON the tables TO ${user}` }),
    precheckItem({
      item: "targetColumns",
      passed: misfits.length === 0,
      message: misfits.length === 0 ? "existing tables have the columns that are copied" : listed(misfits),
      remedy: "add the columns, or leave them out with excludeColumns",
    }),
  ];
}

async function nonEmpty(client: Client, tables: readonly PlannedTable[]): Promise<PlannedTable[]> {
  const filled: PlannedTable[] = [];
  for (const table of tables) {
    const { rows } = await client.query<{ filled: boolean }>(
      `SELECT EXISTS (SELECT FROM ONLY ${qualified(table.target)}) AS filled`,
    );
    if (rows[0]?.filled) filled.push(table);
  }
  return filled;
}

/** Tables made by hand whose triggers or keys would run again what the source ran already. */
async function firingTables(client: Client, tables: readonly PlannedTable[]): Promise<PrecheckItem> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT DISTINCT t.tgrelid::regclass::text AS name FROM pg_trigger t
     WHERE t.tgrelid IN (SELECT to_regclass(name) FROM unnest($1::text[]) AS name) AND t.tgenabled IN ('O', 'A')`,
    [tables.map(({ target }) => qualified(target))],
  );
  return precheckItem({
    item: "targetFiringTriggers",
    passed: rows.length === 0,
    message:
      rows.length === 0
        ? "no existing table has triggers or foreign keys that would fire"
        : `triggers or foreign keys of ${listed(rows.map(({ name }) => name))} would fire on applied changes`,
    remedy: "grant SET on session_replication_role, or drop the triggers and foreign keys until the migration is over",
    ignorable: true,
  });
}

/** PostgreSQL can't be asked for free space over SQL; on this machine the file system can. */
async function diskSpace(endpoint: PostgresEndpoint, facts: TargetFacts, tables: readonly PlannedTable[]): Promise<PrecheckItem> {
  const needed = tables.reduce((sum, { bytes }) => sum + bytes, 0);
  const local = endpoint.hosts.every((host) => isLoopback(parseHost(host, 5432).host));
  const free = local && facts.dataDirectory !== null ? await freeBytes(facts.dataDirectory) : undefined;
  const megabytes = (bytes: number) => `${Math.ceil(bytes / 1_048_576)} MB`;
  return precheckItem({
    item: "targetDiskSpace",
    severity: free === undefined ? "warning" : "error",
    ignorable: true,
    passed: free === undefined || free > needed,
    message:
      free === undefined
        ? `the selected tables take ${megabytes(needed)} at the source, with indexes; the target can't be asked how much it has free`
        : `the selected tables take ${megabytes(needed)} at the source, the target's disk has ${megabytes(free)} free`,
    remedy: "make room on the target",
  });
}

async function freeBytes(directory: string): Promise<number | undefined> {
  try {
    const stats = await statfs(directory);
    return stats.bavail * stats.bsize;
  } catch {
    // Another user's directory, or a server in a container with a port on this machine: not ours to ask.
    return undefined;
  }
}
