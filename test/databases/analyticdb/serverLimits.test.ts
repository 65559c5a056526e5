import { expect, it } from "vitest";
import { limitItems, readServerLimits, type ServerLimits } from "../../../provider/databases/analyticdb/precheck/serverLimits.js";
import { connect } from "../../../provider/databases/postgres/connection.js";
import { startPostgres } from "../../support/postgres.js";

const queue = (more: Partial<NonNullable<ServerLimits["queue"]>>) => ({
  detector: null,
  queue: { name: "pg_default", statements: 20, cost: -1, overcommit: false, role: "godwit", ...more },
});

it("warns of a resource queue that would let the task wait, or refuse its statements, with the statement that mends it", () => {
  expect(limitItems(queue({}), true)).toMatchObject([{ item: "targetResourceQueue", passed: true }]);
  expect(limitItems(queue({ statements: -1 }), true)).toMatchObject([{ passed: true }]);
  expect(limitItems(queue({ cost: 5e6, overcommit: true }), true)).toMatchObject([{ passed: true }]);
  expect(limitItems(queue({ statements: 3, cost: 5e6 }), true)).toMatchObject([
    {
      passed: false,
      severity: "warning",
      message: expect.stringMatching(/runs 3 statements at once.*cost more than 5000000$/),
      remedy: expect.stringMatching(
        /^ALTER RESOURCE QUEUE "?pg_default"? WITH \(ACTIVE_STATEMENTS=16, MAX_COST=-1\).*ALTER ROLE "?godwit"?/,
      ),
    },
  ]);
});

it("warns that other writers wait, where the deadlock detector is off and changes are applied", () => {
  const off: ServerLimits = { detector: "off", queue: undefined };
  expect(limitItems(off, true)).toMatchObject([{ item: "targetConcurrentUpdates", passed: false, severity: "warning" }]);
  expect(limitItems({ ...off, detector: "on" }, true)).toMatchObject([{ passed: true }]);
  expect(limitItems(off, false)).toEqual([]);
});

it("asks a server without queues nothing that it does not have", async () => {
  const server = await startPostgres({ major: 14, settings: { fsync: "off" } });
  const client = await connect(server.endpoint("postgres"), { applicationName: "test" });
  try {
    expect(await readServerLimits(client)).toEqual({ detector: null, queue: undefined });
  } finally {
    await client.end();
    await server.remove();
  }
});
