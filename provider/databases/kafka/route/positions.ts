import type { RecordedLoad } from "../../../engine/database.js";
import type { Position } from "../../../engine/models/change.js";
import type { StreamMark } from "./recordOutput.js";

/**
 * What is committed with the records, as a consumer group's offset and its metadata. The offset is the position itself, so that
 * kafka-consumer-groups.sh shows it; the metadata holds the rest (a broker takes 4,096 bytes: offset.metadata.max.bytes).
 */
export interface CommittedOffset {
  readonly offset: bigint;
  readonly metadata: string;
}

interface OfTask {
  /** Which task of the name it is of: a group outlives a task whose cluster could not be reached when it was destroyed. */
  readonly task?: string;
}

interface StreamMetadata extends OfTask {
  readonly record: number;
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly inside?: { readonly commit: string; readonly changes: number };
}

interface LoadMetadata extends OfTask {
  readonly table: number;
  readonly rows: number;
  readonly bytes: number;
  /** Only a part of the table was in by then. */
  readonly part?: true;
}

export function streamOffset(mark: StreamMark, task: string): CommittedOffset {
  const { position, recordId, commitTimeMs, inside } = mark;
  const metadata: StreamMetadata = {
    task,
    record: recordId,
    time: Math.round(commitTimeMs),
    ...(inside ? { inside: { commit: String(inside.commitPosition), changes: inside.changes } } : {}),
  };
  return { offset: position, metadata: JSON.stringify(metadata) };
}

/** Undefined when none was committed, or by an earlier task of the name. */
export function streamMark(committed: CommittedOffset, task: string): StreamMark | undefined {
  const metadata = ofTask<StreamMetadata>(committed, task);
  if (!metadata) return undefined;
  const { record, time, inside } = metadata;
  return {
    position: committed.offset,
    recordId: record,
    commitTimeMs: time,
    ...(inside ? { inside: { commitPosition: BigInt(inside.commit), changes: inside.changes } } : {}),
  };
}

export function loadOffset({ tableId, rows, bytes, position }: RecordedLoad, task: string, part: boolean): CommittedOffset {
  const metadata: LoadMetadata = { task, table: tableId, rows, bytes, ...(part ? { part: true } : {}) };
  return { offset: position, metadata: JSON.stringify(metadata) };
}

/** Nothing that the store does not know of. A lane ends with it: its last table may leave the task and come back, to be loaded again. */
export function nothingToRecord(position: Position): CommittedOffset {
  return { offset: position, metadata: "{}" };
}

/** Undefined where there is none, and for a table that is only in in part. */
export function recordedLoad(committed: CommittedOffset, task: string): RecordedLoad | undefined {
  const metadata = ofTask<Partial<LoadMetadata>>(committed, task);
  if (metadata?.table === undefined || metadata.part) return undefined;
  const { table, rows = 0, bytes = 0 } = metadata;
  return { tableId: table, rows, bytes, position: committed.offset };
}

function ofTask<T extends OfTask>({ offset, metadata }: CommittedOffset, task: string): T | undefined {
  if (offset < 0n) return undefined;
  const parsed = JSON.parse(metadata) as T;
  return (parsed.task ?? task) === task ? parsed : undefined;
}
