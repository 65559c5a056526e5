import type { Cursor } from "../read/cursor.js";
import { readExpression } from "../read/readExpression.js";
import { dollarQuote, fitName, quoteName, quoteNames, quoteText } from "../write/names.js";
import { partitionName, type Table, unlessPartitioned } from "./alteredTable.js";
import { writeDefault } from "./columns.js";
import { type Partition, readPartition } from "./partitions.js";

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
  return readExchange(cursor, table);
}

/** SPLIT PARTITION p AT (value) INTO (a, b); VALUES (values) for a list; INTO with the bounds of all but the last. */
function readSplit(cursor: Cursor, table: Table): string {
  const old = cursor.name();
  const write = (value: Partition["values"][number]) => (typeof value === "string" ? value : writeDefault(value, table.env));
  const word = cursor.acceptAny("AT", "VALUES");
  const given = word === undefined ? undefined : cursor.listed(() => write(readExpression(cursor)));
  cursor.expect("INTO");
  const parts = cursor.listed(() => readPartition(cursor, "PARTITION"));
  const isRange = word === "AT" || parts.some(({ below }) => below);
  const made = parts.map(({ name, values }, index) => {
    if (name === undefined) cursor.refuse("SPLIT PARTITION without the names of the new ones");
    const own = values.length > 0 ? values.map(write) : index === 0 ? given : undefined;
    if (own === undefined && index < parts.length - 1) cursor.refuse("SPLIT PARTITION without the bounds of the new ones");
    return { name, bound: index < parts.length - 1 ? own?.map((value) => (value === "max" ? "MAXVALUE" : value)) : undefined };
  });
  if (made.length < 2) cursor.refuse("SPLIT PARTITION into one");
  if (!isRange) return writeListSplit(table, old, made);
  const lines = made.map(({ name, bound }, index) => {
    const below = made[index - 1]?.bound;
    return make(
      table,
      name,
      below ? quoteText(below.join(", ")) : "godwit_1[1]",
      bound ? quoteText(bound.join(", ")) : "godwit_1[2]",
    );
  });
  return writeChange(table, true, [...takeOut(table, old, 1), ...lines, ...putBack(table, 1)]);
}

/** The last new partition has the values of the old one that the others do not take. */
function writeListSplit(
  table: Table,
  old: string,
  made: readonly { readonly name: string; readonly bound: readonly string[] | undefined }[],
): string {
  const name = partitionName(table, old);
  const taken = made.flatMap(({ bound }) => bound ?? []).join(", ");
  const create = (partition: string, bound: string) =>
    `  EXECUTE format('CREATE TABLE %s PARTITION OF %s %s', ${quoteText(partitionName(table, partition))}, ${quoteText(table.sql)}, ${bound});`;
  const rest = `SELECT 'FOR VALUES IN (' || string_agg(quote_nullable(v), ', ') || ')' FROM unnest((ARRAY[%s])::text[]) AS v WHERE NOT EXISTS (SELECT FROM unnest((ARRAY[${taken}])::text[]) AS g WHERE g IS NOT DISTINCT FROM v)`;
  return writeChange(table, true, [
    `  SELECT pg_get_expr(relpartbound, oid) INTO STRICT godwit_bound FROM pg_class WHERE oid = ${quoteText(name)}::regclass;`,
    "  IF godwit_bound <> 'DEFAULT' THEN",
    `    EXECUTE format(${quoteText(rest.replaceAll(/%(?!s)/g, "%%"))}, substring(godwit_bound FROM 'IN [(](.*)[)]$')) INTO godwit_bound;`,
    `    IF godwit_bound IS NULL THEN RAISE 'no value of the partition % is left', ${quoteText(name)}; END IF;`,
    "  END IF;",
    `  ALTER TABLE ${table.sql} DETACH PARTITION ${name};`,
    `  ALTER TABLE ${name} RENAME TO ${quoteName(aside(1))};`,
    ...made.map(({ name, bound }) => create(name, bound ? quoteText(`FOR VALUES IN (${bound.join(", ")})`) : "godwit_bound")),
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
  const ownName = partition.split(".").at(-1)?.replaceAll('"', "") ?? "";
  const own = quoteName(ownName);
  const bound = `SELECT pg_get_expr(relpartbound, oid) INTO STRICT godwit_bound FROM pg_class WHERE oid = ${quoteText(partition)}::regclass;`;
  const otherName = quoteName(other.at(-1) ?? "");
  const isElsewhere = other.slice(0, -1).join(".") !== table.name.slice(0, -1).join(".");
  // Each goes to the schema of the other, which the statement may not name.
  const schemaOf = (variable: string, relation: string) =>
    `  SELECT relnamespace::regnamespace::text INTO STRICT ${variable} FROM pg_class WHERE oid = ${quoteText(relation)}::regclass;`;
  const move = (relation: string, variable: string) =>
    `  EXECUTE format('ALTER TABLE %s SET SCHEMA %s', ${quoteText(relation)}::regclass, ${variable});`;
  const aside1 = quoteName(aside(1));
  const swap = isElsewhere
    ? [
        schemaOf("godwit_here", table.sql),
        schemaOf("godwit_there", quoteNames(other)),
        `  ALTER TABLE ${partition} RENAME TO ${aside1};`,
        `  ALTER TABLE ${quoteNames(other)} RENAME TO ${own};`,
        move(quoteNames([...other.slice(0, -1), ownName]), "godwit_here"),
        move(beside(table, 1), "godwit_there"),
        `  EXECUTE format('ALTER TABLE %s.%I RENAME TO %I', godwit_there, ${quoteText(aside(1))}, ${quoteText(other.at(-1) ?? "")});`,
      ]
    : [
        `  ALTER TABLE ${partition} RENAME TO ${aside1};`,
        `  ALTER TABLE ${quoteNames(other)} RENAME TO ${own};`,
        `  ALTER TABLE ${beside(table, 1)} RENAME TO ${otherName};`,
      ];
  return writeChange(table, false, [
    `  ${bound}`,
    `  ALTER TABLE ${table.sql} DETACH PARTITION ${partition};`,
    ...swap,
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
    "  godwit_here text;",
    "  godwit_there text;",
    "BEGIN",
    unlessPartitioned(table, keepsRows ? "RAISE NOTICE" : "RAISE"),
    ...lines,
    "END",
  ];
  return `DO ${dollarQuote(body.join("\n"))}`;
}
