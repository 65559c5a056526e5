import { Client, type ClientConfig } from "pg";
import { ErrorCode, GodwitError } from "../../engine/errors.js";
import { defaultPort } from "../../engine/models/endpoint.js";
import { connectionError, isConnectionError } from "./connectionErrors.js";
import { type SslInputs, tlsOptions } from "./tls.js";

/** What it takes to reach a database: the part of the contract's Endpoint that a connection needs. */
export interface PostgresEndpoint {
  /** The member of the family; decides the port of a host that names none. Default: PostgreSQL. */
  readonly engine?: string;
  /** `host`, `host:port` or `[ipv6]:port`; tried in order. */
  readonly hosts: readonly string[];
  readonly username?: string;
  readonly password?: string;
  readonly databaseName?: string;
  readonly ssl?: SslInputs;
  /** Settings that sessions of this server need beside everyone's, as its dialect found them. */
  readonly sessionSettings?: Readonly<Record<string, string>>;
}

export interface ConnectOptions {
  /** Shown in pg_stat_activity; `godwit/<task>/<part>` so that a successor finds what a dead worker left. */
  readonly applicationName: string;
  /** Opens a walsender on the database instead of a session. */
  readonly replication?: boolean;
  /** Skip hosts that take no writes (standbys, default_transaction_read_only). Default true. */
  readonly writable?: boolean;
  /** Seconds one host may take to answer. Default 10. */
  readonly timeoutSeconds?: number;
}

/**
 * Settings every session runs under: text forms that read the same on both sides, no time-outs of the server's that would
 * end a long copy, and names that always resolve to the schema they say.
 * Through the startup packet, because a replication connection takes no SET.
 */
const SESSION_SETTINGS: Readonly<Record<string, string>> = {
  client_encoding: "UTF8",
  DateStyle: "ISO,YMD",
  IntervalStyle: "postgres",
  TimeZone: "UTC",
  extra_float_digits: "3",
  bytea_output: "hex",
  lc_monetary: "C",
  search_path: "",
  statement_timeout: "0",
  lock_timeout: "0",
  // A client that vanished without a FIN must not hold locks or an advisory lock for hours.
  tcp_keepalives_idle: "30",
  tcp_keepalives_interval: "10",
  tcp_keepalives_count: "3",
};

/** As those, from PostgreSQL 9.6 on: a server that does not know a setting of the startup packet refuses the connection. */
const LATER_SETTINGS: Readonly<Record<string, string>> = { idle_in_transaction_session_timeout: "0" };

/** AnalyticDB 6 is PostgreSQL 9.4: which of them a server has is seen only once it has let us in. */
const MAY_LACK_SETTINGS: ReadonlySet<string | undefined> = new Set(["analyticdb-postgresql"]);

/**
 * Connects to the first host that answers and, unless told otherwise, accepts writes.
 * Errors: GW1101 to GW1105, GW1108; a refused password ends the search at once, for it would be refused everywhere
 * and may lock the account.
 */
export async function connect(endpoint: PostgresEndpoint, options: ConnectOptions): Promise<Client> {
  const failures: GodwitError[] = [];
  for (const spelled of endpoint.hosts) {
    const { host, port } = parseHost(spelled, defaultPort(endpoint.engine));
    const client = new Client(clientConfig(endpoint, host, port, options));
    // Without a listener an error between two queries ends the process; the next query reports it.
    client.on("error", () => undefined);
    try {
      await client.connect();
      if (MAY_LACK_SETTINGS.has(endpoint.engine)) await setWhereKnown(client, LATER_SETTINGS);
      if (options.writable !== false && !options.replication && !(await acceptsWrites(client))) {
        await client.end();
        failures.push(new GodwitError(ErrorCode.NoWritableHost, "the server takes no writes", { object: spelled }));
        continue;
      }
      return client;
    } catch (cause) {
      client.end().catch(() => undefined);
      const error = connectionError(cause, spelled, endpoint);
      if (error.code === ErrorCode.AuthenticationFailed || error.code === ErrorCode.DatabaseMissing) throw error;
      failures.push(error);
    }
  }
  throw summarize(failures, endpoint);
}

