import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { type PostgresServer, startPostgres } from "../support/postgres.js";
import { createTestTask, discard, type TestTask } from "../support/task.js";
import { ALIKE, settled } from "./ddlComparison.js";

let servers: readonly [PostgresServer, PostgresServer];
let task: TestTask;
beforeAll(async () => {
  servers = await Promise.all([startPostgres({ major: 17 }), startPostgres({ major: 17 })]);
});
afterAll(() => Promise.all(servers.map((server) => server.remove())));
afterEach(() => discard(task));

const PARTITION = (year: number) => `
  CREATE TABLE event_${year} PARTITION OF event FOR VALUES FROM ('${year}-01-01') TO ('${year + 1}-01-01');
  INSERT INTO event SELECT g, date '${year}-02-01' + g % 200, 'n' || g, g % 5 FROM generate_series(1, 300) g`;

it("a partition of a table that the target has joins with the next up, with its keys, indexes and triggers once each", async () => {
  task = await createTestTask(...servers);
  await task.source.run(`
    CREATE TABLE kind (id integer PRIMARY KEY); INSERT INTO kind SELECT g FROM generate_series(0, 4) g;
    CREATE TABLE event (id integer, at date, note text, kind integer REFERENCES kind, PRIMARY KEY (id, at), UNIQUE (note, at)) PARTITION BY RANGE (at);
    CREATE INDEX event_kind ON event (kind);
    CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
    CREATE TRIGGER touched BEFORE INSERT ON event FOR EACH ROW EXECUTE FUNCTION touch();
    ${PARTITION(2024)}; ${PARTITION(2025)}; CREATE INDEX own ON event_2025 (note) WHERE kind = 1`);
  // Without the capture of structure only an up takes new tables in.
  const live = { migrationTypes: ["schema", "full", "incremental"], operations: { ddl: [] } } as const;
  await task.up({ ...live, objects: [{ schema: "public", exclude: ["event_2025"] }] });
  await task.up({ ...live, objects: [{ schema: "public" }] });
  await task.source.run("UPDATE event SET note = note || '!' WHERE id % 7 = 0; DELETE FROM event WHERE id % 11 = 0");
  expect(await settled(task)).toEqual(ALIKE);
  expect((await task.refresh())?.errors).toEqual([]);
  await task.destroy();
  expect(await task.leftovers()).toEqual([]);
});
