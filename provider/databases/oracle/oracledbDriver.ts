import type { Connection, ConnectionAttributes, Metadata, ResultSet } from "oracledb";
import oracledb from "oracledb";
import { ErrorCode, GodwitError } from "../../engine/errors.js";
import { parseHost } from "../postgres/connection.js";
import { sslMode } from "../postgres/tls.js";
import type { OracleBinds, OracleConnection, OracleConnectOptions, OracleDriver, OracleEndpoint, OracleValue } from "./driver.js";
import { oracleConnectionError, oracleStatementError } from "./oracleErrors.js";
import { SESSION_SETTINGS } from "./session.js";

/**
 * The folder of an Oracle Client library, where no endpoint names one in oracle.clientLibraryDirectory. With one the driver works in thick mode,
 * which reaches 11.2 and native network encryption.
 */
const CLIENT_VARIABLE = "GODWIT_ORACLE_CLIENT";

/** Where listeners listen when an endpoint names no port. */
const DEFAULT_PORT = 1521;

/** The real driver, node-oracledb: thin by default (12.1 and up, no client library). */
export const oracledbDriver: OracleDriver = {
  async connect(endpoint, options) {
    thickWhenAsked(endpoint);
    const failures: GodwitError[] = [];
    for (const host of endpoint.hosts) {
      try {
        return await connectTo(host, endpoint, options);
      } catch (cause) {
        const error = oracleConnectionError(cause, host, endpoint);
        // Refused everywhere, and a locked account is what trying on leads to.
        if (error.code === ErrorCode.AuthenticationFailed || error.code === ErrorCode.OracleAccountUnusable) throw error;
        failures.push(error);
      }
    }
    throw summary(failures);
  },
};

/** The driver has one mode for the whole process: the first connection decides, and no thin one can be before a thick one. */
function thickWhenAsked({ oracle }: OracleEndpoint): void {
  const libDir = oracle?.clientLibraryDirectory ?? process.env[CLIENT_VARIABLE];
  if (libDir === undefined || libDir === "" || !oracledb.thin) return;
  try {
    oracledb.initOracleClient({ libDir });
  } catch (cause) {
    throw oracleConnectionError(cause, libDir, { hosts: [] });
  }
}

function summary(failures: readonly GodwitError[]): GodwitError {
  const [first] = failures;
  if (!first) return new GodwitError(ErrorCode.InvalidInput, "the endpoint names no host");
  if (failures.length === 1) return first;
  return new GodwitError(first.code, `no host could be used: ${failures.map(({ message }) => message).join("; ")}`, {
    cause: first,
    ...(first.remedy === undefined ? {} : { remedy: first.remedy }),
  });
}

async function connectTo(host: string, endpoint: OracleEndpoint, options: OracleConnectOptions): Promise<OracleConnection> {
  const connection = await oracledb.getConnection(connectionAttributes(host, endpoint, options));
  try {
    connection.module = options.applicationName.slice(0, 48);
    for (const statement of SESSION_SETTINGS) await connection.execute(statement);
  } catch (cause) {
    await connection.close().catch(() => undefined);
    throw cause;
  }
  return new Session(connection, host);
}

/** Exported for tests: what the driver is told, which holds the password. */
export function connectionAttributes(
  spelled: string,
  endpoint: OracleEndpoint,
  options: OracleConnectOptions,
): ConnectionAttributes {
  const { host, port } = parseHost(spelled, DEFAULT_PORT);
  const { ssl } = endpoint;
  const mode = sslMode(ssl, host);
  const seconds = options.timeoutSeconds ?? 10;
  const protocol = mode === "disable" ? "TCP" : "TCPS";
  const { serviceName, sid } = endpoint.oracle ?? {};
  const database = sid === undefined ? `SERVICE_NAME=${descriptorValue(serviceName ?? "")}` : `SID=${descriptorValue(sid)}`;
  const { walletDirectory, walletPassword } = endpoint.oracle ?? {};
  // Thin mode takes the folder as an attribute and reads its ewallet.pem; the client library reads it from the address, cwallet.sso included.
  const folder =
    walletDirectory === undefined || oracledb.thin ? "" : `(MY_WALLET_DIRECTORY=${descriptorValue(walletDirectory)})`;
  const security = mode === "disable" ? "" : `(SECURITY=(SSL_SERVER_DN_MATCH=${mode === "verify-full" ? "yes" : "no"})${folder})`;
  // Keepalive (EXPIRE_TIME, in minutes): a firewall that forgets an idle connection would leave a long mining query waiting for ever.
  const connectString =
    `(DESCRIPTION=(CONNECT_TIMEOUT=${seconds})(TRANSPORT_CONNECT_TIMEOUT=${seconds})(RETRY_COUNT=0)(EXPIRE_TIME=2)` +
    `(ADDRESS=(PROTOCOL=${protocol})(HOST=${descriptorValue(host)})(PORT=${port}))(CONNECT_DATA=(${database}))${security})`;
  // The driver takes the texts of a PEM wallet, so that keys need not be written to disk.
  const wallet = [ssl?.clientKey, ssl?.clientCertificate, ssl?.ca].filter((pem) => pem !== undefined).join("\n");
  const password = walletPassword ?? ssl?.clientKeyPassphrase;
  return {
    connectString,
    ...(endpoint.username === undefined ? {} : { user: endpoint.username }),
    ...(endpoint.password === undefined ? {} : { password: endpoint.password }),
    ...(mode === "disable" || wallet === "" ? {} : { walletContent: wallet }),
    ...(mode !== "disable" && wallet === "" && walletDirectory !== undefined ? { walletLocation: walletDirectory } : {}),
    ...(password === undefined ? {} : { walletPassword: password }),
  };
}

