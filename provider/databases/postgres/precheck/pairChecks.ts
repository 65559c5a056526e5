import type { Client } from "pg";
import type { PrecheckItem } from "../../../engine/models/plan.js";
import { precheckItem } from "./precheckItem.js";

interface Identity {
  /**
   * Start of the postmaster, and its port: servers cloned from one data directory share a system identifier. Two that were started together have begun
   * in the same microsecond once in some thousand times.
   */
  server: string;
  database: string;
  encoding: string;
  timeZone: string;
}

// Every session of ours runs in UTC, so pg_settings no longer says what the server's TimeZone is; log_timezone, which initdb sets alike
// and no session can change, does.
const IDENTITY = `
SELECT pg_postmaster_start_time()::text || ' ' || coalesce(inet_server_port()::text, '') AS server, current_database() AS database,
       (SELECT pg_encoding_to_char(encoding) FROM pg_database WHERE datname = current_database()) AS encoding,
       coalesce((SELECT reset_val FROM pg_settings WHERE name = 'log_timezone'), 'UTC') AS "timeZone"`;

/** What only both ends together show. Reads only. */
export async function pairChecks(source: Client, target: Client): Promise<PrecheckItem[]> {
  const from = (await source.query<Identity>(IDENTITY)).rows[0];
  const to = (await target.query<Identity>(IDENTITY)).rows[0];
  if (!from || !to) return [];
  const same = from.server === to.server && from.database === to.database;
  return [
    precheckItem({
      item: "distinctDatabases",
      passed: !same,
      message: same ? "source and target are the same database" : "source and target are different databases",
      remedy: "name another database as the target",
    }),
    precheckItem({
      item: "encoding",
      passed: from.encoding === to.encoding || to.encoding === "UTF8",
      ignorable: true,
      message: `the source is ${from.encoding}, the target ${to.encoding}`,
      remedy: "create the target database with ENCODING 'UTF8': it can hold every character",
    }),
    precheckItem({
      item: "timeZone",
      severity: "warning",
      passed: from.timeZone === to.timeZone,
      message:
        from.timeZone === to.timeZone
          ? `both servers are in ${from.timeZone}`
          : `the source is in ${from.timeZone}, the target in ${to.timeZone}`,
      remedy: "values are copied exactly; what now() and timestamp defaults mean may differ: set TimeZone alike",
    }),
  ];
}
