import { afterEach, beforeEach, expect, it } from "vitest";
import { type PostgresServer, startPostgres } from "../support/postgres.js";
import { createTestTask, discard, type TestTask } from "../support/task.js";

const live = { migrationTypes: ["schema", "full", "incremental"] as const };
const LEAVE = "GODWIT_LEAVE_UNREACHABLE";

let source: PostgresServer;
let target: PostgresServer;
let task: TestTask;
beforeEach(async () => {
  [source, target] = await Promise.all([startPostgres({ major: 17 }), startPostgres({ major: 17 })]);
  task = await createTestTask(source, target);
  await task.source.run("CREATE TABLE t (id integer PRIMARY KEY); INSERT INTO t VALUES (1)");
  await task.up(live);
});
afterEach(async () => {
  delete process.env[LEAVE];
  await discard(task);
  await Promise.all([source.remove(), target.remove()]);
});

it("a destroy after the target database was dropped cleans the source", async () => {
  await target.query(`DROP DATABASE ${task.target.name} WITH (FORCE)`);
  await task.destroy();
  expect(await task.leftovers()).toEqual([]);
});

it("a destroy after the source database was dropped cleans the target", async () => {
  const slot = task.outputs?.slotName ?? "";
  await source.query("SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE active");
  await expect
    .poll(() => source.query(`SELECT pg_drop_replication_slot('${slot}')`).then(() => "dropped", String), {
      timeout: 60_000,
      interval: 5,
    })
    .toBe("dropped");
  await source.query(`DROP DATABASE ${task.source.name} WITH (FORCE)`);
  await task.destroy();
  expect(await task.leftovers()).toEqual([]);
});

it("a destroy while the target does not answer fails, says how to go on without it, and then cleans the source", async () => {
  await target.stop();
  await expect(task.destroy()).rejects.toThrow(/GW1101.*schema godwit.*GODWIT_LEAVE_UNREACHABLE=true pulumi destroy/s);
  process.env[LEAVE] = "true";
  await task.destroy();
  expect(task.lines.filter((line) => line.startsWith("warning: left behind"))).toEqual([
    expect.stringMatching(/left behind on .*:\d+, which does not answer: schema godwit with the task /),
  ]);
  await target.start();
  await target.query(`DROP DATABASE ${task.target.name}`);
  expect(await task.leftovers()).toEqual([]);
});

it("a destroy while the source does not answer fails, says how to go on without it, and then cleans the target", async () => {
  const slot = task.outputs?.slotName ?? "";
  await source.stop();
  await expect(task.destroy()).rejects.toThrow(/GW1101.*replication slot.*GODWIT_LEAVE_UNREACHABLE=true pulumi destroy/s);
  process.env[LEAVE] = "true";
  await task.destroy();
  expect(task.lines.filter((line) => line.startsWith("warning: left behind"))).toEqual([expect.stringContaining(`"${slot}"`)]);
  await source.start();
  await source.query(`SELECT pg_drop_replication_slot('${slot}')`);
  await source.query(`DROP DATABASE ${task.source.name}`);
  expect(await task.leftovers()).toEqual([]);
});
