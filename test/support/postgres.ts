import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chown, mkdtemp, open, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client, type ClientConfig, type QueryResult, type QueryResultRow } from "pg";
import { isOpenToOthers, type PostgresMajor, postgresBinaries } from "./postgresBinaries.js";
import { createCluster } from "./postgresTemplate.js";
import {
  delay,
  freePort,
  killTree,
  type ServerUser,
  serverEnvironment,
  serverUser,
  signal,
  watchServer,
} from "./serverProcess.js";
import type { Watchdog } from "./watchdog.js";

export interface ServerTls {
  /** PEM texts. */
  readonly key: string;
  readonly certificate: string;
  readonly ca: string;
  /** Lets nobody in over TCP without a certificate signed by `ca`. */
  readonly requireClientCertificate?: boolean;
}

export interface StartOptions {
  readonly major: PostgresMajor;
  /** Server settings, over the defaults: wal_level=logical, 20 senders and slots, fsync on. */
  readonly settings?: Readonly<Record<string, string>>;
  readonly tls?: ServerTls;
  /** Lines of pg_hba.conf for TCP, in place of the default (scram-sha-256 from 127.0.0.1, also for replication). */
  readonly hba?: readonly string[];
  /** Shows in the name of the server's folder. */
  readonly name?: string;
}

/** A real server on 127.0.0.1. It ends, and its folder goes, with the process that started it. */
export interface PostgresServer {
  readonly major: PostgresMajor;
  readonly host: "127.0.0.1";
  readonly port: number;
  readonly dataDirectory: string;
  readonly logFile: string;
  readonly username: "postgres";
  /** Random, so that a test can look for it where it must not be. */
  readonly password: string;
  /** The postmaster's. Throws while the server is down. */
  pid(): number;
  /** Inputs of a Godwit endpoint (without ssl, which loopback hosts do not need unless the server demands it). */
  endpoint(databaseName?: string): PostgresEndpointInputs;
  /** The same for the pg driver, over TCP. */
  clientConfig(databaseName?: string): ClientConfig;
  /**
   * On a connection of its own, through a unix socket: works whatever pg_hba.conf and TLS say about TCP.
   * Default database: postgres.
   */
  query<R extends QueryResultRow = QueryResultRow>(
    sql: string,
    params?: readonly unknown[],
    database?: string,
  ): Promise<QueryResult<R>>;
  createDatabase(name: string): Promise<void>;
  /** Default fast: sessions are ended, and a checkpoint is made. immediate: as after a power cut. */
  stop(mode?: "smart" | "fast" | "immediate"): Promise<void>;
  /** On the same port and data, after stop or kill9. */
  start(): Promise<void>;
  /** SIGKILL for postmaster and backends at once; start() recovers from what was on disk. */
  kill9(): Promise<void>;
  /** Ends the server and deletes its folder. */
  remove(): Promise<void>;
}

export interface PostgresEndpointInputs {
  engine: "postgresql";
  hosts: string[];
  username: string;
  password: string;
  databaseName: string;
}

const DEFAULT_SETTINGS: Readonly<Record<string, string>> = {
  listen_addresses: "127.0.0.1",
  wal_level: "logical",
  max_wal_senders: "20",
  max_replication_slots: "20",
  logging_collector: "off",
  // A copied cluster has no configured zone; PostgreSQL would take the machine's.
  timezone: "UTC",
};

/**
 * Starts a server of the given major, in about a second once its binaries and its initdb are cached
 * (`postgresBinaries.ts`). As root it runs under the user postgres or nobody.
 * Its folder is made in GODWIT_TEST_DATA, by default the system's temporary folder.
 */
export async function startPostgres(options: StartOptions): Promise<PostgresServer> {
  const [binaries, user] = await Promise.all([postgresBinaries(options.major), serverUser()]);
  const parent = process.env.GODWIT_TEST_DATA ?? tmpdir();
  if (user.uid !== undefined && !(await isOpenToOthers(parent))) {
    throw new Error(`the server's user cannot reach ${parent}: set GODWIT_TEST_DATA to a folder open to all`);
  }
  const folder = await mkdtemp(join(parent, `godwit-${options.name ?? "pg"}-${options.major}-`));
  const dataDirectory = join(folder, "data");
  const watchdog = watchServer(folder, dataDirectory);
  const password = randomBytes(18).toString("base64url");
  try {
    await own(folder, user);
    await createCluster(binaries, user, dataDirectory, password);
    for (let attempt = 1; ; attempt++) {
      const port = await freePort();
      await configure(options, folder, dataDirectory, port, user);
      const server = new RunningServer(options.major, binaries.postgres, port, folder, dataDirectory, password, user, watchdog);
      try {
        await server.start();
        return server;
      } catch (cause) {
        // Between asking for a free port and taking it, a client of another test may have been given it.
        if (attempt === 5 || !/Address already in use/.test(String(cause))) throw cause;
      }
    }
  } catch (cause) {
    watchdog.trigger();
    throw cause;
  }
}

class RunningServer implements PostgresServer {
  readonly host = "127.0.0.1";
  readonly username = "postgres";
  readonly logFile: string;
  #process: ChildProcess | undefined;
  #ended: Promise<void> = Promise.resolve();

  constructor(
    readonly major: PostgresMajor,
    private readonly binary: string,
    readonly port: number,
    private readonly folder: string,
    readonly dataDirectory: string,
    readonly password: string,
    private readonly user: ServerUser,
    private readonly watchdog: Watchdog,
  ) {
    this.logFile = join(folder, "server.log");
  }

