import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { connectOracle } from "../../provider/databases/oracle/driver.js";
import type { TaskEndpoint } from "../../provider/engine/models/endpoint.js";
import { listLocalLeftovers } from "../support/leftovers.js";
import { BUSY } from "../support/oracle/busyShop.js";
import { EmulatedDictionary } from "../support/oracle/dictionary.js";
import { type EmulatedTable, OracleEmulator } from "../support/oracle/emulator.js";
import { type PostgresServer, startPostgres } from "../support/postgres.js";
import { REPOSITORY } from "../support/pulumiProject.js";
import { accept, type Scratch } from "./acceptance.js";
import { compareSides } from "./compareSides.js";

process.env.GODWIT_ORACLE_DRIVER = join(REPOSITORY, "test/support/oracle/emulatorModule.cjs");

const TABLES = ["ORDERS", "EVENTS", "PAPERS"];
let server: PostgresServer;
let emulator: OracleEmulator;

beforeAll(async () => {
  server = await startPostgres({ major: 17, name: "oracle", settings: { fsync: "off" } });
  emulator = await OracleEmulator.create(server, "source");
  await server.createDatabase("target");
});
afterAll(async () => {
  await emulator.close();
  await server.remove();
});

/** What oracleScratch.ts does by SQL, done to the emulator, which takes none. */
async function emulatedScratch(spoil: () => Promise<void>): Promise<Scratch> {
  const dictionary = await EmulatedDictionary.create(emulator);
  let orders: EmulatedTable | undefined;
  let events: EmulatedTable | undefined;
  return {
    schema: "BUSY",
    tables: TABLES,
    async create() {
      const tables = await dictionary.declare(BUSY);
      orders = tables.get("ORDERS");
      events = tables.get("EVENTS");
      const one = emulator.begin();
      if (orders)
        for (let id = 1; id <= 100; id++) one.insert(orders, { ID: `${id}`, NOTE: "it's", CREATED: "2024-02-29 23:59:59" });
      if (events) for (let row = 0; row < 20; row++) one.insert(events, { WHAT: `${row % 3}` });
      one.commit();
      await emulator.flush();
    },
    async change() {
      if (!orders || !events) return;
      const one = emulator.begin();
      const [first = "", second = "", third = ""] = one.free(orders);
      one.update(first, { NOTE: "changed", TOKEN: "\\x00ff" });
      const before = one.savepoint();
      one.delete(second);
      one.rollbackTo(before);
      one.delete(third);
      one.delete(one.free(events)[0] ?? "");
      one.commit();
      await emulator.flush();
      await spoil();
    },
    async restructure() {
      if (!orders) return;
      const wider = await dictionary.addColumn(orders, { name: "PAGES", type: "NUMBER(5,0)" });
      emulator.ddl(wider, "alter table orders add (pages number(5))");
      const one = emulator.begin();
      one.insert(wider, { ID: "7777", PAGES: "12" });
      one.commit();
      await emulator.flush();
    },
    remove: async () => undefined,
  };
}

interface Ran {
  readonly held: boolean;
  readonly lines: readonly string[];
  readonly home: string;
}

async function run(spoil: () => Promise<void>): Promise<Ran> {
  const home = await mkdtemp(join(tmpdir(), "godwit-accept-test-"));
  const source = { engine: "oracle", ...OracleEmulator.endpoint(server, "source") } as TaskEndpoint;
  const connection = await connectOracle(source, { applicationName: "test" });
  const lines: string[] = [];
  try {
    const held = await accept({
      source,
      target: server.endpoint("target") as TaskEndpoint,
      scratch: await emulatedScratch(spoil),
      compare: () => compareSides(connection, server.endpoint("target") as TaskEndpoint, "BUSY", TABLES),
      say: (step, text) => void lines.push(`${step}: ${text}`),
      seconds: 20,
      home,
    });
    return { held, lines, home };
  } finally {
    await connection.close();
  }
}

it("accepts a database whose rows all arrive, says what it compared, and takes itself away", async () => {
  const { held, lines, home } = await run(async () => undefined);
  expect(lines.filter((line) => /DIFFERENT|FAILED|error/.test(line))).toEqual([]);
  expect(held).toBe(true);
  expect(lines).toContain("loaded: ORDERS: 100 rows, equal");
  expect(lines).toContain("changed: ORDERS: 99 rows, equal");
  expect(lines).toContain("restructured: ORDERS: 100 rows, equal");
  expect(lines).toContain("removed: the task");
  expect(await listLocalLeftovers(home)).toEqual([]);
});

it("does not accept one where a row is another at the target", async () => {
  await emulator.close();
  emulator = await OracleEmulator.create(server, "source2");
  await server.query("DROP SCHEMA busy CASCADE", undefined, "target");
  const source = { engine: "oracle", ...OracleEmulator.endpoint(server, "source2") } as TaskEndpoint;
  const connection = await connectOracle(source, { applicationName: "test" });
  const lines: string[] = [];
  const held = await accept({
    source,
    target: server.endpoint("target") as TaskEndpoint,
    scratch: await emulatedScratch(async () => {
      await server.query("UPDATE busy.orders SET note = 'spoilt' WHERE id = 50", undefined, "target");
    }),
    compare: () => compareSides(connection, server.endpoint("target") as TaskEndpoint, "BUSY", TABLES),
    say: (step, text) => void lines.push(`${step}: ${text}`),
    seconds: 8,
  });
  await connection.close();
  expect(held).toBe(false);
  expect(lines).toContainEqual(expect.stringMatching(/^changed: ORDERS: 99 rows, DIFFERENT: - \(50,it's/));
  expect(lines).toContain("removed: the task");
});
