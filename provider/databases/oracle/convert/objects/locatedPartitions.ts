import type { Cursor } from "../read/cursor.js";
import { readExpression } from "../read/readExpression.js";
import { dollarQuote, fitName, quoteText } from "../write/names.js";
import { partitionName, type Table, unlessPartitioned } from "./alteredTable.js";
import { writeDefault } from "./columns.js";

/**
 * DROP and TRUNCATE of partitions. One that its name tells is a table of a known name; a subpartition's partition, and the partition that a
 * value lies in, are looked up when the statement runs.
 */
export function readPartitionAction(cursor: Cursor, table: Table, action: "DROP TABLE IF EXISTS" | "TRUNCATE TABLE"): string {
  const word = cursor.next().text;
  if (cursor.accept("FOR")) return writeFor(cursor, table, action);
  const read = () => cursor.name();
  const names = cursor.at("(") ? cursor.listed(read) : cursor.list(read);
  if (word.startsWith("PARTITION")) return `${action} ${names.map((name) => partitionName(table, name)).join(", ")}`;
  const wanted = names.map((name) => quoteText(`_${fitName(name)}`)).join(", ");
  return writeBlock(table, action, [
    `  SELECT array_agg(relid::regclass::text) INTO godwit_parts FROM pg_partition_tree(${quoteText(table.sql)}) JOIN pg_class ON oid = relid`,
    `  CROSS JOIN unnest(ARRAY[${wanted}]) AS ending WHERE isleaf AND level > 1 AND right(relname, length(ending)) = ending;`,
    `  IF coalesce(cardinality(godwit_parts), 0) <> ${names.length} THEN RAISE 'the subpartitions are not there, or not told apart by their names'; END IF;`,
  ]);
}

/** PARTITION FOR (value): asked of each partition's own condition. Rows of a default partition are of several of Oracle's. */
function writeFor(cursor: Cursor, table: Table, action: string): string {
  const value = cursor.listed(() => writeDefault(readExpression(cursor), table.env));
  const [only, ...others] = value;
  if (only === undefined || others.length > 0) cursor.refuse("a partition named by several values");
  const name = quoteText(table.sql);
  return writeBlock(table, action, [
    "  SELECT attname, format_type(atttypid, atttypmod) INTO STRICT godwit_column, godwit_type FROM pg_partitioned_table",
    `  JOIN pg_attribute ON attrelid = partrelid AND attnum = partattrs[0] WHERE partrelid = ${name}::regclass AND partnatts = 1;`,
    "  FOR godwit_part, godwit_default IN",
    "    SELECT inhrelid::regclass::text, pg_get_expr(relpartbound, pg_class.oid) = 'DEFAULT' FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid",
    `    WHERE inhparent = ${name}::regclass`,
    "  LOOP",
    `    EXECUTE format('SELECT %s FROM (SELECT CAST(%s AS %s) AS %I) AS godwit_row', pg_get_partition_constraintdef(godwit_part::regclass), ${quoteText(only)}, godwit_type, godwit_column) INTO godwit_holds;`,
    "    CONTINUE WHEN NOT godwit_holds;",
    "    IF godwit_default THEN RAISE 'the value lies in the default partition, which holds rows of other partitions of the source, too'; END IF;",
    "    godwit_parts := ARRAY[godwit_part];",
    "  END LOOP;",
    "  IF godwit_parts IS NULL THEN RAISE 'no partition holds the value'; END IF;",
  ]);
}

function writeBlock(table: Table, action: string, find: readonly string[]): string {
  const lines = [
    "DECLARE",
    "  godwit_parts text[];",
    "  godwit_part text;",
    "  godwit_column name;",
    "  godwit_type text;",
    "  godwit_default boolean;",
    "  godwit_holds boolean;",
    "BEGIN",
    unlessPartitioned(table, "RAISE"),
    ...find,
    `  EXECUTE format('${action} %s', array_to_string(godwit_parts, ', '));`,
    "END",
  ];
  return `DO ${dollarQuote(lines.join("\n"))}`;
}
