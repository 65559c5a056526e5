import { Client } from "pg";
import { ErrorCode, GodwitError } from "../../engine/errors.js";
import type { ServerFacts } from "../../engine/models/endpoint.js";
import { type PostgresEndpoint, withConnection } from "./connection.js";
import { tlsOptions } from "./tls.js";

/**
 * A PostgreSQL server's facts. Its id is the cluster's system identifier: given at initdb, the same on all its standbys, 64 bits as decimal text.
 * Errors: those of `connect`; GW1110 when the role may not ask for the identifier.
 */
export async function readPostgresFacts(endpoint: PostgresEndpoint, applicationName: string): Promise<ServerFacts> {
  return withConnection(endpoint, { applicationName }, async (client) => {
    const { rows } = await client.query<{ version: string; encoding: string; superuser: boolean }>(`
      SELECT pg_catalog.split_part(pg_catalog.current_setting('server_version'), ' ', 1) AS version,
             pg_catalog.pg_encoding_to_char(d.encoding) AS encoding,
             r.rolsuper AS superuser
        FROM pg_catalog.pg_database d, pg_catalog.pg_roles r
       WHERE d.datname = pg_catalog.current_database() AND r.rolname = CURRENT_USER`);
    const [row] = rows;
    return {
      serverVersion: row?.version ?? "",
      serverId: await serverId(client, endpoint, applicationName),
      encoding: row?.encoding ?? "",
      timeZone: await configuredTimeZone(client, endpoint),
      superuser: row?.superuser === true,
    };
  });
}

/** Everyone may call pg_control_system() unless that was revoked; IDENTIFY_SYSTEM then needs the REPLICATION attribute only. */
async function serverId(client: Client, endpoint: PostgresEndpoint, applicationName: string): Promise<string> {
  try {
    const { rows } = await client.query<{ id: string }>(
      "SELECT system_identifier::text AS id FROM pg_catalog.pg_control_system()",
    );
    return rows[0]?.id ?? "";
  } catch (cause) {
    if ((cause as { code?: string }).code !== "42501") throw cause;
    try {
      return await withConnection(endpoint, { applicationName, replication: true }, async (replication) => {
        const { rows } = await replication.query<{ systemid: string }>("IDENTIFY_SYSTEM");
        return rows[0]?.systemid ?? "";
      });
    } catch {
      throw new GodwitError(ErrorCode.ServerIdUnreadable, `role "${endpoint.username}" may not read the server's identifier`, {
        object: endpoint.hosts.join(","),
        remedy: `GRANT EXECUTE ON FUNCTION pg_catalog.pg_control_system() TO "${endpoint.username}"`,
        cause,
      });
    }
  }
}

/**
 * Our own sessions run in UTC, by their startup packet, and a session has no way to see past that. A connection without
 * options, to the host that `client` found, reports what the server would have given.
 */
export async function configuredTimeZone({ host, port }: Client, endpoint: PostgresEndpoint): Promise<string> {
  const bare = new Client({
    host,
    port,
    user: endpoint.username,
    password: endpoint.password ?? "",
    database: endpoint.databaseName,
    ssl: tlsOptions(endpoint.ssl, host),
    connectionTimeoutMillis: 10_000,
  });
  // An error between two queries would end the process; the query reports it.
  bare.on("error", () => undefined);
  try {
    await bare.connect();
    const { rows } = await bare.query<{ zone: string }>("SELECT pg_catalog.current_setting('TimeZone') AS zone");
    return rows[0]?.zone ?? "";
  } finally {
    await bare.end().catch(() => undefined);
  }
}
