import type { Client } from "pg";
import type { PlannedTable, PrecheckItem } from "../../../engine/models/plan.js";
import type { TaskDefinition } from "../../../engine/taskDefinition.js";
import { migrates, usersPublication } from "../../../engine/taskDefinition.js";
import { followsAny } from "../ddl/capture/captureTask.js";
import { tryCapture } from "../ddl/capture/installCapture.js";
import { hasRules } from "../etl/valueSql.js";
import { slotStatus } from "../replication/slotStatus.js";
import { ident, literal, qualified } from "../sql.js";
import { listed, precheckItem } from "./precheckItem.js";

interface SourceFacts {
  version: number;
  serverVersion: string;
  walLevel: string;
  maxSenders: number;
  maxSlots: number;
  slots: number;
  senders: number;
  replication: boolean;
  superuser: boolean;
  bypassRls: boolean;
  mayCreate: boolean;
  user: string;
  database: string;
  inRecovery: boolean;
  walKeepMegabytes: number | null;
}

const FACTS = `
SELECT current_setting('server_version_num')::integer AS "version", current_setting('server_version') AS "serverVersion",
       current_setting('wal_level') AS "walLevel",
       current_setting('max_wal_senders')::integer AS "maxSenders", current_setting('max_replication_slots')::integer AS "maxSlots",
       (SELECT count(*)::integer FROM pg_replication_slots) AS "slots",
       (SELECT count(*)::integer FROM pg_stat_replication) AS "senders",
       r.rolreplication AS "replication", r.rolsuper AS "superuser", r.rolbypassrls OR r.rolsuper AS "bypassRls",
       has_database_privilege(current_database(), 'CREATE') AS "mayCreate",
       current_user AS "user", current_database() AS "database", pg_is_in_recovery() AS "inRecovery",
       (SELECT setting::integer FROM pg_settings WHERE name = 'max_slot_wal_keep_size') AS "walKeepMegabytes"
FROM pg_roles r WHERE r.rolname = current_user`;

const OLDEST = 100000;
const NEWEST = 190000;
/** The task's slot, and a temporary one for tables that are loaded again after a crash. */
const SLOTS_NEEDED = 2;

/** What the source must have and allow. */
export async function sourceChecks(
  client: Client,
  tables: readonly PlannedTable[],
  definition: TaskDefinition,
): Promise<PrecheckItem[]> {
  const { rows } = await client.query<SourceFacts>(FACTS);
  const [facts] = rows;
  if (!facts) return [];
  return [
    precheckItem({
      item: "sourceVersion",
      passed: facts.version >= OLDEST && facts.version < NEWEST,
      message: `the source is PostgreSQL ${facts.serverVersion}`,
      remedy: "use a source of PostgreSQL 10 to 18",
    }),
    ...(await readRights(client, tables, facts)),
    ...(migrates(definition, "incremental") ? await captureChecks(client, tables, definition, facts) : []),
  ];
}

async function readRights(client: Client, tables: readonly PlannedTable[], facts: SourceFacts): Promise<PrecheckItem[]> {
  const { rows } = await client.query<{ schema: string; name: string; readable: boolean; policies: boolean }>(
    `SELECT n.nspname AS schema, c.relname AS name,
            has_table_privilege(c.oid, 'SELECT') AND has_schema_privilege(n.oid, 'USAGE') AS readable,
            c.relrowsecurity AND (NOT pg_has_role(c.relowner, 'USAGE') OR c.relforcerowsecurity) AS policies
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.oid = ANY ($1::oid[])
       AND (NOT has_table_privilege(c.oid, 'SELECT') OR NOT has_schema_privilege(n.oid, 'USAGE') OR c.relrowsecurity)`,
    [tables.map(({ id }) => id)],
  );
  const unreadable = rows.filter(({ readable }) => !readable);
  const filtered = rows.filter(({ policies }) => policies && !facts.bypassRls);
  return [
    precheckItem({
      item: "sourceReadRights",
      passed: unreadable.length === 0,
      message:
        unreadable.length === 0
          ? `"${facts.user}" may read every selected table`
          : `"${facts.user}" may not read ${listed(unreadable.map(({ schema, name }) => `${schema}.${name}`))}`,
      remedy: unreadable
        .slice(0, 5)
        .map(
          (table) =>
            `GRANT USAGE ON SCHEMA ${ident(table.schema)} TO ${ident(facts.user)}; GRANT SELECT ON ${qualified(table)} TO ${ident(facts.user)}`,
        )
        .join("; "),
    }),
    precheckItem({
      item: "sourceRowSecurity",
      passed: filtered.length === 0,
      message:
        filtered.length === 0
          ? "no row-level security policy hides rows from the task"
          : `row-level security would hide rows of ${listed(filtered.map(({ schema, name }) => `${schema}.${name}`))}`,
      remedy: `ALTER ROLE ${ident(facts.user)} BYPASSRLS`,
    }),
  ];
}

