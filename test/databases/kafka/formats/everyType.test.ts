import { beforeEach, describe, expect, it } from "vitest";
import { canalJson } from "../../../../provider/databases/kafka/formats/canalJson.js";
import { dtsAvro } from "../../../../provider/databases/kafka/formats/dtsAvro.js";
import type { FormatTable } from "../../../../provider/databases/kafka/formats/recordFormat.js";
import { EDGE_TYPES, EDGE_TYPES_SCHEMA } from "../../../route/edgeValues.js";
import type { PostgresServer } from "../../../support/postgres.js";
import { textOf } from "./avroText.js";
import { type AvroValue, changeRecords, loadRecords, useReaders } from "./readers.js";
import { unpacked } from "./records.js";
import { copiedRows, describeTable, streamedChanges } from "./sourceRows.js";

const avro = dtsAvro({ serverVersion: "17.5" });
const KNOWN = EDGE_TYPES.filter(({ since }) => (since ?? 0) <= 17);
const types: readonly string[] = ["integer", ...KNOWN.map(({ type }) => type)];

/** One table with a column of every type; each row has the next value of each, and NULL where there are no more. */
async function createTable(server: PostgresServer): Promise<void> {
  const rows = Math.max(...KNOWN.map(({ values }) => values.length)) + 1;
  const row = (index: number) => [index, ...KNOWN.map(({ values }) => values[index] ?? "NULL")].join(", ");
  await server.query(`${EDGE_TYPES_SCHEMA};
    CREATE TABLE edge.every (id integer PRIMARY KEY, ${KNOWN.map(({ type }, at) => `c${at + 1} ${type}`).join(", ")})`);
  for (let index = 0; index < rows; index++) await server.query(`INSERT INTO edge.every VALUES (${row(index)})`);
}

