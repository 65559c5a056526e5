import type { OracleConnection } from "../driver.js";
import { oracleCode } from "../oracleErrors.js";

/**
 * The newest change of each data file that was made without redo (NOLOGGING, UNRECOVERABLE). Of the pluggable database the session is in. Kept in
 * ARCHIVELOG mode, once the operation is done (Reference, "V$DATAFILE").
 */
export const UNLOGGED_FILES = `
SELECT F.NAME AS "NAME", F.UNRECOVERABLE_CHANGE# AS "SCN" FROM V$DATAFILE F WHERE F.UNRECOVERABLE_CHANGE# > :since ORDER BY F.FILE#`;

/** Files named in one warning. */
const NAMED = 5;

/**
 * Looks now and then whether something was written without redo: no stream has those rows, and nothing in the redo tells of them. Which object it was no view
 * says (an index that was rebuilt as well as a table), so it is a warning.
 */
export class UnloggedWatch {
  private lookedAtMs = Number.NEGATIVE_INFINITY;
  private refused = false;

  /** `since`: the SCN that the stream begins at. */
  constructor(
    private readonly connect: () => Promise<OracleConnection>,
    private readonly onWarning: (message: string) => void,
    private since: bigint,
    private readonly everyMs: number,
  ) {}

  async look(nowMs: number): Promise<void> {
    if (this.refused || nowMs - this.lookedAtMs < this.everyMs) return;
    this.lookedAtMs = nowMs;
    const connection = await this.connect();
    let files: readonly { readonly NAME: string; readonly SCN: string }[];
    try {
      files = await connection.query(UNLOGGED_FILES, { since: this.since });
    } catch (cause) {
      // ORA-00942: the user may not read V$DATAFILE; the precheck asked for FORCE LOGGING all the same.
      if (oracleCode(cause) !== "ORA-00942") throw cause;
      this.refused = true;
      return;
    }
    if (files.length === 0) return;
    for (const { SCN } of files) if (BigInt(SCN) > this.since) this.since = BigInt(SCN);
    const names = files.slice(0, NAMED).map(({ NAME, SCN }) => `${NAME} (SCN ${SCN})`);
    this.onWarning(
      `something was written without redo (NOLOGGING) into ${names.join(", ")}${files.length > NAMED ? " and others" : ""}: if it was rows or LOBs of a table of ` +
        "the task, the target lacks them until the table is loaded again; ALTER DATABASE FORCE LOGGING keeps it from happening",
    );
  }
}
