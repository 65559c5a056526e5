import type { Client } from "pg";
import { ident, literal, qualified } from "../../provider/databases/postgres/sql.js";
import type { RandomSource } from "./randomSource.js";
import { randomValue } from "./randomValues.js";
import type { OperationWeights, WrittenTable } from "./writers.js";

export type ChangeKind = "inserts" | "updates" | "deletes" | "keyChanges";

interface WritableColumn {
  readonly name: string;
  readonly nullable: boolean;
  readonly value: (random: RandomSource) => string;
}

interface WritableTable {
  readonly name: string;
  readonly key: string | undefined;
  readonly columns: readonly WritableColumn[];
  readonly weights: OperationWeights;
  /** Keys this writer knows of; some may be gone, changed by a rolled back transaction or by another writer. */
  readonly keys: number[];
  nextKey: number;
  readonly keyStep: number;
}

const DEFAULT_WEIGHTS: OperationWeights = { insert: 4, update: 4, delete: 1.5, keyChange: 0.5 };
/** Keys remembered per table: enough for variety, few enough that writers meet on the same rows. */
const MAX_KEYS = 5000;

const COLUMNS = `
  SELECT a.attname AS name, NOT a.attnotnull AS nullable, t.typname AS type,
    CASE WHEN t.typname IN ('varchar', 'bpchar') AND a.atttypmod > 4 THEN a.atttypmod - 4
         WHEN t.typname = 'numeric' AND a.atttypmod > 4 THEN ((a.atttypmod - 4) >> 16) - ((a.atttypmod - 4) & 2047) END AS room
  FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
  WHERE a.attrelid = $1::regclass AND a.attnum > 0 AND NOT a.attisdropped
    AND coalesce(to_jsonb(a) ->> 'attgenerated', '') = '' AND a.attidentity <> 'a'
  ORDER BY a.attnum`;

/** The random changes of one writer: which rows it knows and what it may do to each table. */
export class Workload {
  private constructor(private readonly tables: readonly WritableTable[]) {}

  /** New keys of different writers never meet: each counts on from the highest in steps of the number of writers. */
  static async open(client: Client, tables: readonly WrittenTable[], index: number, writers: number): Promise<Workload> {
    const opened: WritableTable[] = [];
    for (const table of tables) {
      const name = qualified({ schema: table.schema ?? "public", name: table.name });
      const columns = await writableColumns(client, name, table);
      const keys = table.key ? await knownKeys(client, name, table.key) : [];
      opened.push({
        name,
        key: table.key,
        columns,
        weights: { ...DEFAULT_WEIGHTS, ...table.operations, ...(table.key ? {} : { keyChange: 0 }) },
        keys,
        nextKey: (table.key ? await highestKey(client, name, table.key) : 0) + 1 + index,
        keyStep: writers,
      });
    }
    return new Workload(opened);
  }

  /** Undefined when the row it picked was not there. */
  async change(client: Client, random: RandomSource): Promise<{ kind: ChangeKind; rows: number } | undefined> {
    const table = random.pick(this.tables);
    const kind = pickKind(table, random);
    const sql = statement(table, kind, random);
    const { rowCount } = await client.query(sql);
    return rowCount ? { kind, rows: rowCount } : undefined;
  }
}

function pickKind(table: WritableTable, random: RandomSource): ChangeKind {
  const { insert, update, delete: remove, keyChange } = table.weights;
  if (table.key && table.keys.length === 0) return "inserts";
  const drawn = random.next() * (insert + update + remove + keyChange);
  if (drawn < insert) return "inserts";
  if (drawn < insert + update) return table.columns.length > 0 ? "updates" : "inserts";
  return drawn < insert + update + remove ? "deletes" : "keyChanges";
}

/** Values as literals: an unknown literal takes the column's type, and a workload can be read from the server's log. */
function statement(table: WritableTable, kind: ChangeKind, random: RandomSource): string {
  switch (kind) {
    case "inserts": {
      const key = table.key ? [{ name: table.key, text: String(takeKey(table, random)) }] : [];
      const values = [...key, ...table.columns.map((column) => ({ name: column.name, text: sqlValue(column, random) }))];
      if (values.length === 0) return `INSERT INTO ${table.name} DEFAULT VALUES`;
      const names = values.map(({ name }) => ident(name)).join(", ");
      return `INSERT INTO ${table.name} (${names}) OVERRIDING SYSTEM VALUE VALUES (${values.map(({ text }) => text).join(", ")})`;
    }
    case "updates": {
      const changed = new Set(Array.from({ length: random.integer(1, 3) }, () => random.pick(table.columns)));
      const set = [...changed].map((column) => `${ident(column.name)} = ${sqlValue(column, random)}`);
      return `UPDATE ${table.name} SET ${set.join(", ")} WHERE ${pickRow(table, random, false)}`;
    }
    case "deletes":
      return `DELETE FROM ${table.name} WHERE ${pickRow(table, random, true)}`;
    case "keyChanges": {
      const row = pickRow(table, random, true);
      return `UPDATE ${table.name} SET ${ident(table.key ?? "")} = ${takeKey(table, random)} WHERE ${row}`;
    }
  }
}

function takeKey(table: WritableTable, random: RandomSource): number {
  const key = table.nextKey;
  table.nextKey += table.keyStep;
  if (table.keys.length < MAX_KEYS) table.keys.push(key);
  else table.keys[random.integer(0, table.keys.length - 1)] = key;
  return key;
}

function pickRow(table: WritableTable, random: RandomSource, forget: boolean): string {
  if (!table.key) {
    return `ctid = (SELECT ctid FROM ${table.name} OFFSET ${random.integer(0, 200)} LIMIT 1 FOR UPDATE SKIP LOCKED)`;
  }
  const at = random.integer(0, table.keys.length - 1);
  const key = table.keys[at] ?? 0;
  if (forget) {
    table.keys[at] = table.keys[table.keys.length - 1] ?? 0;
    table.keys.pop();
  }
  return `${ident(table.key)} = ${key}`;
}

function sqlValue(column: WritableColumn, random: RandomSource): string {
  return column.nullable && random.chance(0.1) ? "NULL" : literal(column.value(random));
}

async function writableColumns(client: Client, name: string, table: WrittenTable): Promise<WritableColumn[]> {
  const { rows } = await client.query<{ name: string; nullable: boolean; type: string; room: number | null }>(COLUMNS, [name]);
  return rows.flatMap((column) => {
    if (column.name === table.key || (table.columns && !table.columns.includes(column.name))) return [];
    const value = randomValue(column.type, column.room ?? undefined);
    return value ? [{ name: column.name, nullable: column.nullable, value }] : [];
  });
}

async function knownKeys(client: Client, name: string, key: string): Promise<number[]> {
  const { rows } = await client.query<{ key: string }>(
    `SELECT ${ident(key)}::text AS key FROM ${name} ORDER BY md5(${ident(key)}::text) LIMIT ${MAX_KEYS / 2}`,
  );
  return rows.map((row) => Number(row.key));
}

async function highestKey(client: Client, name: string, key: string): Promise<number> {
  const { rows } = await client.query<{ highest: string | null }>(`SELECT max(${ident(key)})::text AS highest FROM ${name}`);
  return Number(rows[0]?.highest ?? 0);
}
