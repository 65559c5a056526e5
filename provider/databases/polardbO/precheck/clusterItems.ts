import type { Client } from "pg";
import type { PrecheckItem } from "../../../engine/models/plan.js";
import { precheckItem } from "../../postgres/precheck/precheckItem.js";
import { serverNode } from "../../postgres/precheck/serverNode.js";
import type { PolardbTraits } from "../traits.js";

/** How often a session is asked where it is. */
const PROBES = 8;

/**
 * A cluster endpoint sends statements on, reads to read-only nodes (PolarDB's document "Read/write splitting"). There is no replication
 * protocol through it, and advisory locks and snapshots are one node's own.
 */
export async function endpointItem(
  item: "sourceEndpoint" | "targetEndpoint",
  client: Pick<Client, "query">,
): Promise<PrecheckItem> {
  const nodes = new Set<string>();
  for (let probe = 0; probe < PROBES; probe++) nodes.add(await serverNode(client));
  return precheckItem({
    item,
    passed: nodes.size === 1,
    ignorable: true,
    message:
      nodes.size === 1
        ? "every statement meets the same node"
        : `statements of one session meet ${nodes.size} nodes: hosts names the cluster endpoint`,
    remedy: "name the cluster's primary endpoint in hosts",
  });
}

const PRIVILEGED = "use the cluster's privileged account (console, Accounts)";

/** What PostgreSQL's remedies become where nobody but the service is superuser and parameters are set in the console ("Set cluster parameters"). */
const REMEDIES: Readonly<Record<string, (remedy: string) => string>> = {
  sourceWalLevel: () => "set wal_level to logical in the cluster's parameters (console, Parameters), which restarts it",
  sourceReplicationSlots: inConsole,
  sourceWalSenders: inConsole,
  sourceWalRetention: () =>
    "a load longer than that much WAL loses the slot: raise max_slot_wal_keep_size in the cluster's parameters, where it is among them",
  sourceReplicationRight: (remedy) => `${PRIVILEGED}, or let it run ${remedy}`,
  sourceRowSecurity: () => `${PRIVILEGED} as the source's user and let it own the tables, to whose owner policies do not apply`,
  sourceStructureCapture: () =>
    `${PRIVILEGED} as the source's user, or choose only truncate in operations.ddl and make changes of structure on both sides`,
  targetReplicaRole: () => `${PRIVILEGED} as the target's user`,
};

function inConsole(remedy: string): string {
  const [, name = "", value = ""] = /ALTER SYSTEM SET (\w+) = (\d+)/.exec(remedy) ?? [];
  return `set ${name} to ${value} in the cluster's parameters (console, Parameters), which restarts it`;
}

/** PostgreSQL's items with remedies that a PolarDB cluster allows. */
export function withClusterRemedies(items: readonly PrecheckItem[], { edition }: PolardbTraits): PrecheckItem[] {
  if (edition === "postgresql") return [...items];
  return items.map((item) => {
    const remedy = REMEDIES[item.item];
    return item.passed || !remedy ? item : { ...item, remedy: remedy(item.remedy) };
  });
}
