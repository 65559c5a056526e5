import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { Client } from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { MigrationTaskInputs } from "../../provider/contract/types.js";
import { migrationTask } from "../../provider/resources/migrationTask.js";
import { killProcess } from "../support/kill.js";
import { type PostgresServer, startPostgres } from "../support/postgres.js";
import { createTestTask, discard, type TestTask } from "../support/task.js";
import { startWebhook, type Webhook } from "../support/webhook.js";

const live = { migrationTypes: ["schema", "full", "incremental"] as const };

describe("a task with alerts", () => {
  let source: PostgresServer;
  let target: PostgresServer;
  let task: TestTask;
  let hook: Webhook;
  beforeAll(async () => {
    [source, target] = await Promise.all([
      startPostgres({ major: 15, settings: { fsync: "off" } }),
      startPostgres({ major: 17, settings: { fsync: "off" } }),
    ]);
  });
  afterAll(() => Promise.all([source.remove(), target.remove()]));
  beforeEach(async () => {
    hook = await startWebhook();
    task = await createTestTask(source, target);
    await task.source.run(
      "CREATE TABLE t (id integer PRIMARY KEY, v text); INSERT INTO t SELECT g, 'v' FROM generate_series(1, 1000) g",
    );
  });
  afterEach(async () => {
    await discard(task);
    await hook.close();
  });
  const events = () => hook.received.map(({ body }) => body.event);

  it("tells that it failed, once, also when its worker is started again, and nothing of the contact is stored", async () => {
    const alerts = { onFailure: true, contacts: [hook.url] };
    const outputs = await task.up({ ...live, alerts });
    const { slotName } = outputs;
    await task.source.run(
      `SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = '${slotName}'; SELECT pg_sleep(0.2)`,
    );
    await expect
      .poll(() => task.source.run(`SELECT pg_drop_replication_slot('${slotName}')`).then(() => "", String), { timeout: 10_000 })
      .toBe("");
    await expect.poll(events, { timeout: 30_000 }).toEqual(["failed"]);
    expect(hook.received[0]?.body).toMatchObject({
      taskId: outputs.taskId,
      name: task.source.name,
      environmentTag: null,
      code: "GW1701",
      retrying: false,
      remedy: expect.stringContaining("replace the task"),
    });
    await expect(task.up({ ...live, alerts })).rejects.toThrow(/GW1701/);
    const [row] = await task.target.rows<{ text: string }>(
      "SELECT row_to_json(t)::text || (SELECT status::text FROM godwit.status) AS text FROM godwit.task t",
    );
    expect(row?.text).not.toContain("hook-secret");
    expect(row?.text).toContain('"told": "failed"');
    const folder = join(task.home, "tasks", outputs.taskId);
    for (const file of await readdir(folder)) expect(await readFile(join(folder, file), "utf8")).not.toContain("hook-secret");
    expect(events()).toEqual(["failed"]);
  });

  it("tells that it fell behind and that it caught up; a killed worker's successor goes on with that", async () => {
    const alerts = { onFailure: true, latencySeconds: 2, contacts: [hook.url] };
    await task.up(live);
    await task.up({ ...live, alerts });
    // What holds the applier up on the target: someone's lock.
    const holder = new Client(target.clientConfig(task.target.name));
    await holder.connect();
    try {
      await holder.query("BEGIN; LOCK TABLE t IN ACCESS EXCLUSIVE MODE");
      await task.source.run("UPDATE t SET v = 'w'");
      await expect.poll(events, { timeout: 40_000 }).toEqual(["lagging"]);
      expect(hook.received[0]?.body.lagSeconds).toBeGreaterThan(2);
      await killProcess(task.home, "worker");
    } finally {
      await holder.end();
    }
    await expect.poll(events, { timeout: 60_000 }).toEqual(["lagging", "caughtUp"]);
  });

  it("has its alerts changed in place, and taken away", async () => {
    const outputs = await task.up({ ...live, alerts: { onFailure: true, contacts: ["http://127.0.0.1:9/old"] } });
    if (!outputs) throw new Error("no outputs");
    const inputs = (contacts: string[]) => ({ ...outputs, alerts: { onFailure: true, contacts } }) as MigrationTaskInputs;
    expect(migrationTask.diff(outputs, inputs([hook.url]))).toMatchObject({ changes: true, replaces: [] });
    expect(migrationTask.diff(outputs, inputs(["http://127.0.0.1:9/old"]))).toMatchObject({ changes: false });
    await task.up({ ...live, alerts: { onFailure: true, contacts: [hook.url] } });
    expect((await task.up(live)).state).toBe("running");
    await task.source.run("INSERT INTO t VALUES (5000, 'x')");
    await expect.poll(() => task.target.rows("SELECT 1 FROM t WHERE id = 5000"), { timeout: 20_000 }).toHaveLength(1);
  });
});

describe("contacts that nothing could be sent to", () => {
  const check = (alerts: object) => migrationTask.check?.({ alerts } as unknown as MigrationTaskInputs) ?? [];
  afterEach(() => {
    delete process.env.GODWIT_SMTP_URL;
    delete process.env.GODWIT_SMTP_FROM;
  });

  it("are refused, with what would be right and without repeating them", () => {
    const failures = check({ contacts: ["https://ok.example/x", "ftp://token-secret", "dba@example.com"] });
    expect(failures.map(({ property }) => property)).toEqual(["alerts.contacts[1]", "alerts.contacts[2]"]);
    expect(failures[0]?.reason).toMatch(/webhook's URL/);
    expect(failures[1]?.reason).toMatch(/alerts\.smtp.*GODWIT_SMTP_URL/);
    expect(JSON.stringify(failures)).not.toContain("token-secret");
  });

  it("are fine once there is a relay, in the program or in the environment", () => {
    expect(check({ contacts: ["dba@example.com"], smtp: { url: "smtp://r", from: "g@example.com" } })).toEqual([]);
    process.env.GODWIT_SMTP_URL = "smtp://relay";
    process.env.GODWIT_SMTP_FROM = "g@example.com";
    expect(check({ contacts: ["dba@example.com"] })).toEqual([]);
  });
});
