import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { TypeShape } from "../../../../provider/databases/oracle/catalog/typeShapes.js";
import { objectText } from "../../../../provider/databases/oracle/objectText.js";
import { type PostgresServer, startPostgres } from "../../../support/postgres.js";

const SHAPES = new Map<string, TypeShape>([
  [
    '"HR"."ADDRESS"',
    {
      kind: "object",
      attributes: [
        { name: "STREET", type: "VARCHAR2" },
        { name: "ZIP", type: "NUMBER" },
        { name: "SINCE", type: "DATE" },
      ],
    },
  ],
  ['"HR"."PHONES"', { kind: "varray", element: "VARCHAR2" }],
  ['"HR"."MANY"', { kind: "varray", element: '"HR"."ADDRESS"' }],
  ['"HR"."BAG"', { kind: "unreadable", reason: "a nested table" }],
  [
    '"HR"."PERSON"',
    {
      kind: "object",
      attributes: [
        { name: "HOME", type: '"HR"."ADDRESS"' },
        { name: "PHOTO", type: "RAW" },
        { name: "SCORE", type: "BINARY_DOUBLE" },
      ],
    },
  ],
  ['"HR"."ALBUM"', { kind: "object", attributes: [{ name: "SCAN", type: "BLOB" }] }],
]);

let server: PostgresServer;

beforeAll(async () => {
  server = await startPostgres({ major: 17, name: "objects", settings: { fsync: "off" } });
  await server.query(`
    CREATE TYPE "ADDRESS" AS ("STREET" text, "ZIP" numeric, "SINCE" timestamp(0));
    CREATE TYPE "PERSON" AS ("HOME" "ADDRESS", "PHOTO" bytea, "SCORE" float8);
    CREATE TABLE people (id int PRIMARY KEY, "P" "PERSON", "A" "ADDRESS", "PHONES" text[]);
    -- Oracle's || leaves NULL out.
    CREATE FUNCTION joined(text, text) RETURNS text LANGUAGE sql AS 'SELECT pg_catalog.concat($1, $2)';
    CREATE OPERATOR || (LEFTARG = text, RIGHTARG = text, FUNCTION = joined);
    ALTER DATABASE postgres SET search_path = public, pg_catalog;
    CREATE FUNCTION to_clob(text) RETURNS text LANGUAGE sql AS 'SELECT $1';
    CREATE FUNCTION rawtohex(bytea) RETURNS text LANGUAGE sql AS $$ SELECT encode($1, 'hex') $$;
    CREATE FUNCTION to_char(numeric) RETURNS text LANGUAGE sql AS 'SELECT $1::text';
    CREATE FUNCTION to_char(float8) RETURNS text LANGUAGE sql AS 'SELECT $1::text';
  `);
});
afterAll(() => server.remove());

/** The expression on PostgreSQL, which wants brackets around what an attribute is taken from, and says LISTAGG in another way. */
function translated(sql: string): string {
  let text = sql.replace(/LISTAGG\((.*), ','\) WITHIN GROUP \(ORDER BY ROWNUM\)/, "coalesce(string_agg($1, ','), '')");
  // A row with a NULL in it is not NOT NULL to PostgreSQL.
  text = text.replace(/CASE WHEN (T(?:\."\w+")+) IS NOT NULL/g, "CASE WHEN $1 IS DISTINCT FROM NULL");
  text = text.replace(/FROM TABLE\((.*?)\) E\)/, "FROM unnest($1) AS E (COLUMN_VALUE))");
  text = text.replace(/T((?:\."\w+")+)/g, (_, path: string) => {
    const [first = "", ...others] = path.slice(1).split(".");
    return others.reduce((inner, name) => `(${inner}).${name}`, `T.${first}`);
  });
  return text;
}

async function roundTrip(column: string, type: string, cast: string): Promise<unknown[]> {
  const expression = translated(objectText(column, type, SHAPES) ?? "");
  const { rows } = await server.query<{ id: number; same: boolean; text: string | null }>(
    `SELECT id, (${expression})::${cast} IS NOT DISTINCT FROM T."${column}" AS same, ${expression} AS text FROM people T ORDER BY id`,
  );
  return rows.map(({ id, same }) => `${id} ${same}`);
}

describe("values of users' types as text", () => {
  it("come back as they were: quotes, backslashes, commas and nothing at all among them", async () => {
    await server.query(`
      INSERT INTO people VALUES
        (1, ROW(ROW('Rue "Été", \\ 5 (b)', 75001.5, '2024-02-29 23:59:59')::"ADDRESS", '\\x00ff', 'NaN')::"PERSON",
            ROW('it''s', -1, NULL)::"ADDRESS", ARRAY['a,b', 'say "x"', '\\', NULL, '{}']),
        (2, NULL, NULL, '{}'),
        (3, ROW(NULL, NULL, 1.5)::"PERSON", ROW(' ', NULL, '0044-03-15 12:00:00 BC')::"ADDRESS", NULL)`);
    expect(await roundTrip("A", '"HR"."ADDRESS"', '"ADDRESS"')).toEqual(["1 true", "2 true", "3 true"]);
    expect(await roundTrip("PHONES", '"HR"."PHONES"', "text[]")).toEqual(["1 true", "2 true", "3 true"]);
    expect(await roundTrip("P", '"HR"."PERSON"', '"PERSON"')).toEqual(["1 true", "2 true", "3 true"]);
  });

  it("are none where Oracle's SQL has no way to them", () => {
    for (const type of ['"HR"."BAG"', '"HR"."MANY"', '"HR"."ALBUM"', '"HR"."UNKNOWN"', "BFILE", "ANYDATA"]) {
      expect(objectText("X", type, SHAPES), type).toBeUndefined();
    }
  });

  it("of geometries are EWKT, with the number that PostGIS knows", () => {
    expect(objectText("SPOT", "MDSYS.SDO_GEOMETRY", SHAPES)).toBe(
      `CASE WHEN T."SPOT" IS NOT NULL THEN TO_CLOB('SRID=') || CASE T."SPOT"."SDO_SRID" WHEN 8307 THEN 4326 ELSE NVL(T."SPOT"."SDO_SRID", 0) END || ';' || SDO_UTIL.TO_WKTGEOMETRY(T."SPOT") END`,
    );
  });
});
