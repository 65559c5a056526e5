import type { Position } from "../../../engine/models/change.js";
import { ordinalOf, positionAt, scnOf } from "./position.js";

/**
 * Where mining goes on after an interruption. `position` alone says what is done; to go on, redo has to be read from the first change of the
 * oldest transaction that was open there, which no later view of Oracle's tells. So a checkpoint carries all three.
 */
export interface ResumePoint {
  /** The first position that is not done. */
  readonly position: Position;
  /** Redo is read from this SCN on. */
  readonly restartScn: bigint;
  /**
   * Ids (XID) of the transactions emitted at the position's SCN. Undefined when they are not known: then as many commits at that SCN as the
   * position's ordinal says are taken for done, in the order of the redo.
   */
  readonly emitted: readonly string[] | undefined;
  /** RESETLOGS_CHANGE# of the database that the redo was read from; absent in checkpoints of older versions, and before the first redo was read. */
  readonly resetlogs?: bigint | undefined;
}

/** As text for a checkpoint's record: `123456;0A00...,0B00...;1920977`. Small, because it is written with every batch. */
export function encodeResumePoint({ restartScn, emitted, resetlogs }: ResumePoint): string {
  return `${restartScn};${emitted?.join(",") ?? "?"}${resetlogs === undefined ? "" : `;${resetlogs}`}`;
}

/** Errors: RangeError for a text that is none of ours. */
export function decodeResumePoint(position: Position, text: string): ResumePoint {
  const match = /^(\d+);(\?|[0-9A-F,]*)(?:;(\d+))?$/.exec(text);
  if (!match) throw new RangeError("not a resume point");
  const [, restart = "", ids = "", resetlogs] = match;
  return {
    position,
    restartScn: BigInt(restart),
    emitted: ids === "?" ? undefined : ids === "" ? [] : ids.split(","),
    ...(resetlogs === undefined ? {} : { resetlogs: BigInt(resetlogs) }),
  };
}

/** A stream that begins after a snapshot of this SCN: the snapshot holds what committed up to it. */
export function afterSnapshot(snapshotScn: bigint, restartScn: bigint): ResumePoint {
  return { position: positionAt(snapshotScn + 1n), restartScn, emitted: [] };
}

/** Tells which commits a resume point has behind it. Asked once for each, in the order of the redo. */
export class Emitted {
  private readonly scn: bigint;
  private readonly ids: ReadonlySet<string> | undefined;
  private readonly count: number;

  constructor(point: ResumePoint) {
    this.scn = scnOf(point.position);
    this.count = ordinalOf(point.position);
    this.ids = point.emitted && new Set(point.emitted);
  }

  /** `ordinal`: how many commits came before at the same SCN. */
  has(commitScn: bigint, ordinal: number, xid: string): boolean {
    if (commitScn !== this.scn) return commitScn < this.scn;
    return this.ids ? this.ids.has(xid) : ordinal < this.count;
  }

  /** The transactions already emitted at this SCN. */
  at(scn: bigint): readonly string[] {
    return scn === this.scn && this.ids ? [...this.ids] : [];
  }
}
