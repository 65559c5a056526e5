import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "pg";
import { ErrorCode, GodwitError } from "../../../engine/errors.js";
import type { Position } from "../../../engine/models/change.js";
import { serverVersion } from "../clients.js";
import { formatLsn, parseLsn } from "../lsn.js";
import { ident, literal } from "../sql.js";

export interface SlotOptions {
  /** Dies with the connection that made it: for a second snapshot, never for a stream. */
  readonly temporary?: boolean;
  /** PostgreSQL 17 and up: the slot follows a fail-over to a standby that synchronizes slots. */
  readonly failover?: boolean;
}

export interface CreatedSlot {
  /** Every transaction whose commit starts before it is in the snapshot, every later one is in the stream. */
  readonly consistentPoint: Position;
  /** For SET TRANSACTION SNAPSHOT; gone with the next command on the connection that made the slot, or with it. */
  readonly snapshotName: string;
}

/**
 * Creates a logical slot and exports its snapshot. The connection must be a walsender's, and must stay untouched as long as the
 * snapshot is wanted. Waits, without bound, for transactions that were open when it began: that is how the server
 * finds a consistent point (lock_timeout would apply to it, statement_timeout does not).
 * Errors: GW1702 when the name is taken; the server's own (58P01, 0A000) for an unknown plugin or wal_level.
 */
export async function createSlot(
  replication: Client,
  name: string,
  plugin: string,
  options: SlotOptions = {},
): Promise<CreatedSlot> {
  const version = await serverVersion(replication);
  if (options.failover && version < 170000) {
    throw new GodwitError(ErrorCode.InvalidInput, "failover slots need PostgreSQL 17 or later", {
      object: name,
      remedy: "leave failover out, or upgrade the source",
    });
  }
  // The parenthesized options came with 15, and only they know failover; the older spelling works everywhere else.
  const tail = options.failover ? "(SNAPSHOT 'export', FAILOVER true)" : "EXPORT_SNAPSHOT";
  const temporary = options.temporary ? "TEMPORARY " : "";
  try {
    const { rows } = await replication.query<{ consistent_point: string; snapshot_name: string }>(
      `CREATE_REPLICATION_SLOT ${ident(name)} ${temporary}LOGICAL ${ident(plugin)} ${tail}`,
    );
    const [row] = rows;
    if (!row) throw new GodwitError(ErrorCode.ProtocolViolation, "the server gave no slot back", { object: name });
    return { consistentPoint: parseLsn(row.consistent_point), snapshotName: row.snapshot_name };
  } catch (cause) {
    if (sqlState(cause) !== "42710") throw cause;
    throw new GodwitError(ErrorCode.SlotExists, "a replication slot of this name exists already", {
      object: name,
      remedy: `give another name, set adopt, or SELECT pg_drop_replication_slot(${literal(name)})`,
      cause,
    });
  }
}

/**
 * Ends whoever streams from the slot and drops it. Returns false when there was none. Errors: GW1704 when its holder could
 * not be ended within the time.
 */
export async function dropSlot(client: Client, name: string, timeoutSeconds = 20): Promise<boolean> {
  const deadline = Date.now() + timeoutSeconds * 1000;
  for (;;) {
    const holder = await slotHolder(client, name);
    if (holder === undefined) return false;
    if (holder.pid !== undefined) await endBackend(client, holder.pid);
    try {
      await client.query("SELECT pg_catalog.pg_drop_replication_slot($1)", [name]);
      return true;
    } catch (cause) {
      const state = sqlState(cause);
      // A temporary slot went with the walsender that was just ended.
      if (state === "42704") return true;
      // 55006: still held. The walsender may be in the middle of a large transaction, or its client came back at once.
      if (state !== "55006" || Date.now() > deadline) {
        if (state === "55006") throw slotActive(name, holder, cause);
        throw cause;
      }
    }
    await sleep(100);
  }
}

/**
 * Frees a slot for a successor: ends the walsender that holds it when its application_name starts with `ours`
 * ("godwit/<task>"), which is what a dead worker leaves until the server notices. Errors: GW1704 when someone else holds it.
 */
export async function releaseSlot(client: Client, name: string, ours: string, timeoutSeconds = 20): Promise<void> {
  const deadline = Date.now() + timeoutSeconds * 1000;
  for (;;) {
    const holder = await slotHolder(client, name);
    if (holder?.pid === undefined) return;
    if (!holder.applicationName?.startsWith(ours) || Date.now() > deadline) throw slotActive(name, holder);
    await endBackend(client, holder.pid);
    await sleep(100);
  }
}

/** Moves the slot forward without a stream; the server never moves it back. PostgreSQL 11 and up. */
export async function advanceSlot(client: Client, name: string, to: Position): Promise<Position> {
  const { rows } = await client.query<{ end_lsn: string }>(
    "SELECT end_lsn FROM pg_catalog.pg_replication_slot_advance($1, $2::pg_catalog.pg_lsn)",
    [name, formatLsn(to)],
  );
  return parseLsn(rows[0]?.end_lsn ?? "");
}

/** Changes whether the slot follows a fail-over, in place. The connection must be a walsender's; PostgreSQL 17 and up. */
export async function setSlotFailover(replication: Client, name: string, failover: boolean): Promise<void> {
  await replication.query(`ALTER_REPLICATION_SLOT ${ident(name)} (FAILOVER ${failover})`);
}

interface Holder {
  readonly pid: number | undefined;
  readonly applicationName: string | undefined;
}

async function slotHolder(client: Client, name: string): Promise<Holder | undefined> {
  const { rows } = await client.query<{ active_pid: number | null; application_name: string | null }>(
    `SELECT s.active_pid, a.application_name
       FROM pg_catalog.pg_replication_slots s
       LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = s.active_pid
      WHERE s.slot_name = $1`,
    [name],
  );
  const [row] = rows;
  return row && { pid: row.active_pid ?? undefined, applicationName: row.application_name ?? undefined };
}

async function endBackend(client: Client, pid: number): Promise<void> {
  await client.query("SELECT pg_catalog.pg_terminate_backend($1)", [pid]);
}

function slotActive(name: string, holder: Holder, cause?: unknown): GodwitError {
  const by = holder.applicationName ? ` ("${holder.applicationName}")` : "";
  return new GodwitError(ErrorCode.SlotActive, `the slot is held by process ${holder.pid}${by}`, {
    object: name,
    remedy: `stop that client, or SELECT pg_terminate_backend(${holder.pid})`,
    cause,
  });
}

function sqlState(cause: unknown): string | undefined {
  return (cause as { code?: string } | undefined)?.code;
}
