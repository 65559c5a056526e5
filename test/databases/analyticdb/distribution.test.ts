import { describe, expect, it } from "vitest";
import { columnType } from "../../../provider/databases/analyticdb/columnTypes.js";
import { distributedClause, distribution, holdsDistribution } from "../../../provider/databases/analyticdb/distribution.js";

const columns = [
  { name: "doc", type: "json", nullable: false },
  { name: "active", type: "boolean", nullable: false },
  { name: "day", type: "date", nullable: false },
  { name: "note", type: "character varying(40)", nullable: true },
  { name: "id", type: "bigint", nullable: false },
];

describe("what distributes a table", () => {
  it("is what the task says, else the key", () => {
    expect(distribution({ columns, distributedBy: ["note"], key: ["id"] })).toEqual({ columns: ["note"], source: "task" });
    expect(distribution({ columns, distributedBy: undefined, key: ["id", "day"] })).toEqual({
      columns: ["id", "day"],
      source: "key",
    });
  });

  it("is the hashable part of a key that has other types in it", () => {
    const points = [...columns, { name: "bits", type: "bit(8)", nullable: false }];
    expect(distribution({ columns: points, distributedBy: undefined, key: ["bits", "id"] })).toEqual({
      columns: ["id"],
      source: "key",
    });
    expect(distribution({ columns: points, distributedBy: undefined, key: ["bits"] }).source).not.toBe("key");
  });

  it("is, without a key, the first column that is NOT NULL and spreads; then the first that spreads; then chance", () => {
    const chosen = (kept: readonly string[]) =>
      distribution({ columns: columns.filter(({ name }) => kept.includes(name)), distributedBy: undefined, key: [] });
    expect(chosen(["doc", "active", "day", "note", "id"])).toEqual({ columns: ["id"], source: "chosen" });
    expect(chosen(["doc", "active", "day", "note"])).toEqual({ columns: ["note"], source: "chosen" });
    expect(chosen(["doc", "active", "day"])).toEqual({ columns: [], source: "random" });
  });

  it("ends CREATE TABLE with quoted names", () => {
    expect(distributedClause(["id", 'a"b'])).toBe(' DISTRIBUTED BY ("id", "a""b")');
    expect(distributedClause([])).toBe(" DISTRIBUTED RANDOMLY");
  });

  it("must be held by every unique key, in any order", () => {
    expect(holdsDistribution(["b", "a", "c"], ["a", "b"])).toBe(true);
    expect(holdsDistribution(["a"], ["a", "b"])).toBe(false);
    expect(holdsDistribution(["a"], [])).toBe(false);
  });
});

describe("a column's type", () => {
  const offered = new Set([
    "integer",
    "text",
    "numeric",
    "character varying",
    "timestamp without time zone",
    "public.geometry",
    "bit",
    "interval",
  ]);
  const baseOf = (type: string) => (type === "app.email" ? "character varying(40)" : undefined);
  it.each([
    ["integer", "integer"],
    ["numeric(10,2)", "numeric(10,2)"],
    ["numeric(3,-2)", "numeric"],
    ["numeric(2,5)[]", "numeric[]"],
    ["timestamp(3) without time zone", "timestamp(3) without time zone"],
    ["bit(3)", "bit(3)"],
    ["interval day to second(3)", "interval day to second(3)"],
    ["public.geometry(Point,4326)", "public.geometry(Point,4326)"],
    ["app.email", "character varying(40)"],
    ["app.mood", "text"],
    ["app.mood[]", "text[]"],
    ["macaddr8", "text"],
    ["int4multirange", "text"],
    ["xid8", "text"],
  ])("%s becomes %s", (from, to) => {
    const { type, note } = columnType(from, offered, baseOf);
    expect(type).toBe(to);
    expect(note === undefined).toBe(from === to);
  });
});
