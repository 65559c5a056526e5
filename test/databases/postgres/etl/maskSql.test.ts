import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { maskSql } from "../../../../provider/databases/postgres/etl/maskSql.js";
import { castType } from "../../../../provider/databases/postgres/etl/valueSql.js";
import type { MaskedColumn } from "../../../../provider/engine/etl.js";
import { type PostgresServer, startPostgres } from "../../../support/postgres.js";

describe.each([10, 17] as const)("a masked value on PostgreSQL %i", (major) => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres({ major });
  });
  afterAll(() => server.remove());

  /** What the method makes of the value of a column of that type. */
  const masked = async (value: string | null, mask: Omit<MaskedColumn, "column">, type = "text", category = "S") => {
    const made = maskSql(
      mask,
      { source: "the column", type, nullable: true },
      { category, base: type, length: undefined, version: major * 10_000 },
    );
    if ("refused" in made) return made;
    const { rows } = await server.query<{ text: string | null }>(
      `SELECT CAST(${made.expression} AS ${castType(type)})::text AS text FROM (SELECT $1::text::${type} AS "the column") t`,
      [value],
    );
    return rows[0]?.text;
  };

  it("keeps characters, not bytes, and shows nothing of a value that is not longer", async () => {
    const keep = { method: "keep", keepFirst: 2, keepLast: 1 } as const;
    expect(await masked("Käthe 😀", keep)).toBe("Kä****😀");
    expect(await masked("abcd", keep)).toBe("ab*d");
    expect(await masked("abc", keep)).toBe("***");
    expect(await masked("", keep)).toBe("");
    expect(await masked(null, keep)).toBeNull();
    expect(await masked("abc", { method: "keep" })).toBe("***");
    expect(await masked("it's \\ me", { method: "keep", keepLast: 1, replaceWith: "\\" })).toBe(`${"\\".repeat(8)}e`);
    expect(await masked("ab", { method: "keep", keepFirst: 1, replaceWith: "'" }, "character(10)")).toBe("a'");
  });

  it("is the digest that other programs make of it", async () => {
    const digest = (algorithm: string, value: string | Buffer) => createHash(algorithm).update(value).digest("hex");
    for (const value of ["", "abc", "Käthe", "a\\b\\\\000c", "x".repeat(10_000)]) {
      expect(await masked(value, { method: "md5" })).toBe(digest("md5", value));
      if (major > 10) expect(await masked(value, { method: "sha256" })).toBe(digest("sha256", value));
    }
    expect(await masked(null, { method: "md5" })).toBeNull();
    expect(await masked("\\x00ff", { method: "md5" }, "bytea", "U")).toBe(`\\x${digest("md5", Buffer.from([0, 255]))}`);
    const uuid = "123e4567-e89b-12d3-a456-426614174000";
    expect((await masked(uuid, { method: "md5" }, "uuid", "U"))?.toString().replaceAll("-", "")).toBe(digest("md5", uuid));
    if (major > 10)
      expect(await masked("\\x00ff", { method: "sha256" }, "bytea", "U")).toBe(`\\x${digest("sha256", Buffer.from([0, 255]))}`);
    else expect(await masked("abc", { method: "sha256" })).toEqual({ refused: expect.stringMatching(/PostgreSQL 11/) });
  });

  it("is the constant, of the column's type, or nothing", async () => {
    expect(await masked("5", { method: "constant", value: "007" }, "integer", "N")).toBe("7");
    expect(await masked(null, { method: "constant", value: "it's" })).toBe("it's");
    expect(await masked("x", { method: "null" })).toBeNull();
  });
});

it("types lose what would cut a value silently, and nothing else", () => {
  const types = [
    "character varying(5)",
    "character(5)[]",
    "bit(3)",
    "bit varying(3)",
    "numeric(10,2)",
    "timestamp(3) without time zone",
    "public.mood",
    "varchar2(20 char)",
  ];
  expect(types.map(castType)).toEqual([
    "character varying",
    "pg_catalog.bpchar[]",
    'pg_catalog."bit"',
    "bit varying",
    "numeric(10,2)",
    "timestamp(3) without time zone",
    "public.mood",
    "varchar2",
  ]);
});
