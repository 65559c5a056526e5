import type { Client } from "pg";
import type { ReplicationSlotInputs } from "../contract/types.js";
import { privilegedRole } from "../databases/polardbO/privilegedRole.js";
import { withConnection } from "../databases/postgres/connection.js";
import { formatLsn } from "../databases/postgres/lsn.js";
import { advanceSlot, setSlotFailover } from "../databases/postgres/replication/slot.js";
import { type SlotStatus, slotStatus } from "../databases/postgres/replication/slotStatus.js";
import { ident } from "../databases/postgres/sql.js";
import { ErrorCode, GodwitError } from "../engine/errors.js";
import type { Position } from "../engine/models/change.js";

interface ServerRow {
  readonly version: number;
  readonly wal_level: string;
  readonly allowed: boolean;
  readonly slots: number;
  readonly max_slots: number;
  /** Of the Greenplum family. */
  readonly segmented: boolean;
  /** Of PolarDB. */
  readonly polar: boolean;
}

/** Refuses before anything is made what the server or the role would refuse later in words of its own. Errors: GW1001, GW1710. */
export async function mustAllowSlots(client: Client, inputs: ReplicationSlotInputs): Promise<void> {
  const { rows } = await client.query<ServerRow>(`
    SELECT pg_catalog.current_setting('server_version_num')::int AS version,
           pg_catalog.current_setting('wal_level') AS wal_level,
           (SELECT rolsuper OR rolreplication FROM pg_catalog.pg_roles WHERE rolname = CURRENT_USER) AS allowed,
           (SELECT pg_catalog.count(*)::int FROM pg_catalog.pg_replication_slots) AS slots,
           pg_catalog.current_setting('max_replication_slots')::int AS max_slots,
           EXISTS (SELECT 1 FROM pg_catalog.pg_class WHERE relname = 'gp_segment_configuration') AS segmented,
           EXISTS (SELECT 1 FROM pg_catalog.pg_settings WHERE name LIKE 'polar\\_%') AS polar`);
  const [server] = rows;
  if (!server) return;
  const object = inputs.name;
  if (server.segmented) {
    throw new GodwitError(
      ErrorCode.SlotRefused,
      "a segmented server decodes no changes: its rows are in the logs of its segments",
      {
        object,
        remedy: "make the slot at the source of a task; AnalyticDB is a target",
      },
    );
  }
  if (inputs.failover && server.version < 170000) {
    throw new GodwitError(ErrorCode.InvalidInput, "failover slots need PostgreSQL 17 or later", {
      object,
      remedy: server.polar
        ? "leave failover out: PolarDB takes all slots along, or none, as the cluster's parameter polar_failover_slot_mode says"
        : "leave failover out",
    });
  }
  if (inputs.advanceTo !== undefined && server.version < 110000) {
    throw new GodwitError(ErrorCode.InvalidInput, "advanceTo needs PostgreSQL 11 or later", {
      object,
      remedy: "leave advanceTo out",
    });
  }
  if (server.wal_level !== "logical") {
    throw new GodwitError(ErrorCode.SlotRefused, `the server's wal_level is ${server.wal_level}`, {
      object,
      remedy: "ALTER SYSTEM SET wal_level = logical, and restart the server",
    });
  }
  // Managed servers grant replication through roles of their own (rds_replication): the attribute alone does not decide there.
  if (!server.allowed && !(await mayReplicate(client))) {
    throw new GodwitError(ErrorCode.SlotRefused, `role "${inputs.endpoint.username}" may not replicate`, {
      object,
      remedy: `ALTER ROLE ${ident(inputs.endpoint.username ?? "")} REPLICATION`,
    });
  }
  if (server.slots >= server.max_slots && !inputs.adopt) {
    throw new GodwitError(ErrorCode.SlotRefused, `all ${server.max_slots} replication slots of the server are in use`, {
      object,
      remedy:
        "drop slots that nobody reads (SELECT * FROM pg_replication_slots WHERE NOT active), or raise max_replication_slots and restart",
    });
  }
}

async function mayReplicate(client: Client): Promise<boolean> {
  const { rows } = await client.query<{ granted: boolean }>(`
    SELECT EXISTS (SELECT FROM pg_catalog.pg_roles
                    WHERE rolname IN ('rds_replication', 'azure_pg_admin', 'cloudsqlsuperuser', 'rds_superuser')
                      AND pg_catalog.pg_has_role(CURRENT_USER, oid, 'MEMBER')) AS granted`);
  return rows[0]?.granted === true || (await privilegedRole(client)).privileged;
}

/** The server's refusal to make a slot, with what mends it. */
export function slotRefusal(cause: unknown, name: string, plugin: string): unknown {
  const { code, message } = cause as { code?: string; message?: string };
  if (cause instanceof GodwitError || code === undefined) return cause;
  // 58P01: no such library. 42883: a library, and not an output plugin.
  if (code === "58P01" || code === "42883") {
    return new GodwitError(ErrorCode.SlotRefused, `the server has no output plugin "${plugin}"`, {
      object: name,
      remedy: "use pgoutput, which every server has, or install the plugin",
      cause,
    });
  }
  return new GodwitError(ErrorCode.SlotRefused, `the server did not make the slot: ${message}`, { object: name, cause });
}

/** Brings failover and position to what is asked; a slot never moves back. Returns the slot as it is then. Errors: GW1001, GW1704. */
export async function adjustSlot(
  inputs: ReplicationSlotInputs,
  applicationName: string,
  advanceTo: Position | undefined,
): Promise<SlotStatus> {
  const { endpoint, name } = inputs;
  return withConnection(endpoint, { applicationName }, async (client) => {
    const status = await slotStatus(client, name);
    if (status.state !== "ok") return status;
    await mustAllowSlots(client, { ...inputs, adopt: true });
    try {
      if (status.failover !== undefined && status.failover !== inputs.failover) {
        await withConnection(endpoint, { applicationName, replication: true }, (walsender) =>
          setSlotFailover(walsender, name, inputs.failover),
        );
      }
      if (advanceTo !== undefined && advanceTo > status.confirmedFlushLsn) await advance(client, name, advanceTo);
    } catch (cause) {
      if ((cause as { code?: string }).code !== "55006") throw cause;
      throw new GodwitError(ErrorCode.SlotActive, "the slot cannot be changed while it is read", {
        object: name,
        remedy: `pause what reads it${status.activePid === undefined ? "" : ` (process ${status.activePid})`} and run pulumi up again`,
        cause,
      });
    }
    return slotStatus(client, name);
  });
}

/** The server stops at the end of its log without a word. */
async function advance(client: Client, name: string, to: Position): Promise<void> {
  const { rows } = await client.query<{ end: string }>("SELECT pg_catalog.pg_current_wal_flush_lsn()::text AS end");
  const reached = await advanceSlot(client, name, to);
  if (reached >= to) return;
  throw new GodwitError(
    ErrorCode.InvalidInput,
    `advanceTo (${formatLsn(to)}) is beyond the end of the server's log (${rows[0]?.end})`,
    {
      object: name,
      position: formatLsn(reached),
      remedy: "give an LSN of this server, such as SELECT pg_current_wal_lsn()",
    },
  );
}
