import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type PostgresServer, startPostgres } from "../../../support/postgres.js";
import { applySteps } from "./applySteps.js";
import { describeDatabase } from "./describeDatabase.js";
import { fixture } from "./fixture.js";
import { freshDatabase, planOf } from "./roundTrip.js";

const PAIRS = [
  [10, 14],
  [10, 18],
  [14, 18],
  [18, 18],
] as const;

describe("the schema of every kind of object", () => {
  const servers = new Map<number, PostgresServer>();
  beforeAll(async () => {
    for (const major of [10, 14, 18] as const) servers.set(major, await startPostgres({ major, settings: { fsync: "off" } }));
  });
  afterAll(async () => {
    for (const server of servers.values()) await server.remove();
  });
  const server = (major: number): PostgresServer => {
    const found = servers.get(major);
    if (!found) throw new Error(`no server ${major}`);
    return found;
  };

  for (const [from, to] of PAIRS) {
    it(`is on PostgreSQL ${to} what it was on ${from}`, async () => {
      const source = await freshDatabase(server(from), fixture(from));
      const target = await freshDatabase(server(to));
      // What the target's own version makes of the same statements.
      const reference = await freshDatabase(server(to), fixture(from));
      const plan = await planOf(source, server(to));
      expect(plan.skipped).toEqual([]);
      const seed = Math.floor(Math.random() * 1e9);
      console.log(`order of steps from seed ${seed}`);
      await applySteps(target, plan.steps, { seed });
      const options = { notNullNames: from >= 18 };
      expect(await describeDatabase(target, options)).toEqual(await describeDatabase(reference, options));
      for (const client of [source, target, reference]) await client.end();
    });
  }
});
