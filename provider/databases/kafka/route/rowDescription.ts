import type { FormatTable } from "../formats/recordFormat.js";
import { TupleValues } from "../formats/tupleValues.js";

const LONGEST_VALUE = 100;

/** Names rows of a table by their key, for messages: `public.orders (id = 5)`. Without a key only the table is named. */
export function rowDescription(table: FormatTable): (data: Buffer, tuple: number) => string {
  const name = `${table.schema}.${table.name}`;
  const key = table.primaryKey.length > 0 ? table.primaryKey : (table.uniqueKeys[0]?.columns ?? []);
  const values = new TupleValues(table.columns.length, name);
  return (data, tuple) => {
    values.read(data, tuple);
    const parts = table.columns.flatMap((column, index) => {
      if (!column || !key.includes(column.name)) return [];
      const start = values.starts[index] ?? 0;
      const length = values.lengths[index] ?? -1;
      return [`${column.name} = ${length < 0 ? "NULL" : data.toString("utf8", start, start + Math.min(length, LONGEST_VALUE))}`];
    });
    return parts.length > 0 ? `${name} (${parts.join(", ")})` : name;
  };
}