describe("every type, with values at its edges, read by others' readers", () => {
  const readers = useReaders(createTable);
  let table: FormatTable;
  let tuples: Buffer[];
  beforeEach(async () => {
    const { client, endpoint } = readers();
    table = await describeTable(client, "edge", "every");
    tuples = await copiedRows(client, endpoint, table);
  });

  it("canal-json: Flink reads each value as the text it is, and PostgreSQL takes every record back as the same row", async () => {
    const records = loadRecords(canalJson({ loadType: "INSERT" }).table(table), tuples);
    const names = table.columns.map((column) => column?.name ?? "");
    const schema = `ROW<${names.map((name) => `\`${name}\` STRING`).join(", ")}>`;
    const read = await readers().flink(schema, records);
    expect(read.map(({ error }) => error).filter(Boolean)).toEqual([]);
    const rows = read.map(({ rows: [first] = [] }) => first?.row ?? {});
    const forms: Readonly<Record<string, (text: string) => string>> = {
      boolean: (text) => (text === "t" ? "true" : "false"),
      "timestamp with time zone": (text) => text.replace(/\+00$/, "Z"),
    };
    expect(rows).toEqual(
      tuples.map((tuple) =>
        Object.fromEntries(unpacked(tuple, 0).map((text, at) => [names[at], text && (forms[types[at] ?? ""]?.(text) ?? text)])),
      ),
    );
    await readers().client.query("DROP TABLE IF EXISTS edge.back; CREATE TABLE edge.back (LIKE edge.every)");
    for (const row of rows) {
      const places = names.map((_, at) => `$${at + 1}`).join(", ");
      await readers().client.query(
        `INSERT INTO edge.back VALUES (${places})`,
        names.map((name) => row[name]),
      );
    }
    const differing = await readers().client.query(
      `(SELECT e::text FROM edge.every e EXCEPT ALL SELECT b::text FROM edge.back b)
       UNION ALL (SELECT b::text FROM edge.back b EXCEPT ALL SELECT e::text FROM edge.every e)`,
    );
    expect(differing.rows).toEqual([]);
  });

  it("dts-avro: Avro's reader finds each value in the branch of its type", async () => {
    const read = await readers().avro(loadRecords(avro.table(table), tuples));
    expect(read.length).toBe(tuples.length);
    for (const [row, { afterImages, beforeImages, operation }] of read.entries()) {
      expect([operation, beforeImages]).toEqual(["INSERT", null]);
      const texts = unpacked(tuples[row] as Buffer, 0);
      const found = (afterImages as AvroValue[]).map((value, at) => ({
        type: types[at],
        text: textOf(value, texts[at] ?? null),
      }));
      expect(found).toEqual(texts.map((text, at) => ({ type: types[at], text })));
    }
    const branches = new Map<string, Set<string>>();
    for (const { afterImages } of read) {
      for (const [at, value] of (afterImages as AvroValue[]).entries()) {
        if (value === null || typeof value === "string") continue;
        const of = branches.get(types[at] ?? "") ?? new Set();
        branches.set(types[at] ?? "", of.add(Object.keys(value)[0] ?? ""));
      }
    }
    expect(Object.fromEntries([...branches].map(([type, of]) => [type, [...of].sort().join(", ")]))).toMatchObject({
      smallint: "Integer",
      integer: "Integer",
      bigint: "Integer",
      "numeric(10,3)": "Decimal",
      // Its NaN and infinities are text.
      numeric: "Decimal, TextObject",
      real: "Float",
      "double precision": "Float",
      money: "TextObject",
      boolean: "TextObject",
      text: "Character",
      "varchar(20)": "Character",
      "char(7)": "Character",
      bytea: "BinaryObject",
      "bit(5)": "TextObject",
      // What a DateTime cannot hold is text: infinities, years before 1 and after 9999.
      date: "TextObject",
      time: "DateTime",
      "time with time zone": "TimestampWithTimeZone",
      timestamp: "TextObject",
      "timestamp with time zone": "TextObject",
      interval: "TextObject",
      uuid: "TextObject",
      json: "TextObject",
      jsonb: "BinaryObject",
      xml: "TextObject",
      point: "TextObject",
      "integer[]": "TextObject",
      int4range: "TextObject",
      "edge.mood": "Character",
      "edge.some_mood": "Character",
      "edge.positive": "Decimal, TextObject",
      "edge.point3": "Character",
      "edge.mood[]": "Character",
      regclass: "TextObject",
    });
  });

  it("dts-avro: the vendor's client reads every record", async () => {
    const read = await readers().sdk(loadRecords(avro.table(table), tuples));
    expect(read.map(({ error }) => error).filter(Boolean)).toEqual([]);
    const at = (type: string) => `c${types.indexOf(type)}`;
    const texts = read.map(({ after }) => after ?? {});
    expect(read[0]).toMatchObject({
      operation: "INSERT",
      database: "postgres",
      table: "every",
      primaryKey: ["id"],
    });
    expect(texts.slice(0, 3).map((row) => row[at("numeric")])).toEqual([
      "TEXT_ENCODING_OBJECT NaN",
      "DECIMAL_NUMERIC 0",
      "DECIMAL_NUMERIC 0.00",
    ]);
    expect(texts.slice(0, 2).map((row) => row[at("text")])).toEqual(["STRING ", "STRING a\\b"]);
    expect(texts.slice(0, 3).map((row) => row[at("time")])).toEqual([
      "DATETIME 00:00:00",
      "DATETIME 24:00:00",
      "DATETIME 23:59:59.999999",
    ]);
    expect(texts[0]?.[at("date")]).toBe("TEXT_ENCODING_OBJECT infinity");
    expect(texts[0]?.[at("uuid")]).toBe("TEXT_ENCODING_OBJECT 00000000-0000-0000-0000-000000000000");
  });

  it("canal-json: changes out of a slot have each value of every type, before and after", async () => {
    const { client } = readers();
    const names = table.columns.map((column) => column?.name ?? "");
    await client.query(`
      DROP TABLE IF EXISTS edge.streamed; CREATE TABLE edge.streamed (LIKE edge.every);
      ALTER TABLE edge.streamed REPLICA IDENTITY FULL;
      CREATE PUBLICATION streamed FOR TABLE edge.streamed`);
    await client.query("SELECT pg_catalog.pg_create_logical_replication_slot('streamed', 'pgoutput')");
    try {
      await client.query("INSERT INTO edge.streamed SELECT * FROM edge.every ORDER BY id");
      await client.query("UPDATE edge.streamed SET id = id + 100");
      await client.query("DELETE FROM edge.streamed");
      const changes = await streamedChanges(client, "streamed", "streamed");
      const wholeRows = await describeTable(client, "edge", "streamed");
      const records = changeRecords(canalJson().table(wholeRows), changes).map((bytes) => bytes.toString("utf8"));
      const rows = loadRecords(canalJson().table(table), tuples).map((bytes) => bytes.toString("utf8"));
      const data = (text: string) => (JSON.parse(text) as { readonly data: readonly Readonly<Record<string, string>>[] }).data[0];
      const expected = rows.map((text) => data(text));
      const moved = expected.map((row) => ({ ...row, id: String(Number(row?.id) + 100) }));
      expect(expected.map((row) => Object.keys(row ?? {}))).toEqual(expected.map(() => names));
      expect(records.map((text) => data(text))).toEqual([...expected, ...moved, ...moved]);
      const old = records
        .slice(expected.length, 2 * expected.length)
        .map((text) => (JSON.parse(text) as { readonly old: unknown }).old);
      expect(old).toEqual(expected.map((row) => [{ id: row?.id }]));
    } finally {
      await client.query("SELECT pg_catalog.pg_drop_replication_slot('streamed')");
      await client.query("DROP PUBLICATION streamed");
    }
  });
});
