import { afterAll, beforeAll, expect, it } from "vitest";
import type { OracleCatalog } from "../../../../provider/databases/oracle/catalog/model.js";
import { naturalName, oracleSpelling } from "../../../../provider/databases/oracle/catalog/naturalName.js";
import { readCatalog } from "../../../../provider/databases/oracle/catalog/readCatalog.js";
import { EmulatedDictionary } from "../../../support/oracle/dictionary.js";
import { OracleEmulator } from "../../../support/oracle/emulator.js";
import { oracleDriver } from "../../../support/oracle/emulatorDriver.js";
import { SHOP } from "../../../support/oracle/shopSchema.js";
import { type PostgresServer, startPostgres } from "../../../support/postgres.js";

let server: PostgresServer;
let emulator: OracleEmulator;
let dictionary: EmulatedDictionary;

beforeAll(async () => {
  server = await startPostgres({ major: 17, name: "oracle", settings: { fsync: "off" } });
  emulator = await OracleEmulator.create(server, "source");
  dictionary = await EmulatedDictionary.create(emulator);
  await dictionary.declare(SHOP);
});
afterAll(async () => {
  await emulator.close();
  await server.remove();
});

async function read(): Promise<OracleCatalog> {
  const connection = await oracleDriver.connect(OracleEmulator.endpoint(server, "source"), { applicationName: "test" });
  try {
    return await readCatalog(connection);
  } finally {
    await connection.close();
  }
}

it("reads columns as DDL has them, keys, partitions and what can't move", async () => {
  const catalog = await read();
  expect(catalog.schemas).toEqual(["SHOP"]);
  const customers = catalog.tables.find(({ name }) => name === "CUSTOMERS");
  expect(customers?.columns.map(({ name, type }) => `${name} ${type}`)).toEqual([
    "ID NUMBER(9,0)",
    "NAME VARCHAR2(60 CHAR)",
    "EMAIL VARCHAR2(120 BYTE)",
    "CODE CHAR(6 CHAR)",
    "SINCE DATE",
    "SEEN TIMESTAMP(6) WITH TIME ZONE",
    "CREDIT NUMBER",
    "FULL_NAME VARCHAR2(80 CHAR)",
  ]);
  expect(customers?.key).toEqual({ source: "primaryKey", columns: ["ID"] });
  expect(catalog.tables.find(({ name }) => name === "EVENTS")?.key).toEqual({ source: "none", columns: [] });
  // A temporary table has no rows that anyone else sees.
  expect(catalog.tables.find(({ name }) => name === "SCRATCH")?.kind).toBe("partitionedTable");
  const events = [...catalog.details.values()].find(({ name }) => name === "EVENTS");
  expect(events?.partitioning).toMatch(/^PARTITION BY RANGE \("AT"\) \(PARTITION "P2024" VALUES LESS THAN \(TO_DATE/);
  expect(catalog.unsupported).toEqual([expect.objectContaining({ kind: "database link", name: "FAR.AWAY" })]);
  expect(catalog.constraints.map(({ kind, name }) => `${kind} ${name}`).sort()).toEqual([
    "check CUSTOMER_CREDIT",
    "check ORDER_STATUS",
    "foreignKey ORDER_CUSTOMER",
    "primaryKey CUSTOMERS_PK",
    "primaryKey ORDERS_PK",
    "unique CUSTOMERS_UK1",
  ]);
});

it("takes the narrowest unique key of required columns where there is no primary key, and none that may be deferred or is disabled", async () => {
  await dictionary.declare({
    tables: [
      {
        owner: "KEYS",
        name: "CHOICE",
        columns: ["A", "B", "C"].map((name) => ({ name, type: "NUMBER(9,0)", notNull: name !== "C" })),
        unique: [["A", "B"], ["B"], ["C"]],
      },
    ],
  });
  const keyOf = async () => (await read()).tables.find(({ name }) => name === "CHOICE")?.key;
  expect(await keyOf()).toEqual({ source: "uniqueIndex", columns: ["B"] });
  await dictionary.change(
    "UPDATE oracle_emulator.dba_constraints SET status = 'DISABLED' WHERE constraint_name = 'CHOICE_UK2'; DELETE FROM oracle_emulator.dba_indexes WHERE index_name LIKE 'CHOICE%'",
  );
  expect(await keyOf()).toEqual({ source: "uniqueIndex", columns: ["A", "B"] });
  await dictionary.change(
    `UPDATE oracle_emulator.dba_constraints SET "deferrable" = 'DEFERRABLE' WHERE constraint_name = 'CHOICE_UK1'`,
  );
  expect(await keyOf()).toEqual({ source: "none", columns: [] });
});

it("folds names as their authors meant them", () => {
  expect(["EMP_SEQ", "Mixed", "WITH SPACE", "lower", "ÄRZTE", "A$1"].map(naturalName)).toEqual([
    "emp_seq",
    "Mixed",
    "WITH SPACE",
    "lower",
    "ärzte",
    "a$1",
  ]);
  expect(["emp", "Mixed", "EMP", "with space"].map(oracleSpelling)).toEqual(["EMP", "Mixed", undefined, "with space"]);
});
