import type { Client } from "pg";

/**
 * Ends a connection at once. Not client.end(): that would wait for a reply, which a COPY that nobody feeds or a socket in another's hands never
 * gives. The server rolls back what was open.
 */
export function destroy(client: Client): void {
  (client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy();
}

/** server_version_num: 150018 for 15.18. SHOW is what a replication connection takes as well. */
export async function serverVersion(client: Client): Promise<number> {
  const { rows } = await client.query<{ server_version_num: string }>("SHOW server_version_num");
  return Number(rows[0]?.server_version_num);
}

/** Of the database that the connection is to. */
export async function serverEncoding(client: Client): Promise<string> {
  const { rows } = await client.query<{ encoding: string }>("SELECT pg_catalog.current_setting('server_encoding') AS encoding");
  return rows[0]?.encoding ?? "";
}
