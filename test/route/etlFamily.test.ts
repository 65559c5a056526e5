import { afterEach, expect, it } from "vitest";
import type { MigrationTaskInputs, TableEtl } from "../../provider/contract/types.js";
import { startAnalyticdb } from "../support/analyticdb/standIn.js";
import { killProcess } from "../support/kill.js";
import { startPolardbStandIn } from "../support/polardbO/standIn.js";
import { type PostgresServer, startPostgres } from "../support/postgres.js";
import { digest, until } from "../support/rowRules.js";
import { createTestTask, discard, type TestTask } from "../support/task.js";
import { startWriters } from "../support/writers.js";

const live = { migrationTypes: ["schema", "full", "incremental"] as const };
const objects = [{ schema: "app" }];
let task: TestTask | undefined;
const running: { remove(): Promise<void> }[] = [];
afterEach(async () => {
  if (task) await discard(task);
  task = undefined;
  await Promise.all(running.splice(0).map((server) => server.remove()));
});

const TABLES = `
  CREATE SCHEMA app;
  CREATE TABLE app.person (id integer PRIMARY KEY, name text, email varchar(64), n integer, body text);
  CREATE TABLE app.bag (kind text, secret text, n integer);
  ALTER TABLE app.person ALTER body SET STORAGE EXTERNAL;
  INSERT INTO app.person SELECT g, 'name ' || g, 'm' || g || '@x.example', g % 10, repeat(md5(g::text), 80) FROM generate_series(1, 2000) g;
  INSERT INTO app.bag SELECT 'k' || g % 5, 's' || g % 20, g % 10 FROM generate_series(1, 500) g;
  ANALYZE`;
const ETL: readonly TableEtl[] = [
  {
    schema: "app",
    table: "person",
    drop: "n = 3",
    derive: [
      { column: "host", expression: "split_part(email, '@', 2)", type: "varchar(40)" },
      { column: "size", expression: "char_length(body)", type: "integer" },
    ],
    mask: [
      { column: "name", method: "keep", keepFirst: 1, keepLast: 1 },
      { column: "email", method: "md5" },
    ],
  },
  { schema: "app", table: "bag", drop: "n = 3", mask: [{ column: "secret", method: "md5" }] },
];
const EXPECTED = {
  person: `SELECT id, CASE WHEN length(name) > 2 THEN left(name, 1) || repeat('*', length(name) - 2) || right(name, 1) ELSE repeat('*', length(name)) END,
    md5(email), n, body, split_part(email, '@', 2), length(body) FROM app.person WHERE (n = 3) IS NOT TRUE`,
  bag: "SELECT kind, md5(secret), n FROM app.bag WHERE (n = 3) IS NOT TRUE",
};

/** Loads and follows while two writers write and the worker is killed; then both sides are equal, and a comparison says so. */
async function migrates(
  source: PostgresServer,
  to: PostgresServer,
  ends: (database: string) => { readonly source?: unknown; readonly target?: unknown },
): Promise<void> {
  const made = await createTestTask(source, to);
  task = made;
  await made.source.run(TABLES);
  const inputs = {
    ...live,
    objects,
    etl: ETL,
    ignorePrechecks: ["emptyStringsNotNull"],
    ...(ends(made.source.name) as Partial<MigrationTaskInputs>),
  };
  const writers = await startWriters(source.clientConfig(made.source.name), {
    tables: [
      { schema: "app", name: "person", key: "id" },
      { schema: "app", name: "bag", operations: { insert: 2, update: 1, delete: 1, keyChange: 0 } },
    ],
    writers: 2,
    maxChanges: 6000,
  });
  await made.up(inputs);
  await killProcess(made.home, "worker");
  await writers.done;
  await until(async () => [
    [await digest(made.source, EXPECTED.person), await digest(made.source, EXPECTED.bag)],
    [
      await digest(made.target, "SELECT id, name, email, n, body, host, size FROM app.person"),
      await digest(made.target, "SELECT kind, secret, n FROM app.bag"),
    ],
  ]);
  const compared = await made.up({ ...inputs, dataValidation: { mode: "full", triggers: { at: "1" } } });
  expect(compared.errors).toEqual([]);
  await made.destroy();
}

it("rows that expressions make come from PostgreSQL 10, and refuse there what it does not have", async () => {
  const source = await startPostgres({ major: 10, settings: { fsync: "off" } });
  const target = await startPostgres({ major: 15, settings: { fsync: "off" } });
  running.push(source, target);
  await migrates(source, target, () => ({}));
  task = await createTestTask(source, target);
  await task.source.run("CREATE TABLE person (id integer PRIMARY KEY, name text)");
  const hashed = { schema: "public", table: "person", mask: [{ column: "name", method: "sha256" as const }] };
  await expect(task.up({ ...live, objects: [{ schema: "public" }], etl: [hashed] })).rejects.toThrow(
    /method sha256 needs a source from PostgreSQL 11 on: take md5/,
  );
});

it.each([7, 6] as const)("rows that expressions make are on a stand-in for AnalyticDB %i", async (version) => {
  const source = await startPostgres({ major: 17, settings: { fsync: "off" } });
  const target = await startAnalyticdb({ version, settings: { fsync: "off" } });
  running.push(source, target);
  await migrates(source, target.server, (name) => ({ target: target.inputs(name) }));
  expect(target.refused()).toEqual([]);
});

it.each(["2.0", "1.0"] as const)(
  "rows that expressions make come from a stand-in for PolarDB O %s and go to one",
  async (release) => {
    const source = await startPolardbStandIn({ release });
    const target = await startPolardbStandIn({ release: "2.0" });
    running.push(source, target);
    await migrates(source.server, target.server, (name) => ({ source: source.endpoint(name), target: target.endpoint(name) }));
  },
);
