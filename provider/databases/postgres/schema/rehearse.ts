import type { Client } from "pg";
import type { DdlStep } from "../../../engine/models/plan.js";
import { isConnectionError } from "../connectionErrors.js";

/** Out of shared memory: each new object holds a lock until the end, and max_locks_per_transaction says how many there are. */
const OUT_OF_LOCKS = "53200";

export interface Rehearsal {
  /** Why a step can't run, by its id. What depends on it is among them. */
  readonly failures: ReadonlyMap<string, string>;
  /** Undefined: every step was tried. */
  readonly stopped: string | undefined;
}

/**
 * Runs steps in a transaction that is rolled back: what the target would say to each, with function bodies checked. For statements that
 * were translated from another dialect, where only the server knows. Nothing stays, and what exists already is waited for 5 seconds at most.
 */
export async function rehearse(client: Client, steps: readonly DdlStep[]): Promise<Rehearsal> {
  const failures = new Map<string, string>();
  await client.query(
    "BEGIN; SET LOCAL lock_timeout = '5s'; SET LOCAL check_function_bodies = on; SET LOCAL client_min_messages = error",
  );
  try {
    for (const { id, sql, dependsOn } of steps) {
      const lost = dependsOn.find((need) => failures.has(need));
      if (lost !== undefined) {
        failures.set(id, `it needs ${lost.slice(lost.indexOf(":") + 1)}, which cannot be made`);
        continue;
      }
      try {
        await client.query(["SAVEPOINT step", "SET LOCAL search_path = ''", ...sql, "RELEASE step"].join(";\n"));
      } catch (cause) {
        if (isConnectionError(cause)) throw cause;
        const { message, code } = cause as { message: string; code?: string };
        if (code === OUT_OF_LOCKS) return { failures, stopped: message };
        await client.query("ROLLBACK TO SAVEPOINT step; RELEASE step");
        failures.set(id, message);
      }
    }
    return { failures, stopped: undefined };
  } finally {
    await client.query("ROLLBACK").catch(() => undefined);
  }
}
