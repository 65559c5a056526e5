import { describe, expect, it } from "vitest";
import { canalJson } from "../../../../provider/databases/kafka/formats/canalJson.js";
import { dtsAvro } from "../../../../provider/databases/kafka/formats/dtsAvro.js";
import type { FormatTable } from "../../../../provider/databases/kafka/formats/recordFormat.js";
import { changeRecords, loadRecords, useReaders } from "./readers.js";
import { column, FACTS, ORDERS, packed, unpacked, written } from "./records.js";
import { type Change, copiedRows, describeTable, streamedChanges } from "./sourceRows.js";

const avro = dtsAvro({ serverVersion: "17.5" });

describe("records of a real server, read by others' readers", () => {
  const readers = useReaders();

  it("the schema is DTS's, and framed records are read behind their framing", async () => {
    // The fingerprint of the published schema's canonical form, computed with Avro's own SchemaNormalization.
    expect(await readers().avroFingerprint()).toEqual({
      fingerprint: "d57f6ce464e631aa7f6438633ce499bac5c59a91bda494dceef980d25663060d",
    });
    const framed = dtsAvro({ serverVersion: "17.5", schemaId: 7 });
    const ddl = written((out) => framed.ddl({ database: "d", sql: "CREATE SCHEMA né" }, FACTS, out));
    expect(await readers().avro([ddl], 5)).toEqual([
      {
        version: 0,
        id: 58,
        sourceTimestamp: 1714558830,
        sourcePosition: "16/B374D848",
        safeSourcePosition: "16/B374D848",
        sourceTxid: "4711",
        source: { sourceType: "PostgreSQL", version: "17.5" },
        operation: "DDL",
        objectName: "d",
        processTimestamps: null,
        tags: {},
        fields: null,
        beforeImages: null,
        afterImages: "CREATE SCHEMA né",
        bornTimestamp: 1714558830123,
      },
    ]);
  });

  it("canal-json: Flink takes the values into columns of their types", async () => {
    const { client, endpoint } = readers();
    await client.query(`
      CREATE TABLE typed (id bigint PRIMARY KEY, n numeric(20,5), f double precision, b boolean, d date, t time(0),
        at timestamp(6), atz timestamptz(6), s text, g varchar(10));
      INSERT INTO typed VALUES (-9223372036854775808, -123456789012345.12345, 5e-324, true, '2024-02-29', '23:59:59',
        '2024-02-29 23:59:59.000001', '2024-02-29 23:59:59.999999+05:30', E'a"\\\\\\n🐦', NULL),
        (2, 0, 'NaN', false, '0001-01-01', '00:00', '0001-01-01', '1970-01-01 00:00:00+00', '', 'g')`);
    const table = await describeTable(client, "public", "typed");
    const records = loadRecords(canalJson({ loadType: "INSERT" }).table(table), await copiedRows(client, endpoint, table));
    const schema =
      "ROW<id BIGINT, n DECIMAL(20,5), f DOUBLE, b BOOLEAN, d DATE, t TIME(0), `at` TIMESTAMP(6), atz TIMESTAMP_LTZ(6), s STRING, g STRING>";
    const read = await readers().flink(schema, records);
    expect(read.map(({ rows, error }) => rows?.[0]?.row ?? error)).toEqual([
      {
        id: "-9223372036854775808",
        n: "-123456789012345.12345",
        f: "4.9E-324", // as Java prints 5e-324
        b: "true",
        d: "19782", // days since 1970
        t: "86399000", // milliseconds of the day
        at: "2024-02-29T23:59:59.000001",
        atz: "2024-02-29T18:29:59.999999",
        s: 'a"\\\n🐦',
        g: null,
      },
      {
        id: "2",
        n: "0.00000",
        f: "NaN",
        b: "false",
        d: "-719162",
        t: "0",
        at: "0001-01-01T00:00",
        atz: "1970-01-01T00:00",
        s: "",
        g: "g",
      },
    ]);
    const init = loadRecords(canalJson().table(table), await copiedRows(client, endpoint, table));
    const ddl = written((out) =>
      canalJson().ddl({ database: "d", schema: "public", table: "typed", sql: "DROP TABLE typed" }, FACTS, out),
    );
    const refused = await readers().flink(schema, [...init.slice(0, 1), ddl]);
    expect(refused.map(({ error }) => error)).toEqual([
      expect.stringContaining('Unknown "type" value "INIT"'),
      expect.stringContaining('Unknown "type" value "DDL"'),
    ]);
  });

  it("dts-avro: Avro's reader finds the parts of dates and times, microseconds included", async () => {
    const { client, endpoint } = readers();
    await client.query(`
      CREATE TABLE times (id integer PRIMARY KEY, d date, t time, tz timetz, at timestamp, atz timestamptz, oracle timestamp(0));
      INSERT INTO times VALUES
        (1, '2024-02-29', '01:02:03', '23:59:59.5+05:30', '9999-12-31 23:59:59.999999', '2024-02-29 10:00:00.000001+08', '2024-02-29 12:30:00'),
        (2, '0001-01-01', '00:00:00.1', '00:00:00-08', '0001-01-01 00:00:00', '1970-01-01 00:00:00+00', NULL)`);
    const table = await describeTable(client, "public", "times");
    const read = await readers().avro(loadRecords(avro.table(table), await copiedRows(client, endpoint, table)));
    const date = (year: number | null, month: number | null, day: number | null) => ({ year, month, day });
    const time = (hour: number | null, minute: number | null, second: number | null, millis: number | null) => ({
      hour,
      minute,
      second,
      millis,
    });
    const none = date(null, null, null);
    const zoned = (value: object, timezone: string) => ({ TimestampWithTimeZone: { value: { DateTime: value }, timezone } });
    expect(read.map(({ afterImages }) => (afterImages as unknown[]).slice(1))).toEqual([
      [
        { DateTime: { ...date(2024, 2, 29), ...time(null, null, null, null) } },
        { DateTime: { ...none, ...time(1, 2, 3, null) } },
        zoned({ ...none, ...time(23, 59, 59, 500_000) }, "+05:30"),
        { DateTime: { ...date(9999, 12, 31), ...time(23, 59, 59, 999_999) } },
        zoned({ ...date(2024, 2, 29), ...time(2, 0, 0, 1) }, "+00:00"),
        { DateTime: { ...date(2024, 2, 29), ...time(12, 30, 0, null) } },
      ],
      [
        { DateTime: { ...date(1, 1, 1), ...time(null, null, null, null) } },
        { DateTime: { ...none, ...time(0, 0, 0, 100_000) } },
        zoned({ ...none, ...time(0, 0, 0, null) }, "-08:00"),
        { DateTime: { ...date(1, 1, 1), ...time(0, 0, 0, null) } },
        zoned({ ...date(1970, 1, 1), ...time(0, 0, 0, null) }, "+00:00"),
        null,
      ],
    ]);
    expect(read[0]?.fields?.map(({ dataTypeNumber }) => dataTypeNumber)).toEqual([23, 1082, 1083, 1266, 1114, 1184, 1114]);
    const [sdk] = await readers().sdk(loadRecords(avro.table(table), await copiedRows(client, endpoint, table)));
    expect(sdk?.after).toMatchObject({
      d: "DATETIME 2024-02-29",
      t: "DATETIME 01:02:03",
      at: "DATETIME 9999-12-31 23:59:59.999999",
    });
  });

  it("values of every length come whole, with every byte that text can have", async () => {
    const table = { ...ORDERS, columns: [column("id", 23, "integer", true), column("v", 25, "text"), column("b", 17, "bytea")] };
    const lengths = [...Array.from({ length: 140 }, (_, length) => length), 8191, 8192, 8193, 16_384, 150_000];
    const rows = lengths.map((length) => {
      const text = Array.from({ length }, (_, at) => String.fromCodePoint(1 + ((at * 7 + length) % 0x2ff))).join("");
      return [String(length), text, `\\x${Buffer.from(text).toString("hex")}`];
    });
    const tuples = rows.map((row) => packed(row));
    const read = await readers().avro(loadRecords(avro.table(table), tuples));
    const hex = (text: string | undefined) => `0x${Buffer.from(text ?? "").toString("hex")}`;
    expect(read.map(({ afterImages }) => afterImages)).toEqual(
      rows.map(([id, text]) => [
        { Integer: { precision: 4, value: id } },
        { Character: { charset: "UTF-8", value: hex(text) } },
        { BinaryObject: { type: "BYTEA", value: hex(text) } },
      ]),
    );
    const flink = await readers().flink(
      "ROW<id INT, v STRING>",
      loadRecords(canalJson({ loadType: "INSERT" }).table(table), tuples),
    );
    expect(flink.map(({ rows: found }) => found?.[0]?.row)).toEqual(rows.map(([id, v]) => ({ id, v })));
  });

  describe("changes out of a slot", () => {
    async function changesOf(identity: string): Promise<{ table: FormatTable; changes: Change[] }> {
      const { client } = readers();
      await client.query(`
        DROP TABLE IF EXISTS moving; DROP PUBLICATION IF EXISTS moving;
        CREATE TABLE moving (id integer PRIMARY KEY, v text, big text, n integer);
        ALTER TABLE moving ALTER big SET STORAGE EXTERNAL, REPLICA IDENTITY ${identity};
        CREATE PUBLICATION moving FOR TABLE moving`);
      await client.query("SELECT pg_catalog.pg_create_logical_replication_slot('moving', 'pgoutput')");
      try {
        await client.query("INSERT INTO moving VALUES (1, 'a', repeat('x', 5000), NULL)");
        await client.query("UPDATE moving SET v = 'b'");
        await client.query("UPDATE moving SET id = 2, n = 5");
        await client.query("UPDATE moving SET v = NULL");
        await client.query("DELETE FROM moving");
        const table = await describeTable(client, "public", "moving");
        return { table, changes: await streamedChanges(client, "moving", "moving") };
      } finally {
        await client.query("SELECT pg_catalog.pg_drop_replication_slot('moving')");
      }
    }

    const FLINK = "ROW<id INT, v STRING, big STRING, n INT>";
    const X = "x".repeat(5000);

    it("under REPLICA IDENTITY FULL: Flink sees each row whole before and after", async () => {
      const { table, changes } = await changesOf("FULL");
      expect(table.oldTuples).toBe("wholeRow");
      // The stream leaves the large value out of the new tuples: it is in the old ones.
      expect(changes.slice(1, 4).map(({ data, tuple }) => unpacked(data, tuple)[2])).toEqual([undefined, undefined, undefined]);
      const canal = canalJson().table(table);
      const read = await readers().flink(FLINK, changeRecords(canal, changes));
      expect(read.flatMap(({ rows, error }) => (rows ?? [{ kind: error, row: {} }]).map(({ kind, row }) => [kind, row]))).toEqual(
        [
          ["+I", { id: "1", v: "a", big: X, n: null }],
          ["-U", { id: "1", v: "a", big: X, n: null }],
          ["+U", { id: "1", v: "b", big: X, n: null }],
          ["-U", { id: "1", v: "b", big: X, n: null }],
          ["+U", { id: "2", v: "b", big: X, n: "5" }],
          ["-U", { id: "2", v: "b", big: X, n: "5" }],
          ["+U", { id: "2", v: null, big: X, n: "5" }],
          ["-D", { id: "2", v: null, big: X, n: "5" }],
        ],
      );
      const encoder = avro.table(table);
      const sdk = await readers().sdk(changeRecords(encoder, changes));
      expect(sdk.map(({ operation }) => operation)).toEqual(["INSERT", "UPDATE", "UPDATE", "UPDATE", "DELETE"]);
      expect(sdk[2]).toMatchObject({
        before: { id: "INTEGER_NUMERIC 1", v: "STRING b", big: `STRING ${X}`, n: null },
        after: { id: "INTEGER_NUMERIC 2", v: "STRING b", big: `STRING ${X}`, n: "INTEGER_NUMERIC 5" },
      });
      expect(sdk[4]).toMatchObject({ before: { id: "INTEGER_NUMERIC 2", v: null, big: `STRING ${X}` }, after: null });
    });

    it("under the primary key alone: what is not known is left out, never told as NULL", async () => {
      const { table, changes } = await changesOf("DEFAULT");
      expect(table.oldTuples).toBe("identity");
      const canal = canalJson().table(table);
      const records = changeRecords(canal, changes).map(
        (bytes) => JSON.parse(bytes.toString("utf8")) as { readonly data: unknown; readonly old: unknown },
      );
      expect(records.map(({ data, old }) => ({ data, old }))).toEqual([
        { data: [{ id: "1", v: "a", big: X, n: null }], old: null },
        { data: [{ id: "1", v: "b", n: null }], old: [{}] },
        { data: [{ id: "2", v: "b", n: "5" }], old: [{ id: "1" }] },
        { data: [{ id: "2", v: null, n: "5" }], old: [{}] },
        { data: [{ id: "2" }], old: null },
      ]);
      const encoder = avro.table(table);
      const read = await readers().avro(changeRecords(encoder, changes));
      const number = (value: string) => ({ Integer: { precision: 4, value } });
      const text = (value: string) => ({ Character: { charset: "UTF-8", value: `0x${Buffer.from(value).toString("hex")}` } });
      expect(read.map(({ operation, beforeImages, afterImages }) => ({ operation, beforeImages, afterImages }))).toEqual([
        { operation: "INSERT", beforeImages: null, afterImages: [number("1"), text("a"), text(X), null] },
        { operation: "UPDATE", beforeImages: null, afterImages: [number("1"), text("b"), "NONE", null] },
        {
          operation: "UPDATE",
          beforeImages: [number("1"), "NONE", "NONE", "NONE"],
          afterImages: [number("2"), text("b"), "NONE", number("5")],
        },
        { operation: "UPDATE", beforeImages: null, afterImages: [number("2"), null, "NONE", number("5")] },
        { operation: "DELETE", beforeImages: [number("2"), "NONE", "NONE", "NONE"], afterImages: null },
      ]);
      const sdk = await readers().sdk(changeRecords(encoder, changes));
      expect(sdk.map(({ error }) => error).filter(Boolean)).toEqual([]);
    });
  });
});
