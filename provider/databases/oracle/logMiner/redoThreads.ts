import type { OracleConnection } from "../driver.js";
import { oracleCode } from "../oracleErrors.js";

/** A redo thread: the log of one instance. */
export interface RedoThread {
  readonly thread: number;
  /** Its instance is up. */
  readonly open: boolean;
  /** Where it was enabled last; undefined when the control file does not say. */
  readonly enabledScn: bigint | undefined;
  /** The last change it wrote. */
  readonly lastScn: bigint | undefined;
}

export const THREADS = `
SELECT T.THREAD# AS "THREAD", T.STATUS AS "STATUS", T.ENABLE_CHANGE# AS "ENABLED_SCN", T.LAST_REDO_CHANGE# AS "LAST_SCN"
FROM V$THREAD T`;

/** Every thread the control file knows. None where V$THREAD may not be read: threads are then known by their logs alone. */
export async function readThreads(connection: OracleConnection): Promise<RedoThread[]> {
  let rows: readonly Readonly<Record<"THREAD" | "STATUS" | "ENABLED_SCN" | "LAST_SCN", string | null>>[];
  try {
    rows = await connection.query(THREADS);
  } catch (cause) {
    if (oracleCode(cause) !== "ORA-00942") throw cause;
    return [];
  }
  return rows.map((row) => ({
    thread: Number(row.THREAD),
    open: row.STATUS === "OPEN",
    enabledScn: scnOrNone(row.ENABLED_SCN),
    lastScn: scnOrNone(row.LAST_SCN),
  }));
}

/** Zero stands for never. */
function scnOrNone(text: string | null): bigint | undefined {
  return text === null || text === "0" ? undefined : BigInt(text);
}
