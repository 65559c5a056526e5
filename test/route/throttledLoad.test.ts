import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { type PostgresServer, startPostgres } from "../support/postgres.js";
import { createTestTask, discard, type TestTask } from "../support/task.js";

let servers: readonly [PostgresServer, PostgresServer];
let task: TestTask;
beforeAll(async () => {
  servers = await Promise.all([startPostgres({ major: 16 }), startPostgres({ major: 17 })]);
});
afterAll(() => Promise.all(servers.map((server) => server.remove())));
afterEach(() => discard(task));

it("holds back tables that each come in one piece", async () => {
  task = await createTestTask(...servers);
  const tables = Array.from({ length: 6 }, (_, index) => `t${index}`);
  await task.source.run(
    tables.map((name) => `CREATE TABLE ${name} AS SELECT g AS id, 'w' AS word FROM generate_series(1, 100) g`).join("; "),
  );
  const load = { migrationTypes: ["schema", "full"], waitFor: "completed" } as const;
  const begun = performance.now();
  await task.up({ ...load, throttle: { full: { rowsPerSecond: 200 } }, parallelism: { tables: 2 } });
  // The first 200 rows pass at once, and so may what the two lanes hold when the last table is taken: 200 more.
  expect(performance.now() - begun).toBeGreaterThan(1000);
  expect(await task.compare()).toMatchObject({ tables: 6, differences: [] });
});
