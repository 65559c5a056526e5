import { setTimeout as sleep } from "node:timers/promises";
import { ErrorCode, GodwitError } from "../../../engine/errors.js";
import type { OracleConnection, OracleValue } from "../driver.js";
import { Column, type ContentsFilter, isTruncate, LOCAL_UNDO, NO_ROW_ID, Operation } from "./contents.js";
import { checkHistory, type Incarnation, readIncarnations } from "./incarnations.js";
import { isRetriedByMining, MiningSession, miningError } from "./miningSession.js";
import { coverage, listRedoLogs, logsBetween, missing } from "./redoLogs.js";
import type { RedoTables } from "./redoTables.js";
import type { ResumePoint } from "./resumePoint.js";
import type { Transactions } from "./transactions.js";

export interface WindowReaderOptions {
  readonly connection: OracleConnection;
  readonly tables: RedoTables;
  readonly transactions: Transactions;
  readonly container: string | undefined;
  readonly local: boolean;
  readonly archiveDestination: number | undefined;
  readonly attempts: number;
  readonly retryMs: number;
  readonly signal: AbortSignal;
}

export interface ReadWindow {
  /** The last SCN that was read. */
  readonly toScn: bigint;
  readonly rows: number;
}

/** The server's own clock is what V$LOGMNR_CONTENTS.TIMESTAMP shows. */
export const SERVER_ZONE = `SELECT TO_CHAR(SYSTIMESTAMP, 'TZH:TZM') AS "ZONE" FROM DUAL`;

/** Reads windows of redo into transactions. */
export class WindowReader {
  private readonly session: MiningSession;
  private zone: string | undefined;
  private localUndo: boolean | undefined;
  /** Read once: a database that is opened with RESETLOGS ends its sessions before. */
  private incarnations: readonly Incarnation[] | undefined;
  /** SQL_REDO of more than 4000 bytes comes in several rows (CSF = 1 on all but the last), one behind the other. */
  private continued = "";
  /** What these rows have in common: transaction and place in the log. */
  private continues = "";

  constructor(private readonly options: WindowReaderOptions) {
    this.session = new MiningSession(options.connection, options.local);
  }

  /**
   * Reads from `fromScn` to `wantedScn`, or to where a thread's redo ends. A window whose logs change underneath is read again. Undefined when the
   * signal aborted. Errors: GW1107, GW1722, GW1723.
   */
  async read(fromScn: bigint, wantedScn: bigint): Promise<ReadWindow | undefined> {
    const { attempts, retryMs, signal, transactions } = this.options;
    let wanted = wantedScn;
    for (let attempt = 1; !signal.aborted; attempt++) {
      try {
        this.zone ??= await this.serverZone();
        const read = await this.attempt(fromScn, wanted);
        if (typeof read !== "bigint") return read;
        // A table that a DDL statement makes is not among those asked for: the window ends there, and the next asks for it.
        transactions.revertWindow();
        wanted = read;
        attempt--;
      } catch (cause) {
        transactions.revertWindow();
        this.continued = "";
        if (signal.aborted) return undefined;
        const passes = isRetriedByMining(cause) || (cause instanceof GodwitError && cause.code === ErrorCode.RedoLogMissing);
        if (!passes || attempt >= attempts) throw miningError(cause, fromScn);
        await this.session.end();
        await sleep(retryMs * Math.min(attempt * attempt, 32), undefined, { signal }).catch(() => undefined);
      }
    }
    return undefined;
  }

  /** Errors: GW2103 when the source went back behind what the target has. */
  async checkHistory(start: ResumePoint): Promise<void> {
    this.incarnations ??= await readIncarnations(this.options.connection);
    checkHistory(this.incarnations, start);
  }

  /** RESETLOGS_CHANGE# of the database as it is now. */
  get resetlogs(): bigint | undefined {
    return this.incarnations?.at(-1)?.resetlogs;
  }

  /** A TIMESTAMP of the redo in ms since 1970. */
  timeMs(time: string): number {
    return Date.parse(`${time.replace(" ", "T")}${this.zone ?? "Z"}`);
  }

  /** Ends LogMiner's session. */
  async end(): Promise<void> {
    await this.session.end();
  }

