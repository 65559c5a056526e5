import type { Client } from "pg";
import { ErrorCode, GodwitError } from "../../engine/errors.js";
import { readState, type Sequence, type SequenceState, sequenceKey } from "./sequences.js";
import { callsBehind } from "./sequencesAhead.js";
import { qualified } from "./sql.js";

/**
 * Up to so many calls behind, a sequence is moved by nextval; further behind, by setval.
 *
 * setval is absolute: between reading a sequence and setting it, a session that draws values may overtake, and setval would
 * take it back, to give values twice. A lock would help (ALTER SEQUENCE takes one), but it needs the owner's rights, waits for every
 * open transaction that drew a value, and holds up all others behind it. nextval only ever goes forward, for everyone, under the
 * server's own latch, and 10,000 calls take some 10 ms. So setval is left with gaps that a session would have to draw 5,000 values to
 * overtake, in the microseconds between the comparison and the call within one statement.
 */
const CALLS_AT_MOST = 10_000n;

/**
 * Brings the target's sequence past `goal`, never backwards, whoever draws values from it meanwhile; resolves with the state it is left
 * in and whether it moved. Needs USAGE and UPDATE on the sequence. Errors: GW1910 without them.
 */
export async function moveSequence(
  client: Client,
  target: Sequence,
  goal: SequenceState,
): Promise<{ state: SequenceState; moved: boolean }> {
  let moved = false;
  for (;;) {
    const state = await readState(client, target);
    const calls = callsBehind({ ...target, ...state }, goal);
    if (calls === 0n) return { state, moved };
    try {
      await (calls > CALLS_AT_MOST ? set(client, target, goal) : draw(client, target, calls));
    } catch (cause) {
      throw refusal(cause, target);
    }
    moved = true;
  }
}

/** The last value drawn is not beyond the goal, so that no bound is met that the goal itself does not meet. */
async function draw(client: Client, target: Sequence, calls: bigint): Promise<void> {
  await client.query(
    "SELECT pg_catalog.count(pg_catalog.nextval($1::pg_catalog.regclass)) FROM pg_catalog.generate_series(1, $2::int)",
    [qualified(target), String(calls)],
  );
}

/** Sets nothing when the sequence has come near to the goal since it was read: then nextval is to move it, and the caller looks again. */
async function set(client: Client, target: Sequence, goal: SequenceState): Promise<void> {
  const limit = goal.last - (CALLS_AT_MOST / 2n) * target.increment;
  await client.query(
    `SELECT pg_catalog.setval($1::pg_catalog.regclass, $2::int8, $3::bool)
       FROM ${qualified(target)} WHERE last_value ${target.increment > 0n ? "<=" : ">="} $4::int8`,
    [qualified(target), String(goal.last), goal.called, String(limit)],
  );
}

function refusal(cause: unknown, target: Sequence): unknown {
  if ((cause as { code?: string }).code !== "42501") return cause;
  return new GodwitError(ErrorCode.SequenceNotPermitted, "the target's role may not move the sequence", {
    object: sequenceKey(target),
    remedy: `GRANT USAGE, SELECT, UPDATE ON SEQUENCE ${qualified(target)} TO the target endpoint's role`,
    cause,
  });
}
