import type { Client } from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { readCatalog } from "../../../../provider/databases/oracle/catalog/readCatalog.js";
import { minesLocally, OracleConnections } from "../../../../provider/databases/oracle/connections.js";
import { KEPT } from "../../../../provider/databases/oracle/precheck/logging.js";
import { oraclePairChecks } from "../../../../provider/databases/oracle/precheck/pairChecks.js";
import { oracleSourceChecks } from "../../../../provider/databases/oracle/precheck/sourceChecks.js";
import { DATABASE_ZONE, readOracleFacts } from "../../../../provider/databases/oracle/serverFacts.js";
import { connect } from "../../../../provider/databases/postgres/connection.js";
import type { PrecheckItem } from "../../../../provider/engine/models/plan.js";
import { resolvePlan } from "../../../../provider/engine/plan.js";
import type { TaskDefinition } from "../../../../provider/engine/taskDefinition.js";
import { BUSY } from "../../../support/oracle/busyShop.js";
import { EmulatedDictionary } from "../../../support/oracle/dictionary.js";
import { OracleEmulator } from "../../../support/oracle/emulator.js";
import { PARCELS, SHOP } from "../../../support/oracle/shopSchema.js";
import { type PostgresServer, startPostgres } from "../../../support/postgres.js";
import { REPOSITORY } from "../../../support/pulumiProject.js";

process.env.GODWIT_ORACLE_DRIVER = `${REPOSITORY}/test/support/oracle/emulatorModule.cjs`;

let server: PostgresServer;
let emulator: OracleEmulator;
let dictionary: EmulatedDictionary;
let database: string;
let count = 0;

beforeAll(async () => {
  server = await startPostgres({ major: 17, name: "oracle", settings: { fsync: "off" } });
});
afterAll(() => server.remove());
beforeEach(async () => {
  database = `source_${++count}`;
  emulator = await OracleEmulator.create(server, database);
  dictionary = await EmulatedDictionary.create(emulator);
  await dictionary.declare(BUSY);
});
afterEach(() => emulator.close());

const DEFINITION = { taskId: "t", migrationTypes: ["schema", "full", "incremental"] } as unknown as TaskDefinition;

async function checks(definition = DEFINITION): Promise<ReadonlyMap<string, PrecheckItem>> {
  const endpoint = { engine: "oracle", ...OracleEmulator.endpoint(server, database) };
  const sources = new OracleConnections(endpoint, "test");
  let target: Client | undefined;
  try {
    const connection = await sources.connect("check");
    const catalog = await readCatalog(connection);
    const facts = await readOracleFacts(connection, endpoint);
    target = await connect(server.endpoint("postgres"), { applicationName: "test" });
    const items = [
      ...(await oracleSourceChecks(
        { connection, mining: () => sources.connectMining("mining"), facts, user: "GODWIT", catalog },
        resolvePlan(catalog).tables,
        definition,
      )),
      ...(await oraclePairChecks(facts, target)),
    ];
    return new Map(items.map((item) => [item.item, item]));
  } finally {
    await target?.end();
    sources.close();
  }
}

