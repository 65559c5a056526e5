import type { RecordedLoad } from "../../../engine/database.js";
import type { StreamMark } from "./recordOutput.js";

/**
 * What is committed with the records, as a consumer group's offset and its metadata. The offset is the position itself, so that
 * kafka-consumer-groups.sh shows it; the metadata holds the rest (a broker takes 4,096 bytes: offset.metadata.max.bytes).
 */
export interface CommittedOffset {
  readonly offset: bigint;
  readonly metadata: string;
}

interface StreamMetadata {
  readonly record: number;
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly inside?: { readonly commit: string; readonly changes: number };
}

interface LoadMetadata {
  readonly table: number;
  readonly rows: number;
  readonly bytes: number;
  /** Only a part of the table was in by then. */
  readonly part?: true;
}

export function streamOffset(mark: StreamMark): CommittedOffset {
  const { position, recordId, commitTimeMs, inside } = mark;
  const metadata: StreamMetadata = {
    record: recordId,
    time: Math.round(commitTimeMs),
    ...(inside ? { inside: { commit: String(inside.commitPosition), changes: inside.changes } } : {}),
  };
  return { offset: position, metadata: JSON.stringify(metadata) };
}

export function streamMark({ offset, metadata }: CommittedOffset): StreamMark {
  const { record, time, inside } = JSON.parse(metadata) as StreamMetadata;
  return {
    position: offset,
    recordId: record,
    commitTimeMs: time,
    ...(inside ? { inside: { commitPosition: BigInt(inside.commit), changes: inside.changes } } : {}),
  };
}

export function loadOffset({ tableId, rows, bytes, position }: RecordedLoad, part: boolean): CommittedOffset {
  const metadata: LoadMetadata = { table: tableId, rows, bytes, ...(part ? { part: true } : {}) };
  return { offset: position, metadata: JSON.stringify(metadata) };
}

/** Undefined for a table that is only in in part. */
export function recordedLoad({ offset, metadata }: CommittedOffset): RecordedLoad | undefined {
  const { table, rows, bytes, part } = JSON.parse(metadata) as LoadMetadata;
  return part ? undefined : { tableId: table, rows, bytes, position: offset };
}