async function captureChecks(
  client: Client,
  tables: readonly PlannedTable[],
  definition: TaskDefinition,
  facts: SourceFacts,
): Promise<PrecheckItem[]> {
  const free = facts.maxSlots - facts.slots;
  const freeSenders = facts.maxSenders - facts.senders;
  const user = ident(facts.user);
  const foreign = await foreignTables(client, tables);
  const keyless = tables.filter((table) => table.streamed && table.replicaIdentity.needs === "full" && !hasRules(table));
  const unlogged = tables.filter(({ streamed }) => !streamed);
  const kept = facts.walKeepMegabytes;
  const items = [
    precheckItem({
      item: "sourceWalLevel",
      passed: facts.walLevel === "logical",
      message: `wal_level is ${facts.walLevel}`,
      remedy: "ALTER SYSTEM SET wal_level = 'logical', then restart the source",
    }),
    precheckItem({
      item: "sourcePrimary",
      passed: !facts.inRecovery,
      message: facts.inRecovery ? "the source is a standby" : "the source is a primary",
      remedy: "name the primary in hosts: a publication can't be made on a standby",
    }),
    precheckItem({
      item: "sourceReplicationSlots",
      passed: free >= SLOTS_NEEDED || (definition.slotIsForeign && free >= 1),
      message: `${facts.slots} of ${facts.maxSlots} replication slots are used; the task needs ${SLOTS_NEEDED}`,
      remedy: `ALTER SYSTEM SET max_replication_slots = ${facts.slots + SLOTS_NEEDED + 2}, then restart the source`,
    }),
    precheckItem({
      item: "sourceWalSenders",
      passed: freeSenders >= SLOTS_NEEDED,
      message: `${facts.senders} of ${facts.maxSenders} WAL senders are used; the task needs ${SLOTS_NEEDED}`,
      remedy: `ALTER SYSTEM SET max_wal_senders = ${facts.senders + SLOTS_NEEDED + 2}, then restart the source`,
    }),
    precheckItem({
      item: "sourceReplicationRight",
      passed: facts.replication || facts.superuser,
      message:
        facts.replication || facts.superuser ? `"${facts.user}" may replicate` : `"${facts.user}" has no REPLICATION attribute`,
      remedy: `ALTER ROLE ${user} REPLICATION`,
    }),
    ...(usersPublication(definition)
      ? []
      : [
          precheckItem({
            item: "sourcePublicationRight",
            passed: facts.mayCreate && foreign.length === 0,
            message: !facts.mayCreate
              ? `"${facts.user}" may not create a publication in "${facts.database}"`
              : foreign.length > 0
                ? `"${facts.user}" does not own ${listed(foreign)}, so it can't publish them`
                : `"${facts.user}" may publish every selected table`,
            remedy: facts.mayCreate
              ? `GRANT <owner of the tables> TO ${user}`
              : `GRANT CREATE ON DATABASE ${ident(facts.database)} TO ${user}`,
          }),
        ]),
    precheckItem({
      item: "sourceTableKeys",
      severity: "warning",
      passed: keyless.length === 0,
      message:
        keyless.length === 0
          ? "every selected table has a key that its changes carry"
          : `${listed(keyless.map(({ source }) => `${source.schema}.${source.name}`))}: no key, so REPLICA IDENTITY FULL is set for the task and updates cost a scan each batch`,
      remedy: "add a primary key where there can be one",
    }),
    precheckItem({
      item: "sourceUnloggedTables",
      severity: "warning",
      passed: unlogged.length === 0,
      message:
        unlogged.length === 0
          ? "no selected table is unlogged"
          : `changes of unlogged tables are in no log: ${listed(unlogged.map(({ source }) => `${source.schema}.${source.name}`))} are only loaded`,
      remedy: "ALTER TABLE ... SET LOGGED",
    }),
    precheckItem({
      item: "sourceWalRetention",
      severity: "warning",
      passed: kept === null || kept < 0 || kept >= 10_240,
      message:
        kept === null || kept < 0
          ? "the source keeps WAL for slots without limit: watch its disk"
          : `the source keeps ${kept} MB of WAL for a slot`,
      remedy:
        "a load longer than that much WAL loses the slot: ALTER SYSTEM SET max_slot_wal_keep_size = -1, or what the disk allows",
    }),
  ];
  items.push(await openTransactions(client));
  if (!usersPublication(definition) && tables.some(({ ddl }) => ddl && followsAny(ddl)))
    items.push(await structureCapture(client, facts));
  if (!definition.slotIsForeign) return items;
  if (usersPublication(definition)) items.push(await publicationAge(client, tables, definition));
  const slot = await slotStatus(client, definition.slotName);
  return [
    ...items,
    precheckItem({
      item: "sourceSlot",
      passed: slot.state === "ok" && slot.plugin === "pgoutput" && slot.databaseName === facts.database,
      message:
        slot.state === "missing"
          ? `there is no slot "${definition.slotName}"`
          : slot.state === "lost"
            ? `slot "${definition.slotName}" is lost: ${slot.reason}`
            : `slot "${definition.slotName}" uses ${slot.plugin} in database "${slot.databaseName}"`,
      remedy: `SELECT pg_create_logical_replication_slot(${literal(definition.slotName)}, 'pgoutput')`,
    }),
  ];
}

