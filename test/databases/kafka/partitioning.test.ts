import { describe, expect, it } from "vitest";
import type { FormatTable } from "../../../provider/databases/kafka/formats/recordFormat.js";
import { javaHash } from "../../../provider/databases/kafka/javaHash.js";
import { identityDecides, type PartitionPolicy, tablePartitioner } from "../../../provider/databases/kafka/partitioning.js";
import { ORDERS, ORDERS_BY_KEY, packed, packedPair, type TupleValue } from "./formats/records.js";

/** Java's definition, over the UTF-16 units that JavaScript's strings have as well. */
function hashCode(text: string): number {
  let hash = 0;
  for (let at = 0; at < text.length; at++) hash = (Math.imul(hash, 31) + text.charCodeAt(at)) | 0;
  return hash;
}

const WORST = "polygenelubricants"; // its hashCode is -2147483648

function partition(
  policy: PartitionPolicy,
  table: FormatTable,
  values: readonly TupleValue[],
  count: number,
  columns?: string[],
): number {
  return tablePartitioner(policy, table, count, columns).ofRow(packed(values), 0, -1);
}

describe("the hash", () => {
  it("is that of Java's strings", () => {
    // Printed by java.lang.String.hashCode.
    for (const [text, hash] of [
      ["", 0],
      ["hello", 99162322],
      [WORST, -2147483648],
      ["Aa", 2112],
      ["BB", 2112],
      ["日本語", 25921943],
      ["🐦", 1772425],
    ] as const) {
      expect(javaHash(Buffer.from(text)), text).toBe(hash);
      expect(hashCode(text), text).toBe(hash);
    }
  });

  it("holds for every code point, and for a text taken in pieces", () => {
    for (let point = 1; point < 0x110000; point += 7) {
      if (point >= 0xd800 && point < 0xe000) continue;
      const text = `a${String.fromCodePoint(point)}b`;
      if (javaHash(Buffer.from(text)) !== hashCode(text)) throw new Error(`U+${point.toString(16)}`);
    }
    const bytes = Buffer.from("one,two");
    expect(javaHash(bytes, 3, bytes.length, javaHash(bytes, 0, 3))).toBe(hashCode("one,two"));
  });

  it("takes bytes that are no UTF-8 without failing", () => {
    for (const bytes of [[0x80], [0xc3], [0xe2, 0x82], [0xf0, 0x9f, 0x90], [0xff, 0x41]]) {
      expect(Number.isInteger(javaHash(Buffer.from(bytes)))).toBe(true);
    }
  });
});

describe("partitions", () => {
  it("are 0 for everything under single", () => {
    expect(partition("single", ORDERS, ["99", "new", "1", "x"], 12)).toBe(0);
    expect(tablePartitioner("single", ORDERS, 12).ofDdl).toBe(0);
  });

  it("are one for a table and its DDL under table", () => {
    const expected = Math.abs(hashCode("shop.public.orders") % 12);
    const { ofRow, ofDdl } = tablePartitioner("table", ORDERS, 12);
    expect([ofDdl, ofRow(packed(["1", "a", "1", "x"]), 0, -1), ofRow(packed(["2", null, "1", "x"]), 0, -1)]).toEqual([
      expected,
      expected,
      expected,
    ]);
  });

  it("follow the primary key under primaryKey, DDL going to 0", () => {
    for (const id of ["1", "2", "-9223372036854775808", "500000287"]) {
      expect(partition("primaryKey", ORDERS, [id, "new", "1", "x"], 12)).toBe(Math.abs(hashCode(id) % 12));
    }
    expect(tablePartitioner("primaryKey", ORDERS, 12).ofDdl).toBe(0);
  });

  it("join the values of several columns by commas, in the order of the key, NULL as nothing", () => {
    const table = { ...ORDERS, primaryKey: ["note", "id"] };
    expect(partition("primaryKey", table, ["7", "s", "1", "né"], 1000)).toBe(Math.abs(hashCode("né,7") % 1000));
    expect(partition("primaryKey", table, ["7", "s", "1", null], 1000)).toBe(Math.abs(hashCode(",7") % 1000));
    expect(partition("primaryKey", ORDERS, ["7", "s", "1", "x"], 1000, ["status", "total"])).toBe(
      Math.abs(hashCode("s,1") % 1000),
    );
  });

  it("are never negative, and spread", () => {
    const used = new Set<number>();
    for (let id = 0; id < 2000; id++) used.add(partition("primaryKey", ORDERS, [String(id), "s", "1", "x"], 7));
    expect([...used].sort()).toEqual([0, 1, 2, 3, 4, 5, 6]);
    const table = { ...ORDERS, primaryKey: ["note"] };
    for (const count of [1, 2, 3, 7, 12, 1000]) {
      const found = partition("primaryKey", table, ["1", "s", "1", WORST], count);
      expect(found).toBe(2147483648 % count);
    }
  });

  it("fall back on a unique key, and on 0 for a table that has none", () => {
    const unique = { ...ORDERS, primaryKey: [], uniqueKeys: [{ name: "u", columns: ["status"] }] };
    expect(partition("primaryKey", unique, ["7", "paid", "1", "x"], 1000)).toBe(Math.abs(hashCode("paid") % 1000));
    expect(partition("primaryKey", { ...ORDERS, primaryKey: [] }, ["7", "paid", "1", "x"], 1000)).toBe(0);
  });

  it("of the old and the new row differ when the key moves", () => {
    const { data, tuple } = packedPair(["1", null, null, null], ["2", "s", "1", "x"]);
    const partitioner = tablePartitioner("primaryKey", ORDERS_BY_KEY, 1000);
    expect(partitioner.ofRow(data, 0, -1)).toBe(Math.abs(hashCode("1") % 1000));
    expect(partitioner.ofRow(data, tuple, 0)).toBe(Math.abs(hashCode("2") % 1000));
  });

  it("find an unchanged out-of-line key in the old row, and refuse to guess", () => {
    const table = { ...ORDERS, primaryKey: ["note"] };
    const { data, tuple } = packedPair(["1", "a", "1", "long key"], ["1", "b", "1", undefined]);
    expect(tablePartitioner("primaryKey", table, 1000).ofRow(data, tuple, 0)).toBe(Math.abs(hashCode("long key") % 1000));
    const keyOnly = { ...ORDERS_BY_KEY, primaryKey: ["note"] };
    expect(() => tablePartitioner("primaryKey", keyOnly, 1000).ofRow(data, tuple, 0)).toThrow(/GW1504.*note/);
  });

  it("need whole old rows where the key is not part of the replica identity", () => {
    expect(identityDecides(ORDERS_BY_KEY)).toBe(true);
    expect(identityDecides(ORDERS_BY_KEY, ["status"])).toBe(false);
    expect(identityDecides(ORDERS, ["status"])).toBe(true);
    expect(() => tablePartitioner("primaryKey", ORDERS, 12, ["no such"])).toThrow(/GW1304.*no such/);
  });
});
