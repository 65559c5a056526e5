import type { Client } from "pg";

/** Runs `work` between BEGIN and COMMIT. After an error the transaction is rolled back and the error goes on. */
export async function inTransaction<T>(client: Client, work: () => Promise<T>): Promise<T> {
  await client.query("BEGIN");
  try {
    const result = await work();
    await client.query("COMMIT");
    return result;
  } catch (cause) {
    // The connection may be gone, which ends the transaction as well.
    await client.query("ROLLBACK").catch(() => undefined);
    throw cause;
  }
}
