import { afterAll, afterEach, beforeAll, beforeEach } from "vitest";
import { type PostgresServer, startPostgres } from "./postgres.js";
import type { PostgresMajor } from "./postgresBinaries.js";
import { createTestTask, discard, type TestTask } from "./task.js";

/** Two servers for a suite, and for each of its tests a task between fresh databases, the source's filled by `sql`. */
export function taskOfEachTest(
  { from, to, sql }: { from: PostgresMajor; to: PostgresMajor; sql: string },
  take: (task: TestTask) => void,
): void {
  let servers: [PostgresServer, PostgresServer];
  let task: TestTask;
  beforeAll(async () => {
    servers = await Promise.all([
      startPostgres({ major: from, settings: { fsync: "off" } }),
      startPostgres({ major: to, settings: { fsync: "off" } }),
    ]);
  });
  afterAll(() => Promise.all(servers.map((server) => server.remove())));
  beforeEach(async () => {
    task = await createTestTask(...servers);
    take(task);
    await task.source.run(sql);
  });
  afterEach(() => discard(task));
}
