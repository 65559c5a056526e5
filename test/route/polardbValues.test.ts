import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { MigrationTaskInputs } from "../../provider/contract/types.js";
import { type PolardbStandIn, startPolardbStandIn } from "../support/polardbO/standIn.js";
import { type PostgresServer, startPostgres } from "../support/postgres.js";
import { createTestTask, discard, type TestTask } from "../support/task.js";

type Inputs = Partial<MigrationTaskInputs>;
const live = {
  migrationTypes: ["schema", "full", "incremental"] as ("schema" | "full" | "incremental")[],
  retry: { connectionMinutes: 10, otherMinutes: 1 },
};

let task: TestTask | undefined;
afterEach(async () => {
  if (task) await discard(task);
  task = undefined;
});

describe.each(["1.0", "2.0"] as const)("PostgreSQL to a PolarDB O %s (a stand-in) that keeps '' as NULL", (release) => {
  let source: PostgresServer;
  let target: PolardbStandIn;
  beforeAll(async () => {
    [source, target] = await Promise.all([
      startPostgres({ major: 17, settings: { fsync: "off" } }),
      startPolardbStandIn({ release, emptyIsNull: true }),
    ]);
  });
  afterAll(() => Promise.all([source.remove(), target.remove()]));

  it("has NULL for every '' that was loaded or changed, and still finds rows by what they were", async () => {
    task = await createTestTask(source, target.server);
    const { name } = task.source;
    await task.source.run(`
      CREATE SCHEMA app;
      CREATE TABLE app.keyed (id int PRIMARY KEY, v text, w varchar(10));
      CREATE TABLE app.keyless (kind text, n int);
      INSERT INTO app.keyed SELECT g, CASE g % 3 WHEN 0 THEN '' WHEN 1 THEN 'v' || g END, '' FROM generate_series(1, 300) g;
      INSERT INTO app.keyless SELECT CASE g % 2 WHEN 0 THEN '' ELSE 'k' END, g % 5 FROM generate_series(1, 100) g`);
    const outputs = await task.up({ ...live, ...({ target: target.endpoint(name) } as unknown as Inputs) });
    expect(outputs.prechecks?.find(({ item }) => item === "emptyStrings")).toMatchObject({
      severity: "warning",
    });
    await task.source.run(`
      UPDATE app.keyed SET v = '' WHERE id < 20; UPDATE app.keyed SET w = 'full' WHERE id = 30; INSERT INTO app.keyed VALUES (1000, '', ' ');
      DELETE FROM app.keyless WHERE ctid IN (SELECT ctid FROM app.keyless WHERE kind = '' LIMIT 7);
      UPDATE app.keyless SET kind = '' WHERE n = 3; INSERT INTO app.keyless VALUES ('', NULL), ('', NULL), (NULL, NULL);
      DELETE FROM app.keyless WHERE ctid = (SELECT min(ctid) FROM app.keyless WHERE kind = '' AND n IS NULL)`);
    const read = (table: string, columns: string) => `SELECT ${columns} FROM app.${table} ORDER BY 1, 2`;
    for (const [table, columns] of [
      ["keyed", "id, nullif(v, '') AS v, nullif(w, '') AS w"],
      ["keyless", "coalesce(nullif(kind, ''), '-') AS kind, coalesce(n, -1) AS n"],
    ] as const) {
      const wanted = await task.source.rows(read(table, columns));
      await expect.poll(() => task?.target.rows(read(table, columns)), { timeout: 60_000 }).toEqual(wanted);
    }
    expect(
      await task.target.rows(
        "SELECT 1 FROM app.keyed WHERE v = '' OR w = '' UNION ALL SELECT 1 FROM app.keyless WHERE kind = ''",
      ),
    ).toEqual([]);
    expect((await task.refresh())?.errors).toEqual([]);
  });
});

describe("dates of 8 bytes", () => {
  let plain: PostgresServer;
  let long: PolardbStandIn;
  let other: PolardbStandIn;
  beforeAll(async () => {
    [plain, long, other] = await Promise.all([
      startPostgres({ major: 17, settings: { fsync: "off" } }),
      startPolardbStandIn({ release: "2.0", longDates: true }),
      startPolardbStandIn({ release: "2.0", longDates: true }),
    ]);
  });
  afterAll(() => Promise.all([plain.remove(), long.remove(), other.remove()]));
  const SHOWN = "SELECT id, d::text FROM app.t ORDER BY id";

  it("come from PostgreSQL's days as text, loaded and as changes", async () => {
    task = await createTestTask(plain, long.server);
    const { name } = task.source;
    await task.source.run(
      "CREATE SCHEMA app; CREATE TABLE app.t (id int PRIMARY KEY, d date, n int); INSERT INTO app.t VALUES (1, '2024-02-29', 1), (2, NULL, 2), (3, '0044-03-15 BC', 3)",
    );
    await task.up({ ...live, ...({ target: long.endpoint(name) } as unknown as Inputs) });
    await task.source.run(
      "UPDATE app.t SET d = '1999-12-31' WHERE id = 2; UPDATE app.t SET n = 9; INSERT INTO app.t VALUES (4, '1970-01-01', 4)",
    );
    const shown = [
      { id: 1, d: "2024-02-29 00:00:00" },
      { id: 2, d: "1999-12-31 00:00:00" },
      { id: 3, d: "0044-03-15 00:00:00 BC" },
      { id: 4, d: "1970-01-01 00:00:00" },
    ];
    await expect.poll(() => task?.target.rows(SHOWN), { timeout: 60_000 }).toEqual(shown);
    expect((await task.refresh())?.errors).toEqual([]);
  });

  it("keep their time of day on another PolarDB O, and in PostgreSQL as a timestamp", async () => {
    for (const target of [other.server, plain]) {
      task = await createTestTask(long.server, target);
      const { name } = task.source;
      await task.source.run(
        "CREATE SCHEMA app; CREATE TABLE app.t (id int PRIMARY KEY, d date, n int); INSERT INTO app.t VALUES (1, '2024-02-29 12:34:56', 1), (2, NULL, 2)",
      );
      const to = target === plain ? {} : { target: other.endpoint(name) };
      await task.up({ ...live, ...({ source: long.endpoint(name), ...to } as unknown as Inputs) });
      await task.source.run(
        "UPDATE app.t SET d = '1999-12-31 23:59:59' WHERE id = 2; INSERT INTO app.t VALUES (3, '0044-03-15 01:02:03 BC', 4)",
      );
      const wanted = await task.source.rows(SHOWN);
      await expect.poll(() => task?.target.rows(SHOWN), { timeout: 60_000 }).toEqual(wanted);
      expect(wanted).toContainEqual({ id: 2, d: "1999-12-31 23:59:59" });
      expect((await task.refresh())?.errors).toEqual([]);
      await discard(task);
    }
  });
});
