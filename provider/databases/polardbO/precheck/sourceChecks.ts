import type { Client } from "pg";
import type { PlannedTable, PrecheckItem } from "../../../engine/models/plan.js";
import { migrates, type TaskDefinition } from "../../../engine/taskDefinition.js";
import { listed, precheckItem } from "../../postgres/precheck/precheckItem.js";
import { sourceChecks } from "../../postgres/precheck/sourceChecks.js";
import { type PrivilegedRole, privilegedRole } from "../privilegedRole.js";
import { readTraits } from "../readTraits.js";
import { endpointItem, withClusterRemedies } from "./clusterItems.js";
import { editionItem } from "./editionItem.js";
import { failoverItem } from "./failoverItem.js";

/** What a PolarDB O source must have and allow: PostgreSQL's checks, and its own. */
export async function polardbSourceChecks(
  client: Client,
  tables: readonly PlannedTable[],
  definition: TaskDefinition,
): Promise<PrecheckItem[]> {
  const traits = await readTraits(client);
  const base = await sourceChecks(client, tables, definition);
  const role = await privilegedRole(client);
  // A privileged account may replicate without the attribute that PostgreSQL asks for.
  const items = base.map((item) =>
    item.item === "sourceReplicationRight" && !item.passed && role.privileged
      ? { ...item, passed: true, remedy: "", message: `"${role.name}" is a privileged account` }
      : item,
  );
  const live = migrates(definition, "incremental");
  return [
    editionItem("sourceEdition", traits),
    await endpointItem("sourceEndpoint", client),
    ...withClusterRemedies(items, traits),
    await triggerItem(client, tables),
    ...(live ? [privilegedItem(role), failoverItem(traits), await pluginItem(client)] : []),
  ];
}

function privilegedItem({ name, privileged }: PrivilegedRole): PrecheckItem {
  return precheckItem({
    item: "sourcePrivilegedAccount",
    severity: "warning",
    passed: privileged,
    message: privileged
      ? `"${name}" is a privileged account`
      : `"${name}" is no privileged account: changes of structure are followed only as far as the stream shows them`,
    remedy: "use the cluster's privileged account as the source's user",
  });
}

/** LOAD looks for the library without making anything of it; who may not LOAD cannot ask, and learns it when the slot is made. */
async function pluginItem(client: Client): Promise<PrecheckItem> {
  const answer = await client.query("LOAD 'pgoutput'").then(
    () => undefined,
    (cause: { code?: string; message: string }) => cause,
  );
  const missing = answer?.code === "58P01";
  return precheckItem({
    item: "sourceOutputPlugin",
    severity: missing || answer === undefined ? "error" : "warning",
    passed: answer === undefined,
    message:
      answer === undefined
        ? "the source has the output plugin pgoutput"
        : missing
          ? "the source does not have the output plugin pgoutput"
          : "whether the source has the output plugin pgoutput can't be asked with this role",
    remedy: missing
      ? "upgrade the cluster to a minor version that has it: every server from PostgreSQL 10 on does"
      : "nothing, unless the slot is refused with GW1710",
  });
}

async function triggerItem(client: Client, tables: readonly PlannedTable[]): Promise<PrecheckItem> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT n.nspname || '.' || c.relname || '.' || t.tgname AS name
     FROM pg_catalog.pg_trigger t
     JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid
     JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE t.tgrelid = ANY ($1::pg_catalog.oid[]) AND NOT t.tgisinternal
     ORDER BY 1`,
    [tables.map(({ id }) => id)],
  );
  return precheckItem({
    item: "sourceTriggers",
    severity: "warning",
    passed: rows.length === 0,
    message:
      rows.length === 0
        ? "no selected table has triggers"
        : `triggers move with their tables: ${listed(rows.map(({ name }) => name))}. What they wrote at the source arrives as rows of its own`,
    remedy:
      "they stay quiet while changes are applied if the target's role may set session_replication_role, else they are made at the end; exclude them in objects[].exclude to leave them behind",
  });
}
