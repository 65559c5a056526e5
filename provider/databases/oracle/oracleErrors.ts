import { ErrorCode, GodwitError, isServerGone } from "../../engine/errors.js";
import type { OracleEndpoint } from "./driver.js";

/** ORA- and NJS- codes by which a session or its server is gone, shutting down, or not up yet. */
const LOST = new Set([
  "ORA-00028", // session killed
  "ORA-01012", // not logged on
  "ORA-01033", // initialization or shutdown in progress
  "ORA-01034", // not available
  "ORA-01089", // immediate shutdown in progress
  "ORA-01090",
  "ORA-01092", // instance terminated
  "ORA-02396", // idle time exceeded
  "ORA-03113", // end-of-file on communication channel
  "ORA-03114", // not connected
  "ORA-03135", // lost contact
  "ORA-12152",
  "ORA-12153",
  "ORA-12170", // connect time-out
  "ORA-12224",
  "ORA-12514", // the listener does not know the service: also while the instance starts
  "ORA-12516",
  "ORA-12518",
  "ORA-12519",
  "ORA-12520",
  "ORA-12528", // instance blocks new connections
  "ORA-12537",
  "ORA-12541", // no listener
  "ORA-12543",
  "ORA-12547",
  "ORA-12570",
  "ORA-12571",
  "ORA-25408",
  "NJS-003", // invalid or closed connection
  "NJS-500",
  "NJS-501",
  "NJS-503",
  "NJS-510",
  "NJS-511",
  "NJS-521",
  "NJS-530",
  "DPI-1010",
  "DPI-1080",
]);

const SOCKET = /ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN/;

/** `ORA-01017`, `NJS-138`: the code of an error of the driver or the server. Undefined when it is neither's. */
export function oracleCode(cause: unknown): string | undefined {
  const { code, message } = (cause ?? {}) as { code?: unknown; message?: unknown };
  if (typeof code === "string" && /^(ORA|NJS|DPI)-\d+$/.test(code)) return code;
  return /\b(ORA-\d{5}|NJS-\d{3}|DPI-\d{4})\b/.exec(typeof message === "string" ? message : "")?.[1];
}

/** True when a retry on a new connection may help. */
export function isOracleConnectionError(cause: unknown): boolean {
  if (cause instanceof GodwitError) return isServerGone(cause);
  const code = oracleCode(cause);
  if (code !== undefined) return LOST.has(code);
  return SOCKET.test(String((cause as { code?: unknown } | undefined)?.code ?? ""));
}

