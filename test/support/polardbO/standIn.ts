import type { TaskEndpoint } from "../../../provider/engine/models/endpoint.js";
import { type PostgresServer, startPostgres } from "../postgres.js";
import { type FrontendProxy, startFrontendProxy } from "./frontendProxy.js";
import { EMPTY_IS_NULL, LONG_DATES, RELEASE_SETTINGS, setSetting, standInSql } from "./standInSql.js";

/** A PostgreSQL server that stands in for PolarDB O; what it fakes is listed in standInSql.ts. */
export interface PolardbStandIn {
  /** The server itself, past the proxy. */
  readonly server: PostgresServer;
  readonly proxy: FrontendProxy;
  readonly release: "1.0" | "2.0";
  endpoint(databaseName: string): TaskEndpoint;
  /** Changes what the server says of a setting, in databases that are made from now on. */
  set(name: string, value: string, context?: string): Promise<void>;
  remove(): Promise<void>;
}

export interface StandInOptions {
  readonly release: "1.0" | "2.0";
  /** What it says of its settings, beside those of its release, as value and context; undefined takes one away. */
  readonly says?: Readonly<Record<string, readonly [string, string] | undefined>>;
  /** '' becomes NULL where it is stored. */
  readonly emptyIsNull?: boolean;
  /** A date holds a time of day, in 8 bytes. */
  readonly longDates?: boolean;
  /** Real settings of the server. */
  readonly settings?: Readonly<Record<string, string>>;
}

export async function startPolardbStandIn({
  release,
  says = {},
  settings = {},
  emptyIsNull = false,
  longDates = false,
}: StandInOptions): Promise<PolardbStandIn> {
  const major = release === "1.0" ? 11 : 14;
  // pg_catalog takes objects of ours only with allow_system_table_mods; databases are copies of template1.
  const server = await startPostgres({
    major,
    settings: { fsync: "off", allow_system_table_mods: "on", ...settings },
    name: "polardb",
  });
  await server.query("ALTER DATABASE template1 ALLOW_CONNECTIONS true");
  for (const sql of standInSql(release, major)) await server.query(sql, undefined, "template1");
  if (longDates) await server.query(LONG_DATES, undefined, "template1");
  if (emptyIsNull) await server.query(EMPTY_IS_NULL, undefined, "template1");
  const set = async (name: string, value: string, context = "user"): Promise<void> => {
    await server.query(setSetting(name, value, context), undefined, "template1");
  };
  for (const [name, [value, context]] of Object.entries(RELEASE_SETTINGS[release])) await set(name, value, context);
  for (const [name, value] of Object.entries(says)) {
    if (value !== undefined) await set(name, ...value);
    else await server.query(`DELETE FROM sys.setting WHERE name = '${name}'`, undefined, "template1");
  }
  const proxy = await startFrontendProxy(server.port);
  return {
    server,
    proxy,
    release,
    set,
    endpoint: (databaseName) => ({
      engine: "polardb-o",
      hosts: [`127.0.0.1:${proxy.port}`],
      username: server.username,
      password: server.password,
      databaseName,
    }),
    async remove() {
      await proxy.close();
      await server.remove();
    },
  };
}
