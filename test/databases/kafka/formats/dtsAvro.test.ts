import { describe, expect, it } from "vitest";
import { dtsAvro } from "../../../../provider/databases/kafka/formats/dtsAvro.js";
import type { FormatTable } from "../../../../provider/databases/kafka/formats/recordFormat.js";
import { column, FACTS, ORDERS, ORDERS_BY_KEY, packed, packedPair, written } from "./records.js";

const format = dtsAvro({ serverVersion: "17.5" });

/** Avro's bytes, put together by hand: a zigzag number below 64 is one byte of twice its value. */
const short = (value: number) => Buffer.of(value * 2);
const text = (value: string) => Buffer.concat([short(Buffer.byteLength(value)), Buffer.from(value)]);

/** A table whose record is short enough to be read by eye. */
const FLAGS: FormatTable = {
  database: "d",
  schema: "s",
  name: "t.x",
  columns: [column("id", 23, "integer", true), column("ok", 16, "boolean")],
  primaryKey: ["id"],
  uniqueKeys: [{ name: "both", columns: ["id", "ok"] }],
  oldTuples: "wholeRow",
};

const HEAD = Buffer.concat([
  short(0), // version
  short(58), // id
  Buffer.from("dcdd90e30c", "hex"), // sourceTimestamp 1714558830: zigzag 3429117660 in base 128, least first
  text("16/B374D848"), // sourcePosition
  text("16/B374D848"), // safeSourcePosition
  text("4711"), // sourceTxid
  short(3), // sourceType PostgreSQL
  text("17.5"),
]);
const BORN = Buffer.from("d698dcbae663", "hex"); // 1714558830123, zigzag 3429117660246

/** From objectName on; metaVersion is our own and taken from the record. */
function fields(record: Buffer): Buffer {
  const metaVersion = /metaVersion.(\d+)/.exec(record.toString("latin1"))?.[1] ?? "";
  return Buffer.concat([
    short(1),
    text("d.s.t\\u002Ex"),
    short(0), // processTimestamps: null
    short(2),
    text("pk_uk_info"),
    text('{"PRIMARY":["id"],"both":["id","ok"]}'),
    text("metaVersion"),
    text(metaVersion),
    short(0),
    short(2), // fields: the array
    short(2),
    text("id"),
    short(23),
    text("ok"),
    short(16),
    short(0),
  ]);
}

const ROW_1_T = Buffer.concat([
  short(2), // an image: the array
  short(2),
  Buffer.concat([short(1), short(4), text("1")]), // Integer of 4 bytes
  Buffer.concat([short(11), text("BOOL"), text("t")]), // TextObject
  short(0),
]);
const ROW_1_NULL = Buffer.concat([short(2), short(2), Buffer.concat([short(1), short(4), text("1")]), short(0), short(0)]);

describe("dts-avro", () => {
  const flags = format.table(FLAGS);

  it("writes an insert, byte by byte", () => {
    const record = written((out) => flags.insert(packed(["1", "t"]), 0, -1, FACTS, out));
    expect(record.toString("hex")).toBe(Buffer.concat([HEAD, short(0), fields(record), short(0), ROW_1_T, BORN]).toString("hex"));
  });

  it("writes updates, deletes and rows of the full load with their images", () => {
    const { data, tuple } = packedPair(["1", null], ["1", "t"]);
    const update = written((out) => flags.update(data, 0, tuple, FACTS, out));
    expect(update.equals(Buffer.concat([HEAD, short(1), fields(update), ROW_1_NULL, ROW_1_T, BORN]))).toBe(true);
    const removal = written((out) => flags.delete(data, 0, FACTS, out));
    expect(removal.equals(Buffer.concat([HEAD, short(2), fields(removal), ROW_1_NULL, short(0), BORN]))).toBe(true);
    const load = written((out) => flags.load(data, tuple, FACTS, out));
    expect(load.equals(Buffer.concat([HEAD, short(0), fields(load), short(0), ROW_1_T, BORN]))).toBe(true);
    const asInit = dtsAvro({ serverVersion: "17.5", loadOperation: "INIT" }).table(FLAGS);
    const init = written((out) => asInit.load(data, tuple, FACTS, out));
    expect(init.equals(Buffer.concat([HEAD, short(16), fields(init), short(0), ROW_1_T, BORN]))).toBe(true);
  });

  it("says of values it was not sent that there is none, rather than NULL", () => {
    const byKey = format.table({ ...FLAGS, oldTuples: "identity" });
    const none = Buffer.concat([short(12), short(1)]); // EmptyObject NONE
    const keyOnly = Buffer.concat([short(2), short(2), short(1), short(4), text("1"), none, short(0)]);
    const removal = written((out) => byKey.delete(packed(["1", null]), 0, FACTS, out));
    expect(removal.equals(Buffer.concat([HEAD, short(2), fields(removal), keyOnly, short(0), BORN]))).toBe(true);
    const unchanged = packed(["1", undefined]);
    const update = written((out) => byKey.update(unchanged, -1, 0, FACTS, out));
    expect(update.equals(Buffer.concat([HEAD, short(1), fields(update), short(0), keyOnly, BORN]))).toBe(true);
  });

  it("writes DDL as the after image's text", () => {
    const ddl = { database: "d", schema: "s", table: "t.x", sql: "DROP TABLE t" };
    const record = written((out) => format.ddl(ddl, FACTS, out));
    const rest = [
      short(3),
      short(1),
      text("d.s.t\\u002Ex"),
      short(0),
      short(0),
      short(0),
      short(0),
      short(1),
      text(ddl.sql),
      BORN,
    ];
    expect(record.toString("hex")).toBe(Buffer.concat([HEAD, ...rest]).toString("hex"));
  });

  it("puts Confluent's framing in front where the schema has an id", () => {
    const framed = dtsAvro({ serverVersion: "17.5", schemaId: 0x01020304 }).table(FLAGS);
    const record = written((out) => framed.insert(packed(["1", "t"]), 0, -1, FACTS, out));
    const raw = written((out) => flags.insert(packed(["1", "t"]), 0, -1, FACTS, out));
    expect(record.subarray(0, 5).toString("hex")).toBe("0001020304");
    expect(record.subarray(5).equals(raw)).toBe(true);
  });

  it("changes metaVersion with the table's structure, and only then", () => {
    const version = (table: FormatTable) => {
      const data = packed(table.columns.map(() => null));
      return /metaVersion.(\d+)/.exec(
        written((out) => format.table(table).insert(data, 0, -1, FACTS, out)).toString("latin1"),
      )?.[1];
    };
    expect(Number(version(ORDERS))).toBeGreaterThan(0);
    expect(version(ORDERS)).toBe(version(ORDERS_BY_KEY));
    expect(version({ ...ORDERS, columns: [...ORDERS.columns, column("more", 25, "text")] })).not.toBe(version(ORDERS));
    expect(version({ ...ORDERS, primaryKey: [] })).not.toBe(version(ORDERS));
  });

  it("names only keys whose columns all travel", () => {
    const table = { ...FLAGS, columns: [FLAGS.columns[0], undefined] };
    const record = written((out) => format.table(table).insert(packed(["1", "t"]), 0, -1, FACTS, out));
    expect(record.toString("latin1")).toContain('{"PRIMARY":["id"]}');
    const none = { ...FLAGS, columns: [undefined, FLAGS.columns[1]] };
    expect(written((out) => format.table(none).insert(packed(["1", "t"]), 0, -1, FACTS, out)).toString("latin1")).toContain("{}");
  });
});
