import { ErrorCode, GodwitError, isServerGone } from "../../engine/errors.js";
import type { PostgresEndpoint } from "./connection.js";

interface DriverError {
  readonly code?: string;
  readonly message?: string;
  readonly severity?: string;
}

/** Socket codes of node and SQLSTATEs that mean the connection, not the statement, is gone. */
const LOST = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "EPIPE",
  "ETIMEDOUT",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOTFOUND",
  "EAI_AGAIN",
  "57P01",
  "57P02",
  "57P03",
  "08000",
  "08001",
  "08003",
  "08004",
  "08006",
  "08P01",
  "53300",
]);

/** True when a retry on a new connection may help: the server went away, restarts, or is full. */
export function isConnectionError(cause: unknown): boolean {
  if (cause instanceof GodwitError) return isServerGone(cause);
  const { code, message } = (cause ?? {}) as DriverError;
  return (
    (code !== undefined && LOST.has(code)) ||
    /Connection terminated|connection is closed|Client has encountered a connection error|not queryable|socket hang up|timeout expired|Client was closed/i.test(
      message ?? "",
    )
  );
}

/** Names the cause of a failed connection and what mends it. Never repeats the password. */
export function connectionError(cause: unknown, host: string, endpoint: PostgresEndpoint): GodwitError {
  if (cause instanceof GodwitError) return cause;
  const { code = "", message = String(cause) } = (cause ?? {}) as DriverError;
  const detail = { object: host, cause };
  if (code === "28P01" || (code === "28000" && !/pg_hba/.test(message)) || /SASL|password/i.test(message)) {
    return new GodwitError(ErrorCode.AuthenticationFailed, `the server refused user "${endpoint.username}": ${message}`, {
      ...detail,
      remedy: "check username and password of the endpoint, and that the role has LOGIN (and REPLICATION for a source)",
    });
  }
  if (code === "28000") {
    return new GodwitError(ErrorCode.NotWhitelisted, message, {
      ...detail,
      remedy: "let this client in: a Whitelist resource, or a line in pg_hba.conf",
    });
  }
  if (code === "3D000") {
    return new GodwitError(ErrorCode.DatabaseMissing, message, {
      ...detail,
      remedy: `CREATE DATABASE "${endpoint.databaseName}"`,
    });
  }
  if (/CERT|SSL|TLS|certificate|self.signed|altnames/i.test(`${code} ${message}`)) {
    return new GodwitError(ErrorCode.TlsFailed, `TLS failed: ${message}`, {
      ...detail,
      remedy: "check ssl.mode, ssl.ca, the client certificate's dates and that the host name is in the server's certificate",
    });
  }
  return new GodwitError(
    isConnectionError(cause) && endpoint.hosts.length > 0 ? ErrorCode.EndpointUnreachable : ErrorCode.ConnectionLost,
    message || code,
    {
      ...detail,
      remedy: "check that the server is up and reachable from here (host, port, firewall, listen_addresses)",
    },
  );
}
