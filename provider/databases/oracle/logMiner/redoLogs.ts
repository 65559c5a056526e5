import { ErrorCode, GodwitError } from "../../../engine/errors.js";
import type { OracleConnection } from "../driver.js";

/** One redo log file as LogMiner is told of it. It holds the redo of its thread from `firstScn` up to before `nextScn`. */
export interface RedoLog {
  readonly thread: number;
  readonly sequence: number;
  readonly firstScn: bigint;
  /** Undefined for the log that is being written. */
  readonly nextScn: bigint | undefined;
  readonly path: string;
  readonly online: boolean;
}

/**
 * Online logs, of every thread. Also those that are full and not archived yet: they can be read until they are written over. A member
 * that is being cleared or is marked INVALID can't.
 */
export const ONLINE_LOGS = `
SELECT L.THREAD# AS "THREAD", L.SEQUENCE# AS "SEQUENCE", L.FIRST_CHANGE# AS "FIRST_SCN", L.NEXT_CHANGE# AS "NEXT_SCN", L.STATUS AS "STATUS",
       MIN(F.MEMBER) AS "PATH"
FROM V$LOG L JOIN V$LOGFILE F ON F.GROUP# = L.GROUP#
WHERE L.STATUS NOT IN ('UNUSED', 'CLEARING', 'CLEARING_CURRENT') AND (F.STATUS IS NULL OR F.STATUS NOT IN ('INVALID', 'DELETED'))
GROUP BY L.THREAD#, L.SEQUENCE#, L.FIRST_CHANGE#, L.NEXT_CHANGE#, L.STATUS`;

/**
 * Archived logs of this incarnation (RESETLOGS) that still exist on a local destination; several copies of one log are told apart by the
 * destination's number, the lowest is used.
 */
export const ARCHIVED_LOGS = `
SELECT A.THREAD# AS "THREAD", A.SEQUENCE# AS "SEQUENCE", A.FIRST_CHANGE# AS "FIRST_SCN", A.NEXT_CHANGE# AS "NEXT_SCN", A.DEST_ID AS "DESTINATION",
       A.NAME AS "PATH"
FROM V$ARCHIVED_LOG A
WHERE A.ARCHIVED = 'YES' AND A.DELETED = 'NO' AND A.STATUS = 'A' AND A.STANDBY_DEST = 'NO' AND A.NAME IS NOT NULL
  AND A.NEXT_CHANGE# > :from_scn
  AND (A.RESETLOGS_CHANGE#, A.RESETLOGS_TIME) = (SELECT D.RESETLOGS_CHANGE#, D.RESETLOGS_TIME FROM V$DATABASE D)
ORDER BY A.THREAD#, A.SEQUENCE#, A.DEST_ID`;

interface LogRow {
  readonly THREAD: string;
  readonly SEQUENCE: string;
  readonly FIRST_SCN: string;
  readonly NEXT_SCN: string | null;
  readonly STATUS?: string;
  readonly DESTINATION?: string;
  readonly PATH: string;
}

/** Every log that holds redo from an SCN on, one file each. `destination`: the number of the archive destination to use, default any. */
export async function listRedoLogs(connection: OracleConnection, fromScn: bigint, destination?: number): Promise<RedoLog[]> {
  const found = new Map<string, RedoLog>();
  const archived = await connection.query<LogRow>(ARCHIVED_LOGS, { from_scn: fromScn });
  for (const row of archived) {
    const key = `${row.THREAD}/${row.SEQUENCE}`;
    if (found.has(key) || (destination !== undefined && Number(row.DESTINATION) !== destination)) continue;
    found.set(key, logOf(row, false));
  }
  // After the archived ones: a log that is archived in between is then in both lists, not in neither.
  for (const row of await connection.query<LogRow>(ONLINE_LOGS)) {
    const key = `${row.THREAD}/${row.SEQUENCE}`;
    const log = logOf(row, true);
    if (!found.has(key) && (log.nextScn === undefined || log.nextScn > fromScn)) found.set(key, log);
  }
  return [...found.values()].sort((a, b) => a.thread - b.thread || a.sequence - b.sequence);
}

function logOf(row: LogRow, online: boolean): RedoLog {
  return {
    thread: Number(row.THREAD),
    sequence: Number(row.SEQUENCE),
    firstScn: BigInt(row.FIRST_SCN),
    // A current log's NEXT_CHANGE# is the largest number of the release, 2^48 - 1 or 2^64 - 1.
    nextScn: row.STATUS === "CURRENT" || row.NEXT_SCN === null ? undefined : BigInt(row.NEXT_SCN),
    path: row.PATH,
    online,
  };
}

export interface Coverage {
  /** The logs that hold redo of the window, of every thread. */
  readonly logs: readonly RedoLog[];
  /** The last SCN whose redo is there, of every thread: the lowest of the threads' ends. Undefined: up to what is being written. */
  readonly endScn: bigint | undefined;
}

/**
 * The logs that hold the redo from `fromScn` on. Pure. Where a thread has a hole, coverage ends before it: the log may be about to be archived.
 * Throws GW1722 when a thread's redo at `fromScn` itself is gone.
 */
export function coverage(all: readonly RedoLog[], fromScn: bigint): Coverage {
  const threads = new Map<number, RedoLog[]>();
  for (const log of all) threads.set(log.thread, [...(threads.get(log.thread) ?? []), log]);
  if (threads.size === 0) throw missing(fromScn, "no redo log holds this SCN");
  const logs: RedoLog[] = [];
  let endScn: bigint | undefined;
  for (const [thread, own] of threads) {
    const [first] = own;
    if (!first) continue;
    // The first log of a thread that joined later begins where the thread began.
    if (first.firstScn > fromScn && first.sequence > 1) {
      throw missing(
        fromScn,
        `log ${first.sequence - 1} of thread ${thread}, and maybe earlier ones, are gone`,
        thread,
        first.sequence - 1,
      );
    }
    let last = first;
    logs.push(first);
    for (const log of own.slice(1)) {
      if (log.sequence !== last.sequence + 1) break;
      logs.push(log);
      last = log;
    }
    if (last.nextScn !== undefined && (endScn === undefined || last.nextScn - 1n < endScn)) endScn = last.nextScn - 1n;
  }
  return { logs, endScn };
}

/** The logs of a coverage that a window needs. */
export function logsBetween(logs: readonly RedoLog[], fromScn: bigint, toScn: bigint): RedoLog[] {
  return logs.filter((log) => log.firstScn <= toScn && (log.nextScn === undefined || log.nextScn > fromScn));
}

export function missing(scn: bigint, what: string, thread?: number, sequence?: number): GodwitError {
  const restore =
    thread === undefined
      ? ""
      : `restore it (RMAN> RESTORE ARCHIVELOG FROM SEQUENCE ${sequence} THREAD ${thread}) and start the task again, or `;
  return new GodwitError(ErrorCode.RedoLogMissing, `redo that the task still needs is gone: ${what}`, {
    position: `SCN ${scn}`,
    remedy:
      `${restore}empty the target's tables and replace the task, which copies again; keep archived logs for longer (24 hours, ` +
      "7 days while tables are being loaded)",
  });
}
