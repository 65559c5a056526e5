import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { compareDatabases } from "../support/compareTables.js";
import { listLeftovers, listLocalLeftovers, listProcesses } from "../support/leftovers.js";
import { PLUGIN_PROJECT } from "../support/pluginProgram.js";
import { type PostgresServer, startPostgres } from "../support/postgres.js";
import { createProgram, type PulumiProgram, type PulumiResult } from "../support/pulumi.js";

const PROGRAM = `
import { readFileSync } from "node:fs";
import * as pulumi from "@pulumi/pulumi";

const { ends, task, options } = JSON.parse(readFileSync("settings.json", "utf8"));
const password = new pulumi.Config().requireSecret("password");
class Declared extends pulumi.CustomResource {}
new Declared("godwit:index:MigrationTask", "shop", {
  source: { ...ends.source, password },
  target: { ...ends.target, password },
  migrationTypes: ["schema", "full", "incremental"],
  ...task,
}, options);
`;

const PASSWORD = "the-password-of-the-mover";
const ROWS = 60_000;
/** A load that takes a minute. */
const SLOWLY = { throttle: { full: { rowsPerSecond: 1000 } } };

let source: PostgresServer;
let target: PostgresServer;
let program: PulumiProgram;

beforeAll(async () => {
  [source, target] = await Promise.all([startPostgres({ major: 14 }), startPostgres({ major: 17 })]);
  for (const server of [source, target]) {
    await server.query(`CREATE ROLE mover SUPERUSER LOGIN PASSWORD '${PASSWORD}'`);
    await server.createDatabase("shop");
  }
  await source.query(
    `CREATE TABLE purchase AS SELECT g AS id, 'p' || g AS note FROM generate_series(1, ${ROWS}) g; ALTER TABLE purchase ADD PRIMARY KEY (id)`,
    undefined,
    "shop",
  );
  program = await createProgram({ files: { "index.ts": PROGRAM, "Pulumi.yaml": PLUGIN_PROJECT } });
  await program.config.set("password", PASSWORD, { secret: true });
});
afterAll(() => Promise.all([program?.remove(), source?.remove(), target?.remove()]));

function settings(task: object, options: object = {}): Promise<void> {
  const end = ({ port }: PostgresServer) => ({
    engine: "postgresql",
    hosts: [`127.0.0.1:${port}`],
    username: "mover",
    databaseName: "shop",
  });
  const ends = { source: end(source), target: end(target) };
  return writeFile(join(program.folder, "settings.json"), JSON.stringify({ ends, task, options }));
}

const messages = (result: PulumiResult) => result.diagnostics.map(({ message }) => message).join("\n");

interface TaskInState {
  readonly type: string;
  readonly initErrors?: readonly string[];
  readonly outputs?: Readonly<Record<string, unknown>>;
}

async function taskInState(): Promise<TaskInState | undefined> {
  const { deployment } = (await program.stackExport()) as { deployment: { resources: TaskInState[] } };
  return deployment.resources.find(({ type }) => type === "godwit:index:MigrationTask");
}

const workers = async () =>
  (await listProcesses(program.godwitHome)).filter(({ command }) => command.startsWith("godwit worker")).map(({ pid }) => pid);

describe("a task that nobody waits for any more", () => {
  it("goes on after ^C in the middle of its load, its worker untouched", async () => {
    await settings(SLOWLY);
    const began = Date.now();
    const interrupted = await program.up({ mayFail: true, interruptAt: /full: 0 of 1 tables, [1-9]/ });
    expect(interrupted.exitCode).not.toBe(0);
    // The worker lives on, and holds neither the CLI nor its pipes.
    expect(Date.now() - began).toBeLessThan(40_000);
    expect(messages(interrupted)).toMatch(/GW1608: the operation ended before it was done: it was interrupted\. Remedy: /);
    expect((await taskInState())?.initErrors?.join()).toContain("GW1608");
    expect(await workers()).toHaveLength(1);
    expect(await listProcesses(program.folder)).toEqual([]);
  });

  it("is taken up by the next up, which lifts its throttle in place", async () => {
    const [worker] = await workers();
    await settings({});
    const up = await program.up();
    expect(up.changes).toMatchObject({ update: 1 });
    expect((await taskInState())?.outputs).toMatchObject({ state: "running", phase: "incremental" });
    expect(await workers()).toEqual([worker]);
    const compared = await compareDatabases(source.clientConfig("shop"), target.clientConfig("shop"));
    expect(compared.differences).toEqual([]);
    expect((await program.up()).changes).toEqual({ same: 2 });
  });

  it("is waited for no longer than customTimeouts say", async () => {
    await program.destroy();
    await target.query("DROP TABLE purchase", undefined, "shop");
    await settings(SLOWLY, { customTimeouts: { create: "5s" } });
    const failed = await program.up({ mayFail: true });
    expect(messages(failed)).toMatch(/GW1608: .*its time was up \(customTimeouts: 5 s\)/);
    expect(await workers()).toHaveLength(1);
  });

  it("leaves nothing when it is destroyed in the middle", async () => {
    await program.destroy();
    expect([...(await listLeftovers(source)), ...(await listLeftovers(target))]).toEqual([]);
    expect(await listLocalLeftovers(program.godwitHome)).toEqual([]);
  });
});
