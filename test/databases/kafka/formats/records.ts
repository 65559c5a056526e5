import { RecordBytes } from "../../../../provider/databases/kafka/formats/recordBytes.js";
import type { FormatColumn, FormatTable, SourceFacts } from "../../../../provider/databases/kafka/formats/recordFormat.js";
import { TupleKind } from "../../../../provider/engine/models/change.js";

/** A value of a packed tuple: text, NULL, or undefined for one that the change left out as unchanged. */
export type TupleValue = string | null | undefined;

export function packed(values: readonly TupleValue[]): Buffer {
  const count = Buffer.alloc(2);
  count.writeInt16BE(values.length);
  return Buffer.concat([count, ...values.map(packedValue)]);
}

function packedValue(value: TupleValue): Buffer {
  if (value === null) return Buffer.of(TupleKind.null);
  if (value === undefined) return Buffer.of(TupleKind.unchanged);
  const text = Buffer.from(value);
  const head = Buffer.alloc(5);
  head[0] = TupleKind.text;
  head.writeInt32BE(text.length, 1);
  return Buffer.concat([head, text]);
}

/** Two tuples in one buffer, as an update has them; `tuple` is where the second one begins. */
export function packedPair(older: readonly TupleValue[], row: readonly TupleValue[]): { data: Buffer; tuple: number } {
  const first = packed(older);
  return { data: Buffer.concat([first, packed(row)]), tuple: first.length };
}

/** The other way about: a packed tuple's values. */
export function unpacked(data: Buffer, tuple: number): TupleValue[] {
  let at = tuple + 2;
  return Array.from({ length: data.readInt16BE(tuple) }, () => {
    const kind = data[at++];
    if (kind === TupleKind.null) return null;
    if (kind === TupleKind.unchanged) return undefined;
    const length = data.readInt32BE(at);
    at += 4 + length;
    return data.toString("utf8", at - length, at);
  });
}

export const FACTS: SourceFacts = {
  // 16/B374D848
  commitPosition: 0x16b374d848n,
  commitTimeMs: Date.UTC(2024, 4, 1, 10, 20, 30, 123),
  transactionId: 4711,
  sequence: 3,
  transactionSize: 11,
  recordId: 58,
  nowMs: Date.UTC(2024, 4, 1, 10, 20, 31, 45),
};

export function column(name: string, typeId: number, type: string, partOfKey = false): FormatColumn {
  return { name, typeId, type, partOfKey };
}

/** Table shop.public.orders (id bigint primary key, status varchar(20), total numeric(10,2), note text). */
export const ORDERS: FormatTable = {
  database: "shop",
  schema: "public",
  name: "orders",
  columns: [
    column("id", 20, "bigint", true),
    column("status", 1043, "character varying(20)"),
    column("total", 1700, "numeric(10,2)"),
    column("note", 25, "text"),
  ],
  primaryKey: ["id"],
  uniqueKeys: [],
  oldTuples: "wholeRow",
};

/** The same under the primary key as replica identity, PostgreSQL's default. */
export const ORDERS_BY_KEY: FormatTable = { ...ORDERS, oldTuples: "identity" };

/** One record's bytes. */
export function written(write: (out: RecordBytes) => void): Buffer {
  // So small that every record has to grow it.
  const out = new RecordBytes(1);
  write(out);
  return Buffer.from(out.bytes.subarray(0, out.used));
}

export function json(write: (out: RecordBytes) => void): unknown {
  return JSON.parse(written(write).toString("utf8")) as unknown;
}
