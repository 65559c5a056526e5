import { ErrorCode, GodwitError } from "../../../engine/errors.js";
import type { OracleConnection } from "../driver.js";
import { oracleCode } from "../oracleErrors.js";
import { formatPosition, scnOf } from "./position.js";
import type { ResumePoint } from "./resumePoint.js";

/** A database's life between two OPEN RESETLOGS (a failover, a restore to a point in time, a flashback). Its redo begins at this SCN. */
export interface Incarnation {
  readonly resetlogs: bigint;
}

/** The incarnations that led to the one of now. What was written in one after the next began belongs to no history any more. */
export const INCARNATIONS = `
SELECT I.RESETLOGS_CHANGE# AS "SCN" FROM V$DATABASE_INCARNATION I WHERE I.STATUS IN ('CURRENT', 'PARENT') ORDER BY I.RESETLOGS_CHANGE#`;

/** The one of now alone, for users who may read no more. */
export const INCARNATION_OF_NOW = `SELECT D.RESETLOGS_CHANGE# AS "SCN" FROM V$DATABASE D`;

/** Oldest first. */
export async function readIncarnations(connection: OracleConnection): Promise<Incarnation[]> {
  const read = async (sql: string) =>
    (await connection.query<{ readonly SCN: string }>(sql)).map(({ SCN }) => ({ resetlogs: BigInt(SCN) }));
  try {
    const known = await read(INCARNATIONS);
    if (known.length > 0) return known;
  } catch (cause) {
    if (oracleCode(cause) !== "ORA-00942") throw cause;
  }
  return read(INCARNATION_OF_NOW);
}

/** The incarnation whose redo holds an SCN, and where that ends. Pure. Throws GW1722 for an SCN before the oldest that is known. */
export function incarnationAt(
  incarnations: readonly Incarnation[],
  scn: bigint,
): Incarnation & { readonly endScn: bigint | undefined } {
  const next = incarnations.findIndex(({ resetlogs }) => resetlogs > scn);
  const at = next < 0 ? incarnations.length - 1 : next - 1;
  const found = incarnations[at];
  if (!found) {
    throw new GodwitError(ErrorCode.RedoLogMissing, "the database was opened with RESETLOGS behind the redo that is needed", {
      position: `SCN ${scn}`,
      remedy:
        "GRANT SELECT ON V_$DATABASE_INCARNATION to the endpoint's user, who may not see the database's history without; where redo of before is gone, " +
        "empty the target's tables and replace the task, which copies again",
    });
  }
  const ends = incarnations[at + 1]?.resetlogs;
  return { ...found, endScn: ends === undefined ? undefined : ends - 1n };
}

/**
 * Whether the source still is what the target was made from. After a failover that lost redo, a flashback or a restore it went back to an SCN and on from
 * there: what the target has of behind that SCN is in no source any more. Throws GW2103. Pure.
 */
export function checkHistory(incarnations: readonly Incarnation[], { position, resetlogs }: ResumePoint): void {
  if (resetlogs === undefined) return;
  const known = incarnations.some((each) => each.resetlogs === resetlogs);
  // From a history that was given up (ORPHAN) nothing leads to the one of now.
  const left = known ? incarnations.find((each) => each.resetlogs > resetlogs) : incarnations.at(-1);
  if (!left || (known && left.resetlogs >= scnOf(position))) return;
  throw new GodwitError(
    ErrorCode.OracleRewound,
    `the source was opened with RESETLOGS at SCN ${left.resetlogs}, and the target has what came before in another history, up to ${formatPosition(position)}`,
    {
      position: formatPosition(position),
      remedy:
        "the target may hold rows that the source lost with the redo behind that SCN, and what follows would not fit them: empty its tables and replace the " +
        "task (pulumi up --replace <urn>), which copies again",
    },
  );
}
