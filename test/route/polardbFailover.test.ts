import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { MigrationTaskInputs } from "../../provider/contract/types.js";
import { type Comparison, compareDatabases } from "../support/compareTables.js";
import { addStandby, type StandbyNode } from "../support/polardbO/standby.js";
import { type PolardbStandIn, startPolardbStandIn } from "../support/polardbO/standIn.js";
import type { PostgresServer } from "../support/postgres.js";
import { createTestTask, discard, type TestTask } from "../support/task.js";
import { startWriters } from "../support/writers.js";

const TABLES = `
  CREATE SCHEMA app;
  CREATE TABLE app.account (id bigint PRIMARY KEY, name varchar2(200), balance numeric(20,4), seen timestamp(0), body text);
  CREATE TABLE app.bag (kind varchar(20), value integer);
  INSERT INTO app.account (id, name, balance) SELECT g, ('n' || g)::varchar, g / 3.0 FROM generate_series(1, 5000) g;
  INSERT INTO app.bag SELECT 'k' || g % 10, g % 100 FROM generate_series(1, 200) g; ANALYZE`;
const WRITTEN = [
  { schema: "app", name: "account", key: "id" },
  { schema: "app", name: "bag", operations: { insert: 2, update: 1, delete: 1, keyChange: 0 } },
];

const inputs = (given: { source: unknown; target: unknown }): Parameters<TestTask["up"]>[0] => ({
  migrationTypes: ["schema", "full", "incremental"],
  retry: { connectionMinutes: 10, otherMinutes: 1 },
  ...(given as Pick<MigrationTaskInputs, "source" | "target">),
});

const config = (server: PostgresServer, password: string, database: string) => ({
  host: server.host,
  port: server.port,
  user: server.username,
  password,
  database,
});

let source: PolardbStandIn;
let target: PolardbStandIn;
let standby: StandbyNode | undefined;
let task: TestTask | undefined;

beforeAll(async () => {
  [source, target] = await Promise.all([
    startPolardbStandIn({ release: "2.0", says: { polar_failover_slot_mode: ["sync", "sighup"] } }),
    startPolardbStandIn({ release: "2.0" }),
  ]);
});
afterEach(async () => {
  if (task) await discard(task);
  task = undefined;
});
afterAll(() => Promise.all([source.remove(), target.remove(), standby?.remove()]));

interface Side {
  readonly server: PostgresServer;
  readonly password: string;
}

async function settled(from: Side, to: Side, database: string): Promise<Comparison> {
  const end = Date.now() + 90_000;
  for (;;) {
    const compared = await compareDatabases(
      config(from.server, from.password, database),
      config(to.server, to.password, database),
      { schemas: ["app"] },
    );
    if (compared.differences.length === 0 || Date.now() > end) return compared;
    await sleep(500);
  }
}

/** Nodes as PolarDB O has them: a primary and a standby that confirms its commits, under one endpoint with two hosts. */
describe("a failover between the nodes of a PolarDB O cluster (stand-ins)", () => {
  it("of the target: the worker goes on at the new primary, and no change is lost or made twice", async () => {
    task = await createTestTask(source.server, target.server);
    const { name } = task.source;
    standby = await addStandby(target);
    await task.source.run(TABLES);
    await task.up(inputs({ source: source.endpoint(name), target: standby.endpoint(name) }));
    const writers = await startWriters(config(source.server, source.server.password, name), {
      tables: WRITTEN,
      writers: 2,
      changesPerSecond: 600,
    });
    await sleep(2000);
    await standby.takeOver({ slots: false });
    await sleep(2000);
    await writers.stop();
    const from = { server: source.server, password: source.server.password };
    const compared = await settled(from, { server: standby.server, password: target.server.password }, name);
    expect(compared.differences).toEqual([]);
    expect(compared.tables).toBe(2);
    expect((await task.refresh())?.state).toBe("running");
    await task.destroy();
    const { rows } = await standby.server.query("SELECT nspname FROM pg_namespace WHERE nspname = 'godwit'", [], name);
    expect(rows).toEqual([]);
    await standby.remove();
    standby = undefined;
  });

  it("of the source, which takes its slot along: changes before and after it arrive", async () => {
    target = await renewed(target);
    task = await createTestTask(source.server, target.server);
    const { name } = task.source;
    standby = await addStandby(source);
    await task.source.run(TABLES);
    const outputs = await task.up(inputs({ source: standby.endpoint(name), target: target.endpoint(name) }));
    expect(outputs.prechecks?.find(({ item }) => item === "sourceSlotFailover")).toMatchObject({ passed: true });
    const writers = await startWriters(config(source.server, source.server.password, name), {
      tables: WRITTEN,
      writers: 2,
      changesPerSecond: 600,
    });
    await sleep(2000);
    await writers.stop();
    await standby.takeOver({ slots: true });
    await standby.server.query(
      "INSERT INTO app.account (id, name) SELECT g, 'after' FROM generate_series(900001, 900500) g",
      [],
      name,
    );
    await standby.server.query(
      "DELETE FROM app.account WHERE id < 100; UPDATE app.account SET balance = 1 WHERE id < 500",
      [],
      name,
    );
    const from = { server: standby.server, password: source.server.password };
    const compared = await settled(from, { server: target.server, password: target.server.password }, name);
    expect(compared.differences).toEqual([]);
    expect((await task.refresh())?.state).toBe("running");
    await task.destroy();
    const { rows } = await standby.server.query("SELECT slot_name FROM pg_replication_slots");
    expect(rows).toEqual([]);
    await standby.remove();
    standby = undefined;
  });

  it("of a source that leaves its slot behind (2.0): the task fails with the slot's code, and never skips changes in silence", async () => {
    source = await renewed(source);
    task = await createTestTask(source.server, target.server);
    const { name } = task.source;
    standby = await addStandby(source);
    await task.source.run(TABLES);
    await task.up(inputs({ source: standby.endpoint(name), target: target.endpoint(name) }));
    await standby.takeOver({ slots: false });
    const failed = async () => {
      const outputs = await task?.refresh();
      return outputs?.state === "failed" ? JSON.stringify(outputs.errors) : outputs?.state;
    };
    await expect.poll(failed, { timeout: 120_000, interval: 1000 }).toMatch(/GW170[13]/);
  });
});

/** A server whose primary was killed is of no further use. */
async function renewed(standIn: PolardbStandIn): Promise<PolardbStandIn> {
  await standIn.remove();
  return startPolardbStandIn({ release: standIn.release });
}
