import type { Client } from "pg";

/** Which server answers: its address and when it was started. Behind a balancer one session, or one statement, may meet another than the one before. */
export async function serverNode(client: Pick<Client, "query">): Promise<string> {
  const { rows } = await client.query<{ node: string }>(
    `SELECT coalesce(pg_catalog.inet_server_addr()::text, '') || '/' || pg_catalog.pg_postmaster_start_time()::text AS node`,
  );
  return rows[0]?.node ?? "";
}
