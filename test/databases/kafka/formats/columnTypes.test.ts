import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { columnType, readBaseTypes } from "../../../../provider/databases/kafka/formats/columnTypes.js";
import { connect } from "../../../../provider/databases/postgres/connection.js";
import { type PostgresServer, startPostgres } from "../../../support/postgres.js";
import { column } from "./records.js";

describe("a column's type", () => {
  it("has the precision and scale of its modifiers", () => {
    expect(columnType(column("v", 1700, "numeric(10,2)"))).toEqual({ kind: "numeric", typeId: 1700, precision: 10, scale: 2 });
    expect(columnType(column("v", 1700, "numeric(3,-2)"))).toMatchObject({ precision: 3, scale: -2 });
    expect(columnType(column("v", 1700, "numeric(5)"))).toMatchObject({ precision: 5, scale: 0 });
    expect(columnType(column("v", 1700, "numeric"))).toMatchObject({ precision: undefined, scale: undefined });
    expect(columnType(column("v", 1043, "character varying(20)"))).toMatchObject({ kind: "varchar", precision: undefined });
  });

  it("is PostgreSQL's own where the server has Oracle's names for types of its own", () => {
    const named = (name: string) => columnType({ ...column("v", 9001, name), baseType: { typeId: 9001, name, kind: "b" } });
    expect([
      named("varchar2"),
      named("NUMBER"),
      named("date"),
      named("clob"),
      named("blob"),
      named("binary_double"),
    ]).toMatchObject([
      { kind: "varchar", typeId: 1043 },
      { kind: "numeric", typeId: 1700 },
      { kind: "timestamp", typeId: 1114 },
      { kind: "text", typeId: 25 },
      { kind: "bytea", typeId: 17 },
      { kind: "float8", typeId: 701 },
    ]);
    expect(
      columnType({ ...column("v", 9001, "number(8,3)"), baseType: { typeId: 9001, name: "number", kind: "b" } }),
    ).toMatchObject({
      precision: 8,
      scale: 3,
    });
  });

  it("is not taken from the name where users made the type, or where PostgreSQL's own has it", () => {
    const made = { ...column("v", 20000, "app.number"), baseType: { typeId: 20000, name: "number", kind: "e" } };
    expect(columnType(made)).toMatchObject({ kind: "userText", typeId: 20000 });
    const date = { ...column("v", 1082, "date"), baseType: { typeId: 1082, name: "date", kind: "b" } };
    expect(columnType(date)).toMatchObject({ kind: "date", typeId: 1082 });
  });

  it("without what it comes down to is text when users made it, and text of a type that no format knows otherwise", () => {
    expect(columnType(column("v", 20000, "app.mood"))).toMatchObject({ kind: "userText" });
    expect(columnType(column("v", 1007, "integer[]"))).toMatchObject({ kind: "other", typeId: 1007 });
  });

  describe("read from a server", () => {
    let server: PostgresServer;
    beforeAll(async () => {
      server = await startPostgres({ major: 17, settings: { fsync: "off" }, name: "types" });
    });
    afterAll(() => server.remove());

    it("comes down through domains to what they are made of", async () => {
      await server.query(`
        CREATE TYPE mood AS ENUM ('glad');
        CREATE DOMAIN price AS numeric(10,2); CREATE DOMAIN low_price AS price CHECK (VALUE < 10); CREATE DOMAIN moods AS mood;
        CREATE TYPE pair AS (a integer, b text); CREATE TYPE span AS RANGE (subtype = float8)`);
      const { rows } = await server.query<{ name: string; oid: string }>(
        "SELECT typname::text AS name, oid::int8::text AS oid FROM pg_type WHERE typname IN ('low_price', 'moods', 'pair', 'span', 'mood', 'int4')",
      );
      const ids = new Map(rows.map(({ name, oid }) => [name, Number(oid)]));
      const client = await connect(server.endpoint(), { applicationName: "test" });
      try {
        const bases = await readBaseTypes(client, [...ids.values(), 4_000_000_000]);
        const of = (name: string) => bases.get(ids.get(name) ?? 0);
        expect(of("low_price")).toEqual({ typeId: 1700, name: "numeric", kind: "b" });
        expect(of("moods")).toEqual({ typeId: ids.get("mood"), name: "mood", kind: "e" });
        expect(of("pair")).toMatchObject({ kind: "c" });
        expect(of("span")).toMatchObject({ kind: "r" });
        expect(of("int4")).toEqual({ typeId: 23, name: "int4", kind: "b" });
        expect(bases.size).toBe(ids.size);
      } finally {
        await client.end();
      }
    });
  });
});
