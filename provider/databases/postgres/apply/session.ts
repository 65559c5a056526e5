import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "pg";
import { FIRST_BATCH } from "./batchPath.js";

/** Makes a fresh connection the applier's. */
export async function prepareApplySession(client: Client, quiet: boolean): Promise<void> {
  await endFormerApplier(client);
  await client.query(
    [
      FIRST_BATCH,
      // A batch is small against its table, whatever the statistics say of either: never a scan of the whole table for it. With 8,000
      // updates to a table of 300,000 rows the planner would hash the table, and the backend take 2.2 s for what costs 1.5 s by the index.
      "SET enable_hashjoin = off",
      "SET enable_mergejoin = off",
      "SET jit = off",
      ...(quiet ? ["SET session_replication_role = replica"] : []),
    ].join("; "),
  );
}

/**
 * Ends what an applier before it left behind under the same application_name and waits until that is
 * gone: a COMMIT that was on its way when its connection broke would otherwise land after the checkpoint was read, and the same
 * rows a second time with it.
 */
export async function endFormerApplier(client: Client): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    const { rows } = await client.query<{ ended: boolean }>(
      `SELECT pg_catalog.pg_terminate_backend(pid) AS ended
         FROM pg_catalog.pg_stat_activity
        WHERE application_name = pg_catalog.current_setting('application_name') AND pid <> pg_catalog.pg_backend_pid()
          AND datname = pg_catalog.current_database() AND usename = CURRENT_USER AND application_name LIKE 'godwit/%'`,
    );
    if (rows.length === 0) break;
    if (attempt === 100) throw new Error("timeout expired: a backend of the applier before this one does not end");
    await sleep(100);
  }
}
