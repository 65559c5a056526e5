import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { compareDatabases } from "../support/compareTables.js";
import { listLeftovers, listLocalLeftovers } from "../support/leftovers.js";
import { PLUGIN_PROJECT } from "../support/pluginProgram.js";
import { type PostgresServer, startPostgres } from "../support/postgres.js";
import { createProgram, type PulumiProgram, type PulumiResult } from "../support/pulumi.js";

const PASSWORD = "the-password-of-the-mover";

/** No class of godwit's: what a program of any language registers is a type's token and inputs. */
const PROGRAM = `
import { readFileSync } from "node:fs";
import * as pulumi from "@pulumi/pulumi";

const settings = JSON.parse(readFileSync("settings.json", "utf8"));
const password = new pulumi.Config().requireSecret("password");
const OUTPUTS = ["connection", "serverId", "name", "rules", "sequences", "state", "taskId", "slotName"];

class Declared extends pulumi.CustomResource {
  [output: string]: any;
  constructor(type: string, name: string, inputs: object, opts?: pulumi.CustomResourceOptions) {
    super("godwit:index:" + type, name, { ...Object.fromEntries(OUTPUTS.map((o) => [o, undefined])), ...inputs }, opts);
  }
}

const end = (port: number) => ({ engine: "postgresql", hosts: ["127.0.0.1:" + port], username: "mover", password, databaseName: "shop" });
const source = new Declared("Endpoint", "source", { ...end(settings.sourcePort), ...settings.source });
const target = new Declared("Endpoint", "target", end(settings.targetPort));
const slot = new Declared("ReplicationSlot", "Orders-Slot", { endpoint: source.connection, ...settings.slot });
const office = new Declared("Whitelist", "office", { endpoint: source.connection, name: "office", cidrs: ["10.1.0.0/16"], ...settings.whitelist });
const shop = new Declared("MigrationTask", "shop", {
  source: source.connection,
  target: target.connection,
  migrationTypes: ["schema", "full", "incremental"],
  ...settings.task,
});
const sync = new Declared("SequenceSync", "sync", { source: source.connection, target: target.connection, ...settings.sync }, { dependsOn: shop });

export const serverId = source.serverId;
export const slotName = slot.name;
export const rules = office.rules;
export const taskId = shop.taskId;
export const tasksSlot = shop.slotName;
export const state = shop.state;
export const sequences = sync.sequences;
`;

let source: PostgresServer;
let target: PostgresServer;
let program: PulumiProgram;
let output = "";

beforeAll(async () => {
  [source, target] = await Promise.all([startPostgres({ major: 15 }), startPostgres({ major: 17 })]);
  for (const server of [source, target]) {
    await server.query(`CREATE ROLE mover SUPERUSER LOGIN PASSWORD '${PASSWORD}'`);
    await server.createDatabase("shop");
  }
  await inShop(
    source,
    `CREATE TABLE customer (id bigserial PRIMARY KEY, name text NOT NULL);
     INSERT INTO customer (name) SELECT 'c' || g FROM generate_series(1, 5000) g`,
  );
  program = await createProgram({
    files: { "index.ts": PROGRAM, "Pulumi.yaml": PLUGIN_PROJECT },
    onOutput: (text) => {
      output += text;
    },
  });
  await program.config.set("password", PASSWORD, { secret: true });
  const connections = Object.fromEntries(
    Object.entries({ old: source, fresh: target }).map(([name, { port }]) => [
      name,
      { engine: "postgresql", hosts: [`127.0.0.1:${port}`], username: "mover", password: PASSWORD, databaseName: "shop" },
    ]),
  );
  await program.config.set("godwit:connections", JSON.stringify(connections), { secret: true });
  await settings({});
});
afterAll(() => Promise.all([program?.remove(), source?.remove(), target?.remove()]));

const settings = (given: object) =>
  writeFile(
    join(program.folder, "settings.json"),
    JSON.stringify({ sourcePort: source.port, targetPort: target.port, ...given }),
  );

const inShop = (server: PostgresServer, sql: string) => server.query(sql, undefined, "shop");

/** Resource name to operation, for all that was not left alone. */
function operations(result: PulumiResult): Record<string, string> {
  const changed = result.steps.filter(({ op, type }) => !["same", "refresh"].includes(op) && type.startsWith("godwit:"));
  return Object.fromEntries(changed.map(({ urn, op }) => [urn.split("::").at(-1) ?? "", op]));
}

/** Resource name to what the provider says of the difference. */
function differences(result: PulumiResult): Record<string, unknown> {
  const changed = result.steps.filter(({ op, type }) => ["update", "replace"].includes(op) && type.startsWith("godwit:"));
  return Object.fromEntries(changed.map(({ urn, detailedDiff }) => [urn.split("::").at(-1) ?? "", detailedDiff]));
}

const messages = (result: PulumiResult) => result.diagnostics.map(({ message }) => message).join("\n");

interface StateResource {
  readonly urn: string;
  readonly type: string;
  readonly outputs?: Readonly<Record<string, unknown>>;
  readonly initErrors?: readonly string[];
  readonly dependencies?: readonly string[];
}

