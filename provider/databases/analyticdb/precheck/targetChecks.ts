import type { Client } from "pg";
import type { PlannedTable, PrecheckItem } from "../../../engine/models/plan.js";
import { migrates, type TaskDefinition } from "../../../engine/taskDefinition.js";
import { type PostgresEndpoint, withConnection } from "../../postgres/connection.js";
import { precheckItem } from "../../postgres/precheck/precheckItem.js";
import { serverNode } from "../../postgres/precheck/serverNode.js";
import { ident } from "../../postgres/sql.js";
import { readServerKind } from "../serverKind.js";
import { chooseStorage } from "../storage.js";
import { distributionChecks } from "./distributionChecks.js";
import { existingTableChecks } from "./existingTableChecks.js";
import { limitItems, readServerLimits } from "./serverLimits.js";

interface Rights {
  user: string;
  database: string;
  mayCreate: boolean;
  mayUseTemp: boolean;
  /** Target schemas that are there and that the user may not create tables in. */
  closed: string[];
}

const RIGHTS = `
SELECT current_user AS "user", pg_catalog.current_database() AS "database",
       pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE') AS "mayCreate",
       pg_catalog.has_database_privilege(pg_catalog.current_database(), 'TEMP') AS "mayUseTemp",
       coalesce(ARRAY(SELECT n.nspname::text FROM pg_catalog.pg_namespace n
                       WHERE n.nspname = ANY ($1::text[])
                         AND NOT (pg_catalog.has_schema_privilege(n.oid, 'CREATE') AND pg_catalog.has_schema_privilege(n.oid, 'USAGE'))), '{}') AS closed`;

/** What AnalyticDB must have and allow. */
export async function analyticdbChecks(
  client: Client,
  endpoint: PostgresEndpoint,
  tables: readonly PlannedTable[],
  definition: TaskDefinition,
): Promise<PrecheckItem[]> {
  const server = await readServerKind(client);
  const version = precheckItem({
    item: "targetVersion",
    passed: server.kind === "segmented",
    message:
      server.kind === "segmented"
        ? `the target is of kernel ${server.major} (PostgreSQL ${server.postgres === 9 ? "9.4" : server.postgres})`
        : server.reason,
    remedy: "use AnalyticDB for PostgreSQL 6 or 7, or set the endpoint's engine to what the server is",
  });
  if (server.kind !== "segmented") return [version];
  const storage = chooseStorage(definition.analyticdb?.storage ?? "beam", server);
  const megabytes = Math.ceil(tables.reduce((sum, { bytes }) => sum + bytes, 0) / 1_048_576);
  return [
    version,
    await endpointCheck(client, endpoint),
    await rightsCheck(client, tables, definition),
    precheckItem({
      item: "targetStorageEngine",
      severity: "warning",
      passed: storage.note === undefined,
      message: storage.note ?? `tables are made as ${storage.engine} tables`,
      remedy: 'update the instance to 7.0.6.6 or later, or set analyticdb.storage to "heap"',
    }),
    ...limitItems(await readServerLimits(client), migrates(definition, "incremental")),
    ...(migrates(definition, "schema") ? distributionChecks(tables, storage) : []),
    ...(await existingTableChecks(client, server, tables, definition)),
    precheckItem({
      item: "targetDiskSpace",
      severity: "warning",
      passed: true,
      message: `the selected tables take ${megabytes} MB at the source, with indexes; AnalyticDB can't be asked how much it has free`,
    }),
  ];
}

/** How many more sessions are asked where they ended: of two nodes taken in turn, or at random, one session alone would show nothing. */
const PROBES = 3;

/**
 * The cluster endpoint of an instance with several coordinator nodes spreads sessions over them, allows no DDL in a transaction and no
 * temporary tables (AnalyticDB's document "Primary and cluster endpoints"). Hosts of several nodes would be no better: an advisory lock, and the end
 * of a session that an applier left behind, are one node's own. A standby takes no sessions, so listing it is fine.
 */
async function endpointCheck(client: Client, endpoint: PostgresEndpoint): Promise<PrecheckItem> {
  const nodes = new Set([await serverNode(client)]);
  const first = { ...endpoint, hosts: [client.port ? `${bracketed(client.host)}:${client.port}` : client.host] };
  for (let probe = 0; probe < PROBES; probe++) nodes.add(await askNode(first));
  const balanced = nodes.size > 1;
  for (const host of endpoint.hosts) {
    // One that is down is none that could be used by mistake.
    const node = await askNode({ ...endpoint, hosts: [host] }).catch(() => undefined);
    if (node !== undefined) nodes.add(node);
  }
  return precheckItem({
    item: "targetEndpoint",
    passed: nodes.size === 1,
    message: balanced
      ? "sessions reach different coordinator nodes: this is the instance's cluster endpoint"
      : nodes.size > 1
        ? "the hosts are different coordinator nodes, which both take sessions"
        : "every session reaches the same coordinator node",
    remedy: "use the primary endpoint alone: temporary tables and DDL in transactions do not work elsewhere",
  });
}

function askNode(endpoint: PostgresEndpoint): Promise<string> {
  return withConnection(endpoint, { applicationName: "godwit/probe" }, serverNode);
}

function bracketed(host: string): string {
  return host.includes(":") ? `[${host}]` : host;
}

async function rightsCheck(client: Client, tables: readonly PlannedTable[], definition: TaskDefinition): Promise<PrecheckItem> {
  const schemas = migrates(definition, "schema") ? [...new Set(tables.map(({ target }) => target.schema))] : [];
  const { rows } = await client.query<Rights>(RIGHTS, [schemas]);
  const [rights] = rows;
  if (!rights) return precheckItem({ item: "targetRights", passed: false, message: "the role's rights can't be read" });
  const user = ident(rights.user);
  const database = ident(rights.database);
  const lacking = [
    // The store is a schema of its own.
    ...(rights.mayCreate ? [] : [`GRANT CREATE ON DATABASE ${database} TO ${user}`]),
    ...(rights.mayUseTemp ? [] : [`GRANT TEMPORARY ON DATABASE ${database} TO ${user}`]),
    ...rights.closed.map((name) => `GRANT CREATE, USAGE ON SCHEMA ${ident(name)} TO ${user}`),
  ];
  return precheckItem({
    item: "targetRights",
    passed: lacking.length === 0,
    message:
      lacking.length === 0
        ? `"${rights.user}" may create schemas, tables and temporary tables in "${rights.database}"`
        : `"${rights.user}" may not create ${[
            ...(rights.mayCreate ? [] : ["schemas"]),
            ...(rights.mayUseTemp ? [] : ["temporary tables"]),
            ...rights.closed.map((name) => `tables in ${name}`),
          ].join(", ")}`,
    remedy: lacking.join("; "),
  });
}