/** What could end a value would change the address. */
function descriptorValue(text: string): string {
  if (/[()='"\s]/.test(text)) {
    throw new GodwitError(ErrorCode.InvalidInput, "a host, service name or SID with characters that an address cannot hold", {
      object: text,
      remedy: "use letters, digits, points, dashes and underscores",
    });
  }
  return text;
}

class Session implements OracleConnection {
  constructor(
    private readonly connection: Connection,
    readonly host: string,
  ) {}

  async query<R extends object>(sql: string, binds: OracleBinds = {}): Promise<R[]> {
    return this.guarded(async () => {
      const result = await this.connection.execute(sql, bindable(binds), {
        outFormat: oracledb.OUT_FORMAT_OBJECT,
        fetchTypeHandler,
        fetchArraySize: 1000,
      });
      return (result.rows ?? []) as R[];
    });
  }

  async *stream(sql: string, binds: OracleBinds, options: { readonly batchRows: number }): AsyncGenerator<OracleValue[][]> {
    const rows = await this.guarded(async () => {
      const { resultSet } = await this.connection.execute(sql, bindable(binds), {
        outFormat: oracledb.OUT_FORMAT_ARRAY,
        fetchTypeHandler,
        resultSet: true,
        prefetchRows: options.batchRows,
        fetchArraySize: options.batchRows,
      });
      if (!resultSet) throw new GodwitError(ErrorCode.ProtocolViolation, "a query without rows was streamed");
      return resultSet as ResultSet<OracleValue[]>;
    });
    try {
      for (;;) {
        const batch = await this.guarded(() => rows.getRows(options.batchRows));
        if (batch.length > 0) yield batch;
        if (batch.length < options.batchRows) return;
      }
    } finally {
      await rows.close().catch(() => undefined);
    }
  }

  async execute(sql: string, binds: OracleBinds = {}): Promise<void> {
    await this.guarded(() => this.connection.execute(sql, bindable(binds), { autoCommit: true }));
  }

  async cancel(): Promise<void> {
    await this.connection.break().catch(() => undefined);
  }

  async close(): Promise<void> {
    await this.connection.close().catch(() => undefined);
  }

  private async guarded<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (cause) {
      throw oracleStatementError(cause, this.host);
    }
  }
}

/** An SCN is exact as a JavaScript number up to 2^53; past that it is bound as text, which Oracle converts. */
function bindable(binds: OracleBinds): Record<string, string | number | Buffer | null> {
  return Object.fromEntries(
    Object.entries(binds).map(([name, value]) => [
      name,
      typeof value !== "bigint" ? value : value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value.toString(),
    ]),
  );
}

/**
 * How values arrive. NUMBER as text: a JavaScript number holds 15 digits of 38. LOBs whole, not as locators. In thin mode dates and timestamps
 * would come as JavaScript dates (milliseconds, local time) and intervals as objects: refused, rather than rounded.
 */
function fetchTypeHandler(column: Metadata<unknown>) {
  switch (column.dbType) {
    case oracledb.DB_TYPE_DATE:
    case oracledb.DB_TYPE_TIMESTAMP:
    case oracledb.DB_TYPE_TIMESTAMP_TZ:
    case oracledb.DB_TYPE_TIMESTAMP_LTZ:
    case oracledb.DB_TYPE_INTERVAL_YM:
    case oracledb.DB_TYPE_INTERVAL_DS:
      throw new GodwitError(
        ErrorCode.ProtocolViolation,
        `column ${column.name} was selected as ${column.dbTypeName}, which would be rounded`,
        {
          remedy: "report this: the query must select it as text (columnText)",
        },
      );
    case oracledb.DB_TYPE_BLOB:
    case oracledb.DB_TYPE_LONG_RAW:
    case oracledb.DB_TYPE_RAW:
      return { type: oracledb.BUFFER };
    case oracledb.DB_TYPE_NUMBER:
    case oracledb.DB_TYPE_BINARY_DOUBLE:
    case oracledb.DB_TYPE_BINARY_FLOAT:
    case oracledb.DB_TYPE_BINARY_INTEGER:
    case oracledb.DB_TYPE_CLOB:
    case oracledb.DB_TYPE_NCLOB:
    case oracledb.DB_TYPE_LONG:
    case oracledb.DB_TYPE_ROWID:
      return { type: oracledb.STRING };
    default:
      return undefined;
  }
}
