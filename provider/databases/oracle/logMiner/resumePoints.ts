import type { Position } from "../../../engine/models/change.js";
import type { ResumePoint } from "./resumePoint.js";

/** The resume points of positions that were handed out and are not durable yet, oldest first. */
export class ResumePoints {
  private points: ResumePoint[];

  constructor(private readonly start: ResumePoint) {
    this.points = [start];
  }

  /** Positions come in order. */
  add(point: ResumePoint): void {
    if (this.points.at(-1)?.position === point.position) this.points.pop();
    this.points.push(point);
  }

  /** For a position between two points, the older one's: redo is read from further back than it would have to be. */
  at(position: Position): ResumePoint {
    let low = 0;
    let high = this.points.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.points[middle]?.position ?? 0n) <= position) low = middle;
      else high = middle - 1;
    }
    const found = this.points[low];
    // Of a position that is forgotten already, only the stream's own beginning is known to be far enough back.
    const point = found && found.position <= position ? found : this.start;
    return { position, restartScn: point.restartScn, emitted: point.position === position ? point.emitted : undefined };
  }

  /** Nobody asks for positions before this one any more. */
  forget(durable: Position): void {
    let first = 0;
    while ((this.points[first + 1]?.position ?? durable + 1n) <= durable) first++;
    if (first > 0) this.points = this.points.slice(first);
  }
}