/** Event triggers are a superuser's in PostgreSQL, and some services' administrators'; only trying tells. */
async function structureCapture(client: Client, facts: SourceFacts): Promise<PrecheckItem> {
  const tried = facts.inRecovery ? ({ captured: false, reason: "the source is a standby" } as const) : await tryCapture(client);
  return precheckItem({
    item: "sourceStructureCapture",
    severity: "warning",
    passed: tried.captured,
    message: tried.captured
      ? `"${facts.user}" may have changes of structure written down for the task`
      : `changes of structure are not carried over, and new tables are not taken in (${tried.reason}): a table whose columns change stops the task`,
    remedy: `let a superuser run the task (ALTER ROLE ${ident(facts.user)} SUPERUSER), or choose only truncate in operations.ddl and make changes of structure on both sides`,
  });
}

async function foreignTables(client: Client, tables: readonly PlannedTable[]): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT n.nspname || '.' || c.relname AS name
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.oid = ANY ($1::oid[]) AND NOT pg_has_role(c.relowner, 'USAGE')`,
    [tables.filter(({ streamed }) => streamed).map(({ id }) => id)],
  );
  return rows.map(({ name }) => name);
}

/** A slot begins only once every transaction that was open before it has ended; one that nobody ends holds the task up for ever. */
async function openTransactions(client: Client): Promise<PrecheckItem> {
  const { rows } = await client.query<{ what: string }>(
    `SELECT 'pid ' || pid || ' for ' || extract(epoch FROM now() - xact_start)::integer || ' s' AS what
     FROM pg_stat_activity WHERE backend_xid IS NOT NULL AND now() - xact_start > interval '1 minute'
     UNION ALL
     SELECT 'prepared transaction ' || gid FROM pg_prepared_xacts`,
  );
  return precheckItem({
    item: "sourceOpenTransactions",
    severity: "warning",
    passed: rows.length === 0,
    message:
      rows.length === 0
        ? "no writing transaction is open for long"
        : `the slot waits for open transactions to end: ${listed(rows.map(({ what }) => what))}`,
    remedy: "end them, or wait: SELECT pg_terminate_backend(<pid>); ROLLBACK PREPARED '<gid>'",
  });
}

/**
 * pgoutput decodes with the catalog as it was: a table published after the slot's position is missing from the changes in
 * between, without a word since PostgreSQL 18. Rows of the catalog that are older than the slot's catalog_xmin were there all along.
 */
async function publicationAge(
  client: Client,
  tables: readonly PlannedTable[],
  definition: TaskDefinition,
): Promise<PrecheckItem> {
  const { slotName, publicationName } = definition;
  const { rows } = await client.query<{ published: string }>(
    `SELECT t.id AS published FROM unnest($1::bigint[]) AS t (id)
     JOIN pg_publication p ON p.pubname = $2
     JOIN pg_replication_slots s ON s.slot_name = $3
     LEFT JOIN pg_publication_rel r ON r.prpubid = p.oid AND r.prrelid = t.id::oid
     WHERE age(p.xmin) > age(s.catalog_xmin) AND (p.puballtables OR age(r.xmin) > age(s.catalog_xmin))`,
    [tables.map(({ id }) => id), publicationName, slotName],
  );
  const published = new Set(rows.map((row) => Number(row.published)));
  const missing = tables.filter(({ id, streamed }) => streamed && !published.has(id));
  return precheckItem({
    item: "sourcePublicationAge",
    passed: missing.length === 0,
    message:
      missing.length === 0
        ? `publication "${publicationName}" lists every table since before the slot`
        : `${listed(missing.map(({ source }) => `${source.schema}.${source.name}`))}: not in publication "${publicationName}" since before slot "${slotName}" was made`,
    remedy: `create the publication first (CREATE PUBLICATION ${ident(publicationName)} FOR ALL TABLES), then the slot, or add "full" to migrationTypes`,
  });
}
