import type { Client } from "pg";
import type { PlannedTable, PrecheckItem } from "../../../engine/models/plan.js";
import type { PolardbTraits } from "../traits.js";
import { emptyStringChecks } from "./emptyStrings.js";

export interface Pair {
  readonly source: PolardbTraits;
  readonly target: PolardbTraits;
}

/**
 * What both ends together show, where one is PolarDB O. Time zone and character set must be alike: dates and timestamps without a zone, and lengths in
 * bytes, mean something else otherwise.
 */
export async function polardbPairChecks(
  source: Client,
  { source: from, target: to }: Pair,
  tables: readonly PlannedTable[],
  items: readonly PrecheckItem[],
): Promise<PrecheckItem[]> {
  const strict = items.map((item): PrecheckItem => {
    if (item.item === "timeZone") return { ...item, severity: "error", ignorable: true };
    return item.item === "encoding" ? strictEncoding(item) : item;
  });
  if (!to.emptyStringIsNull || from.emptyStringIsNull) return strict;
  return [...strict, ...(await emptyStringChecks(source, tables))];
}

/** PostgreSQL's own check takes UTF8 for anything. */
function strictEncoding(item: PrecheckItem): PrecheckItem {
  const [, from, to] = /^the source is (\S+), the target (\S+)$/.exec(item.message) ?? [];
  if (from === to) return item;
  return {
    ...item,
    passed: false,
    ignorable: true,
    remedy: `create the target database with ENCODING '${from}', or accept that lengths in bytes differ`,
  };
}
