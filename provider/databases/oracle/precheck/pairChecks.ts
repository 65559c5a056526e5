import type { Client } from "pg";
import type { PrecheckItem } from "../../../engine/models/plan.js";
import { precheckItem } from "../../postgres/precheck/precheckItem.js";
import type { OracleFacts } from "../serverFacts.js";

// Every session of ours runs in UTC; log_timezone, which initdb sets like TimeZone and no session can change, says what the server is in.
const TARGET = `
SELECT (SELECT pg_encoding_to_char(encoding) FROM pg_database WHERE datname = current_database()) AS encoding,
       coalesce((SELECT reset_val FROM pg_settings WHERE name = 'log_timezone'), 'UTC') AS zone`;

/** Character sets whose every character is one of the target's encoding. UTF8 takes them all. */
const HELD: Readonly<Record<string, readonly string[]>> = {
  SQL_ASCII: ["US7ASCII"],
  LATIN1: ["US7ASCII", "WE8ISO8859P1"],
  LATIN9: ["US7ASCII", "WE8ISO8859P15"],
  WIN1252: ["US7ASCII", "WE8ISO8859P1", "WE8MSWIN1252"],
};

/** Zones that are UTC by another name. */
const UTC = new Set(["+00:00", "UTC", "GMT", "ETC/UTC", "ETC/GMT", "UCT", "ZULU"]);

/** What only both ends together show. Reads only. */
export async function oraclePairChecks(facts: OracleFacts, target: Client): Promise<PrecheckItem[]> {
  const { rows } = await target.query<{ encoding: string; zone: string }>(TARGET);
  const { encoding = "", zone = "" } = rows[0] ?? {};
  const holds = encoding === "UTF8" || (HELD[encoding]?.includes(facts.encoding) ?? false);
  const same = zone === facts.timeZone || (UTC.has(zone.toUpperCase()) && UTC.has(facts.timeZone.toUpperCase()));
  return [
    precheckItem({
      item: "encoding",
      passed: holds,
      ignorable: true,
      message: `the source is ${facts.encoding}, the target ${encoding}`,
      remedy: "create the target database with ENCODING 'UTF8': it can hold every character",
    }),
    precheckItem({
      item: "timeZone",
      severity: "warning",
      passed: same,
      message: same
        ? `both databases are in ${facts.timeZone}`
        : `the source's DBTIMEZONE is ${facts.timeZone}, the target is in ${zone}`,
      remedy:
        "values are copied exactly; what SYSDATE and timestamp defaults mean may differ: set TimeZone of the target to where the source's server is",
    }),
  ];
}
