import type { Client } from "pg";
import type { FlowCounts } from "../../../engine/database.js";
import type { Position } from "../../../engine/models/change.js";

export interface IdleCheckpoint {
  /** Rejects when the checkpoint can't be written. */
  readonly failed: Promise<never>;
  /** What the applier has reported last. */
  reached(counts: FlowCounts): void;
  stop(): void;
}

/** Archived logs are kept for hours: a checkpoint may be so much older than where the stream is. */
const EVERY_MILLISECONDS = 30_000;

/**
 * Writes the checkpoint while no batch does. A batch writes it with its rows; on a database where others are busy and the task's tables
 * are not, none comes for days, and the redo from the last one on would be needed after a restart long after it was deleted. The
 * statement leaves a newer checkpoint alone, so a batch under way on the other session is never taken back.
 */
export function startIdleCheckpoint(
  client: Client,
  start: Position,
  statement: (position: Position, commitTimeMs: number) => string,
  everyMilliseconds: number = EVERY_MILLISECONDS,
): IdleCheckpoint {
  let durable = start;
  let written = start;
  let commitTimeMs = 0;
  let writing = false;
  let fail: (cause: unknown) => void = () => undefined;
  const failed = new Promise<never>((_, reject) => {
    fail = reject;
  });
  failed.catch(() => undefined);
  const timer = setInterval(() => {
    if (writing || durable <= written) return;
    const position = durable;
    writing = true;
    client
      .query(statement(position, commitTimeMs))
      .then(() => {
        written = position;
      }, fail)
      .finally(() => {
        writing = false;
      });
  }, everyMilliseconds);
  return {
    failed,
    reached(counts) {
      durable = counts.durable;
      commitTimeMs = counts.lastCommitMs ?? commitTimeMs;
    },
    stop: () => clearInterval(timer),
  };
}
