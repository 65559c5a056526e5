import type { ChangeSink, Position, StreamedTable } from "../../../../engine/models/change.js";
import { type DdlEvent, isDdlTable, readDdlEvent } from "../ddlEvent.js";
import type { DdlFollower } from "./ddlFollower.js";
import { HeldSink } from "./heldSink.js";
import { PassingSink } from "./passingSink.js";

/**
 * Takes the changes of structure out of a stream and has them applied in their place: everything before them first, everything after them once
 * they are done. What it passes on holds rows only.
 */
export function ddlSink(inner: ChangeSink, follower: DdlFollower): HeldSink {
  const sink = new DdlSink(inner, follower, (work) => held.hold(work));
  const held = new HeldSink(sink);
  return held;
}

class DdlSink extends PassingSink {
  private carrier: number | undefined;
  /** Tables whose rows are written again: they are empty here, and what the source deletes is gone. */
  private readonly muted = new Set<number>();
  private position: Position = 0n;

  constructor(
    inner: ChangeSink,
    private readonly follower: DdlFollower,
    private readonly hold: (work: () => Promise<void>) => void,
  ) {
    super(inner);
  }

  override table(streamed: StreamedTable): void {
    if (isDdlTable(streamed)) this.carrier = streamed.id;
    else this.inner.table(streamed);
  }

  override begin(commitPosition: Position, commitTimeMs: number): void {
    this.position = commitPosition;
    this.muted.clear();
    this.inner.begin(commitPosition, commitTimeMs);
  }

  override insert(tableId: number, data: Buffer, tuple: number, end: number): void {
    if (tableId === this.carrier) this.event(readDdlEvent(data, tuple));
    else this.inner.insert(tableId, data, tuple, end);
  }

  override delete(tableId: number, data: Buffer, oldTuple: number, end: number): void {
    if (tableId !== this.carrier && !this.muted.has(tableId)) this.inner.delete(tableId, data, oldTuple, end);
  }

  override truncate(tableIds: readonly number[], cascade: boolean, restartIdentity: boolean): void {
    const ids = tableIds.filter((id) => !this.muted.has(id) && id !== this.carrier);
    if (ids.length > 0) this.inner.truncate(ids, cascade, restartIdentity);
  }

  override commit(commitPosition: Position, endPosition: Position, commitTimeMs: number): void {
    const commit = () => this.inner.commit(commitPosition, endPosition, commitTimeMs);
    if (this.follower.hasLast) this.hold(() => this.follower.last().then(commit));
    else commit();
  }

  private event(event: DdlEvent): void {
    if (event.kind === "emptied") {
      this.muted.delete(event.id);
      return;
    }
    if (event.kind === "empty") for (const id of event.ids) this.muted.add(id);
    const { position } = this;
    if (this.follower.concerns(event, position)) this.hold(() => this.follower.apply(event, position));
  }
}
