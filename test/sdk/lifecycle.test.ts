import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createTlsFixture, encryptKey, type TlsFixture } from "../support/certificates.js";
import { type PostgresServer, startPostgres } from "../support/postgres.js";
import { createProgram, type PulumiProgram, type PulumiResult } from "../support/pulumi.js";

const PASSWORD = "the-password-of-the-mover";
const PASSPHRASE = "a passphrase of the client's key";

/** Inputs come from a file beside the program, so that a step changes data, not code. */
const PROGRAM = `
import { readFileSync } from "node:fs";
import * as godwit from "godwit";
import * as pulumi from "@pulumi/pulumi";

const settings = JSON.parse(readFileSync("settings.json", "utf8"));
const secrets = JSON.parse(new pulumi.Config().require("connections"));

const source = new godwit.Endpoint("source", { ...secrets.source, environmentTag: settings.tag });
const target = new godwit.Endpoint("target", secrets.target);
const slot = new godwit.ReplicationSlot("Orders-Slot", { endpoint: source, ...settings.slot });
const whitelist = new godwit.Whitelist("office", { endpoint: source, name: "office", ...settings.whitelist });
const sync = new godwit.SequenceSync("sync", { source, target: pulumi.output(secrets.target), ...settings.sync });

export const serverId: pulumi.Output<string> = source.serverId;
export const slotName: pulumi.Output<string> = slot.name;
export const rules: pulumi.Output<readonly string[]> = whitelist.rules;
export const sequences = sync.sequences;
`;

const SETTINGS = { slot: {}, whitelist: { cidrs: ["10.1.0.0/16"] }, sync: {} };

let source: PostgresServer;
let target: PostgresServer;
let tls: TlsFixture;
let program: PulumiProgram;
let output = "";
let clientKey: string;

beforeAll(async () => {
  tls = await createTlsFixture();
  clientKey = encryptKey(tls.client.good.key, PASSPHRASE);
  const { key, certificate } = tls.server.good;
  [source, target] = await Promise.all([
    startPostgres({ major: 15, name: "lifecycle" }),
    startPostgres({ major: 17, name: "lifecycle", tls: { key, certificate, ca: tls.ca, requireClientCertificate: true } }),
  ]);
  for (const server of [source, target]) await server.query("CREATE SEQUENCE orders_id");
  await source.query("SELECT setval('orders_id', 41)");
  await source.query(`CREATE ROLE mover SUPERUSER LOGIN PASSWORD '${PASSWORD}'`);
  program = await createProgram({
    files: { "index.ts": PROGRAM, "settings.json": JSON.stringify(SETTINGS) },
    onOutput: (text) => {
      output += text;
    },
  });
  await connect();
});
afterAll(() => Promise.all([program?.remove(), source?.remove(), target?.remove()]));

async function connect(more: object = {}): Promise<void> {
  const ssl = {
    mode: "verify-full",
    ca: tls.ca,
    clientCertificate: tls.client.good.certificate,
    clientKey,
    clientKeyPassphrase: PASSPHRASE,
  };
  const mover = { ...source.endpoint(), username: "mover", password: PASSWORD };
  const connections = { source: { ...mover, ...more }, target: { ...target.endpoint(), ssl } };
  await program.config.set("connections", JSON.stringify(connections), { secret: true });
}

async function settings(more: object): Promise<void> {
  await writeFile(join(program.folder, "settings.json"), JSON.stringify({ ...SETTINGS, ...more }));
}

/** Resource name to operation, for all that was not left alone. */
function operations(result: PulumiResult): Record<string, string> {
  const changed = result.steps.filter(({ op, type }) => !["same", "refresh"].includes(op) && type.includes("godwit"));
  return Object.fromEntries(changed.map(({ urn, op }) => [urn.split("::").at(-1) ?? "", op]));
}

function messages(result: PulumiResult): string {
  return result.diagnostics.map(({ message }) => message).join("\n");
}

interface State {
  readonly deployment: {
    readonly resources: readonly {
      readonly urn: string;
      readonly type: string;
      readonly inputs?: Readonly<Record<string, unknown>>;
      readonly outputs?: Readonly<Record<string, unknown>>;
      readonly initErrors?: readonly string[];
      readonly dependencies?: readonly string[];
    }[];
  };
}

