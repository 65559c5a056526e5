import type { Client } from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { readCatalog } from "../../../../provider/databases/oracle/catalog/readCatalog.js";
import { OracleConnections } from "../../../../provider/databases/oracle/connections.js";
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

async function checks(): Promise<ReadonlyMap<string, PrecheckItem>> {
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
        { connection, root: async () => (await sources.connectRoot("root")).connection, facts, user: "GODWIT", catalog },
        resolvePlan(catalog).tables,
        DEFINITION,
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
      "sourceArchiveLog",
      "sourceContainer",
      "sourceKeyLogging",
      "sourceLogMinerRights",
      "sourceLogRetention",
      "sourceReadRights",
      "sourceSupplementalLogging",
      "sourceTriggers",
      "sourceTypes",
      "sourceUndoRetention",
      "sourceVersion",
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
    ["sourceContainer", "UPDATE oracle_emulator.instance_setting SET container = 'LOCKED'", /CREATE USER C##GODWIT/],
    [
      "nameLength",
      `UPDATE oracle_emulator.dba_tab_cols SET column_name = repeat('X', 70) WHERE column_name = 'NOTE'`,
      /rename of your own/,
    ],
  ])("%s fails after %s, and the remedy mends it", async (item, change, remedy) => {
    await dictionary.change(change);
    const found = (await checks()).get(item);
    expect(found?.passed).toBe(false);
    expect(found?.remedy).toMatch(remedy);
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
      message: 'values of SHOP.PARCELS.ADDRESS ("SHOP"."ADDRESS_T") cannot be moved',
    });
    expect(items.get("sourceTriggers")).toMatchObject({ passed: false, severity: "warning" });
  });
});
