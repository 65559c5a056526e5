import { quoted } from "../sql.js";
import { type Dictionary, type DictionaryRow, grouped } from "./dictionary.js";
import type { Partitioning } from "./tables.js";

const TABLES = `
SELECT t.owner AS "schema", t.table_name AS "table", t.partitioning_type AS "type", t.subpartitioning_type AS "subtype",
       t.partition_count AS "count", t.interval AS "interval"
  FROM {view}_part_tables t
 WHERE t.owner {users} AND t.table_name NOT LIKE 'BIN$%'`;

const KEYS = `
SELECT k.owner AS "schema", k.name AS "table", k.column_name AS "column"
  FROM {view}_part_key_columns k
 WHERE k.owner {users} AND k.object_type = 'TABLE'
 ORDER BY k.owner, k.name, k.column_position`;

const PARTITIONS = `
SELECT p.table_owner AS "schema", p.table_name AS "table", p.partition_name AS "name", p.high_value AS "high"
  FROM {view}_tab_partitions p
 WHERE p.table_owner {users}
 ORDER BY p.table_owner, p.table_name, p.partition_position`;

/**
 * The PARTITION BY clause of each partitioned table, in Oracle's words, by `["SCHEMA","TABLE"]`. Subpartitions are left out: their rows are
 * in the partition above them. Interval partitioning becomes the range partitions there are.
 */
export async function readPartitioning(dictionary: Dictionary): Promise<ReadonlyMap<string, Partitioning>> {
  const keyOf = (row: DictionaryRow) => JSON.stringify([row.schema, row.table]);
  const keys = grouped(await dictionary.read(KEYS), keyOf);
  const partitions = grouped(await dictionary.read(PARTITIONS), keyOf);
  const clauses = new Map<string, Partitioning>();
  for (const table of await dictionary.read(TABLES)) {
    const names = (keys.get(keyOf(table)) ?? []).map(({ column }) => column ?? "");
    const columns = names.map(quoted).join(", ");
    const parts = partitions.get(keyOf(table)) ?? [];
    const type = table.type ?? "";
    const values = { RANGE: "VALUES LESS THAN", LIST: "VALUES" }[type];
    if (values !== undefined && parts.length > 0 && columns !== "") {
      const list = parts.map(({ name, high }) => `PARTITION ${quoted(name ?? "")} ${values} (${high})`);
      clauses.set(keyOf(table), { clause: `PARTITION BY ${type} (${columns}) (${list.join(", ")})`, columns: names });
    } else if (type === "HASH" && columns !== "") {
      const list = parts.map(({ name }) => `PARTITION ${quoted(name ?? "")}`);
      clauses.set(keyOf(table), { clause: `PARTITION BY HASH (${columns}) (${list.join(", ")})`, columns: names });
    }
    // By reference or system: no clause; the rows go into one table.
  }
  return clauses;
}
