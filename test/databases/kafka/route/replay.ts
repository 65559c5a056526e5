import { ident, literal } from "../../../../provider/databases/postgres/sql.js";
import type { ReadRecord } from "../../../support/kafka/readTopic.js";
import type { PostgresServer } from "../../../support/postgres.js";

type Row = Readonly<Record<string, string | null>>;

interface CanalRow {
  readonly isDdl: boolean;
  readonly type: string;
  readonly table: string;
  readonly pkNames: readonly string[] | null;
  readonly data: readonly [Row];
  readonly old: readonly [Row] | null;
}

/** What a consumer has after reading canal-json records, each partition in its order: nothing is forgiven. */
export interface Replayed {
  /** Rows by table. */
  readonly tables: ReadonlyMap<string, readonly Row[]>;
  /** What can't be if every change came once and in order. */
  readonly faults: readonly string[];
  readonly records: number;
}

export function replay(records: readonly ReadRecord[]): Replayed {
  const faults: string[] = [];
  const keyed = new Map<string, Map<string, Row>>();
  const bags = new Map<string, Map<string, { row: Row; count: number }>>();
  const fault = (what: string, { topic, partition, offset }: ReadRecord) =>
    faults.push(`${what} at ${topic}/${partition}/${offset}`);
  for (const record of records) {
    const change = JSON.parse(record.value ?? "") as CanalRow;
    if (change.isDdl) continue;
    const { type, table, pkNames, data, old } = change;
    const [row] = data;
    const before = old ? { ...row, ...old[0] } : row;
    if (!pkNames) {
      const bag = bags.get(table) ?? new Map<string, { row: Row; count: number }>();
      bags.set(table, bag);
      const add = (changed: Row, by: number) => {
        const text = JSON.stringify(Object.entries(changed).sort());
        const count = (bag.get(text)?.count ?? 0) + by;
        if (count < 0) fault(`${type} of a row that ${table} does not have: ${text}`, record);
        bag.set(text, { row: changed, count });
      };
      if (type === "UPDATE" || type === "DELETE") add(before, -1);
      if (type !== "DELETE") add(row, 1);
      continue;
    }
    const rows = keyed.get(table) ?? new Map<string, Row>();
    keyed.set(table, rows);
    const key = (of: Row) => JSON.stringify(pkNames.map((name) => of[name]));
    if (type === "INIT" || type === "INSERT") {
      if (rows.has(key(row))) fault(`${type} of ${table} ${key(row)}, which is there`, record);
      rows.set(key(row), row);
    } else {
      const former = rows.get(key(before));
      if (!former) fault(`${type} of ${table} ${key(before)}, which is not there`, record);
      else if (Object.entries(before).some(([name, value]) => (former[name] ?? null) !== value))
        fault(`${type} of ${table} ${key(before)} tells another row before`, record);
      rows.delete(key(before));
      if (type === "UPDATE") {
        if (rows.has(key(row))) fault(`UPDATE to ${table} ${key(row)}, which is there`, record);
        rows.set(key(row), row);
      }
    }
  }
  const tables = new Map<string, readonly Row[]>();
  for (const [table, rows] of keyed) tables.set(table, [...rows.values()]);
  for (const [table, bag] of bags)
    tables.set(
      table,
      [...bag.values()].flatMap(({ row, count }) => Array.from({ length: count }, () => row)),
    );
  return { tables, faults, records: records.length };
}

/** Writes what was replayed into tables of schema public that are there and empty: PostgreSQL reads the strings as its own. */
export async function insertReplayed(server: PostgresServer, database: string, { tables }: Replayed): Promise<void> {
  for (const [table, rows] of tables) {
    for (let at = 0; at < rows.length; at += 500) {
      const part = rows.slice(at, at + 500);
      const names = Object.keys(part[0] ?? {});
      const value = (text: string | null | undefined) => (text === null || text === undefined ? "NULL" : literal(text));
      const values = part.map((row) => `(${names.map((name) => value(row[name])).join(", ")})`);
      const into = `INSERT INTO public.${ident(table)} (${names.map(ident).join(", ")})`;
      await server.query(`${into} VALUES ${values.join(", ")}`, undefined, database);
    }
  }
}
