import { Client, type ClientConfig } from "pg";
import {
  type ComparedColumn,
  digestBuckets,
  digestTable,
  readBucket,
  readColumns,
  SERVER_VERSION,
  type TableName,
  USER_TABLES,
} from "./rowChecksum.js";

export interface CompareOptions {
  /** Source schemas; default all. */
  readonly schemas?: readonly string[];
  /** Source tables; default all of the schemas. */
  readonly tables?: readonly TableName[];
  /** Where a source table stands in the target; undefined leaves it out. Default: under its own name. */
  readonly mapping?: (source: TableName) => MappedTable | undefined;
}

export interface MappedTable extends TableName {
  /** Source column to target column, where they differ. */
  readonly columns?: Readonly<Record<string, string>>;
  /** Source columns that the target does not have. */
  readonly excludeColumns?: readonly string[];
}

export interface TableDifference {
  /** `schema.table` at the source, or at the target for what only stands there. */
  readonly table: string;
  readonly what: string;
  /** A few rows that only one side has, as the text of an array of the columns in the order of their names. */
  readonly onlyInSource?: readonly string[];
  readonly onlyInTarget?: readonly string[];
}

export interface Comparison {
  readonly tables: number;
  readonly rows: bigint;
  readonly differences: readonly TableDifference[];
}

/** Rows shown of each side of a difference. */
const SAMPLE_ROWS = 5;

/**
 * Compares whole tables: the number of rows and a checksum, computed on each server, over the text of every column of every row.
 * Needs no key and no order. Each side is one snapshot; writes must have stopped and arrived before.
 */
export async function compareDatabases(
  source: ClientConfig,
  target: ClientConfig,
  options: CompareOptions = {},
): Promise<Comparison> {
  const sides = await Promise.all([openSnapshot(source), openSnapshot(target)]);
  try {
    return await compareClients(...sides, options);
  } finally {
    await Promise.all(sides.map((client) => client.end()));
  }
}

/** The same over sessions that are in a transaction each, whose settings are changed for its time. */
export async function compareClients(source: Client, target: Client, options: CompareOptions = {}): Promise<Comparison> {
  await makeTextsComparable([source, target]);
  return compareAll(source, target, options);
}

async function compareAll(source: Client, target: Client, options: CompareOptions): Promise<Comparison> {
  const mapping = options.mapping ?? ((table: TableName): MappedTable => table);
  const inTarget = new Set((await target.query<TableName>(USER_TABLES)).rows.map(nameOf));
  const differences: TableDifference[] = [];
  let rows = 0n;
  let tables = 0;
  for (const table of await selectTables(source, options)) {
    const mapped = mapping(table);
    if (!mapped) continue;
    tables++;
    if (!inTarget.delete(nameOf(mapped))) {
      differences.push({ table: nameOf(table), what: `missing in the target as ${nameOf(mapped)}` });
      continue;
    }
    const compared = await compareTable(source, target, table, mapped);
    rows += compared.rows;
    if (compared.difference) differences.push(compared.difference);
  }
  if (!options.mapping && !options.tables) {
    for (const name of inTarget) {
      const schema = name.split(".")[0] ?? "";
      if (options.schemas ? options.schemas.includes(schema) : schema !== "godwit") {
        differences.push({ table: name, what: "only in the target" });
      }
    }
  }
  return { tables, rows, differences };
}

async function selectTables(source: Client, { schemas, tables }: CompareOptions): Promise<readonly TableName[]> {
  if (tables) return tables;
  const { rows } = await source.query<TableName>(USER_TABLES);
  return rows.filter(({ schema }) => (schemas ? schemas.includes(schema) : schema !== "godwit"));
}

