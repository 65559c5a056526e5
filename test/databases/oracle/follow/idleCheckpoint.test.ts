import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "pg";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startIdleCheckpoint } from "../../../../provider/databases/oracle/follow/idleCheckpoint.js";
import { takeLease } from "../../../../provider/databases/postgres/store/taskLease.js";
import { openTaskStore } from "../../../../provider/databases/postgres/store/taskStore.js";
import type { FlowCounts } from "../../../../provider/engine/database.js";
import type { NewTask, TaskLease } from "../../../../provider/engine/taskStore.js";
import { type PostgresServer, startPostgres } from "../../../support/postgres.js";

let server: PostgresServer;
let client: Client;
let lease: TaskLease;

beforeAll(async () => {
  server = await startPostgres({ major: 17, settings: { fsync: "off" } });
  await server.createDatabase("store");
  client = new Client(server.clientConfig("store"));
  await client.connect();
  const definition = { taskId: "t", migrationTypes: ["incremental"] };
  const task = { definition, settings: {}, desiredState: "running", plan: { tables: [], steps: [], skipped: [] }, prechecks: [] };
  await openTaskStore(client).createTask(task as unknown as NewTask);
  lease = await takeLease(server.endpoint("store"), "t");
});
afterAll(async () => {
  await lease.release();
  await client.end();
  await server.remove();
});

const counts = (durable: bigint) => ({ durable, lastCommitMs: 1000 }) as FlowCounts;

it("what a task goes on from is that of the capture, then that of the newest checkpoint, and never an older one", async () => {
  await lease.setCapturePosition(5n, "3;");
  expect([await lease.readCheckpoint(), await lease.readResume()]).toEqual([undefined, "3;"]);
  await lease.run(lease.statements.checkpoint(20n, 0, "15;AB"));
  expect([await lease.readCheckpoint(), await lease.readResume()]).toEqual([20n, "15;AB"]);
  await lease.run(lease.statements.checkpoint(10n, 0, "9;"));
  expect([await lease.readCheckpoint(), await lease.readResume()]).toEqual([20n, "15;AB"]);
});

it("moves the checkpoint while no rows come, once for each place", async () => {
  const written: bigint[] = [];
  const idle = startIdleCheckpoint(
    client,
    20n,
    (position, ms) => {
      written.push(position);
      return lease.statements.checkpoint(position, ms, `${position};`);
    },
    20,
  );
  await sleep(100);
  idle.reached(counts(30n));
  await expect.poll(() => lease.readCheckpoint()).toBe(30n);
  await sleep(100);
  idle.reached(counts(31n));
  await expect.poll(() => lease.readResume()).toBe("31;");
  idle.stop();
  expect(written).toEqual([30n, 31n]);
});

it("ends the stream when another worker took the task over", async () => {
  const idle = startIdleCheckpoint(client, 0n, (position, ms) => lease.statements.checkpoint(position, ms, "1;"), 20);
  await client.query("UPDATE godwit.task SET epoch = epoch + 1");
  idle.reached(counts(40n));
  await expect(idle.failed).rejects.toMatchObject({ code: "GW001" });
  idle.stop();
});