async function inState(name: string): Promise<StateResource | undefined> {
  const { deployment } = (await program.stackExport()) as { deployment: { resources: StateResource[] } };
  return deployment.resources.find(({ urn, type }) => urn.endsWith(`::${name}`) && type.startsWith("godwit:"));
}

async function differing(): Promise<unknown> {
  return (await compareDatabases(source.clientConfig("shop"), target.clientConfig("shop"))).differences;
}

describe("a program of any language, through the plugin", () => {
  it("previews what it would make, and makes nothing", async () => {
    const preview = await program.preview();
    expect(preview.changes).toEqual({ create: 7 });
    // Known before anything exists: names that follow from the program.
    expect(preview.stdout).toContain("godwit_orders_slot");
    expect(preview.stdout).toMatch(/taskId *: "program_dev_shop_[0-9a-f]{8}"/);
    expect(preview.stdout).not.toMatch(/serverId *: "/);
    for (const server of [source, target]) expect(await listLeftovers(server)).toEqual([]);
    expect((await inShop(target, "SELECT FROM pg_tables WHERE schemaname = 'public'")).rowCount).toBe(0);
  });

  it("comes up, and says so beside the resource", async () => {
    const up = await program.up();
    expect(up.changes).toEqual({ create: 7 });
    expect(up.stdout).toMatch(/godwit:index:MigrationTask \(shop\):\s+task program_dev_shop_\w+: 1 tables/);
    expect(await program.outputs()).toMatchObject({
      slotName: "godwit_orders_slot",
      rules: ['host\t"shop",replication\tall\t10.1.0.0/16\tscram-sha-256'],
      state: "running",
      sequences: [{ name: "public.customer_id_seq", value: "5001" }],
    });
    expect(await differing()).toEqual([]);
  });

  it("finds nothing to do on a second up, nor on a refresh and a third", async () => {
    expect((await program.up()).changes).toEqual({ same: 7 });
    expect(operations(await program.refresh())).toEqual({});
    expect((await program.up()).changes).toEqual({ same: 7 });
  });

  it("knows which resource needs which", async () => {
    const [endpoint, other] = await Promise.all([inState("source"), inState("target")]);
    expect((await inState("Orders-Slot"))?.dependencies).toEqual([endpoint?.urn]);
    expect((await inState("shop"))?.dependencies).toEqual([endpoint?.urn, other?.urn]);
  });

  it("previews in place what changes in place, and a replacement only for what the contract marks", async () => {
    await settings({
      source: { environmentTag: "blue" },
      slot: { maxRetainedMegabytes: 500 },
      whitelist: { cidrs: ["10.1.0.0/16", "10.2.0.0/16"] },
      task: { throttle: { incremental: { rowsPerSecond: 100_000 } } },
      sync: { triggers: { "run.2": "yes" } },
    });
    expect(differences(await program.preview())).toEqual({
      source: { environmentTag: "add" },
      "Orders-Slot": { "endpoint.environmentTag": "add", maxRetainedMegabytes: "add" },
      office: { "endpoint.environmentTag": "add", "cidrs[1]": "add" },
      shop: { "source.environmentTag": "add", throttle: "add" },
      sync: { "source.environmentTag": "add", triggers: "add" },
    });
    await settings({ slot: { plugin: "test_decoding" }, source: { hosts: [`localhost:${source.port}`] } });
    const replacing = differences(await program.preview());
    expect(replacing.source).toEqual({ "hosts[0]": "update" });
    for (const name of ["office", "sync"]) expect(Object.values(replacing[name] ?? {})).toEqual(["update-replace"]);
    expect(replacing["Orders-Slot"]).toEqual({ "endpoint.hosts[0]": "update-replace", plugin: "update-replace" });
    expect(replacing.shop).toEqual({ "source.hosts[0]": "update-replace" });
    // A preview of all that has changed nothing.
    expect((await source.query("SELECT slot_name FROM pg_replication_slots WHERE plugin <> 'pgoutput'")).rowCount).toBe(0);
    await settings({ slot: { maxRetainedMegabytes: 500 }, task: { throttle: { incremental: { rowsPerSecond: 100_000 } } } });
    expect(operations(await program.up())).toEqual({ "Orders-Slot": "update", shop: "update" });
    await settings({});
    await program.up();
    expect((await program.up()).changes).toEqual({ same: 7 });
  });

  it("shows on refresh what was changed behind its back, and mends it", async () => {
    await source.query("SELECT pg_drop_replication_slot('godwit_orders_slot')");
    await inShop(source, "SELECT setval('customer_id_seq', 90000)");
    const hba = join(source.dataDirectory, "pg_hba.conf");
    await writeFile(hba, (await readFile(hba, "utf8")).replace("10.1.0.0/16", "10.9.0.0/16"));
    const refreshed = await program.refresh();
    expect(refreshed.changes).toMatchObject({ delete: 1, update: 2 });
    expect(messages(refreshed)).toContain('slot "godwit_orders_slot" is gone');
    const preview = await program.preview();
    expect(differences(preview)).toEqual({ office: { rules: "update" }, sync: { behind: "update" } });
    expect(operations(await program.up())).toEqual({ "Orders-Slot": "create", office: "update", sync: "update" });
    expect(await readFile(hba, "utf8")).toContain("10.1.0.0/16");
    expect((await program.up()).changes).toEqual({ same: 7 });
  });

  it("names every input that does not fit by its path, and prints no value that may be secret", async () => {
    await settings({
      task: { retry: { connectionMinutes: 5 } },
      whitelist: { cidrs: ["10.0.0.0/99"], user: "hidden-user" },
      source: { password: 55_512_345 },
    });
    const failed = await program.up({ mayFail: true });
    expect(messages(failed)).toMatch(/GW1001: password: must be a string, not a number/);
    expect(`${failed.stdout}${failed.stderr}`).not.toContain("55512345");
    // Pulumi goes no further than the first resource with failures.
    await settings({ whitelist: { cidrs: ["10.0.0.0/99"] } });
    expect(messages(await program.up({ mayFail: true }))).toMatch(/property cidrs\[0\] .*GW1001: .*from \/0 to \/32/);
    await settings({ task: { retry: { connectionMinutes: 5 } } });
    expect(messages(await program.up({ mayFail: true }))).toMatch(/property retry.connectionMinutes .*must be from 10 to 1440/);
    await settings({});
  });

  it("says of a wrong password what happened and what mends it, and keeps it to itself", async () => {
    await program.config.set("password", "not-the-password", { secret: true });
    const failed = await program.up({ mayFail: true });
    expect(messages(failed)).toMatch(/GW1102: .*Remedy: /);
    const places = [failed.stdout, failed.stderr, messages(failed), JSON.stringify(await program.stackExport())];
    for (const place of places) expect(place).not.toContain("not-the-password");
    await program.config.set("password", PASSWORD, { secret: true });
    await program.up();
    expect((await program.up()).changes).toEqual({ same: 7 });
  });

  it("takes over what another stack forgot, by ids without secrets", async () => {
    const ids: [string, string, string][] = [
      ["SequenceSync", "sync", ""],
      ["MigrationTask", "shop", "old/fresh/program/dev/shop"],
      ["Whitelist", "office", "old/office"],
      ["ReplicationSlot", "Orders-Slot", "old/godwit_orders_slot"],
      ["Endpoint", "target", "fresh"],
      ["Endpoint", "source", "old"],
    ];
    for (const [, name] of ids) {
      await program.run(["state", "delete", (await inState(name))?.urn ?? "", "--stack", "dev", "--yes", "--force"]);
    }
    const imported = (type: string, name: string, id: string, mayFail = false) =>
      program.run(
        [
          "import",
          `godwit:index:${type}`,
          name,
          id,
          "--stack",
          "dev",
          "--yes",
          "--skip-preview",
          "--generate-code=false",
          "--protect=false",
        ],
        { mayFail },
      );
    for (const [type, name, id] of ids) if (id) await imported(type, name, id);
    expect((await inState("shop"))?.outputs).toMatchObject({
      state: "running",
      slotName: expect.stringMatching(/^godwit_program_dev_shop_/),
    });
    const wrong = await imported("ReplicationSlot", "other", "godwit_orders_slot", true);
    expect(wrong.stdout).toMatch(/GW1001: the id of a ReplicationSlot to import has the form <connection>\/<slot>/);
    const missing = await imported("ReplicationSlot", "other", "old/no_such_slot", true);
    expect(missing.stdout).toContain("does not exist");
    // Nothing of it is made again or touched; only the sync, which has no state at a server, is declared anew.
    expect((await program.up()).changes).toEqual({ same: 6, create: 1 });
    expect((await program.up()).changes).toEqual({ same: 7 });
    expect(await differing()).toEqual([]);
  });

  it("saves a resource that was only partly made, and goes on with it", async () => {
    await settings({ slot: { name: "godwit_partly", advanceTo: "FFFF/0" } });
    const failed = await program.up({ mayFail: true });
    expect(messages(failed)).toContain("beyond the end of the server's log");
    expect((await inState("Orders-Slot"))?.initErrors?.join()).toContain("GW1001");
    expect((await inState("Orders-Slot"))?.outputs).toMatchObject({ name: "godwit_partly" });
    await settings({ slot: { name: "godwit_partly" } });
    expect(operations(await program.up())).toEqual({ "Orders-Slot": "update" });
    expect((await program.up()).changes).toEqual({ same: 7 });
  });

  it("leaves the data and nothing else after destroy", async () => {
    const secrets = [await program.stackExport(), output].map((place) => JSON.stringify(place));
    for (const place of secrets) expect(place).not.toContain(PASSWORD);
    expect((await program.destroy()).changes).toEqual({ delete: 7 });
    expect([...(await listLeftovers(source)), ...(await listLeftovers(target))]).toEqual([]);
    expect(await listLocalLeftovers(program.godwitHome)).toEqual([]);
  });
});