  pid(): number {
    const pid = this.#process?.pid;
    if (pid === undefined) throw new Error(`the PostgreSQL ${this.major} server on port ${this.port} is down`);
    return pid;
  }

  endpoint(databaseName = "postgres"): PostgresEndpointInputs {
    return {
      engine: "postgresql",
      hosts: [`${this.host}:${this.port}`],
      username: this.username,
      password: this.password,
      databaseName,
    };
  }

  clientConfig(database = "postgres"): ClientConfig {
    return { host: this.host, port: this.port, user: this.username, password: this.password, database };
  }

  async query<R extends QueryResultRow = QueryResultRow>(sql: string, params?: readonly unknown[], database = "postgres") {
    const client = new Client({
      host: this.folder,
      port: this.port,
      user: this.username,
      password: this.password,
      database,
      ssl: false,
      application_name: "test",
    });
    client.on("error", () => undefined);
    await client.connect();
    try {
      return await client.query<R>(sql, params ? [...params] : undefined);
    } finally {
      await client.end();
    }
  }

  async createDatabase(name: string): Promise<void> {
    await this.query(`CREATE DATABASE "${name.replaceAll('"', '""')}"`);
  }

  async start(): Promise<void> {
    if (this.#process) return;
    // A pid file left by kill9 names a process that is gone, but its number may be another process's by now.
    await rm(join(this.dataDirectory, "postmaster.pid"), { force: true });
    const log = await open(this.logFile, "a");
    const child = spawn(this.binary, ["-D", this.dataDirectory], {
      ...this.user,
      // Its own session: Ctrl-C reaches the tests, whose end the watchdog sees.
      detached: true,
      stdio: ["ignore", log.fd, log.fd],
      cwd: this.dataDirectory,
      env: serverEnvironment(),
    });
    child.unref();
    this.#process = child;
    this.#ended = new Promise<void>((settle) => {
      child.once("error", () => settle()).once("exit", () => settle());
    }).then(() => {
      if (this.#process === child) this.#process = undefined;
    });
    await log.close();
    await this.untilReady();
  }

  async stop(mode: "smart" | "fast" | "immediate" = "fast"): Promise<void> {
    if (!this.#process) return;
    signal(this.pid(), mode === "smart" ? "SIGTERM" : mode === "fast" ? "SIGINT" : "SIGQUIT");
    this.#process.ref();
    await this.#ended;
  }

  async kill9(): Promise<void> {
    if (!this.#process) return;
    this.#process.ref();
    await killTree(this.pid());
    await this.#ended;
  }

  async remove(): Promise<void> {
    await this.kill9();
    await rm(this.folder, { recursive: true, force: true, maxRetries: 5 });
    this.watchdog.release();
  }

  /** Crash recovery of a large data set may take its time: only a dead process ends the wait early. */
  private async untilReady(): Promise<void> {
    const deadline = Date.now() + 120_000;
    for (;;) {
      try {
        await this.query("SELECT 1");
        return;
      } catch (cause) {
        if (this.#process && Date.now() < deadline) {
          await delay(20);
          continue;
        }
        const log = (await readFile(this.logFile, "utf8")).split("\n").slice(-20).join("\n");
        throw new Error(`PostgreSQL ${this.major} did not start on port ${this.port}:\n${log}`, { cause });
      }
    }
  }
}

async function configure(
  options: StartOptions,
  folder: string,
  dataDirectory: string,
  port: number,
  user: ServerUser,
): Promise<void> {
  const settings: Record<string, string> = { ...DEFAULT_SETTINGS, port: String(port), unix_socket_directories: folder };
  if (options.tls) {
    const files = { "server.key": options.tls.key, "server.crt": options.tls.certificate, "root.crt": options.tls.ca };
    for (const [name, text] of Object.entries(files)) await writeOwned(join(dataDirectory, name), text, user);
    Object.assign(settings, { ssl: "on", ssl_key_file: "server.key", ssl_cert_file: "server.crt", ssl_ca_file: "root.crt" });
  }
  Object.assign(settings, options.settings);
  const lines = Object.entries(settings).map(
    ([name, value]) => `${name} = '${value.replaceAll("\\", "\\\\").replaceAll("'", "''")}'`,
  );
  const configuration = join(dataDirectory, "postgresql.conf");
  await writeOwned(configuration, `${await readFile(configuration, "utf8")}\n${lines.join("\n")}\n`, user);
  const hba = ["local all postgres scram-sha-256", ...(options.hba ?? defaultHba(options))];
  await writeOwned(join(dataDirectory, "pg_hba.conf"), `${hba.join("\n")}\n`, user);
}

function defaultHba({ major, tls }: StartOptions): string[] {
  const type = tls?.requireClientCertificate ? "hostssl" : "host";
  const certificate = tls?.requireClientCertificate ? (major >= 12 ? " clientcert=verify-ca" : " clientcert=1") : "";
  return ["all", "replication"].map((database) => `${type} ${database} all 127.0.0.1/32 scram-sha-256${certificate}`);
}

async function writeOwned(path: string, text: string, user: ServerUser): Promise<void> {
  await writeFile(path, text, { mode: 0o600 });
  await own(path, user);
}

async function own(path: string, user: ServerUser): Promise<void> {
  if (user.uid !== undefined && user.gid !== undefined) await chown(path, user.uid, user.gid);
}
