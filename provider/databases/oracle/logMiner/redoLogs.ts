import { ErrorCode, GodwitError } from "../../../engine/errors.js";
import type { OracleConnection } from "../driver.js";
import { type Incarnation, incarnationAt } from "./incarnations.js";
import { type RedoThread, readThreads } from "./redoThreads.js";

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
 * Archived logs of one incarnation (RESETLOGS), also those whose files are gone: a thread that has none left is known by them. On local destinations;
 * several copies of one log are told apart by the destination's number, the lowest is used.
 */
export const ARCHIVED_LOGS = `
SELECT A.THREAD# AS "THREAD", A.SEQUENCE# AS "SEQUENCE", A.FIRST_CHANGE# AS "FIRST_SCN", A.NEXT_CHANGE# AS "NEXT_SCN", A.DEST_ID AS "DESTINATION",
       CASE WHEN A.DELETED = 'NO' AND A.STATUS = 'A' THEN A.NAME END AS "PATH"
FROM V$ARCHIVED_LOG A
WHERE A.ARCHIVED = 'YES' AND A.STANDBY_DEST = 'NO' AND A.NEXT_CHANGE# > :from_scn AND A.RESETLOGS_CHANGE# = :resetlogs
ORDER BY A.THREAD#, A.SEQUENCE#, A.DEST_ID`;

/** The log of a thread that ended before an SCN: its record stays in the control file when the file is deleted. */
export const LOG_BEFORE = `
SELECT MAX(A.SEQUENCE#) AS "SEQUENCE" FROM V$ARCHIVED_LOG A
WHERE A.THREAD# = :thread AND A.NEXT_CHANGE# <= :from_scn AND A.RESETLOGS_CHANGE# = :resetlogs`;

interface LogRow {
  readonly THREAD: string;
  readonly SEQUENCE: string;
  readonly FIRST_SCN: string;
  readonly NEXT_SCN: string | null;
  readonly STATUS?: string;
  readonly DESTINATION?: string;
  readonly PATH: string | null;
}

/** What is known of the redo from an SCN on, of every thread and of one incarnation. */
export interface RedoLogs {
  /** Those that can be read, one file each, by thread and sequence. */
  readonly logs: readonly RedoLog[];
  /** Those whose every copy is deleted. */
  readonly gone: readonly Omit<RedoLog, "path">[];
  readonly threads: readonly RedoThread[];
  /** By thread, the sequence of the log that ended before the SCN, where the first that can be read begins behind it. */
  readonly before: ReadonlyMap<number, number>;
  /** The last SCN of the incarnation; undefined for the one that is being written. */
  readonly endScn: bigint | undefined;
}

/** Every log that holds redo from an SCN on. `destination`: the number of the archive destination to use, default any. */
export async function listRedoLogs(
  connection: OracleConnection,
  fromScn: bigint,
  incarnations: readonly Incarnation[],
  destination?: number,
): Promise<RedoLogs> {
  const { resetlogs, endScn } = incarnationAt(incarnations, fromScn);
  // Before the logs: a thread that opens in between has no log that matters yet.
  const threads = await readThreads(connection);
  const found = new Map<string, RedoLog>();
  const gone = new Map<string, Omit<RedoLog, "path">>();
  for (const row of await connection.query<LogRow>(ARCHIVED_LOGS, { from_scn: fromScn, resetlogs })) {
    const key = `${row.THREAD}/${row.SEQUENCE}`;
    if (found.has(key) || (destination !== undefined && Number(row.DESTINATION) !== destination)) continue;
    const log = logOf(row, false);
    if (row.PATH === null) gone.set(key, log);
    else found.set(key, { ...log, path: row.PATH });
  }
  // After the archived ones: a log that is archived in between is then in both lists, not in neither. Online logs are of the newest incarnation.
  for (const row of endScn === undefined ? await connection.query<LogRow>(ONLINE_LOGS) : []) {
    const key = `${row.THREAD}/${row.SEQUENCE}`;
    const log = logOf(row, true);
    if (!found.has(key) && (log.nextScn === undefined || log.nextScn > fromScn)) found.set(key, { ...log, path: row.PATH ?? "" });
  }
  const logs = [...found.values()].sort((a, b) => a.thread - b.thread || a.sequence - b.sequence);
  const before = new Map<number, number>();
  for (const { thread, sequence, firstScn } of firstOfEach(logs)) {
    if (firstScn <= fromScn || sequence === 1) continue;
    const [row] = await connection.query<{ SEQUENCE: string | null }>(LOG_BEFORE, { thread, from_scn: fromScn, resetlogs });
    if (row?.SEQUENCE != null) before.set(thread, Number(row.SEQUENCE));
  }
  return { logs, gone: [...gone].flatMap(([key, log]) => (found.has(key) ? [] : [log])), threads, before, endScn };
}

function logOf(row: LogRow, online: boolean): Omit<RedoLog, "path"> {
  return {
    thread: Number(row.THREAD),
    sequence: Number(row.SEQUENCE),
    firstScn: BigInt(row.FIRST_SCN),
    // A current log's NEXT_CHANGE# is the largest number of the release, 2^48 - 1 or 2^64 - 1.
    nextScn: row.STATUS === "CURRENT" || row.NEXT_SCN === null ? undefined : BigInt(row.NEXT_SCN),
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
 *
 * A thread is an instance of RAC. One that was closed for a while has two logs in sequence with SCNs between them that are in neither; one that was
 * disabled, or is new, has redo from where it was enabled on. (Debezium's LogFileCollector tells the same cases apart by V$THREAD.)
 */
export function coverage({ logs: all, gone, threads, before, endScn: last }: RedoLogs, fromScn: bigint): Coverage {
  const own = new Map<number, RedoLog[]>();
  for (const log of all) own.set(log.thread, [...(own.get(log.thread) ?? []), log]);
  if (own.size === 0) throw missing(fromScn, "no redo log holds this SCN");
  for (const lost of gone) {
    if (!own.has(lost.thread)) throw missingLog(fromScn, lost.thread, lost.sequence);
  }
  for (const { thread, open, lastScn } of threads) {
    const wrote = open || (lastScn !== undefined && lastScn >= fromScn);
    if (wrote && last === undefined && !own.has(thread)) throw missing(fromScn, `no log of thread ${thread} is there`);
  }
  const logs: RedoLog[] = [];
  let endScn = last;
  for (const [thread, ofThread] of own) {
    const [first] = ofThread;
    if (!first) continue;
    const enabled = threads.find((each) => each.thread === thread)?.enabledScn;
    const joined = enabled !== undefined && enabled > fromScn && first.firstScn <= enabled;
    const next = before.get(thread) === first.sequence - 1;
    // The first log of a thread that joined later begins where the thread began.
    if (first.firstScn > fromScn && first.sequence > 1 && !joined && !next) {
      throw missingLog(fromScn, thread, first.sequence - 1);
    }
    let newest = first;
    logs.push(first);
    for (const log of ofThread.slice(1)) {
      if (log.sequence !== newest.sequence + 1) break;
      logs.push(log);
      newest = log;
    }
    if (newest.nextScn === undefined) continue;
    if (endScn === undefined || newest.nextScn - 1n < endScn) endScn = newest.nextScn - 1n;
  }
  return { logs, endScn };
}

function firstOfEach(logs: readonly RedoLog[]): RedoLog[] {
  return logs.filter((log, index) => logs[index - 1]?.thread !== log.thread);
}

function missingLog(scn: bigint, thread: number, sequence: number): GodwitError {
  return missing(scn, `log ${sequence} of thread ${thread}, and maybe earlier ones, are gone`, thread, sequence);
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
