import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { killProcess } from "../support/kill.js";
import { listLeftovers, listLocalLeftovers, listProcesses } from "../support/leftovers.js";
import { PLUGIN_PROJECT } from "../support/pluginProgram.js";
import { type PostgresServer, startPostgres } from "../support/postgres.js";
import { createProgram, type PulumiProgram } from "../support/pulumi.js";

const END = (port: number) =>
  `{ engine: "postgresql" as const, hosts: ["127.0.0.1:${port}"], username: "postgres", databaseName: "postgres" }`;

const classes = () => `
import * as godwit from "godwit";
import * as pulumi from "@pulumi/pulumi";
const config = new pulumi.Config();
const source = new godwit.Endpoint("source", { ...${END(source.port)}, password: config.requireSecret("source") });
new godwit.MigrationTask("shop", {
  source,
  target: { ...${END(target.port)}, password: config.requireSecret("target") },
  migrationTypes: ["schema", "full", "incremental"],
});
`;

const plugin = () => `
import * as pulumi from "@pulumi/pulumi";
const config = new pulumi.Config();
class Declared extends pulumi.CustomResource {
  declare readonly connection: pulumi.Output<unknown>;
  constructor(type: string, name: string, inputs: object) {
    super("godwit:index:" + type, name, { connection: undefined, ...inputs });
  }
}
const source = new Declared("Endpoint", "source", { ...${END(source.port)}, password: config.requireSecret("source") });
new Declared("MigrationTask", "shop", {
  source: source.connection,
  target: { ...${END(target.port)}, password: config.requireSecret("target") },
  migrationTypes: ["schema", "full", "incremental"],
});
`;

let source: PostgresServer;
let target: PostgresServer;
let program: PulumiProgram;

beforeAll(async () => {
  [source, target] = await Promise.all([startPostgres({ major: 17 }), startPostgres({ major: 18 })]);
  await source.query("CREATE TABLE item (id int PRIMARY KEY); INSERT INTO item SELECT generate_series(1, 1000)");
  program = await createProgram({ files: { "index.ts": classes(), "Pulumi.yaml": PLUGIN_PROJECT } });
  for (const [name, server] of Object.entries({ source, target }))
    await program.config.set(name, server.password, { secret: true });
  const connections = { old: source.endpoint(), fresh: target.endpoint() };
  await program.config.set("godwit:connections", JSON.stringify(connections), { secret: true });
});
afterAll(() => Promise.all([program?.remove(), source?.remove(), target?.remove()]));

const workers = async () =>
  (await listProcesses(program.godwitHome)).filter(({ command }) => command.startsWith("godwit worker")).map(({ pid }) => pid);

describe("a stack that goes from the classes to the plugin", () => {
  it("copies nothing again, and its worker notices nothing", async () => {
    await program.up();
    const [worker] = await workers();
    const { deployment } = (await program.stackExport()) as { deployment: { resources: { urn: string; type: string }[] } };
    const own = deployment.resources.filter(({ type }) => type.startsWith("pulumi-nodejs:dynamic/godwit:"));
    for (const { urn } of own.reverse()) await program.run(["state", "delete", urn, "--stack", "dev", "--yes"]);
    const ids = { Endpoint: ["source", "old"], MigrationTask: ["shop", "old/fresh/program/dev/shop"] };
    for (const [type, args] of Object.entries(ids)) {
      const flags = ["--stack", "dev", "--yes", "--skip-preview", "--generate-code=false", "--protect=false"];
      await program.run(["import", `godwit:index:${type}`, ...args, ...flags]);
    }
    await program.write({ "index.ts": plugin() });
    // The dynamic provider's own entry is all that goes.
    expect((await program.up()).changes).toMatchObject({ same: 3 });
    expect((await program.up()).changes).toEqual({ same: 3 });
    expect(await workers()).toEqual([worker]);
  });

  it("shows a task whose worker has gone on refresh, and the next up starts one", async () => {
    await killProcess(program.godwitHome, "supervisor");
    await killProcess(program.godwitHome, "worker");
    await expect.poll(async () => (await program.refresh()).changes, { timeout: 60_000 }).toMatchObject({ update: 1 });
    const preview = await program.preview();
    const task = preview.steps.find(({ urn }) => urn.endsWith("::shop"));
    expect(task).toMatchObject({ op: "update", detailedDiff: { state: "update" } });
    await program.up();
    expect(await workers()).toHaveLength(1);
    await source.query("INSERT INTO item VALUES (0)");
    await expect
      .poll(async () => (await target.query("SELECT count(*)::int AS n FROM item")).rows, { timeout: 60_000 })
      .toEqual([{ n: 1001 }]);
  });

  it("leaves the data and nothing else after destroy", async () => {
    await program.destroy();
    expect([...(await listLeftovers(source)), ...(await listLeftovers(target))]).toEqual([]);
    expect(await listLocalLeftovers(program.godwitHome)).toEqual([]);
  });
});
