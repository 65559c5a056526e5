import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";
import { OracleEmulator } from "../../../support/oracle/emulator.js";
import { type PostgresServer, startPostgres } from "../../../support/postgres.js";

const ROOT = join(__dirname, "../../../..");
const MODULE = join(ROOT, "test/support/oracle/emulatorModule.cjs");

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres({ major: 17, name: "oracle", settings: { fsync: "off" } });
});
afterAll(() => server.remove());

async function inProcess(environment: Record<string, string>, flags: readonly string[] = []): Promise<string> {
  const endpoint = OracleEmulator.endpoint(server, "seam");
  const script =
    "require(process.argv[1]); const { connectOracle } = require(process.argv[2]);" +
    "connectOracle(JSON.parse(process.argv[3]), { applicationName: 'godwit/test' })" +
    `.then(async (session) => { console.log(JSON.stringify(await session.query('SELECT D.CURRENT_SCN AS "SCN", D.DBID FROM V$DATABASE D')));` +
    " await session.close(); }).catch((cause) => console.log(String(cause)));";
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [...flags, "-e", script, MODULE, join(ROOT, "provider/databases/oracle/driver.ts"), JSON.stringify(endpoint)],
    { env: { PATH: process.env.PATH, ...environment } },
  );
  return stdout.trim();
}

it("lets a process of its own work with the emulator, and only when it is told to", async () => {
  const emulator = await OracleEmulator.create(server, "seam");
  await emulator.close();
  expect(await inProcess({ GODWIT_ORACLE_DRIVER: MODULE })).toBe('[{"SCN":"1000","DBID":"4242424242"}]');
  // The real driver meets something that is no listener.
  const flags = ["--import", join(ROOT, "node_modules/tsx/dist/loader.mjs")];
  expect(await inProcess({}, flags)).toMatch(/^GodwitError: GW11/);
  expect(await inProcess({ GODWIT_ORACLE_DRIVER: join(ROOT, "test/support/oracle/translate.ts") }, flags)).toContain("GW1001");
});