/** Names the cause of a failed connection and what mends it. Never repeats the password. */
export function oracleConnectionError(cause: unknown, host: string, endpoint: OracleEndpoint): GodwitError {
  if (cause instanceof GodwitError) return cause;
  const message = cause instanceof Error ? cause.message : String(cause);
  const detail = { object: host, cause };
  const user = endpoint.username;
  // NJS-511 wraps what the listener answered.
  const code = /^NJS-511/.test(message) ? (/\bORA-\d{5}\b/.exec(message)?.[0] ?? "NJS-511") : oracleCode(cause);
  switch (code) {
    case "ORA-01017":
    case "ORA-01005":
    case "NJS-101":
      return new GodwitError(ErrorCode.AuthenticationFailed, `the server refused user ${user}: ${message}`, {
        ...detail,
        remedy: "check username and password of the endpoint; a common user of a container database is written C##NAME",
      });
    case "ORA-28000":
      return new GodwitError(ErrorCode.OracleAccountUnusable, `the account of ${user} is locked`, {
        ...detail,
        remedy: `ALTER USER ${user} ACCOUNT UNLOCK, after finding out which client uses an old password`,
      });
    case "ORA-28001":
    case "ORA-28002":
      return new GodwitError(ErrorCode.OracleAccountUnusable, `the password of ${user} has expired`, {
        ...detail,
        remedy: `ALTER USER ${user} IDENTIFIED BY a new password, and give that to the endpoint`,
      });
    case "ORA-01045":
      return new GodwitError(ErrorCode.OracleAccountUnusable, `${user} may not log on`, {
        ...detail,
        remedy: `GRANT CREATE SESSION TO ${user}`,
      });
    case "ORA-12514":
    case "NJS-518":
      return new GodwitError(ErrorCode.DatabaseMissing, `the listener knows no service "${endpoint.oracle?.serviceName}"`, {
        ...detail,
        remedy: "check oracle.serviceName against `lsnrctl services`; after a start the instance takes a minute to register",
      });
    case "ORA-12505":
    case "NJS-519":
      return new GodwitError(ErrorCode.DatabaseMissing, `the listener knows no SID "${endpoint.oracle?.sid}"`, {
        ...detail,
        remedy: "check oracle.sid; a pluggable database has no SID of its own: give its service in oracle.serviceName",
      });
    case "ORA-12529":
    case "ORA-12506":
      return new GodwitError(ErrorCode.NotWhitelisted, "the listener refuses this client's address", {
        ...detail,
        remedy: "add the address to TCP.INVITED_NODES in the server's sqlnet.ora or to the service's access control list",
      });
    case "NJS-138":
    case "ORA-28040":
    case "ORA-03134":
      return new GodwitError(
        ErrorCode.OracleVersionUnsupported,
        `the server is too old for the driver in thin mode: ${message}`,
        {
          ...detail,
          remedy:
            "Oracle 12.1 and up are reached as they are; 11.2 needs thick mode: an Oracle Client 19c library and its folder in " +
            "oracle.clientLibraryDirectory; 9i and 10g are out of any current driver's reach: upgrade a copy of the database to 11.2 first",
        },
      );
    case "ORA-12660":
    case "NJS-533":
    case "NJS-116":
      return new GodwitError(ErrorCode.OracleVersionUnsupported, `the server demands what thin mode does not have: ${message}`, {
        ...detail,
        remedy:
          "native network encryption and 10G password verifiers need thick mode (an Oracle Client library, its folder in oracle.clientLibraryDirectory); " +
          "or use TLS, and set the password again with SQLNET.ALLOWED_LOGON_VERSION_SERVER=12",
      });
    case "NJS-118":
      return new GodwitError(ErrorCode.OracleVersionUnsupported, "this process has used the driver in thin mode before", {
        ...detail,
        remedy: "name the same oracle.clientLibraryDirectory in every oracle endpoint of the program",
      });
    case "DPI-1047":
    case "NJS-045":
      return new GodwitError(ErrorCode.OracleVersionUnsupported, "the Oracle Client library for thick mode could not be loaded", {
        ...detail,
        remedy:
          "oracle.clientLibraryDirectory, or GODWIT_ORACLE_CLIENT, must name the folder of an Oracle Client 19c or later for this machine's architecture",
      });
  }
  if (/^NJS-5(05|06|07|08|29)$/.test(code ?? "") || /TLS|SSL|certificate|ORA-288|ORA-290/i.test(message)) {
    return new GodwitError(ErrorCode.TlsFailed, `TLS failed: ${message}`, {
      ...detail,
      remedy:
        "check that this port speaks TLS (TCPS in listener.ora, usually 2484), ssl.ca, the client certificate's dates and the host name; " +
        "a listener without TLS (1521) takes ssl.mode disable",
    });
  }
  const gone = isOracleConnectionError(cause);
  const hungUp = code === "NJS-521" || code === "NJS-501" || code === "ORA-12547" || code === "ORA-12537";
  return new GodwitError(gone ? ErrorCode.EndpointUnreachable : ErrorCode.ConnectionLost, message, {
    ...detail,
    remedy:
      "check that the listener is up and reachable from here (host, port, firewall, `lsnrctl status`)" +
      (hungUp
        ? "; one that hangs up at once may keep this address out (TCP.INVITED_NODES in the server's sqlnet.ora) or expect TLS"
        : ""),
  });
}

/** A statement's failure: a broken connection becomes GW1107, anything else stays as it is. */
export function oracleStatementError(cause: unknown, host: string): unknown {
  if (cause instanceof GodwitError || !isOracleConnectionError(cause)) return cause;
  const message = cause instanceof Error ? cause.message : String(cause);
  return new GodwitError(ErrorCode.ConnectionLost, `the connection to Oracle broke: ${message}`, { object: host, cause });
}