async function resources(): Promise<State["deployment"]["resources"]> {
  return ((await program.stackExport()) as State).deployment.resources.filter(({ type }) => type.includes("godwit"));
}

describe("a program on the packed package", () => {
  it("previews with values that are not known yet, and touches nothing", async () => {
    const preview = await program.preview();
    expect(preview.changes).toEqual({ create: 6 });
    expect((await source.query("SELECT FROM pg_replication_slots")).rowCount).toBe(0);
  });

  it("creates, and finds nothing to do", async () => {
    const created = await program.up();
    expect(created.changes).toEqual({ create: 6 });
    expect(await program.outputs()).toMatchObject({
      slotName: "godwit_orders_slot",
      rules: ['host\t"postgres",replication\tall\t10.1.0.0/16\tscram-sha-256'],
      sequences: [{ name: "public.orders_id", value: "42" }],
    });
    expect(output).toContain("Endpoint: connected to database");
    expect((await program.up()).changes).toEqual({ same: 6 });
    expect(operations(await program.refresh())).toEqual({});
    expect((await program.up()).changes).toEqual({ same: 6 });
  });

  it("has the tokens of the contract, and tells Pulumi what depends on what", async () => {
    const all = await resources();
    expect(all.map(({ type }) => type).sort()).toEqual(
      ["Endpoint", "Endpoint", "ReplicationSlot", "SequenceSync", "Whitelist"].map(
        (name) => `pulumi-nodejs:dynamic/godwit:${name}`,
      ),
    );
    const endpoint = all.find(({ urn }) => urn.endsWith("::source"))?.urn;
    for (const name of ["Orders-Slot", "office", "sync"]) {
      expect(all.find(({ urn }) => urn.endsWith(`::${name}`))?.dependencies).toEqual([endpoint]);
    }
  });

  it("saves a shim that captures the resource's name and nothing else, the same from version to version", async () => {
    const golden = await readFile(join(__dirname, "serializedProvider.txt"), "utf8");
    for (const { type, inputs } of await resources()) {
      const own = type.split(":").at(-1) ?? "";
      expect(String(inputs?.__provider).replaceAll(`"${own}"`, '"<resource>"')).toBe(golden);
    }
  });

  it("updates in place, and replaces only what the contract marks", async () => {
    await settings({
      tag: "blue",
      slot: { maxRetainedMegabytes: 500 },
      whitelist: { cidrs: ["10.2.0.0/16"] },
      sync: { triggers: { run: "2" } },
    });
    expect(operations(await program.up())).toEqual({
      source: "update",
      "Orders-Slot": "update",
      office: "update",
      sync: "update",
    });
    await settings({
      tag: "blue",
      slot: { maxRetainedMegabytes: 500, name: "godwit_renamed" },
      whitelist: { cidrs: ["10.2.0.0/16"] },
      sync: { triggers: { run: "2" } },
    });
    const replaced = await program.up();
    expect(replaced.steps.filter(({ urn }) => urn.endsWith("::Orders-Slot")).map(({ op }) => op)).toEqual([
      "delete-replaced",
      "replace",
      "create-replacement",
    ]);
    const { rows } = await source.query("SELECT slot_name FROM pg_replication_slots");
    expect(rows).toEqual([{ slot_name: "godwit_renamed" }]);
    await settings({});
    await program.up();
    expect((await program.up()).changes).toEqual({ same: 6 });
  });

  it("takes a new password in place", async () => {
    const password = "the-new-password-of-the-role";
    await source.query(`ALTER ROLE mover PASSWORD '${password}'`);
    await connect({ password });
    expect(operations(await program.up())).toEqual({
      source: "update",
      "Orders-Slot": "update",
      office: "update",
      sync: "update",
    });
    await source.query(`ALTER ROLE mover PASSWORD '${PASSWORD}'`);
    await connect();
    await program.up();
    expect(output).not.toContain(password);
  });

  it("shows on refresh what was changed behind its back, and mends it", async () => {
    await source.query("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots");
    await source.query("SELECT setval('orders_id', 1000)");
    const hba = join(source.dataDirectory, "pg_hba.conf");
    await writeFile(hba, (await readFile(hba, "utf8")).replace("10.1.0.0/16", "10.9.0.0/16"));

    const refreshed = await program.refresh();
    expect(refreshed.changes).toMatchObject({ delete: 1, update: 2 });
    expect(refreshed.stdout).toContain('slot "godwit_orders_slot" is gone');
    expect(refreshed.stdout).toContain("changed by hand");
    expect(refreshed.stdout).toContain("fell behind the source: public.orders_id");

    expect(operations(await program.up())).toEqual({ "Orders-Slot": "create", office: "update", sync: "update" });
    expect(await program.outputs()).toMatchObject({ sequences: [{ name: "public.orders_id", value: "1001" }] });
    expect(await readFile(hba, "utf8")).toContain("10.1.0.0/16");
    expect((await program.up()).changes).toEqual({ same: 6 });
  });

  it("names every input that does not fit before anything is touched", async () => {
    await settings({ whitelist: { cidrs: ["10.0.0.0/8"], username: ["who-shall-not-be-named"] } });
    const unknown = await program.up({ mayFail: true });
    expect(unknown.exitCode).not.toBe(0);
    expect(messages(unknown)).toMatch(/'office' .*username: there is no such property; did you mean "usernames"\?/);
    expect(`${unknown.stdout}${unknown.stderr}`).not.toContain("who-shall-not-be-named");
    await settings({ whitelist: { cidrs: ["0.0.0.0/0", "10.0.0.0/99"] } });
    const failed = await program.up({ mayFail: true });
    expect(messages(failed)).toMatch(/property cidrs\[0\] .*allowAnyAddress: true/);
    expect(messages(failed)).toMatch(/property cidrs\[1\] .*from \/0 to \/32/);
    expect([operations(unknown), operations(failed)]).toEqual([{}, {}]);

    // What Pulumi prints beside a failure is the value, which may hold secrets.
    await settings({});
    await connect({ password: 5_551_234_567 });
    const wrong = await program.up({ mayFail: true });
    expect(messages(wrong)).toMatch(/property password .*must be a string, not a number/);
    expect(`${wrong.stdout}${wrong.stderr}${messages(wrong)}`).not.toContain("5551234567");
    await connect();
  });

  it("saves a resource that was only partly made, and goes on with it", async () => {
    await settings({ slot: { name: "godwit_partly", advanceTo: "FFFF/0" } });
    const failed = await program.up({ mayFail: true });
    expect(messages(failed)).toContain("beyond the end of the server's log");
    const partly = (await resources()).find(({ urn }) => urn.endsWith("::Orders-Slot"));
    expect(partly?.initErrors?.join()).toContain("GW1001");
    expect(partly?.outputs).toMatchObject({ name: "godwit_partly", consistentPoint: expect.stringContaining("/") });
    await settings({ slot: { name: "godwit_partly" } });
    expect(operations(await program.up())).toEqual({ "Orders-Slot": "update" });
    expect((await program.up()).changes).toEqual({ same: 6 });
  });

  it("keeps secrets out of the state, the output and its own errors", async () => {
    const state = JSON.stringify(await program.stackExport());
    const secrets = [PASSWORD, target.password, PASSPHRASE, clientKey.split("\n")[2] ?? "", "PRIVATE KEY"];
    for (const secret of secrets) {
      expect(state).not.toContain(secret);
      expect(output).not.toContain(secret);
    }
    // They are there, and encrypted: in the endpoints and in what was given an endpoint.
    const clear = JSON.stringify(await program.stackExport({ showSecrets: true }));
    for (const secret of secrets) expect(clear.split(secret).length).toBeGreaterThan(2);
    // What is no secret stays readable.
    expect(state).toContain(`"hosts":["${source.endpoint().hosts[0]}"]`);
  });

  it("destroys and leaves nothing", async () => {
    expect((await program.destroy()).changes).toEqual({ delete: 6 });
    expect((await source.query("SELECT FROM pg_replication_slots")).rowCount).toBe(0);
    expect(await readFile(join(source.dataDirectory, "pg_hba.conf"), "utf8")).not.toContain("godwit");
  });
});
