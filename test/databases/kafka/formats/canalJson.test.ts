import { describe, expect, it } from "vitest";
import { canalJson } from "../../../../provider/databases/kafka/formats/canalJson.js";
import { RecordBytes } from "../../../../provider/databases/kafka/formats/recordBytes.js";
import { column, FACTS, json, ORDERS, ORDERS_BY_KEY, packed, packedPair, written } from "./records.js";

const orders = canalJson().table(ORDERS);
const byKey = canalJson().table(ORDERS_BY_KEY);

/** What every record of the table has. */
const FRAME = {
  database: "shop",
  schema: "public",
  table: "orders",
  isDdl: false,
  pkNames: ["id"],
  mysqlType: { id: "bigint", status: "varchar", total: "decimal", note: "text" },
  sqlType: { id: -5, status: 12, total: 3, note: 2005 },
  sql: "",
  gtid: "",
  es: 1714558830123,
  ts: 1714558831045,
  id: 58,
};

describe("canal-json", () => {
  it("writes an insert with the row in data", () => {
    const data = packed(["500000287", "new", "12.50", null]);
    expect(json((out) => orders.insert(data, 0, -1, FACTS, out))).toEqual({
      ...FRAME,
      type: "INSERT",
      data: [{ id: "500000287", status: "new", total: "12.50", note: null }],
      old: null,
    });
  });

  it("writes rows of the full load as INIT, or as INSERT when told so", () => {
    const data = packed(["1", "new", "12.50", "x"]);
    const row = { data: [{ id: "1", status: "new", total: "12.50", note: "x" }], old: null };
    expect(json((out) => orders.load(data, 0, FACTS, out))).toEqual({ ...FRAME, ...row, type: "INIT" });
    const asInsert = canalJson({ loadType: "INSERT" }).table(ORDERS);
    expect(json((out) => asInsert.load(data, 0, FACTS, out))).toEqual({ ...FRAME, ...row, type: "INSERT" });
  });

  it("writes an update with the new row in data and only what changed in old, NULLs included", () => {
    const { data, tuple } = packedPair(["7", "new", null, "same"], ["7", "paid", "3.00", "same"]);
    expect(json((out) => orders.update(data, 0, tuple, FACTS, out))).toEqual({
      ...FRAME,
      type: "UPDATE",
      data: [{ id: "7", status: "paid", total: "3.00", note: "same" }],
      old: [{ status: "new", total: null }],
    });
  });

  it("takes unchanged out-of-line values from the old row where that is whole", () => {
    const { data, tuple } = packedPair(["7", "new", "1.00", "long ago"], ["7", "paid", "1.00", undefined]);
    expect(json((out) => orders.update(data, 0, tuple, FACTS, out))).toMatchObject({
      data: [{ id: "7", status: "paid", total: "1.00", note: "long ago" }],
      old: [{ status: "new" }],
    });
  });

  it("leaves unchanged out-of-line values out where the old row is not known, and old empty", () => {
    const data = packed(["7", "paid", "1.00", undefined]);
    expect(json((out) => byKey.update(data, -1, 0, FACTS, out))).toEqual({
      ...FRAME,
      type: "UPDATE",
      data: [{ id: "7", status: "paid", total: "1.00" }],
      old: [{}],
    });
  });

  it("writes another key as the old key's columns, and nothing of the NULLs that stand for what was not sent", () => {
    const { data, tuple } = packedPair(["7", null, null, null], ["8", "paid", "1.00", undefined]);
    expect(json((out) => byKey.update(data, 0, tuple, FACTS, out))).toMatchObject({
      type: "UPDATE",
      data: [{ id: "8", status: "paid", total: "1.00" }],
      old: [{ id: "7" }],
    });
  });

  it("writes a row that moves to another partition as a whole insert", () => {
    const { data, tuple } = packedPair(["7", "new", "1.00", "long ago"], ["8", "new", "1.00", undefined]);
    expect(json((out) => orders.insert(data, tuple, 0, FACTS, out))).toMatchObject({
      type: "INSERT",
      data: [{ id: "8", status: "new", total: "1.00", note: "long ago" }],
    });
  });

  it("writes a delete with the row in data: whole, or its key where that is all that is known", () => {
    expect(json((out) => orders.delete(packed(["7", "new", null, "x"]), 0, FACTS, out))).toEqual({
      ...FRAME,
      type: "DELETE",
      data: [{ id: "7", status: "new", total: null, note: "x" }],
      old: null,
    });
    const keyOnly = packed(["7", null, null, null]);
    expect(json((out) => byKey.delete(keyOnly, 0, FACTS, out))).toMatchObject({ type: "DELETE", data: [{ id: "7" }] });
  });

  it("writes DDL as its statement", () => {
    const ddl = { database: "shop", schema: "public", table: "orders", sql: 'ALTER TABLE orders ADD COLUMN "a\n" text' };
    expect(json((out) => canalJson().ddl(ddl, FACTS, out))).toEqual({
      database: "shop",
      schema: "public",
      table: "orders",
      type: "DDL",
      isDdl: true,
      sql: 'ALTER TABLE orders ADD COLUMN "a\n" text',
      es: 1714558830123,
      ts: 1714558831045,
      id: 58,
    });
    const view = { database: "shop", sql: "DROP SCHEMA old" };
    expect(json((out) => canalJson().ddl(view, FACTS, out))).toMatchObject({ schema: "", table: "" });
  });

  it("escapes what JSON needs escaped, in names and in values of any length", () => {
    const names = ['quo"te', "back\\slash", "naïve 🐦", "tab\t"];
    const table = { ...ORDERS, columns: names.map((name) => column(name, 25, "text")), primaryKey: names.slice(0, 2) };
    const all = String.fromCharCode(...Array.from({ length: 0x20 }, (_, code) => code + 1));
    const values = [`${all}"\\/\x7f`, "日本語 🐦 עברית", `"${"é".repeat(30_000)}\n`, ""];
    expect(json((out) => canalJson().table(table).insert(packed(values), 0, -1, FACTS, out))).toMatchObject({
      pkNames: names.slice(0, 2),
      data: [Object.fromEntries(names.map((name, index) => [name, values[index]]))],
    });
  });

  it("writes booleans and UTC times as typed readers take them, and leaves out columns that are not asked for", () => {
    const table = {
      ...ORDERS,
      columns: [column("yes", 16, "boolean"), undefined, column("no", 16, "boolean"), column("at", 1184, "timestamptz")],
      primaryKey: [],
    };
    const encoder = canalJson().table(table);
    const data = packed(["t", "secret", "f", "2024-05-01 10:20:30.5+00"]);
    expect(json((out) => encoder.insert(data, 0, -1, FACTS, out))).toMatchObject({
      pkNames: null,
      mysqlType: { yes: "boolean", no: "boolean", at: "timestamp" },
      data: [{ yes: "true", no: "false", at: "2024-05-01 10:20:30.5Z" }],
    });
    const bc = packed([null, null, null, "0044-03-15 00:00:00+00 BC"]);
    expect(json((out) => encoder.insert(bc, 0, -1, FACTS, out))).toMatchObject({
      data: [{ yes: null, no: null, at: "0044-03-15 00:00:00+00 BC" }],
    });
  });

  it("writes one record behind the other", () => {
    const out = new RecordBytes(16);
    const data = packed(["1", "new", "12.50", "x"]);
    const ends: number[] = [];
    for (let id = 0; id < 100; id++) {
      orders.insert(data, 0, -1, { ...FACTS, recordId: id * 12_345_678_901 }, out);
      ends.push(out.used);
    }
    const ids = ends.map((end, index) => {
      const record = JSON.parse(out.bytes.toString("utf8", ends[index - 1] ?? 0, end)) as { id: number };
      return record.id;
    });
    expect(ids).toEqual(ends.map((_, index) => index * 12_345_678_901));
  });

  it("refuses a change with another number of columns, and leaves the output as it was", () => {
    const out = new RecordBytes();
    expect(() => orders.insert(packed(["1", "new"]), 0, -1, FACTS, out)).toThrow(/GW1502.*public\.orders/);
    expect(out.used).toBe(0);
  });

  it("refuses values in binary form", () => {
    const data = packed(["1", "new", "12.50", "x"]);
    data[2] = "b".charCodeAt(0);
    expect(() => written((out) => orders.insert(data, 0, -1, FACTS, out))).toThrow(/GW1504/);
  });
});
