import type { Cursor } from "../read/cursor.js";
import { dollarQuote, quoteText } from "../write/names.js";
import { partitionName, type Table, unlessPartitioned } from "./alteredTable.js";
import { writeDefault } from "./columns.js";
import type { Partition } from "./partitions.js";

/** Hash partitions only say where rows lie; they stay where they are. */
export const FIXED_HASHES = "the number of hash partitions: PostgreSQL's is fixed, and no row depends on it";

/** ADD PARTITION of a list, or of ranges above the newest one, whose upper bound the statement does not repeat; of a hash there is nothing to add. */
export function writeAddPartition(partition: Partition, table: Table, cursor: Cursor): string | undefined {
  if (partition.values.length === 0) return undefined;
  if (partition.name === undefined) cursor.refuse("ADD PARTITION without a name");
  const values = partition.values.map((value) => (typeof value === "string" ? value : writeDefault(value, table.env)));
  const head = `CREATE TABLE ${partitionName(table, partition.name)} PARTITION OF ${table.sql}`;
  if (!partition.below) {
    const bound = values.includes("default") ? "DEFAULT" : `FOR VALUES IN (${values.join(", ")})`;
    return `DO ${dollarQuote(["BEGIN", unlessPartitioned(table), `  ${head} ${bound};`, "END"].join("\n"))}`;
  }
  const upper = values.map((value) => (value === "max" ? "MAXVALUE" : value)).join(", ");
  const lines = [
    "DECLARE",
    "  godwit_lower text;",
    "BEGIN",
    unlessPartitioned(table),
    "  SELECT substring(pg_get_expr(relpartbound, pg_class.oid) FROM 'TO [(](.*)[)]$') INTO godwit_lower",
    `  FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid WHERE inhparent = ${quoteText(table.sql)}::regclass`,
    "    AND pg_get_expr(relpartbound, pg_class.oid) LIKE 'FOR VALUES FROM%' ORDER BY inhrelid DESC LIMIT 1;",
    `  EXECUTE format(${quoteText(`${head.replaceAll("%", "%%")} FOR VALUES FROM (%s) TO (${upper.replaceAll("%", "%%")})`)}, coalesce(godwit_lower, 'MINVALUE'));`,
    "END",
  ];
  return `DO ${dollarQuote(lines.join("\n"))}`;
}
