import type { Position } from "../../../engine/models/change.js";

/**
 * A place in the order of commits, as one int64: the SCN, shifted by 15 bits, and how many commits at that SCN come before. Two
 * transactions can commit at one SCN (RAC nodes do it often), so the SCN alone is no order.
 *
 * The SCN has 48 bits left of the sign. It passed 2^44 in the oldest databases after 35 years; Oracle allows 2^63 since 12.2 and advances
 * by at most 96 K a second. More than 32767 commits at one SCN share the last place: what was emitted there is known by transaction ids then.
 *
 * A position says "everything before it is done": (S, 0) has every commit up to S - 1 behind it.
 */
const ORDINAL_BITS = 15n;
const LAST_ORDINAL = (1 << 15) - 1;
const SCN_LIMIT = 1n << 48n;

export function positionAt(scn: bigint, ordinal = 0): Position {
  if (scn < 0n || scn >= SCN_LIMIT) throw new RangeError(`not an SCN that a position can hold: ${scn}`);
  return (scn << ORDINAL_BITS) | BigInt(Math.min(ordinal, LAST_ORDINAL));
}

export function scnOf(position: Position): bigint {
  return position >> ORDINAL_BITS;
}

export function ordinalOf(position: Position): number {
  return Number(position & BigInt(LAST_ORDINAL));
}

/** `SCN 123456` or `SCN 123456 (+2)`, for people. */
export function formatPosition(position: Position): string {
  const ordinal = ordinalOf(position);
  return `SCN ${scnOf(position)}${ordinal === 0 ? "" : ` (+${ordinal})`}`;
}
