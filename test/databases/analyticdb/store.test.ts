import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { analyticdbStoreLayout } from "../../../provider/databases/analyticdb/storeLayout.js";
import { connect } from "../../../provider/databases/postgres/connection.js";
import { takeLease } from "../../../provider/databases/postgres/store/taskLease.js";
import { openTaskStore } from "../../../provider/databases/postgres/store/taskStore.js";
import type { PlannedTable } from "../../../provider/engine/models/plan.js";
import type { TaskDefinition } from "../../../provider/engine/taskDefinition.js";
import type { NewTask } from "../../../provider/engine/taskStore.js";
import { type AnalyticdbStandIn, startAnalyticdb } from "../../support/analyticdb/standIn.js";

describe.each([7, 6] as const)("the store on a stand-in for AnalyticDB %i", (version) => {
  let target: AnalyticdbStandIn;
  beforeAll(async () => {
    target = await startAnalyticdb({ version, settings: { fsync: "off", deadlock_timeout: "100ms" } });
    await target.server.createDatabase("store");
  });
  afterAll(() => target.remove());

  const open = async () =>
    openTaskStore(await connect(target.inputs("store"), { applicationName: "godwit/store" }), analyticdbStoreLayout);
  const rows = async (sql: string) => (await target.server.query(sql, undefined, "store")).rows;

  it("lets two workers and a new plan commit at once, without one waiting for the other in a circle", async () => {
    const store = await open();
    for (const id of ["one", "two"]) await store.createTask(task(id));
    const leases = await Promise.all(["one", "two"].map((id) => takeLease(target.inputs("store"), id)));
    const other = await open();
    const plans = async () => {
      for (let round = 0; round < 40; round++)
        await other.changePlan("one", { tables: [1, 2, 3].map(table), steps: [], skipped: [] });
    };
    await Promise.all([
      plans(),
      ...leases.map(async (lease, index) => {
        for (let round = 1; round <= 40; round++) {
          await lease.run(lease.statements.checkpoint(BigInt(round), 1_700_000_000_000));
          await lease.run(lease.statements.chunkLoaded(1, 10, 100));
          await lease.run(lease.statements.tableLoaded(2, BigInt(round)));
          await lease.setState("running", "full", []);
          await lease.setTableLoading(index + 1);
          await lease.writeStatus({} as Parameters<typeof lease.writeStatus>[0]);
        }
      }),
    ]);
    expect(await Promise.all(leases.map((lease) => lease.readCheckpoint()))).toEqual([40n, 40n]);
    expect((await store.listTasks()).map(({ leased }) => leased)).toEqual([true, true]);

    // A takeover shuts the former worker out, whose session lives on.
    const [former] = leases;
    if (!former) throw new Error("no lease was taken");
    await other.fence("one").catch(() => undefined);
    await expect(former.run(former.statements.checkpoint(50n, 0))).rejects.toThrow(/GW1602|GW1605/);
    expect(await rows("SELECT position FROM godwit.checkpoint ORDER BY task_id")).toEqual([
      { position: "40" },
      { position: "40" },
    ]);

    // No foreign key takes them along.
    await other.deleteTask("one");
    for (const name of ["task", "status", "table_load", "step", "checkpoint"])
      expect(await rows(`SELECT DISTINCT task_id FROM godwit.${name} WHERE task_id = 'one'`)).toEqual([]);
    await Promise.all(leases.map((lease) => lease.release()));
    await other.deleteTask("two");
    expect(await rows("SELECT 1 FROM pg_namespace WHERE nspname = 'godwit'")).toEqual([]);
    await Promise.all([store.close(), other.close()]);
    expect(target.refused()).toEqual([]);
    expect(new Set(target.created().map(({ distributed }) => JSON.stringify(distributed)))).toEqual(new Set(['["task_id"]']));
  });

  it("refuses the epoch of a worker that was taken over, though its session is still there", async () => {
    const store = await open();
    await store.createTask(task("held"));
    const lease = await takeLease(target.inputs("store"), "held");
    await target.server.query("UPDATE godwit.task SET epoch = epoch + 1", undefined, "store");
    await expect(lease.run(lease.statements.checkpoint(1n, 0))).rejects.toThrow(/GW1602/);
    await expect(lease.setState("failed", "full", [])).rejects.toThrow(/GW1602/);
    await expect(lease.setTableLoading(1)).rejects.toThrow(/GW1602/);
    expect(await rows("SELECT state FROM godwit.table_load WHERE table_id = 1")).toEqual([{ state: "pending" }]);
    await lease.release();
    await store.deleteTask("held");
    await store.close();
  });
});

function task(taskId: string): NewTask {
  const definition: TaskDefinition = {
    taskId,
    migrationTypes: ["schema", "full", "incremental"],
    conflictMode: "precheckAndReport",
    slotName: taskId,
    slotIsForeign: false,
    publicationName: taskId,
    startPosition: undefined,
    environmentTag: undefined,
  };
  return {
    definition,
    settings: {
      retry: { connectionMinutes: 720, otherMinutes: 10 },
      throttle: {},
      parallelism: { tables: 1, chunksPerTable: 1, indexes: 1 },
    },
    desiredState: "running",
    plan: { tables: [1, 2].map(table), steps: [], skipped: [] },
    prechecks: [],
  };
}

function table(id: number): PlannedTable {
  return {
    id,
    source: { schema: "s", name: `t${id}` },
    target: { schema: "s", name: `t${id}` },
    columns: [],
    leftOut: [],
    key: { source: "none", columns: [] },
    replicaIdentity: { was: "default", needs: "full" },
    streamed: true,
    operations: { insert: true, update: true, delete: true, truncate: true },
    estimatedRows: 0,
    bytes: 0,
  };
}