async function compareTable(
  source: Client,
  target: Client,
  table: TableName,
  mapped: MappedTable,
): Promise<{ rows: bigint; difference?: TableDifference }> {
  const columns = (await readColumns(source, table)).filter(({ name }) => !mapped.excludeColumns?.includes(name));
  const targetColumns = columns.map(
    (column): ComparedColumn => ({ ...column, name: mapped.columns?.[column.name] ?? column.name }),
  );
  const wanted = targetColumns.map(({ name }) => name).sort();
  const found = (await readColumns(target, mapped)).map(({ name }) => name).sort();
  if (wanted.join("\0") !== found.join("\0")) {
    return {
      rows: 0n,
      difference: { table: nameOf(table), what: `columns differ: ${wanted.join(", ")} against ${found.join(", ")}` },
    };
  }
  const [ours, theirs] = await Promise.all([digestTable(source, table, columns), digestTable(target, mapped, targetColumns)]);
  if (ours.rows === theirs.rows && ours.checksum === theirs.checksum) return { rows: ours.rows };
  const what = ours.rows === theirs.rows ? "same number of rows, other values" : `${ours.rows} rows against ${theirs.rows}`;
  const samples = await sampleDifferences(source, target, table, mapped, columns, targetColumns);
  return { rows: ours.rows, difference: { table: nameOf(table), what, ...samples } };
}

async function sampleDifferences(
  source: Client,
  target: Client,
  table: TableName,
  mapped: TableName,
  columns: readonly ComparedColumn[],
  targetColumns: readonly ComparedColumn[],
): Promise<Pick<TableDifference, "onlyInSource" | "onlyInTarget">> {
  const [ours, theirs] = await Promise.all([digestBuckets(source, table, columns), digestBuckets(target, mapped, targetColumns)]);
  const onlyInSource: string[] = [];
  const onlyInTarget: string[] = [];
  for (const bucket of new Set([...ours.keys(), ...theirs.keys()])) {
    if (ours.get(bucket) === theirs.get(bucket)) continue;
    if (onlyInSource.length >= SAMPLE_ROWS && onlyInTarget.length >= SAMPLE_ROWS) break;
    const [here, there] = await Promise.all([
      readBucket(source, table, columns, bucket),
      readBucket(target, mapped, targetColumns, bucket),
    ]);
    onlyInSource.push(...without(here, there));
    onlyInTarget.push(...without(there, here));
  }
  return { onlyInSource: onlyInSource.slice(0, SAMPLE_ROWS), onlyInTarget: onlyInTarget.slice(0, SAMPLE_ROWS) };
}

/** Multiset difference: a row that is there twice is missing once when the other side has it once. */
function without(rows: readonly string[], others: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const row of others) counts.set(row, (counts.get(row) ?? 0) + 1);
  return rows.filter((row) => {
    const left = counts.get(row) ?? 0;
    if (left > 0) counts.set(row, left - 1);
    return left === 0;
  });
}

async function openSnapshot(config: ClientConfig): Promise<Client> {
  const client = new Client({ ...config, application_name: "compare" });
  client.on("error", () => undefined);
  await client.connect();
  await client.query("BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY");
  return client;
}

/** Text forms depend on these settings; for floats inside composite types also on the server's version. */
async function makeTextsComparable(sides: readonly Client[]): Promise<void> {
  const versions = await Promise.all(
    sides.map(async (client) => (await client.query<{ version: number }>(SERVER_VERSION)).rows[0]?.version ?? 0),
  );
  // From 12 on, any value above 0 gives the shortest exact form; older servers know 15 digits (0) and more, never that form.
  const acrossTheChange = versions.some((version) => version < 120_000) && versions.some((version) => version >= 120_000);
  const settings = {
    client_encoding: "UTF8",
    DateStyle: "ISO, YMD",
    IntervalStyle: "postgres",
    TimeZone: "UTC",
    bytea_output: "hex",
    lc_monetary: "C",
    xmloption: "content",
    extra_float_digits: acrossTheChange ? "0" : "3",
    search_path: "",
    row_security: "off",
    statement_timeout: "0",
  };
  for (const client of sides) {
    // PostgreSQL 9.4, which AnalyticDB 6 is made of, has no row_security.
    for (const [name, value] of Object.entries(settings))
      await client.query("SELECT set_config(name, $2, true) FROM pg_settings WHERE lower(name) = lower($1)", [name, value]);
  }
}

function nameOf({ schema, name }: TableName): string {
  return `${schema}.${name}`;
}
