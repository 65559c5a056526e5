import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { listLocalLeftovers } from "../support/leftovers.js";
import { EmulatedDictionary } from "../support/oracle/dictionary.js";
import { type EmulatedTable, OracleEmulator } from "../support/oracle/emulator.js";
import { SHOP } from "../support/oracle/shopSchema.js";
import { type PostgresServer, startPostgres } from "../support/postgres.js";
import { createProgram, type PulumiProgram } from "../support/pulumi.js";
import { REPOSITORY } from "../support/pulumiProject.js";

const EXAMPLE = join(REPOSITORY, "examples/oracle-to-postgresql");

let server: PostgresServer;
let emulator: OracleEmulator;
let orders: EmulatedTable;
let program: PulumiProgram;

beforeAll(async () => {
  server = await startPostgres({ major: 17, name: "oracle", settings: { fsync: "off" } });
  emulator = await OracleEmulator.create(server, "emulated");
  const tables = await (await EmulatedDictionary.create(emulator)).declare(SHOP);
  const [customers, found] = [tables.get("CUSTOMERS"), tables.get("ORDERS")];
  if (!customers || !found) throw new Error("no tables");
  orders = found;
  const one = emulator.begin();
  for (let id = 1; id <= 20; id++) {
    one.insert(customers, { ID: `${id}`, NAME: `n${id}`, SINCE: "2024-01-01 00:00:00" });
    one.insert(orders, { ID: `${id}`, CUSTOMER_ID: `${id}`, STATUS: "open" });
  }
  one.commit();
  await emulator.flush();
  await server.createDatabase("shop");
  const files: Record<string, string> = {};
  for (const name of ["index.ts", "Pulumi.yaml", "package.json", "tsconfig.json"]) {
    files[name] = await readFile(join(EXAMPLE, name), "utf8");
  }
  const driver = join(REPOSITORY, "test/support/oracle/emulatorModule.cjs");
  program = await createProgram({ files, environment: { GODWIT_ORACLE_DRIVER: driver } });
  const { host, port, username, password } = server;
  const settings = {
    sourceHost: `${host}:${port}`,
    sourceUsername: username,
    sourceService: "emulated",
    schema: "SHOP",
    targetHost: `${host}:${port}`,
    targetUsername: username,
    targetDatabase: "shop",
  };
  for (const [key, value] of Object.entries(settings)) await program.config.set(key, value);
  for (const key of ["sourcePassword", "targetPassword"]) await program.config.set(key, password, { secret: true });
});
afterAll(async () => {
  await program?.remove();
  await emulator?.close();
  await server?.remove();
});

async function statuses(): Promise<unknown> {
  return (await server.query("SELECT status, count(*)::int AS n FROM shop.orders GROUP BY 1 ORDER BY 1", undefined, "shop")).rows;
}

it("the example moves a schema out of an emulated Oracle, keeps it in step, and takes itself away", async () => {
  expect((await program.up()).changes).toMatchObject({ create: 5 });
  const outputs = await program.outputs();
  expect(outputs).toMatchObject({ state: "running", startedAt: expect.stringMatching(/^SCN \d+$/) });
  expect(outputs.leftOut).toContainEqual(expect.stringMatching(/^synonym SHOP\.ELSEWHERE: a synonym through a database link/));
  expect(await statuses()).toEqual([{ status: "open", n: 20 }]);
  const two = emulator.begin();
  two.update(two.free(orders)[0] ?? "", { STATUS: "paid" });
  two.commit();
  await emulator.flush();
  await expect.poll(statuses, { timeout: 60_000, interval: 500 }).toEqual([
    { status: "open", n: 19 },
    { status: "paid", n: 1 },
  ]);
  expect((await program.up()).changes).toMatchObject({ same: 5 });
  expect((await program.refresh()).exitCode).toBe(0);
  expect((await program.up()).changes).toMatchObject({ same: 5 });
  expect((await program.destroy()).changes).toMatchObject({ delete: 5 });
  expect(await listLocalLeftovers(program.godwitHome)).toEqual([]);
  const { rows } = await server.query("SELECT to_regnamespace('godwit') AS store", undefined, "shop");
  expect(rows).toEqual([{ store: null }]);
});
