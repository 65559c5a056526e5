import { ErrorCode, GodwitError } from "../../engine/errors.js";
import type { FormatTable } from "./formats/recordFormat.js";
import { NULL, TupleValues, UNCHANGED } from "./formats/tupleValues.js";
import { javaHash } from "./javaHash.js";

/**
 * Which partition a record goes to (DTS's "Policy for Shipping Data to Kafka Partitions").
 * - `single`: all to partition 0.
 * - `table`: a table's rows and DDL by the hash of its name; DDL of no table to 0.
 * - `primaryKey`: a row by the hash of its primary key, else of its first unique key, or of the columns named for the table; a table with
 *   none of these wholly to 0, and so all DDL.
 *
 * The hash is Java's String.hashCode, which DTS names; over which string it is taken is not public. Here it is the table's name as
 * `database.schema.table`, or the columns' values in key order, in PostgreSQL's text form, joined by commas, NULL as nothing. The
 * partition is the absolute of the hash's remainder, which is what Canal's producer has (Math.abs of Math.abs(hash) % partitions).
 * A consumer in Java finds it with `Math.abs(String.join(",", values).hashCode() % partitions)`.
 */
export type PartitionPolicy = "single" | "table" | "primaryKey";

export interface Partitioner {
  /**
   * Partition of the row whose packed tuple begins at `tuple`; `older` (or -1) is the old tuple beside it, which holds an unchanged
   * out-of-line key. Errors: GW1504 when the change does not tell a column that decides.
   *
   * An update whose old and new row have different partitions is to be written as a DELETE of the old row in the one and an
   * INSERT of the new one in the other: as an UPDATE it would come to the new key's partition only, and what was written for the old key
   * before would have no end there.
   */
  ofRow(data: Buffer, tuple: number, older: number): number;
  /** Partition of DDL about the table. */
  readonly ofDdl: number;
}

/** `columns`: the partition key named for the table, by the names that the records have. `partitions` is the topic's count. */
export function tablePartitioner(
  policy: PartitionPolicy,
  table: FormatTable,
  partitions: number,
  columns?: readonly string[],
): Partitioner {
  switch (policy) {
    case "single":
      return constant(0);
    case "table":
      return constant(partitionOf(javaHash(Buffer.from(`${table.database}.${table.schema}.${table.name}`)), partitions));
    case "primaryKey": {
      const places = partitionKey(table, columns).map((name) => place(table, name));
      return places.length === 0 ? constant(0) : new KeyPartitioner(table, places, partitions);
    }
  }
}

/** The columns that decide under `primaryKey`; none: the whole table goes to partition 0. */
export function partitionKey(table: FormatTable, columns?: readonly string[]): readonly string[] {
  if (columns && columns.length > 0) return columns;
  if (table.primaryKey.length > 0) return table.primaryKey;
  return table.uniqueKeys[0]?.columns ?? [];
}

/**
 * Whether the old tuples that the table's replica identity brings tell the partition of the row before. Where they do not, the
 * table needs REPLICA IDENTITY FULL under this key: a DELETE would have no partition.
 */
export function identityDecides(table: FormatTable, columns?: readonly string[]): boolean {
  if (table.oldTuples === "wholeRow") return true;
  return partitionKey(table, columns).every((name) => table.columns.some((column) => column?.name === name && column.partOfKey));
}

/** Never negative: -2147483648 has a remainder below zero as well, and no absolute of its own. */
function partitionOf(hash: number, partitions: number): number {
  return Math.abs(hash % partitions);
}

function constant(partition: number): Partitioner {
  return { ofRow: () => partition, ofDdl: partition };
}

function place(table: FormatTable, name: string): number {
  const found = table.columns.findIndex((column) => column?.name === name);
  if (found >= 0) return found;
  throw new GodwitError(ErrorCode.SelectionUnusable, `the partition key names a column that the records do not have: ${name}`, {
    object: `${table.schema}.${table.name}`,
    remedy: "name columns of the table that are not excluded, as they are called after renaming",
  });
}

const COMMA = 0x2c;

class KeyPartitioner implements Partitioner {
  readonly ofDdl = 0;
  private readonly row: TupleValues;
  private readonly old: TupleValues;

  constructor(
    private readonly table: FormatTable,
    private readonly places: readonly number[],
    private readonly partitions: number,
  ) {
    const object = `${table.schema}.${table.name}`;
    this.row = new TupleValues(table.columns.length, object);
    this.old = new TupleValues(table.columns.length, object);
  }

  ofRow(data: Buffer, tuple: number, older: number): number {
    const { row, places } = this;
    row.read(data, tuple);
    let hash = 0;
    for (let index = 0; index < places.length; index++) {
      const at = places[index] as number;
      if (index > 0) hash = (Math.imul(hash, 31) + COMMA) | 0;
      let values = row;
      if (row.lengths[at] === UNCHANGED) values = this.unchanged(data, older, at);
      const length = values.lengths[at] as number;
      if (length === NULL) continue;
      const start = values.starts[at] as number;
      hash = javaHash(data, start, start + length, hash);
    }
    return partitionOf(hash, this.partitions);
  }

  private unchanged(data: Buffer, older: number, at: number): TupleValues {
    const column = this.table.columns[at];
    if (older >= 0 && (this.table.oldTuples === "wholeRow" || column?.partOfKey)) {
      this.old.read(data, older);
      if (this.old.lengths[at] !== UNCHANGED) return this.old;
    }
    throw new GodwitError(ErrorCode.ProtocolViolation, `a change does not tell ${column?.name}, which decides on the partition`, {
      object: `${this.table.schema}.${this.table.name}`,
      remedy: `ALTER TABLE at the source with REPLICA IDENTITY FULL, or take another partitionKey`,
    });
  }
}
