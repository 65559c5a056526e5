import type { OracleConnection } from "../driver.js";
import { afterSnapshot, type ResumePoint } from "./resumePoint.js";
import { currentScn } from "./settledScn.js";

/**
 * Transactions of every instance. START_SCN is 0 for one that has not changed anything yet. The root of a container database sees those of all its
 * pluggable databases.
 */
export const OLDEST_TRANSACTION = `SELECT MIN(T.START_SCN) AS "SCN" FROM GV$TRANSACTION T WHERE T.START_SCN > 0`;

export interface CaptureStart {
  /** Rows are read AS OF this SCN: what committed up to it is in them. */
  readonly snapshotScn: bigint;
  /** The stream that follows on those rows. */
  readonly resume: ResumePoint;
}

/**
 * An SCN for the full load, and the place from where redo has to be read so that no transaction is missed that was open at it. The SCN comes last:
 * whatever is open then had begun when the list was made, or after the SCN that was read before it.
 */
export async function captureStart(connection: OracleConnection): Promise<CaptureStart> {
  const before = await currentScn(connection);
  const [row] = await connection.query<{ readonly SCN: string | null }>(OLDEST_TRANSACTION);
  const snapshotScn = await currentScn(connection);
  const oldest = row?.SCN == null ? undefined : BigInt(row.SCN);
  return { snapshotScn, resume: afterSnapshot(snapshotScn, oldest !== undefined && oldest < before ? oldest : before) };
}
