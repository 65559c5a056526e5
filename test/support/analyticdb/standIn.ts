import { randomBytes } from "node:crypto";
import { type PostgresServer, startPostgres } from "../postgres.js";
import { CATALOG_6, CATALOG_7, CATALOGS } from "./catalogs.js";
import { type SegmentProxy, startSegmentProxy } from "./proxy.js";
import type { CreatedTable } from "./rewrite.js";

/**
 * A STAND-IN for AnalyticDB for PostgreSQL, which no one can start on a machine of their own: a real PostgreSQL (12 for version 7, whose SQL is
 * PostgreSQL 12's; 10, the oldest there are binaries of, for version 6, whose SQL is 9.4's) behind a proxy that knows the clauses PostgreSQL lacks.
 *
 * What it does: takes DISTRIBUTED ... off CREATE TABLE, keeps it in gp_distribution_policy and refuses a CREATE TABLE without it; refuses a
 * unique key that does not hold the distribution key, triggers, two writing parts of one query, a ctid without its segment, pg_locks beside a
 * distributed table, functions that read tables inside an UPDATE; for 6 whatever PostgreSQL 9.4 does not parse and settings that it does not know; takes
 * locks on whole tables for UPDATE and DELETE, as with the global deadlock detector off; enforces no foreign key; lets in an account that
 * is no superuser. Beam and append-optimized tables of 7 are access methods over PostgreSQL's heap.
 *
 * Its lies: there is one node, so nothing is ever moved between segments and gp_segment_id is 0; no two-phase commits; statements with parameters
 * (the extended protocol) take row locks only; planning, storage and their speed are PostgreSQL's; on 6 every table is a heap table; COPY's
 * routing, GPORCA, resource queues and the cluster endpoint are not there.
 */
export interface AnalyticdbStandIn {
  /** The server below, for tests to look into; the product must not go there. */
  readonly server: PostgresServer;
  readonly version: 6 | 7;
  /** The initial account's, no superuser. */
  readonly username: string;
  readonly password: string;
  readonly port: number;
  /** Inputs of a Godwit endpoint. */
  inputs(databaseName: string): AnalyticdbInputs;
  /** Every CREATE TABLE so far, with the clauses it had. */
  created(): readonly CreatedTable[];
  /** Statements that the real product would not take, with the reason. A test that passes has none. */
  refused(): readonly string[];
  /** The latest statements, oldest first. */
  statements(): readonly string[];
  forget(): void;
  remove(): Promise<void>;
}

export interface AnalyticdbInputs {
  engine: "analyticdb-postgresql";
  hosts: string[];
  username: string;
  password: string;
  databaseName: string;
}

export interface StandInOptions {
  readonly version: 6 | 7;
  /** Whether version 7 offers Beam. Default true. */
  readonly beam?: boolean;
  readonly settings?: Readonly<Record<string, string>>;
}

export async function startAnalyticdb({ version, beam = true, settings = {} }: StandInOptions): Promise<AnalyticdbStandIn> {
  const below = await startPostgres({
    major: version === 7 ? 12 : 10,
    name: "analyticdb",
    settings: { allow_system_table_mods: "on", password_encryption: "scram-sha-256", ...settings },
  });
  const username = "adb_admin";
  const password = randomBytes(18).toString("base64url");
  let proxy: SegmentProxy;
  try {
    await below.query(`CREATE ROLE ${username} LOGIN CREATEDB CREATEROLE PASSWORD '${password}'`);
    const catalog = `${CATALOGS}; ${version === 7 ? CATALOG_7(beam) : CATALOG_6}`;
    for (const database of ["template1", "postgres"]) await below.query(catalog, undefined, database);
    proxy = await startSegmentProxy(below.port, version);
  } catch (cause) {
    await below.remove();
    throw cause;
  }
  return {
    server: ownedBy(username, below),
    version,
    username,
    password,
    port: proxy.port,
    inputs: (databaseName) => ({
      engine: "analyticdb-postgresql",
      hosts: [`127.0.0.1:${proxy.port}`],
      username,
      password,
      databaseName,
    }),
    created: () => proxy.created,
    refused: () => proxy.refused,
    statements: () => proxy.statements,
    forget: () => proxy.forget(),
    async remove() {
      await proxy.close();
      await below.remove();
    },
  };
}

/** The account owns the databases it works in, as the initial account does; tests reach the same server as its superuser. */
function ownedBy(username: string, inner: PostgresServer): PostgresServer {
  return {
    major: inner.major,
    host: inner.host,
    port: inner.port,
    dataDirectory: inner.dataDirectory,
    logFile: inner.logFile,
    username: inner.username,
    password: inner.password,
    async createDatabase(name) {
      await inner.createDatabase(name);
      await inner.query(`ALTER DATABASE "${name}" OWNER TO ${username}`);
      await inner.query(`ALTER SCHEMA public OWNER TO ${username}`, undefined, name);
    },
    pid: () => inner.pid(),
    endpoint: (name) => inner.endpoint(name),
    clientConfig: (name) => inner.clientConfig(name),
    query: (sql, params, database) => inner.query(sql, params, database),
    stop: (mode) => inner.stop(mode),
    start: () => inner.start(),
    kill9: () => inner.kill9(),
    remove: () => inner.remove(),
  };
}
