import { ErrorCode, GodwitError } from "../../../engine/errors.js";
import type { OracleConnection, OracleValue } from "../driver.js";
import { isOracleConnectionError, oracleCode } from "../oracleErrors.js";
import { type ContentsFilter, contentsQuery } from "./contents.js";
import { missing, type RedoLog } from "./redoLogs.js";

/** Rows fetched at once. */
const BATCH_ROWS = 5000;
/** A session keeps memory of the server's (PGA) for every window: it is begun anew after so many. */
const WINDOWS_PER_SESSION = 200;

/** A log switched, was archived or written over while it was being added or read: the list is made again. */
const RETRIED = new Set([
  "ORA-00308", // an archived log cannot be opened
  "ORA-00310", // a log holds another sequence than its header said: it was written over
  "ORA-00334",
  "ORA-00353", // corruption, which is what a log looks like that is being written over
  "ORA-00354",
  "ORA-01284", // a file cannot be opened
  "ORA-01289", // added twice: by a session that broke off
  "ORA-01291", // missing log
  "ORA-01292", // no log file in the session
  "ORA-01306", // not started
  "ORA-01327", // dictionary locked
  "ORA-01333",
  "ORA-01346",
  "ORA-16331", // a pluggable database is closed, whose redo is in the window
]);

const GONE = new Set(["ORA-00308", "ORA-01284", "ORA-01291", "ORA-01292"]);

export function isRetriedByMining(cause: unknown): boolean {
  return RETRIED.has(oracleCode(cause) ?? "");
}

/** One session's LogMiner. `mine` makes it look at a window; the logs are told to it again only when they change. */
export class MiningSession {
  private added = "";
  private windows = 0;
  private started = false;

  /** `local`: inside a pluggable database, where no log may be added (ORA-65040): START_LOGMNR finds those of its SCNs. */
  constructor(
    private readonly connection: OracleConnection,
    private readonly local: boolean,
  ) {}

  /** Streams the rows of `contentsQuery` for a window. Rejects with Oracle's errors; those of `isRetriedByMining` may pass by themselves. */
  async *mine(
    logs: readonly RedoLog[],
    fromScn: bigint,
    toScn: bigint,
    filter: ContentsFilter,
  ): AsyncGenerator<readonly OracleValue[][]> {
    const list = logs.map(({ path }) => path).join("\n");
    if (list !== this.added || ++this.windows > WINDOWS_PER_SESSION) {
      await this.end();
      for (const [index, { path }] of this.local ? [] : logs.entries()) {
        await this.connection.execute(index === 0 ? ADD_FIRST : ADD_NEXT, { path });
        this.started = true;
      }
      this.added = list;
    }
    await this.connection.execute(START, { from_scn: fromScn, to_scn: toScn });
    this.started = true;
    yield* this.connection.stream(contentsQuery(filter), { from_scn: fromScn, to_scn: toScn }, { batchRows: BATCH_ROWS });
  }

  /** Ends LogMiner's session; the connection stays. Fine when there is none. */
  async end(): Promise<void> {
    this.added = "";
    this.windows = 0;
    if (!this.started) return;
    this.started = false;
    try {
      await this.connection.execute(END);
    } catch (cause) {
      // ORA-01307: no session is active.
      if (oracleCode(cause) !== "ORA-01307") throw cause;
    }
  }
}

export const ADD_FIRST = "BEGIN DBMS_LOGMNR.ADD_LOGFILE(LOGFILENAME => :path, OPTIONS => DBMS_LOGMNR.NEW); END;";
export const ADD_NEXT = "BEGIN DBMS_LOGMNR.ADD_LOGFILE(LOGFILENAME => :path, OPTIONS => DBMS_LOGMNR.ADDFILE); END;";
/** Row ids come in a column of their own, and statements without a semicolon: less to read. */
export const START =
  "BEGIN DBMS_LOGMNR.START_LOGMNR(STARTSCN => :from_scn, ENDSCN => :to_scn, OPTIONS => DBMS_LOGMNR.DICT_FROM_ONLINE_CATALOG + " +
  "DBMS_LOGMNR.NO_ROWID_IN_STMT + DBMS_LOGMNR.NO_SQL_DELIMITER); END;";
export const END = "BEGIN DBMS_LOGMNR.END_LOGMNR; END;";

/** What a failure of mining means to a user, once trying again did not help. */
export function miningError(cause: unknown, scn: bigint): unknown {
  if (cause instanceof GodwitError || isOracleConnectionError(cause)) return cause;
  const code = oracleCode(cause);
  if (code === undefined) return cause;
  const message = cause instanceof Error ? cause.message : String(cause);
  if (GONE.has(code)) return missing(scn, message);
  const remedies: Readonly<Record<string, string>> = {
    "ORA-01031": "GRANT LOGMINING, SELECT ANY TRANSACTION, EXECUTE_CATALOG_ROLE to the user (LOGMINING from 12.1 on)",
    "ORA-00942":
      "GRANT SELECT ON V_$LOGMNR_CONTENTS, V_$LOGMNR_LOGS, V_$LOG, V_$LOGFILE, V_$ARCHIVED_LOG, V_$DATABASE to the user",
    "ORA-01325": "SHUTDOWN IMMEDIATE; STARTUP MOUNT; ALTER DATABASE ARCHIVELOG; ALTER DATABASE OPEN",
    "ORA-44609": "ALTER SYSTEM SET ENABLE_GOLDENGATE_REPLICATION or drop the other capture that holds LogMiner",
    "ORA-65040":
      "give the endpoint a common user who may go to CDB$ROOT (GRANT SET CONTAINER): LogMiner does not run in this pluggable database",
    "ORA-04030": "give the server more PGA (PGA_AGGREGATE_LIMIT) or memory",
  };
  return new GodwitError(ErrorCode.LogMinerRefused, `LogMiner failed: ${message}`, {
    position: `SCN ${scn}`,
    remedy: remedies[code] ?? `look ${code} up in Oracle's error messages; the task goes on where it stopped`,
    cause,
  });
}
