import { describe, expect, it } from "vitest";
import { shareplexJson } from "../../../../provider/databases/kafka/formats/shareplexJson.js";
import { FACTS, json, ORDERS, ORDERS_BY_KEY, packed, packedPair } from "./records.js";

const format = shareplexJson();
const orders = format.table(ORDERS);
const byKey = format.table(ORDERS_BY_KEY);

const META = {
  time: "2024-05-01T10:20:30",
  posttime: "2024-05-01T10:20:31",
  userid: 0,
  rowid: "",
  scn: "97500059720",
  trans: "4711",
  seq: 3,
  size: 11,
  idx: "3/11",
  table: "public.orders",
};

describe("shareplex-json", () => {
  it("writes inserts, and rows of the full load, with the row in data", () => {
    const data = packed(["1", "new", "12.50", null]);
    const expected = { meta: { ...META, op: "ins" }, data: { id: "1", status: "new", total: "12.50", note: null } };
    expect(json((out) => orders.insert(data, 0, -1, FACTS, out))).toEqual(expected);
    expect(json((out) => orders.load(data, 0, FACTS, out))).toEqual(expected);
  });

  it("writes an update with what changed in data and the whole row before in key", () => {
    const { data, tuple } = packedPair(["7", "new", null, "x"], ["7", "paid", "3.00", undefined]);
    expect(json((out) => orders.update(data, 0, tuple, FACTS, out))).toEqual({
      meta: { ...META, op: "upd" },
      data: { status: "paid", total: "3.00" },
      key: { id: "7", status: "new", total: null, note: "x" },
    });
  });

  it("gives all that an update carries, and the key, where the row before is not known", () => {
    expect(json((out) => byKey.update(packed(["7", "paid", "3.00", undefined]), -1, 0, FACTS, out))).toMatchObject({
      data: { id: "7", status: "paid", total: "3.00" },
      key: { id: "7" },
    });
    const { data, tuple } = packedPair(["7", null, null, null], ["8", "paid", "3.00", undefined]);
    const moved = json((out) => byKey.update(data, 0, tuple, FACTS, out));
    expect(moved).toEqual({
      meta: { ...META, op: "upd" },
      data: { id: "8", status: "paid", total: "3.00" },
      key: { id: "7" },
    });
  });

  it("writes a delete with the row, or its key, in data", () => {
    expect(json((out) => orders.delete(packed(["7", "new", null, "x"]), 0, FACTS, out))).toEqual({
      meta: { ...META, op: "del" },
      data: { id: "7", status: "new", total: null, note: "x" },
    });
    expect(json((out) => byKey.delete(packed(["7", null, null, null]), 0, FACTS, out))).toEqual({
      meta: { ...META, op: "del" },
      data: { id: "7" },
    });
  });

  it("writes DDL as its statement", () => {
    const alter = { database: "shop", schema: "public", table: "orders", sql: 'DROP INDEX "by day"' };
    expect(json((out) => format.ddl(alter, FACTS, out))).toEqual({ meta: { ...META, op: "ddl" }, ddl: 'DROP INDEX "by day"' });
    const empty = { ...alter, sql: "TRUNCATE TABLE public.orders", truncates: true };
    expect(json((out) => format.ddl(empty, FACTS, out))).toMatchObject({ meta: { op: "truncate", table: "public.orders" } });
  });

  it("follows the facts from one transaction to the next", () => {
    const data = packed(["1", "new", "12.50", null]);
    const { transactionId: _, transactionSize: __, ...unknown } = FACTS;
    const later = { ...unknown, commitPosition: 1n, commitTimeMs: 0, nowMs: 999, sequence: 1 };
    expect(json((out) => orders.insert(data, 0, -1, FACTS, out))).toMatchObject({ meta: META });
    expect(json((out) => orders.insert(data, 0, -1, later, out))).toMatchObject({
      meta: { time: "1970-01-01T00:00:00", posttime: "1970-01-01T00:00:00", scn: "1", trans: "", seq: 1, size: 0, idx: "1/0" },
    });
    expect(json((out) => orders.insert(data, 0, -1, FACTS, out))).toMatchObject({ meta: META });
  });
});
