import type { Cursor } from "../read/cursor.js";
import { readExpression } from "../read/readExpression.js";
import { dollarQuote, fitName, quoteName, quoteNames, quoteText } from "../write/names.js";
import { partitionName, type Table, unlessPartitioned } from "./alteredTable.js";
import { writeDefault } from "./columns.js";
import { readPartition } from "./partitions.js";

/**
 * SPLIT, MERGE and EXCHANGE of partitions, which PostgreSQL has no words for: the old partitions are taken out of the table, new ones are
 * made from their bounds, and the rows are moved.
 */
export function readPartitionChange(cursor: Cursor, table: Table): string {
  const word = cursor.next().text;
  if (!cursor.acceptAny("PARTITION", "PARTITIONS")) cursor.refuse(`ALTER TABLE ... ${word} ${cursor.peek().value}`);
  if (cursor.at("FOR", "(")) cursor.refuse("a partition named by one of its values");
  if (word === "SPLIT") return readSplit(cursor, table);
  if (word === "MERGE") return readMerge(cursor, table);
  if (word === "EXCHANGE") return readExchange(cursor, table);
  return cursor.refuse(`ALTER TABLE ... ${word} PARTITION: PostgreSQL's hash partitions are a fixed number`);
}

/** SPLIT PARTITION p AT (value) INTO (PARTITION a, PARTITION b). */
function readSplit(cursor: Cursor, table: Table): string {
  const old = cursor.name();
  if (!cursor.accept("AT")) cursor.refuse("SPLIT PARTITION of a list: which values stay is known on the source only");
  const values = cursor.listed(() => writeDefault(readExpression(cursor), table.env)).join(", ");
  cursor.expect("INTO");
  const [first, second, ...others] = cursor.listed(() => readPartition(cursor, "PARTITION"));
  if (first?.name === undefined || second?.name === undefined || others.length > 0)
    cursor.refuse("SPLIT PARTITION without the names of two");
  return writeChange(table, true, [
    ...takeOut(table, old, 1),
    make(table, first.name, "godwit_1[1]", quoteText(values)),
    make(table, second.name, quoteText(values), "godwit_1[2]"),
    ...putBack(table, 1),
  ]);
}

/** MERGE PARTITIONS p, q INTO PARTITION r: neighbours, the lower one first. */
function readMerge(cursor: Cursor, table: Table): string {
  const low = cursor.name();
  if (!cursor.acceptAny(",", "AND")) cursor.refuse("MERGE of a range of partitions, which are not all named");
  const high = cursor.name();
  cursor.expect("INTO");
  cursor.accept("PARTITION");
  return writeChange(table, true, [
    ...takeOut(table, low, 1),
    ...takeOut(table, high, 2),
    "  IF godwit_1[2] <> godwit_2[1] THEN RAISE 'the partitions are no neighbours'; END IF;",
    make(table, cursor.name(), "godwit_1[1]", "godwit_2[2]"),
    ...putBack(table, 1),
    ...putBack(table, 2),
  ]);
}

/** EXCHANGE PARTITION p WITH TABLE t: the two tables change their places. */
function readExchange(cursor: Cursor, table: Table): string {
  const partition = partitionName(table, cursor.name());
  cursor.expect("WITH");
  cursor.expect("TABLE");
  const other = cursor.names();
  if (other.slice(0, -1).join(".") !== table.name.slice(0, -1).join("."))
    cursor.refuse("EXCHANGE PARTITION with a table of another schema");
  const own = quoteName(partition.split(".").at(-1)?.replaceAll('"', "") ?? "");
  const bound = `SELECT pg_get_expr(relpartbound, oid) INTO STRICT godwit_bound FROM pg_class WHERE oid = ${quoteText(partition)}::regclass;`;
  return writeChange(table, false, [
    `  ${bound}`,
    `  ALTER TABLE ${table.sql} DETACH PARTITION ${partition};`,
    `  ALTER TABLE ${partition} RENAME TO ${quoteName(aside(1))};`,
    `  ALTER TABLE ${quoteNames(other)} RENAME TO ${own};`,
    `  ALTER TABLE ${beside(table, 1)} RENAME TO ${quoteName(other.at(-1) ?? "")};`,
    `  EXECUTE format('ALTER TABLE %s ATTACH PARTITION %s %s', ${quoteText(table.sql)}, ${quoteText(partition)}, godwit_bound);`,
  ]);
}

function aside(number: number): string {
  return `godwit_partition_${number}`;
}

function beside(table: Table, number: number): string {
  return quoteNames([...table.name.slice(0, -1), fitName(aside(number))]);
}

/** The range of a partition into godwit_n, its table out of the way under another name. */
function takeOut(table: Table, partition: string, number: number): string[] {
  const name = partitionName(table, partition);
  return [
    `  SELECT regexp_match(pg_get_expr(relpartbound, oid), 'FROM [(](.*)[)] TO [(](.*)[)]$') INTO STRICT godwit_${number} FROM pg_class`,
    `    WHERE oid = ${quoteText(name)}::regclass;`,
    `  IF godwit_${number} IS NULL THEN RAISE 'the partition % has no range', ${quoteText(name)}; END IF;`,
    `  ALTER TABLE ${table.sql} DETACH PARTITION ${name};`,
    `  ALTER TABLE ${name} RENAME TO ${quoteName(aside(number))};`,
  ];
}

function make(table: Table, partition: string, from: string, to: string): string {
  const head = `CREATE TABLE ${partitionName(table, partition)} PARTITION OF ${table.sql}`.replaceAll("%", "%%");
  return `  EXECUTE format(${quoteText(`${head} FOR VALUES FROM (%s) TO (%s)`)}, ${from}, ${to});`;
}

function putBack(table: Table, number: number): string[] {
  const name = beside(table, number);
  return [`  INSERT INTO ${table.sql} OVERRIDING SYSTEM VALUE SELECT * FROM ${name};`, `  DROP TABLE ${name};`];
}

/** One block; of these changes only an exchange is one of the table's rows. */
function writeChange(table: Table, keepsRows: boolean, lines: readonly string[]): string {
  const body = [
    "DECLARE",
    "  godwit_1 text[];",
    "  godwit_2 text[];",
    "  godwit_bound text;",
    "BEGIN",
    unlessPartitioned(table, keepsRows ? "RAISE NOTICE" : "RAISE"),
    ...lines,
    "END",
  ];
  return `DO ${dollarQuote(body.join("\n"))}`;
}
