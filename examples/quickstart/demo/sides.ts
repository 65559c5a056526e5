import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "pg";

const PATIENCE_SECONDS = 60;

/** Waits until the task has confirmed everything written so far; seconds that took. The slot says so: it is confirmed what the target made durable. */
export async function untilLevel(source: Client): Promise<number> {
  const began = Date.now();
  const { rows: written } = await source.query<{ lsn: string }>("SELECT pg_current_wal_flush_lsn() AS lsn");
  for (;;) {
    const { rows } = await source.query<{ level: boolean; behind: string }>(
      `SELECT confirmed_flush_lsn >= $1::pg_lsn AS level, $1::pg_lsn - confirmed_flush_lsn AS behind
       FROM pg_replication_slots WHERE slot_name LIKE 'godwit%'`,
      [written[0]?.lsn],
    );
    const [slot] = rows;
    if (!slot) throw new Error("the task's replication slot is gone");
    const seconds = (Date.now() - began) / 1000;
    if (slot.level) return seconds;
    if (seconds > PATIENCE_SECONDS)
      throw new Error(`the target is still ${slot.behind} bytes behind after ${PATIENCE_SECONDS} seconds`);
    await sleep(50);
  }
}

/** A new row at the target, taken back: its key must be one that the source never gave. */
export async function nextFlightAt(source: Client, target: Client): Promise<{ source: number; target: number }> {
  const { rows: used } = await source.query<{ last: string }>(
    "SELECT last_value AS last FROM pg_sequences WHERE schemaname = 'travel' AND sequencename = 'flight_id_seq'",
  );
  await target.query("BEGIN");
  const { rows: added } = await target.query<{ id: string }>(
    `INSERT INTO travel.flight (departure, origin, destination, distance, delay)
     SELECT departure, origin, destination, distance, 0 FROM travel.flight LIMIT 1 RETURNING id`,
  );
  await target.query("ROLLBACK");
  const next = { source: Number(used[0]?.last), target: Number(added[0]?.id) };
  if (!(next.target > next.source))
    throw new Error(`the target would give id ${next.target}, which the source has used (it is at ${next.source})`);
  return next;
}
