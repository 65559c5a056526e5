import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import type { EmulatedTable } from "../../../support/oracle/emulator.js";
import { createOracleTask, discardOracleTask, type OracleTask } from "../../../support/oracle/oracleTask.js";
import { type PostgresServer, startPostgres } from "../../../support/postgres.js";

let server: PostgresServer;
let task: OracleTask;

beforeAll(async () => {
  server = await startPostgres({ major: 17, name: "oracle", settings: { fsync: "off" } });
});
afterAll(() => server.remove());
beforeEach(async () => {
  task = await createOracleTask(server, server);
});
afterEach(() => discardOracleTask(task));

async function valuesTable(): Promise<EmulatedTable> {
  const types: Readonly<Record<string, string>> = {
    ID: "NUMBER(9,0)",
    EXACT: "NUMBER",
    SCALED: "NUMBER(38,10)",
    ROUGH: "BINARY_DOUBLE",
    TEXT: "VARCHAR2(4000 CHAR)",
    NATIONAL: "NVARCHAR2(100)",
    PADDED: "CHAR(8 CHAR)",
    DAY: "DATE",
    AT: "TIMESTAMP(9)",
    ZONED: "TIMESTAMP(6) WITH TIME ZONE",
    LOCAL: "TIMESTAMP(6) WITH LOCAL TIME ZONE",
    MONTHS: "INTERVAL YEAR(4) TO MONTH",
    SPAN: "INTERVAL DAY(9) TO SECOND(6)",
    BYTES: "RAW(200)",
    LONG_TEXT: "CLOB",
    LONG_BYTES: "BLOB",
    TREE: "XMLTYPE",
    DOCUMENT: "JSON",
  };
  const columns = Object.entries(types).map(([name, type]) => ({ name, type, ...(name === "ID" ? { notNull: true } : {}) }));
  const tables = await task.dictionary.declare({ tables: [{ owner: "VALUE", name: "EDGES", columns, primaryKey: ["ID"] }] });
  const [table] = tables.values();
  if (!table) throw new Error("no table");
  return table;
}

it("loads values of every type exactly as they are", async () => {
  const table = await valuesTable();
  const one = task.emulator.begin();
  const digits = "-99999999999999999999999999999999999999.0000000001";
  one.insert(table, {
    ID: "1",
    EXACT: digits,
    SCALED: "1234567890123456789012345678.0123456789",
    ROUGH: "NaN",
    TEXT: 'tab\there\\ "quoted"\nnew line\r\\N',
    NATIONAL: "漢字Ü",
    PADDED: "ab      ",
    DAY: "0044-03-15 12:30:00 BC",
    AT: "2024-02-29 23:59:59.123456",
    ZONED: "2024-07-01 12:00:00.5+05:30",
    LOCAL: "2024-07-01 12:00:00+00",
    MONTHS: "-3 years -2 mons",
    SPAN: "12 days 03:04:05.678",
    BYTES: "\\x00ff10",
    LONG_TEXT: "é".repeat(40_000),
    LONG_BYTES: `\\x${"0badcafe".repeat(20_000)}`,
    TREE: "<a>1</a>",
    DOCUMENT: '{"amount": 12345678901234567890.123, "notes": ["é", null]}',
  });
  // '' is NULL, but an empty LOB is none.
  one.insert(table, { ID: "2", TEXT: "", LONG_TEXT: "", ROUGH: "-Infinity" });
  one.commit();
  const late = task.emulator.begin();
  await task.emulator.flush();
  await task.up({ migrationTypes: ["schema", "full"] });
  late.insert(table, { ID: "3" });
  const [edges] = await task.target<Record<string, string>>(
    `SELECT exact::text, scaled::text, rough::text, text, "national", octet_length(padded)::text AS padded, day::text, at::text,
            (zoned AT TIME ZONE 'UTC')::text AS zoned, (local AT TIME ZONE 'UTC')::text AS local, months::text, span::text, bytes::text,
            md5(long_text) AS long_text, md5(long_bytes) AS long_bytes, tree::text, document::text
       FROM value.edges WHERE id = 1`,
  );
  const [sums] = await task.target<{ text: string; bytes: string }>(
    "SELECT md5(repeat('é', 40000)) AS text, md5(decode(repeat('0badcafe', 20000), 'hex')) AS bytes",
  );
  expect(edges).toEqual({
    exact: digits,
    scaled: "1234567890123456789012345678.0123456789",
    rough: "NaN",
    text: 'tab\there\\ "quoted"\nnew line\r\\N',
    national: "漢字Ü",
    padded: "8",
    day: "0044-03-15 12:30:00 BC",
    at: "2024-02-29 23:59:59.123456",
    zoned: "2024-07-01 06:30:00.5",
    local: "2024-07-01 12:00:00",
    months: "-3 years -2 mons",
    span: "12 days 03:04:05.678",
    bytes: "\\x00ff10",
    long_text: sums?.text,
    long_bytes: sums?.bytes,
    tree: "<a>1</a>",
    // By way of an object of JavaScript's the number would have lost its last digits.
    document: '{"notes": ["é", null], "amount": 12345678901234567890.123}',
  });
  expect(await task.target("SELECT text, long_text, rough::text FROM value.edges WHERE id = 2")).toEqual([
    { text: null, long_text: "", rough: "-Infinity" },
  ]);
  expect(await task.target("SELECT count(*)::int AS n FROM value.edges")).toEqual([{ n: 2 }]);
});

it("reads a large table in ranges of row ids, at one SCN, each row once", async () => {
  const tables = await task.dictionary.declare({
    tables: [
      {
        owner: "LARGE",
        name: "ROWS",
        columns: [
          { name: "ID", type: "NUMBER(9,0)", notNull: true },
          { name: "NOTE", type: "VARCHAR2(100)" },
        ],
        primaryKey: ["ID"],
        // As many blocks as make it worth splitting.
        blocks: 40_000,
      },
    ],
  });
  const [table] = tables.values();
  if (!table) throw new Error("no table");
  const extents = Array.from({ length: 4 }, (_, block) => `('LARGE', 'ROWS', NULL, 'TABLE', 1, ${block}, 1)`);
  await task.dictionary.change(`INSERT INTO oracle_emulator.dba_extents VALUES ${extents.join(", ")}`);
  const one = task.emulator.begin();
  for (let id = 1; id <= 70_000; id++) one.insert(table, { ID: `${id}`, NOTE: `row ${id}` });
  one.commit();
  await task.emulator.flush();
  await task.up({ migrationTypes: ["schema", "full"], parallelism: { tables: 2, chunksPerTable: 4, indexes: 1 } });
  expect(await task.target("SELECT count(*)::int AS n, sum(id)::text AS sum FROM large.rows")).toEqual([
    { n: 70_000, sum: String((70_000 * 70_001) / 2) },
  ]);
});
