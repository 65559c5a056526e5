import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type PostgresServer, startPostgres } from "../../../support/postgres.js";
import { applySteps } from "./applySteps.js";
import { describeDatabase } from "./describeDatabase.js";
import { fixture } from "./fixture.js";
import { freshDatabase, planOf } from "./roundTrip.js";

describe("a source newer than the target", () => {
  let newer: PostgresServer;
  let older: PostgresServer;
  beforeAll(async () => {
    [newer, older] = await Promise.all([
      startPostgres({ major: 18, settings: { fsync: "off" } }),
      startPostgres({ major: 14, settings: { fsync: "off" } }),
    ]);
  });
  afterAll(async () => {
    await newer.remove();
    await older.remove();
  });

  it("moves everything that both versions know, unchanged", async () => {
    const source = await freshDatabase(newer, fixture(14));
    const target = await freshDatabase(older);
    const reference = await freshDatabase(older, fixture(14));
    const plan = await planOf(source, older);
    expect(plan.skipped).toEqual([]);
    await applySteps(target, plan.steps, { seed: 14 });
    expect(await describeDatabase(target)).toEqual(await describeDatabase(reference));
    for (const client of [source, target, reference]) await client.end();
  });

  it("says of what the target does not know why it stays behind, and makes the rest", async () => {
    const source = await freshDatabase(newer, fixture(18));
    const target = await freshDatabase(older);
    const plan = await planOf(source, older);
    await applySteps(target, plan.steps, { seed: 18 });
    expect(plan.skipped.map(({ kind, name }) => `${kind} ${name}`).sort()).toEqual([
      "constraint app.modern.b_soon",
      "constraint app.modern.loose",
      "constraint app.modern.over_time",
      "constraint app.ranges.one_null",
      "viewOption app.invoked",
      "virtualColumn app.modern.v",
    ]);
    expect(plan.skipped.every(({ reason }) => /PostgreSQL 1[58]|version/.test(reason))).toBe(true);
    const { rows } = await target.query(
      "INSERT INTO app.modern (a, during, room) VALUES (21, '[2020-01-01,2020-01-02)', '[1,2)') RETURNING v",
    );
    expect(rows).toEqual([{ v: 42 }]);
    const { rows: tables } = await target.query(
      "SELECT count(*)::int AS n FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = 'app'::regnamespace",
    );
    const { rows: expected } = await source.query(
      "SELECT count(*)::int AS n FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = 'app'::regnamespace",
    );
    expect(tables).toEqual(expected);
    for (const client of [source, target]) await client.end();
  });
});