/** Runs `use` on a connection of its own and closes it, whatever happens. */
export async function withConnection<T>(
  endpoint: PostgresEndpoint,
  options: ConnectOptions,
  use: (client: Client) => Promise<T>,
): Promise<T> {
  const client = await connect(endpoint, options);
  try {
    return await use(client);
  } catch (cause) {
    throw isConnectionError(cause) && !(cause instanceof GodwitError)
      ? connectionError(cause, endpoint.hosts.join(","), endpoint)
      : cause;
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** `host`, `host:port`, `[v6]`, `[v6]:port` or a bare IPv6 address. */
export function parseHost(spelled: string, defaultPort: number): { host: string; port: number } {
  const bracketed = /^\[([^\]]+)\](?::(\d+))?$/.exec(spelled);
  if (bracketed) return { host: bracketed[1] ?? "", port: Number(bracketed[2] ?? defaultPort) };
  const parts = spelled.split(":");
  if (parts.length > 2) return { host: spelled, port: defaultPort };
  return { host: parts[0] ?? "", port: Number(parts[1] ?? defaultPort) };
}

function clientConfig(endpoint: PostgresEndpoint, host: string, port: number, options: ConnectOptions): ClientConfig {
  const everyone = MAY_LACK_SETTINGS.has(endpoint.engine) ? SESSION_SETTINGS : { ...SESSION_SETTINGS, ...LATER_SETTINGS };
  const settings = Object.entries({ ...everyone, ...endpoint.sessionSettings }).map(
    ([name, value]) => `-c ${name}=${value.replaceAll(" ", "\\ ")}`,
  );
  const config: ClientConfig & { replication?: string } = {
    host,
    port,
    user: endpoint.username,
    // pg would fall back to PGPASSWORD and .pgpass: the program's word is the only one that counts.
    password: endpoint.password ?? "",
    database: endpoint.databaseName,
    ssl: tlsOptions(endpoint.ssl, host),
    application_name: options.applicationName.slice(0, 63),
    connectionTimeoutMillis: (options.timeoutSeconds ?? 10) * 1000,
    keepAlive: true,
    options: settings.join(" "),
    ...(options.replication ? { replication: "database" } : {}),
  };
  return config;
}

/** Sets what the server has of these settings. */
export async function setWhereKnown(client: Client, settings: Readonly<Record<string, string>>): Promise<void> {
  await client.query(
    `SELECT pg_catalog.set_config(s.name, w.value, false)
       FROM pg_catalog.pg_settings s JOIN unnest($1::text[], $2::text[]) AS w (name, value) ON w.name = s.name`,
    [Object.keys(settings), Object.values(settings)],
  );
}

async function acceptsWrites(client: Client): Promise<boolean> {
  const { rows } = await client.query<{ writable: boolean }>(
    "SELECT NOT pg_catalog.pg_is_in_recovery() AND pg_catalog.current_setting('transaction_read_only') = 'off' AS writable",
  );
  return rows[0]?.writable === true;
}

function summarize(failures: readonly GodwitError[], endpoint: PostgresEndpoint): GodwitError {
  const [only] = failures;
  if (only && failures.length === 1) return only;
  const allReadOnly = failures.every((failure) => failure.code === ErrorCode.NoWritableHost);
  return new GodwitError(
    allReadOnly
      ? ErrorCode.NoWritableHost
      : (failures.find((f) => f.code !== ErrorCode.NoWritableHost)?.code ?? ErrorCode.EndpointUnreachable),
    `no host of ${endpoint.hosts.join(", ")} could be used: ${failures.map((failure) => failure.message).join("; ")}`,
    { remedy: "check that one of the hosts is up, reachable from here and writable" },
  );
}
