import { ErrorCode, GodwitError } from "../../../engine/errors.js";
import type { OracleConnection } from "../driver.js";
import { formatPosition, scnOf } from "./position.js";
import type { ResumePoint } from "./resumePoint.js";

/**
 * The first redo of the last day before the log that holds an SCN. Of transactions that were open at a position in the past nothing tells when
 * they began; redo from a day before has all but the longest of them whole.
 */
export const DAY_BEFORE = `
SELECT MIN(l.first_change#) AS "scn" FROM v$archived_log l
 WHERE l.archived = 'YES' AND l.deleted = 'NO' AND l.name IS NOT NULL
   AND l.first_time >= (SELECT MAX(h.first_time) - 1 FROM v$archived_log h WHERE h.first_change# <= :scn)`;

const OLDEST_ONLINE = `SELECT MIN(l.first_change#) AS "scn" FROM v$log l WHERE l.status NOT IN ('UNUSED', 'CLEARING')`;

/** Where redo has to be read from for a task that begins at a position of the user's. Errors: GW1606 when that is older than the redo. */
export async function startAt(connection: OracleConnection, position: bigint): Promise<ResumePoint> {
  const scn = scnOf(position);
  const firsts: bigint[] = [];
  for (const [sql, binds] of [
    [DAY_BEFORE, { scn }],
    [OLDEST_ONLINE, {}],
  ] as const) {
    const [row] = await connection.query<{ scn: string | null }>(sql, binds);
    if (row?.scn != null) firsts.push(BigInt(row.scn));
  }
  const restartScn = firsts.reduce<bigint | undefined>(
    (least, first) => (least === undefined || first < least ? first : least),
    undefined,
  );
  if (restartScn === undefined || restartScn > scn) {
    throw new GodwitError(ErrorCode.PositionUnavailable, "the redo does not reach back to startPosition", {
      position: formatPosition(position),
      remedy: "restore the archived logs from before it (RMAN> RESTORE ARCHIVELOG), or migrate the full data again",
    });
  }
  return { position, restartScn, emitted: [] };
}
