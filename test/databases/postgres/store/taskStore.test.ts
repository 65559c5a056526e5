import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { connect } from "../../../../provider/databases/postgres/connection.js";
import { takeLease } from "../../../../provider/databases/postgres/store/taskLease.js";
import { openTaskStore } from "../../../../provider/databases/postgres/store/taskStore.js";
import type { Plan, PlannedTable } from "../../../../provider/engine/models/plan.js";
import type { NewTask, TaskStore } from "../../../../provider/engine/taskStore.js";
import { type PostgresServer, startPostgres } from "../../../support/postgres.js";

let server: PostgresServer;
let store: TaskStore;
let endpoint: ReturnType<PostgresServer["endpoint"]>;

beforeAll(async () => {
  server = await startPostgres({ major: 17, settings: { fsync: "off" } });
});
afterAll(() => server.remove());

let database = 0;
beforeEach(async () => {
  await server.createDatabase(`store${++database}`);
  endpoint = server.endpoint(`store${database}`);
  store = openTaskStore(await connect(endpoint, { applicationName: "test" }));
  return () => store.close();
});

function table(id: number, insert = true): PlannedTable {
  return {
    id,
    source: { schema: "app", name: `t${id}` },
    target: { schema: "app", name: `t${id}` },
    columns: [],
    leftOut: [],
    key: { source: "none", columns: [] },
    replicaIdentity: { was: "default", needs: "full" },
    streamed: true,
    operations: { insert, update: true, delete: true, truncate: true },
    estimatedRows: 1,
    bytes: 1,
  };
}

function task(taskId: string, plan: Partial<Plan> = {}): NewTask {
  return {
    definition: {
      taskId,
      migrationTypes: ["schema", "full", "incremental"],
      conflictMode: "precheckAndReport",
      slotName: `godwit_${taskId}`,
      slotIsForeign: false,
      publicationName: `godwit_${taskId}`,
      startPosition: undefined,
      environmentTag: undefined,
    },
    settings: {
      retry: { connectionMinutes: 10, otherMinutes: 1 },
      throttle: {},
      parallelism: { tables: 2, chunksPerTable: 4, indexes: 2 },
    },
    desiredState: "running",
    plan: { tables: [], steps: [], skipped: [], ...plan },
    prechecks: [],
  };
}

describe("the store in the target", () => {
  it("knows nothing, and makes nothing, before the first task", async () => {
    expect(await store.readTask("a")).toBeUndefined();
    expect(await store.listTasks()).toEqual([]);
    expect((await server.query("SELECT 1 FROM pg_namespace WHERE nspname = 'godwit'", [], `store${database}`)).rows).toEqual([]);
  });

  it("gives back what a task was recorded with", async () => {
    await store.createTask(task("a", { tables: [table(7)] }));
    const read = await store.readTask("a");
    expect(read).toMatchObject({ state: "running", phase: "schema", epoch: 0n, leased: false, capturePosition: undefined });
    expect(read?.definition.slotName).toBe("godwit_a");
    expect((await store.readTables("a")).map(({ table: { id }, state }) => [id, state])).toEqual([[7, "pending"]]);
  });

  it("adds, removes and changes tables without touching the others' progress", async () => {
    await store.createTask(task("a", { tables: [table(1), table(2)] }));
    const lease = await takeLease(endpoint, "a");
    await lease.run(lease.statements.tableLoaded(1, 99n));
    await lease.release();
    await store.changePlan("a", { tables: [table(1, false), table(3)], steps: [], skipped: [] });
    const tables = await store.readTables("a");
    expect(tables.map(({ table: { id }, state }) => [id, state])).toEqual([
      [1, "loaded"],
      [3, "pending"],
    ]);
    expect(tables[0]?.loadPosition).toBe(99n);
    expect(tables[0]?.table.operations.insert).toBe(false);
  });

  it("takes its schema along with the last task only", async () => {
    await store.createTask(task("a"));
    await store.createTask(task("b"));
    await store.deleteTask("a");
    expect((await store.listTasks()).map(({ definition }) => definition.taskId)).toEqual(["b"]);
    await store.deleteTask("b");
    await store.deleteTask("b");
    expect((await server.query("SELECT 1 FROM pg_namespace WHERE nspname = 'godwit'", [], `store${database}`)).rows).toEqual([]);
  });

  it("survives two tasks that are recorded at the same moment", async () => {
    const other = openTaskStore(await connect(endpoint, { applicationName: "test" }));
    await Promise.all([store.createTask(task("a")), other.createTask(task("b"))]);
    expect((await store.listTasks()).length).toBe(2);
    await other.close();
  });
});

describe("a worker's lease", () => {
  beforeEach(() => store.createTask(task("a", { tables: [table(1)] })));

  it("is held by one worker at a time, and shows in the store", async () => {
    const lease = await takeLease(endpoint, "a");
    expect((await store.readTask("a"))?.leased).toBe(true);
    await expect(takeLease(endpoint, "a")).rejects.toThrow("GW1602");
    await lease.release();
    expect((await store.readTask("a"))?.leased).toBe(false);
    await (await takeLease(endpoint, "a")).release();
  });

  it("shuts a fenced worker out of every write", async () => {
    const lease = await takeLease(endpoint, "a");
    await server.query("UPDATE godwit.task SET epoch = epoch + 1", [], `store${database}`);
    await expect(lease.setState("completed", "full", [])).rejects.toThrow("GW1602");
    await expect(lease.run(lease.statements.checkpoint(5n, 0))).rejects.toThrow("GW1602");
    await expect(lease.run(lease.statements.chunkLoaded(1, 1, 1))).rejects.toThrow("GW1602");
    await expect(lease.readTask()).rejects.toThrow("GW1602");
    expect(await store.readTask("a")).toMatchObject({ state: "running" });
    await lease.release();
  });

  it("goes to a successor that takes over, and the one before learns it", async () => {
    const before = await takeLease(endpoint, "a");
    const after = await takeLease(endpoint, "a", { takeOver: true });
    await expect(before.lost).rejects.toThrow("GW1605");
    await after.setState("running", "full", []);
    await after.release();
  });

  it("is taken again by the process whose own session lingers, not by another", async () => {
    const before = await takeLease(endpoint, "a");
    await expect(takeLease(endpoint, "a", { former: before.epoch - 1n })).rejects.toThrow("GW1602");
    const again = await takeLease(endpoint, "a", { former: before.epoch });
    expect(again.epoch).toBe(before.epoch + 1n);
    await again.release();
  });

  it("says so when the server ends its session", async () => {
    const lease = await takeLease(endpoint, "a");
    await server.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'godwit/a/lease'");
    await expect(lease.lost).rejects.toThrow("GW1605");
    await expect(lease.readTask()).rejects.toThrow("GW1605");
  });

  it("keeps the checkpoint it wrote", async () => {
    const lease = await takeLease(endpoint, "a");
    expect(await lease.readCheckpoint()).toBeUndefined();
    await lease.run(lease.statements.checkpoint(9_223_372_036_854_775_807n, 1_700_000_000_123));
    expect(await lease.readCheckpoint()).toBe(9_223_372_036_854_775_807n);
    await lease.release();
  });
});
