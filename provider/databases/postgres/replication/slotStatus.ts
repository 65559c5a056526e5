import type { Client } from "pg";
import type { Position } from "../../../engine/models/change.js";
import { parseLsn } from "../lsn.js";

/** A slot as its server describes it. */
export type SlotStatus =
  | { readonly state: "missing" }
  | { readonly state: "lost"; readonly plugin: string; readonly reason: string }
  | {
      readonly state: "ok";
      readonly plugin: string;
      readonly databaseName: string;
      readonly temporary: boolean;
      /** Undefined on servers before 17. */
      readonly failover: boolean | undefined;
      readonly activePid: number | undefined;
      /** The oldest WAL the slot holds back. */
      readonly restartLsn: Position;
      /** What the consumer has acknowledged. */
      readonly confirmedFlushLsn: Position;
      /** `reserved`, `extended` or `unreserved`; undefined on servers before 13. */
      readonly walStatus: string | undefined;
      /** Bytes of WAL the server keeps for this slot. */
      readonly retainedBytes: number;
      /** Bytes that may still be written before the slot is in danger; undefined without a limit or before 13. */
      readonly safeBytes: number | undefined;
    };

interface SlotRow {
  readonly plugin: string;
  readonly database: string;
  readonly temporary: boolean;
  readonly failover?: boolean;
  readonly active_pid: number | null;
  readonly restart_lsn: string | null;
  readonly confirmed_flush_lsn: string | null;
  readonly wal_status?: string | null;
  readonly safe_wal_size?: number | null;
  readonly invalidation_reason?: string | null;
  readonly conflicting?: boolean | null;
}

// The view grew columns with 13 (wal_status), 16 (conflicting) and 17 (failover, invalidation_reason): the row as JSON
// has what the server has, and one statement fits all.
const STATUS = `
  SELECT pg_catalog.to_jsonb(s) AS slot,
         pg_catalog.pg_wal_lsn_diff(
           CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_last_wal_replay_lsn()
                ELSE pg_catalog.pg_current_wal_lsn() END,
           s.restart_lsn)::text AS retained
    FROM pg_catalog.pg_replication_slots s
   WHERE s.slot_name = $1 AND s.slot_type = 'logical'`;

export async function slotStatus(client: Client, name: string): Promise<SlotStatus> {
  const { rows } = await client.query<{ slot: SlotRow; retained: string | null }>(STATUS, [name]);
  const [row] = rows;
  if (!row) return { state: "missing" };
  const { slot } = row;
  const invalid = slot.invalidation_reason ?? (slot.conflicting ? "conflict with recovery" : undefined);
  if (slot.wal_status === "lost" || invalid) {
    return { state: "lost", plugin: slot.plugin, reason: invalid ?? "the WAL it needs was removed (max_slot_wal_keep_size)" };
  }
  return {
    state: "ok",
    plugin: slot.plugin,
    databaseName: slot.database,
    temporary: slot.temporary,
    failover: slot.failover,
    activePid: slot.active_pid ?? undefined,
    restartLsn: parseLsn(slot.restart_lsn ?? "0/0"),
    confirmedFlushLsn: parseLsn(slot.confirmed_flush_lsn ?? "0/0"),
    walStatus: slot.wal_status ?? undefined,
    retainedBytes: Number(row.retained ?? 0),
    safeBytes: slot.safe_wal_size ?? undefined,
  };
}

export type SlotHealth =
  | { readonly level: "ok" }
  | { readonly level: "warning" | "error"; readonly message: string; readonly remedy: string };

const MEGABYTE = 1024 * 1024;

/**
 * Whether a slot is a danger to its server or in danger itself. `maxRetainedMegabytes` is the user's own limit
 * (ReplicationSlot.maxRetainedMegabytes); the server's is in the status. Pure.
 */
export function slotHealth(name: string, status: SlotStatus, maxRetainedMegabytes?: number): SlotHealth {
  if (status.state === "missing") {
    return {
      level: "error",
      message: `slot ${name} does not exist`,
      remedy: "create it again; what it fed must be copied again",
    };
  }
  if (status.state === "lost") {
    return {
      level: "error",
      message: `slot ${name} is lost: ${status.reason}`,
      remedy: "drop it and copy the data again; raise max_slot_wal_keep_size before that",
    };
  }
  const retained = Math.round(status.retainedBytes / MEGABYTE);
  if (status.walStatus === "unreserved") {
    return {
      level: "error",
      message: `slot ${name} is about to be lost: it holds back ${retained} MB of WAL, more than the server will keep`,
      remedy: "let its consumer catch up now, or raise max_slot_wal_keep_size (a reload is enough)",
    };
  }
  if (maxRetainedMegabytes !== undefined && status.retainedBytes > maxRetainedMegabytes * MEGABYTE) {
    return {
      level: "warning",
      message: `slot ${name} holds back ${retained} MB of WAL, above maxRetainedMegabytes (${maxRetainedMegabytes})`,
      remedy: status.activePid === undefined ? "nobody reads from it: start its consumer or drop it" : "its consumer is behind",
    };
  }
  // Half of what the server allows is gone: time to say so, while there is still time to act.
  if (status.safeBytes !== undefined && status.safeBytes < status.retainedBytes) {
    return {
      level: "warning",
      message: `slot ${name} holds back ${retained} MB of WAL; it is lost after ${Math.round(status.safeBytes / MEGABYTE)} MB more`,
      remedy: "let its consumer catch up, or raise max_slot_wal_keep_size",
    };
  }
  return { level: "ok" };
}
