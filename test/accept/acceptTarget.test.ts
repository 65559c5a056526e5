import { execFile } from "node:child_process";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type AnalyticdbStandIn, startAnalyticdb } from "../support/analyticdb/standIn.js";
import { REPOSITORY } from "../support/pulumiProject.js";

let target: AnalyticdbStandIn;
beforeAll(async () => {
  target = await startAnalyticdb({ version: 6, settings: { fsync: "off" } });
  await target.server.createDatabase("warehouse");
});
afterAll(() => target.remove());

/** The command as `npm run accept:target` starts it. */
function accept(args: readonly string[], password: string): Promise<{ readonly status: number; readonly text: string }> {
  const options = {
    cwd: REPOSITORY,
    env: { ...process.env, GODWIT_ACCEPT_TARGET_PASSWORD: password },
  };
  return new Promise((settle) => {
    execFile(process.execPath, ["--import", "tsx", "test/accept/acceptTarget.ts", ...args], options, (error, stdout, stderr) =>
      settle({ status: error ? Number(error.code ?? -1) : 0, text: `${stdout}${stderr}` }),
    );
  });
}

it("migrates a scratch schema into somebody's own server, compares it after each step, and takes everything away", async () => {
  const where = `${target.username}@127.0.0.1:${target.port}/warehouse`;
  const { status, text } = await accept(["analyticdb-postgresql", where], target.password);
  expect(text).toMatch(/^loaded +3 tables: 5993 rows, equal$/m);
  expect(text).toMatch(/^changed +3 tables: \d+ rows, equal$/m);
  expect(text).toMatch(/^restructured +4 tables: \d+ rows, equal$/m);
  expect(text).toMatch(/^accepted +everything held$/m);
  expect(text).not.toContain(target.password);
  expect(status).toBe(0);
  expect(target.refused()).toEqual([]);
  const left = "SELECT nspname FROM pg_namespace WHERE nspname LIKE 'godwit%'";
  expect((await target.server.query(left, undefined, "warehouse")).rows).toEqual([]);
});

it("says what is in the way and accepts nothing", async () => {
  const where = `${target.username}@127.0.0.1:${target.port}/warehouse`;
  const refused = await accept(["analyticdb-postgresql", where], "wrong");
  expect(refused.text).toMatch(/GW1102/);
  expect(refused.text).not.toMatch(/^accepted/m);
  expect(refused.status).toBe(1);
  const unknown = await accept(["mysql", where], "x");
  expect(unknown.text).toMatch(/ENGINE is one of analyticdb-postgresql, polardb-o, postgresql/);
  expect(unknown.status).toBe(2);
});