  /** The SCN where the window has to end, when there is DDL before its end. */
  private async attempt(fromScn: bigint, wantedScn: bigint): Promise<ReadWindow | bigint> {
    const { connection, archiveDestination } = this.options;
    this.incarnations ??= await readIncarnations(connection);
    const known = await listRedoLogs(connection, fromScn, this.incarnations, archiveDestination);
    const { logs, endScn } = coverage(known, fromScn);
    const toScn = endScn !== undefined && endScn < wantedScn ? endScn : wantedScn;
    if (toScn < fromScn) throw missing(fromScn, `no log of one of the threads goes on from SCN ${fromScn}`);
    let rows = 0;
    for await (const batch of this.session.mine(logsBetween(logs, fromScn, toScn), fromScn, toScn, await this.filter())) {
      for (const row of batch) {
        const scn = this.take(row);
        if (scn !== undefined && scn < toScn) return scn;
      }
      rows += batch.length;
    }
    if (this.continued !== "") throw tornStatement(toScn);
    return { toScn, rows };
  }

  /** The SCN of a DDL statement that may change which tables are read. */
  private take(row: readonly OracleValue[]): bigint | undefined {
    const { tables, transactions } = this.options;
    const operation = Number(row[Column.operation]);
    const xid = String(row[Column.xid]);
    const scn = BigInt(row[Column.scn] as string | number);
    const place = `${xid}/${row[Column.rsId]}/${row[Column.ssn]}`;
    if (this.continued !== "" && place !== this.continues) throw tornStatement(scn);
    switch (operation) {
      case Operation.commit:
        transactions.commit(this.commit(row, xid, scn));
        return undefined;
      case Operation.rollback:
        transactions.rollback(xid);
        return undefined;
      case Operation.missingScn:
        throw missing(scn, "LogMiner met a gap in the logs (MISSING_SCN)");
    }
    let redo = row[Column.redo] === null ? "" : String(row[Column.redo]);
    if (Number(row[Column.csf]) === 1) {
      this.continued += redo;
      this.continues = place;
      return undefined;
    }
    if (this.continued !== "") {
      redo = this.continued + redo;
      this.continued = "";
    }
    const owner = String(row[Column.owner] ?? "");
    const name = String(row[Column.table] ?? "");
    const object = row[Column.object];
    const table = tables.place(owner, name, object === null || object === undefined ? undefined : Number(object));
    if (operation === Operation.ddl) {
      // Its transaction's commit comes by itself, and may be of more than this statement.
      transactions.ddl(this.commit(row, `${xid}DD`, scn), table, [owner, name, redo].join("\u0000"));
      return isTruncate(redo) ? undefined : scn;
    }
    if (table < 0) return undefined;
    transactions.add(xid, {
      operation,
      table,
      scn,
      rowId: String(row[Column.rowId] ?? NO_ROW_ID),
      undo: Number(row[Column.rollback]) === 1,
      redo,
      time: String(row[Column.time]),
    });
    return undefined;
  }

  private commit(row: readonly OracleValue[], xid: string, scn: bigint) {
    return {
      xid,
      scn,
      timeMs: this.timeMs(String(row[Column.time])),
      thread: Number(row[Column.thread]),
      place: String(row[Column.rsId] ?? ""),
    };
  }

  private async filter(): Promise<ContentsFilter> {
    const { connection, tables, container } = this.options;
    const wanted = { tables: tables.names(), ids: tables.ids() };
    if (container === undefined) return wanted;
    if (this.localUndo === undefined) {
      const [row] = await connection.query<{ readonly VALUE: string }>(LOCAL_UNDO);
      this.localUndo = row?.VALUE === "TRUE";
    }
    return { ...wanted, container, localUndo: this.localUndo };
  }

  private async serverZone(): Promise<string> {
    const [row] = await this.options.connection.query<{ readonly ZONE: string }>(SERVER_ZONE);
    return row?.ZONE ?? "Z";
  }
}

/** Joined with what is not its own, a statement would be another one, or none that can be read. */
function tornStatement(scn: bigint): GodwitError {
  return new GodwitError(ErrorCode.RedoUnreadable, "a statement that LogMiner shows in several rows (CSF) does not come whole", {
    position: `SCN ${scn}`,
    remedy: "start the task again; if it stays, report it with the rows of V$LOGMNR_CONTENTS at this SCN",
  });
}