describe("prechecks of an Oracle source", () => {
  it("all pass on a database that is ready", async () => {
    const items = [...(await checks()).values()];
    expect(items.filter(({ passed }) => !passed)).toEqual([]);
    expect(items.map(({ item }) => item).sort()).toEqual([
      "encoding",
      "nameLength",
      "rowWidth",
      "sourceArchiveLog",
      "sourceContainer",
      "sourceForceLogging",
      "sourceKeyLogging",
      "sourceLobSizes",
      "sourceLogMinerNames",
      "sourceLogMinerRights",
      "sourceLogRetention",
      "sourceReadRights",
      "sourceSupplementalLogging",
      "sourceTriggers",
      "sourceTypes",
      "sourceUndoRetention",
      "sourceVersion",
      "sourceXmlStorage",
      "timeZone",
    ]);
  });

  it.each([
    [
      "sourceVersion",
      "UPDATE oracle_emulator.nls_database_parameters SET value = '10.2.0.5.0' WHERE parameter = 'NLS_RDBMS_VERSION'",
      /11.2 and up/,
    ],
    ["sourceArchiveLog", "UPDATE oracle_emulator.instance_setting SET log_mode = 'NOARCHIVELOG'", /ALTER DATABASE ARCHIVELOG/],
    [
      "sourceSupplementalLogging",
      "UPDATE oracle_emulator.instance_setting SET minimal = 'NO'",
      /ADD SUPPLEMENTAL LOG DATA \(in CDB\$ROOT\)/,
    ],
    [
      "sourceKeyLogging",
      "UPDATE oracle_emulator.instance_setting SET primary_key = 'NO'",
      /"BUSY"."ORDERS" ADD SUPPLEMENTAL LOG DATA \(PRIMARY KEY\) COLUMNS/,
    ],
    [
      "sourceKeyLogging",
      "DELETE FROM oracle_emulator.all_log_groups",
      /"BUSY"."EVENTS" ADD SUPPLEMENTAL LOG DATA \(ALL\) COLUMNS/,
    ],
    [
      "sourceLogMinerRights",
      "DELETE FROM oracle_emulator.session_privs WHERE privilege = 'LOGMINING'",
      /^GRANT LOGMINING TO GODWIT$/,
    ],
    ["sourceLogMinerRights", "ALTER VIEW oracle_emulator.v$logfile RENAME TO hidden", /^GRANT SELECT ON V_\$LOGFILE TO GODWIT$/],
    [
      "sourceReadRights",
      "DELETE FROM oracle_emulator.object_table WHERE name = 'PAPERS'",
      /GRANT SELECT, FLASHBACK ON "BUSY"."PAPERS" TO GODWIT/,
    ],
    ["sourceUndoRetention", "UPDATE oracle_emulator.instance_setting SET undo_retention = '10'", /SET UNDO_RETENTION = 900/],
    [
      "sourceContainer",
      "UPDATE oracle_emulator.instance_setting SET container = 'LOCKED', version_full = '19.9.0.0.0'",
      /CREATE USER C##GODWIT/,
    ],
    [
      "nameLength",
      `UPDATE oracle_emulator.dba_tab_cols SET column_name = repeat('X', 70) WHERE column_name = 'NOTE'`,
      /rename of your own/,
    ],
    [
      "sourceLogMinerNames",
      `UPDATE oracle_emulator.dba_tab_cols SET column_name = repeat('X', 31) WHERE column_name = 'NOTE'`,
      /rename them at the source, or leave these tables to a task without incremental/,
    ],
    [
      "sourceForceLogging",
      `UPDATE oracle_emulator.instance_setting SET force_logging = 'NO';
       INSERT INTO oracle_emulator.dba_lobs VALUES ('BUSY', 'PAPERS', 'BODY', 'SYS_LOB1', 'NO');
       UPDATE oracle_emulator.dba_all_tables SET logging = 'NO' WHERE table_name = 'ORDERS'`,
      /ENABLE FORCE LOGGING.*"BUSY"."ORDERS" LOGGING.*"BUSY"."PAPERS" MODIFY LOB \("BODY"\) \(NOCACHE LOGGING\)/,
    ],
    ["sourceForceLogging", "UPDATE oracle_emulator.instance_setting SET force_logging = 'NO'", /ENABLE FORCE LOGGING/],
    ["sourceLogMinerRights", "ALTER VIEW oracle_emulator.v$thread RENAME TO hidden", /^GRANT SELECT ON V_\$THREAD TO GODWIT$/],
  ])("%s fails after %s, and the remedy mends it", async (item, change, remedy) => {
    await dictionary.change(change);
    const found = (await checks()).get(item);
    expect(found?.passed).toBe(false);
    expect(found?.remedy).toMatch(remedy);
  });

  it("says which XML columns LogMiner may not show changes of", async () => {
    await dictionary.declare({
      tables: [
        {
          owner: "BUSY",
          name: "DOCUMENTS",
          columns: [
            { name: "ID", type: "NUMBER(9,0)", notNull: true },
            { name: "TREE", type: "XMLTYPE" },
          ],
          primaryKey: ["ID"],
        },
      ],
    });
    expect((await checks()).get("sourceXmlStorage")).toMatchObject({ passed: true });
    await dictionary.change(
      "INSERT INTO oracle_emulator.all_xml_tab_cols VALUES ('BUSY', 'DOCUMENTS', 'TREE', 'OBJECT-RELATIONAL')",
    );
    expect((await checks()).get("sourceXmlStorage")).toMatchObject({
      passed: false,
      severity: "warning",
      message: expect.stringMatching(/BUSY\.DOCUMENTS\.TREE are stored as objects.*GW1725/),
    });
    await dictionary.change("UPDATE oracle_emulator.compatible SET value = '11.2.0.0.0'");
    expect((await checks()).get("sourceXmlStorage")).toMatchObject({
      passed: false,
      severity: "error",
      remedy: expect.stringMatching(/^raise COMPATIBLE to 11\.2\.0\.3/),
    });
  });

  it("warns of rows of a thousand columns, which Oracle chains and PostgreSQL refuses", async () => {
    const columns = (type: string) => Array.from({ length: 999 }, (_, index) => ({ name: `C${index}`, type }));
    const id = { name: "ID", type: "NUMBER(9,0)", notNull: true };
    await dictionary.declare({
      tables: [
        { owner: "BUSY", name: "WIDE", columns: [id, ...columns("VARCHAR2(40 BYTE)")], primaryKey: ["ID"] },
        { owner: "BUSY", name: "LEAN", columns: [id, ...columns("NUMBER(9,0)")], primaryKey: ["ID"] },
      ],
    });
    expect((await checks()).get("rowWidth")).toMatchObject({
      passed: false,
      severity: "warning",
      message: expect.stringMatching(/: BUSY\.WIDE \(1000 columns, 18\d{3} bytes\)$/),
    });
  });

  it("lets a user of the pluggable database alone mine inside it from 19.10 on, and names what that takes there", async () => {
    await dictionary.change("UPDATE oracle_emulator.instance_setting SET container = 'LOCKED', minimal = 'NO'");
    await dictionary.change("DELETE FROM oracle_emulator.session_privs WHERE privilege = 'LOGMINING'");
    const found = await checks();
    expect(found.get("sourceContainer")).toMatchObject({
      passed: true,
      message: expect.stringMatching(/from inside, without the root/),
    });
    expect(found.get("sourceSupplementalLogging")?.remedy).toBe("ALTER PLUGGABLE DATABASE ADD SUPPLEMENTAL LOG DATA");
    expect(found.get("sourceLogMinerRights")?.remedy).toMatch(/^GRANT LOGMINING TO GODWIT; .*GRANT_ADMIN_PRIVILEGE\('GODWIT'\)$/);
  });

  it.each([
    ["19.9.0.0.0", false],
    ["19.10.0.0.0", true],
    ["19.21.0.0.0", true],
    ["18.14.0.0.0", false],
    ["21.3.0.0.0", true],
    ["23.4.0.24.5", true],
    ["", false],
  ])("a server of %s mines inside a pluggable database: %s", (version, expected) => {
    expect(minesLocally(version)).toBe(expected);
  });

  it("finds a LOB that is too large for PostgreSQL, without reading LOBs where their storage is small", async () => {
    const papers = (
      await dictionary.declare({ tables: [{ ...(BUSY.tables?.[2] ?? { owner: "", columns: [] }), name: "SHEETS" }] })
    ).get("SHEETS");
    if (!papers) throw new Error("no table");
    const one = emulator.begin();
    one.insert(papers, { ID: "1", TITLE: "x", BODY: "huge one" });
    one.commit();
    await emulator.flush();
    await dictionary.change("INSERT INTO dbms_lob.huge VALUES ('huge one')");
    expect((await checks()).get("sourceLobSizes")?.passed).toBe(true);
    await dictionary.change(
      `INSERT INTO oracle_emulator.dba_lobs VALUES ('BUSY', 'SHEETS', 'BODY', 'SYS_LOB1');
       INSERT INTO oracle_emulator.dba_segments VALUES ('BUSY', 'SYS_LOB1', 700000000)`,
    );
    expect((await checks()).get("sourceLobSizes")).toMatchObject({
      passed: false,
      message: "BUSY.SHEETS.BODY (600000000) hold values too large for PostgreSQL",
    });
    await dictionary.change("DROP TABLE oracle_emulator.dba_segments");
    expect((await checks()).get("sourceLobSizes")?.message).toMatch(/DBA_SEGMENTS can't be read/);
  });

  it("warns of short log retention, other time zones and character sets that do not fit", async () => {
    await emulator.answer(KEPT, [{ hours: "3.2" }]);
    await emulator.answer(DATABASE_ZONE, [{ zone: "+02:00" }]);
    const items = await checks();
    expect(items.get("sourceLogRetention")).toMatchObject({
      passed: false,
      severity: "warning",
      message: expect.stringMatching(/last 3 hours/),
    });
    expect(items.get("timeZone")).toMatchObject({ passed: false, severity: "warning" });
  });

  it("names columns whose values have no text, and says that triggers stay quiet", async () => {
    await dictionary.declare(SHOP);
    await dictionary.declare(PARCELS);
    const items = await checks();
    expect(items.get("sourceTypes")).toMatchObject({
      passed: false,
      message: 'values of SHOP.PARCELS.ADDRESS ("SHOP"."ADDRESS_T") cannot be followed: LogMiner shows no changes of them',
    });
    const loading = { ...DEFINITION, migrationTypes: ["schema", "full"] } as TaskDefinition;
    expect((await checks(loading)).get("sourceTypes")?.message).toMatch(/cannot be read as text/);
    await dictionary.change(
      "INSERT INTO oracle_emulator.dba_type_attrs VALUES ('SHOP', 'ADDRESS_T', 'CITY', NULL, 'VARCHAR2', 1)",
    );
    expect((await checks(loading)).get("sourceTypes")?.passed).toBe(true);
    await dictionary.change("INSERT INTO oracle_emulator.dba_types VALUES ('SHOP', 'OTHER_T', 'SHOP', 'ADDRESS_T')");
    expect((await checks(loading)).get("sourceTypes")?.passed).toBe(false);
    expect(items.get("sourceTriggers")).toMatchObject({ passed: false, severity: "warning" });
  });
});
