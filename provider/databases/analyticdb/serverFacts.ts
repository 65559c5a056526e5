import { ErrorCode, GodwitError } from "../../engine/errors.js";
import type { ServerFacts } from "../../engine/models/endpoint.js";
import { type PostgresEndpoint, withConnection } from "../postgres/connection.js";
import { configuredTimeZone } from "../postgres/serverFacts.js";

/**
 * An AnalyticDB instance's facts. pg_control_system() came with PostgreSQL 9.6, and a system identifier is each segment's own: what names the whole
 * is the coordinator's entry in gp_segment_configuration, by the role it prefers, which a failover does not change.
 * Errors: those of `connect`; GW1110 when the server is of another kind.
 */
export async function readAnalyticdbFacts(endpoint: PostgresEndpoint, applicationName: string): Promise<ServerFacts> {
  return withConnection(endpoint, { applicationName }, async (client) => {
    try {
      const { rows } = await client.query<{ version: string; id: string; encoding: string; superuser: boolean }>(FACTS);
      const [row] = rows;
      return {
        serverVersion: row?.version ?? "",
        serverId: row?.id ?? "",
        encoding: row?.encoding ?? "",
        timeZone: await configuredTimeZone(client, endpoint),
        superuser: row?.superuser === true,
      };
    } catch (cause) {
      if ((cause as { code?: string }).code !== UNDEFINED_TABLE) throw cause;
      throw new GodwitError(ErrorCode.ServerIdUnreadable, "the server is not AnalyticDB for PostgreSQL", {
        object: endpoint.hosts.join(","),
        remedy: "it has no gp_segment_configuration: set the endpoint's engine to postgresql",
        cause,
      });
    }
  });
}

const UNDEFINED_TABLE = "42P01";

/** The kernel's version in the brackets of version(), else PostgreSQL's. */
const FACTS = `
SELECT coalesce(pg_catalog.substring(pg_catalog.version(), '\\(Greenplum Database ([0-9.]+)'),
                pg_catalog.split_part(pg_catalog.current_setting('server_version'), ' ', 1)) AS version,
       (SELECT pg_catalog.md5(s.hostname || ':' || s.port || ':' || s.dbid)
          FROM pg_catalog.gp_segment_configuration s WHERE s.content = -1 AND s.preferred_role = 'p') AS id,
       pg_catalog.pg_encoding_to_char(d.encoding) AS encoding,
       r.rolsuper AS superuser
  FROM pg_catalog.pg_database d, pg_catalog.pg_roles r
 WHERE d.datname = pg_catalog.current_database() AND r.rolname = CURRENT_USER`;
