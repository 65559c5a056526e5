import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { killProcess } from "../support/kill.js";
import { BUSY, BusyShop } from "../support/oracle/busyShop.js";
import type { EmulatedTable } from "../support/oracle/emulator.js";
import { createOracleTask, discardOracleTask, type OracleTask } from "../support/oracle/oracleTask.js";
import { type PostgresServer, startPostgres } from "../support/postgres.js";
import { RandomSource } from "../support/randomSource.js";

const CHANGES = 100_000;
const ROUNDS = 12;

let emulated: PostgresServer;
let target: PostgresServer;
let task: OracleTask;
let tables: readonly EmulatedTable[];

beforeAll(async () => {
  [emulated, target] = await Promise.all([
    startPostgres({ major: 17, name: "oracle", settings: { fsync: "off" } }),
    startPostgres({ major: 17, name: "target" }),
  ]);
});
afterAll(() => Promise.all([emulated.remove(), target.remove()]));
beforeEach(async () => {
  task = await createOracleTask(emulated, target);
  tables = [...(await task.dictionary.declare(BUSY)).values()];
});
afterEach(() => discardOracleTask(task));

it(`loses nothing of ${CHANGES} changes from Oracle while its worker is killed, and applies nothing twice`, async () => {
  const seed = Number(process.env.GODWIT_SEED ?? Date.now() % 1_000_000);
  console.log(`oracleKills: seed ${seed} (GODWIT_SEED=${seed} replays it)`);
  const random = new RandomSource(seed);
  const { emulator } = task;
  const shop = new BusyShop(emulator, tables, () => random.integer(0, 999_999) / 1_000_000);
  shop.play(2000);
  await emulator.flush();
  // Open from before the snapshot to after the last round: across every window between.
  const [orders] = tables;
  if (!orders) throw new Error("no table");
  const long = emulator.begin();
  for (let id = 1; id <= 50; id++) long.insert(orders, { ID: `${9_000_000 + id}`, NOTE: "open for long" });
  const up = task.up({ migrationTypes: ["schema", "full", "incremental"] });
  up.catch(() => undefined);
  let kills = 0;
  for (let round = 0; round < ROUNDS; round++) {
    shop.play(CHANGES / ROUNDS);
    long.insert(orders, { ID: `${9_100_000 + round}`, NOTE: "still open" });
    await emulator.flush();
    await sleep(random.integer(500, 4000));
    // On a busy machine the next worker takes its time to come.
    for (const end = Date.now() + 15_000; Date.now() < end; await sleep(100)) {
      if (!(await killProcess(task.home, "worker"))) continue;
      kills++;
      break;
    }
  }
  await up;
  shop.finish();
  long.commit();
  await emulator.flush();
  expect(kills).toBeGreaterThanOrEqual(8);
  expect(shop.changes).toBeGreaterThanOrEqual(CHANGES);
  expect(shop.rollbacksToSavepoint).toBeGreaterThan(1000);
  expect(shop.sharedScns).toBeGreaterThan(100);
  for (const table of tables) {
    const { rows, ...differences } = await task.settle(table, 150);
    expect(differences, table.name).toEqual({ onlyInSource: [], onlyInTarget: [] });
    expect(rows, table.name).toBeGreaterThan(1000);
  }
  expect((await task.refresh())?.state).toBe("running");
  await task.destroy();
  expect(await task.leftovers()).toEqual([]);
}, 420_000);
