/** What it takes to reach either end of a task. Secrets included: held in memory, handed on over pipes, never written. */
export interface TaskEndpoint {
  readonly engine: string;
  readonly hosts: readonly string[];
  readonly username?: string;
  readonly password?: string;
  readonly databaseName?: string;
  readonly ssl?: {
    readonly mode?: "disable" | "require" | "verify-ca" | "verify-full";
    readonly ca?: string;
    readonly clientCertificate?: string;
    readonly clientKey?: string;
    readonly clientKeyPassphrase?: string;
  };
  readonly oracle?: {
    readonly serviceName?: string;
    readonly sid?: string;
    readonly clientLibraryDirectory?: string;
    readonly walletDirectory?: string;
    readonly walletPassword?: string;
  };
  readonly kafka?: {
    readonly version?: string;
    readonly saslMechanism?: "plain" | "scram-sha-256" | "scram-sha-512";
    readonly schemaRegistry?: { readonly url: string; readonly username?: string; readonly password?: string };
  };
}

export interface Ends {
  readonly source: TaskEndpoint;
  readonly target: TaskEndpoint;
}

const DEFAULT_PORTS: Readonly<Record<string, number>> = { "polardb-o": 1521, oracle: 1521, kafka: 9092 };

/** The port of a host that names none. */
export function defaultPort(engine: string | undefined): number {
  return DEFAULT_PORTS[engine ?? ""] ?? 5432;
}

/** What a server says about itself when its endpoint is registered. */
export interface ServerFacts {
  /** Such as "17.6". */
  readonly serverVersion: string;
  /** What tells this server (or cluster) from every other one: a system identifier, DBID or cluster id. */
  readonly serverId: string;
  /** The database's character set; empty where there is none (Kafka). */
  readonly encoding: string;
  /** The zone the server is configured for, not the session's; empty where there is none. */
  readonly timeZone: string;
  readonly superuser: boolean;
}
