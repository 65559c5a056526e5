import { ErrorCode, GodwitError } from "../../engine/errors.js";
import type { Sequence, SequenceState } from "./sequences.js";

/**
 * The state that a sequence would have after `margin` more calls of nextval: what its copy is to be set to. A cycle wraps, and a
 * sequence that ends stops at its last value, as the source itself would. Pure.
 */
export function advanced(source: Sequence, margin: bigint): SequenceState {
  const { last, called, increment, min, max, cycle } = source;
  if (margin === 0n) return { last, called };
  const [first, end, restart] = increment > 0n ? [min, max, min] : [max, min, max];
  const next = called ? last + increment : last;
  const within = (value: bigint) => (increment > 0n ? value <= end : value >= end);
  const wanted = next + (margin - 1n) * increment;
  if (within(wanted)) return { last: wanted, called: true };
  // Calls that still fit below the end; none when the source itself has reached it.
  const fitting = within(next) ? (end - next) / increment + 1n : 0n;
  if (!cycle) return fitting > 0n ? { last: next + (fitting - 1n) * increment, called: true } : { last, called };
  const round = (end - first) / increment + 1n;
  return { last: restart + ((margin - fitting - 1n) % round) * increment, called: true };
}

/**
 * How many calls of nextval bring `target` past `goal`: 0 when it is there already, or further. Every value that the target gives from
 * then on lies beyond the values that the goal has given, in the direction that the target counts. Pure.
 */
export function callsBehind(target: Sequence, goal: SequenceState): bigint {
  const { increment } = target;
  const next = target.called ? target.last + increment : target.last;
  const gap = increment > 0n ? goal.last - next : next - goal.last;
  const step = increment > 0n ? increment : -increment;
  // The goal's last value has been given when it was called: the target must go past it, not up to it.
  if (goal.called) return gap < 0n ? 0n : gap / step + 1n;
  return gap <= 0n ? 0n : (gap + step - 1n) / step;
}

/** Refuses a target that cannot hold the value, or that counts the other way. Errors: GW1901. */
export function mustHold(target: Sequence, source: Sequence, goal: SequenceState, object: string): void {
  if (target.increment > 0n !== source.increment > 0n) {
    throw new GodwitError(
      ErrorCode.SequenceOutOfBounds,
      `the sequence counts by ${target.increment} at the target and by ${source.increment} at the source: it would run into values given already`,
      { object, remedy: `ALTER SEQUENCE ${object} INCREMENT BY ${source.increment}, with MINVALUE and MAXVALUE to match` },
    );
  }
  if (goal.last >= target.min && goal.last <= target.max) return;
  const bound = goal.last > target.max ? `MAXVALUE ${source.max}` : `MINVALUE ${source.min}`;
  const type = target.type === source.type ? "" : ` AS ${source.type}`;
  throw new GodwitError(
    ErrorCode.SequenceOutOfBounds,
    `the value ${goal.last} does not fit the target's ${target.type} sequence (${target.min} to ${target.max})`,
    { object, remedy: `ALTER SEQUENCE ${object}${type} ${bound}; the columns it feeds must be as wide` },
  );
}
