import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as grpc from "@grpc/grpc-js";
import { GetSchemaRequest, type GetSchemaResponse } from "@pulumi/pulumi/proto/provider_pb.js";
import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
// biome-ignore lint/correctness/useImportExtensions: the rule knows no JSON
import schema from "../../schema.json";
import { type PluginClient, secret, startPlugin, UNKNOWN } from "../support/pluginClient.js";
import { type PostgresServer, startPostgres } from "../support/postgres.js";

let server: PostgresServer;
let plugin: PluginClient;
let home: string;
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "godwit-home-"));
  [server, plugin] = await Promise.all([startPostgres({ major: 17, name: "plugin" }), startPlugin({ GODWIT_HOME: home })]);
});
afterAll(async () => {
  await Promise.all([plugin?.close(), server?.remove()]);
  await rm(home, { recursive: true, force: true });
});

const slots = async () => (await server.query("SELECT slot_name AS name FROM pg_replication_slots")).rows;
async function connected(): Promise<Client> {
  const client = new Client(server.clientConfig());
  await client.connect();
  return client;
}

const failure = (work: Promise<unknown>) =>
  work.then(
    () => undefined,
    (cause: grpc.ServiceError) => cause,
  );

describe("the plugin's protocol", () => {
  it("hands out the contract as its schema", async () => {
    const answer = await new Promise<GetSchemaResponse>((resolve, reject) =>
      plugin.raw.getSchema(new GetSchemaRequest(), (cause, response) => (cause ? reject(cause) : resolve(response))),
    );
    expect(JSON.parse(answer.getSchema())).toEqual(schema);
  });

  it("fills defaults and names in, and marks as secret what the contract calls secret, however it came", async () => {
    const endpoint = { engine: "postgresql", hosts: ["db"], username: secret("mover"), password: "plain", databaseName: "shop" };
    const slot = await plugin.check("ReplicationSlot", { endpoint });
    expect(slot).toEqual({
      inputs: {
        endpoint: { ...endpoint, password: secret("plain") },
        name: "godwit_thing",
        plugin: "pgoutput",
        failover: false,
        adopt: false,
      },
      failures: [],
    });
    const alerts = { contacts: ["https://hooks.example.com/token"] };
    const task = await plugin.check("MigrationTask", {
      source: endpoint,
      target: secret(endpoint),
      migrationTypes: ["full"],
      alerts,
    });
    expect(task.inputs).toMatchObject({
      taskName: "project/dev/thing",
      target: secret(endpoint.username && { ...endpoint, username: "mover" }),
      alerts: { contacts: secret(alerts.contacts) },
    });
  });

  it("takes what a preview does not know yet for any value, and twice the unknown is no duplicate", async () => {
    const task = {
      source: { engine: "postgresql", hosts: UNKNOWN, username: UNKNOWN, password: secret(UNKNOWN), databaseName: "shop" },
      target: UNKNOWN,
      migrationTypes: ["schema", UNKNOWN],
      alerts: { contacts: [UNKNOWN, UNKNOWN] },
      objects: [{ schema: UNKNOWN, exclude: [UNKNOWN, UNKNOWN] }],
      retry: { connectionMinutes: UNKNOWN },
    };
    expect((await plugin.check("MigrationTask", task)).failures).toEqual([]);
    expect((await plugin.check("Whitelist", { endpoint: UNKNOWN, name: UNKNOWN, cidrs: [UNKNOWN, UNKNOWN] })).failures).toEqual(
      [],
    );
    const twice = await plugin.check("Whitelist", { endpoint: UNKNOWN, name: "w", cidrs: ["10.0.0.0/8", UNKNOWN, "10.0.0.0/8"] });
    expect(twice.failures).toEqual([{ property: "cidrs", reason: "GW1001: holds the same value twice, at [2] and [0]" }]);
  });

  it("names what does not fit without showing a value that may be secret", async () => {
    const { failures } = await plugin.check("Endpoint", {
      engine: "postgresql",
      hosts: ["db"],
      pasword: "x",
      ssl: "PEM",
      username: 7,
    });
    expect(failures.map(({ property, reason }) => `${property}|${reason}`)).toEqual([
      expect.stringMatching(/^\|GW1001: pasword: there is no such property; did you mean "password"\?/),
      expect.stringMatching(/^username\|GW1001: must be a string/),
      expect.stringMatching(/^\|GW1001: ssl: must be an object/),
    ]);
    expect(
      (await plugin.check("Endpoint", { engine: "postgresql", hosts: ["db"], password: secret(7) })).failures[0],
    ).toMatchObject({
      property: "password",
    });
  });

  it("says in previews what it knows, and of the rest that it is not known", async () => {
    const endpoint = { ...server.endpoint(), username: secret(server.username), password: secret(server.password) };
    const created = await plugin.create("Endpoint", endpoint, { preview: true });
    expect(created).toEqual({
      id: "",
      outputs: {
        ...endpoint,
        connection: secret(server.endpoint()),
        serverVersion: UNKNOWN,
        serverId: UNKNOWN,
        encoding: UNKNOWN,
        timeZone: UNKNOWN,
        superuser: UNKNOWN,
      },
    });
    const { inputs } = await plugin.check("ReplicationSlot", { endpoint: { ...endpoint, hosts: UNKNOWN } });
    const slot = await plugin.create("ReplicationSlot", inputs, { preview: true });
    expect(slot.outputs).toEqual({ ...inputs, consistentPoint: UNKNOWN, walStatus: UNKNOWN });
    const updated = await plugin.update("ReplicationSlot", { ...inputs, consistentPoint: "0/1" }, inputs, { preview: true });
    expect(updated).toMatchObject({ consistentPoint: "0/1", walStatus: UNKNOWN });
    const whitelist = { endpoint, name: "w", cidrs: ["10.0.0.0/8"], authMethod: "scram-sha-256", allowAnyAddress: false };
    expect((await plugin.create("Whitelist", whitelist, { preview: true })).outputs).toMatchObject({
      databases: UNKNOWN,
      connectionType: UNKNOWN,
      rules: UNKNOWN,
    });
    const ends = { source: endpoint, target: endpoint };
    const sync = await plugin.create(
      "SequenceSync",
      { ...ends, margin: 1, sequences: [{ schema: "s", name: "q" }] },
      { preview: true },
    );
    expect(sync.outputs).toMatchObject({ sequences: UNKNOWN, selection: [{ schema: "s", name: "q" }], behind: [] });
    expect(await slots()).toEqual([]);
  });

  it("takes a resource through its life, and keeps secret what came as a secret", async () => {
    const endpoint = { ...server.endpoint(), username: secret(server.username), password: secret(server.password) };
    const { inputs } = await plugin.check("ReplicationSlot", { endpoint });
    const { id, outputs } = await plugin.create("ReplicationSlot", inputs);
    expect(outputs).toEqual({ ...inputs, consistentPoint: expect.stringContaining("/"), walStatus: "reserved" });
    expect(await plugin.diff("ReplicationSlot", outputs, inputs)).toMatchObject({ changes: 1, detaileddiffMap: [] });
    const read = await plugin.read("ReplicationSlot", id, outputs, inputs);
    expect(read).toEqual({ id, outputs, inputs });
    const { changes, replacesList, detaileddiffMap } = await plugin.diff("ReplicationSlot", outputs, {
      ...inputs,
      name: "other",
      maxRetainedMegabytes: 5,
    });
    expect({ changes, replacesList }).toEqual({ changes: 2, replacesList: ["name"] });
    expect(Object.fromEntries(detaileddiffMap)).toEqual({
      name: { kind: 5, inputdiff: true },
      maxRetainedMegabytes: { kind: 0, inputdiff: true },
    });
    await server.query("SELECT pg_drop_replication_slot('godwit_thing')");
    expect(await plugin.read("ReplicationSlot", id, outputs, inputs)).toEqual({ id: "", outputs: undefined, inputs: {} });
    expect(plugin.said).toContainEqual({
      message: expect.stringContaining('slot "godwit_thing" is gone'),
      urn: "urn:pulumi:dev::project::godwit:index:ReplicationSlot::thing",
      ephemeral: false,
    });
    await plugin.delete("ReplicationSlot", id, outputs);
  });

  it("answers a failure with its code and remedy, and a partly made resource with what there is", async () => {
    const wrong = await failure(plugin.create("Endpoint", { ...server.endpoint(), password: secret("wrong-one") }));
    expect(wrong).toMatchObject({ code: grpc.status.UNAUTHENTICATED, details: expect.stringMatching(/^GW1102: .*Remedy: /) });
    const { inputs } = await plugin.check("ReplicationSlot", { endpoint: server.endpoint(), advanceTo: "FFFF/0" });
    const partly = await failure(plugin.create("ReplicationSlot", inputs));
    const [details] = partly?.metadata.get("grpc-status-details-bin") ?? [];
    const text = Buffer.from(details ?? "").toString("latin1");
    for (const part of ["pulumirpc.ErrorResourceInitFailed", "godwit_thing", "consistentPoint", "GW1001"])
      expect(text).toContain(part);
    // The password is in it, as a secret.
    expect(text.indexOf("1b47061264138c4ac30d75fd1eb44270")).toBeGreaterThan(0);
    await plugin.delete("ReplicationSlot", "godwit_thing", inputs);
    expect(await slots()).toEqual([]);
    expect(JSON.stringify(plugin.said)).not.toContain(server.password);
  });

  it("takes its settings, keeps the secret ones secret, and leaves those alone that are none of its own", async () => {
    const settings = { smtpUrl: "smtps://user:token@mail.example.com", smtpFrom: "godwit@example.com", version: "0.1.0" };
    expect(await plugin.checkConfig({ ...settings, sourcePassword: "of a project that is called godwit" })).toMatchObject({
      inputs: { ...settings, smtpUrl: secret(settings.smtpUrl), sourcePassword: expect.any(String) },
      failures: [],
    });
    const { failures } = await plugin.checkConfig({ smtpFrom: 7, connections: "shop", leaveUnreachable: "perhaps" });
    expect(failures.map(({ property, reason }) => `${property} ${reason}`)).toEqual([
      "smtpFrom must be a string",
      expect.stringContaining("connections: must be an object from names to connections"),
      "leaveUnreachable must be true or false",
      "smtpUrl is required when smtpFrom is given",
    ]);
    expect(await plugin.diffConfig(settings, settings)).toMatchObject({ changes: 1 });
    expect(await plugin.diffConfig(settings, { ...settings, smtpFrom: "dba@example.com" })).toMatchObject({
      changes: 2,
      replacesList: [],
    });
    const ends = { source: server.endpoint(), target: server.endpoint(), migrationTypes: ["full"] };
    const task = { ...ends, alerts: { contacts: ["dba@example.com"] } };
    expect((await plugin.check("MigrationTask", task)).failures).toMatchObject([{ property: "alerts.contacts[0]" }]);
    await plugin.configure({ ...settings, smtpUrl: secret(settings.smtpUrl) });
    const checked = await plugin.check("MigrationTask", task);
    expect(checked.failures).toEqual([]);
    expect(checked.inputs.alerts).toMatchObject({ smtp: { url: secret(settings.smtpUrl), from: settings.smtpFrom } });
  });

  it("imports by a connection's name, which has to be there and to fit", async () => {
    await plugin.configure({ connections: secret(JSON.stringify({ shop: server.endpoint(), half: { engine: "postgresql" } })) });
    const endpoint = await plugin.read("Endpoint", "shop", {}, {});
    expect(endpoint.inputs).toEqual({ ...server.endpoint(), password: secret(server.password) });
    expect(endpoint.id).not.toBe("shop");
    expect(await failure(plugin.read("Endpoint", "half", {}, {}))).toMatchObject({
      details: expect.stringMatching(/GW1001: the connection does not fit: hosts: .*godwit:connections.half/),
    });
    expect(await failure(plugin.read("Endpoint", "shap", {}, {}))).toMatchObject({
      details: expect.stringContaining("there are shop, half"),
    });
    expect(await failure(plugin.read("SequenceSync", "shop/shop", {}, {}))).toMatchObject({
      details: expect.stringContaining("can't be imported"),
    });
    expect(await plugin.read("Whitelist", "shop/nothing", {}, {})).toMatchObject({ id: "", outputs: undefined });
  });

  it("ends the making of a slot that waits for other transactions, and leaves none, when it is cancelled", async () => {
    const other = await startPlugin();
    const writer = await connected();
    try {
      await writer.query("CREATE TABLE held (id int)");
      await writer.query("BEGIN; INSERT INTO held VALUES (1)");
      const { inputs } = await other.check("ReplicationSlot", { endpoint: server.endpoint(), name: "godwit_waiting" });
      const cancelled = failure(other.create("ReplicationSlot", inputs));
      await expect.poll(slots).toEqual([{ name: "godwit_waiting" }]);
      await other.cancel();
      expect(await cancelled).toMatchObject({ code: grpc.status.CANCELLED, details: expect.stringMatching(/^GW1608/) });
      expect(await slots()).toEqual([]);
      const fresh = await startPlugin();
      try {
        const late = await failure(fresh.create("ReplicationSlot", inputs, { timeout: 1 }));
        expect(late).toMatchObject({ details: expect.stringContaining("customTimeouts: 1 s") });
        expect(await slots()).toEqual([]);
      } finally {
        await fresh.close();
      }
    } finally {
      await writer.query("ROLLBACK");
      await writer.end();
      await other.close();
    }
  });

  it("ends on SIGTERM, after it has answered what was on its way", async () => {
    const other = await startPlugin();
    const writer = await connected();
    try {
      await writer.query("BEGIN; INSERT INTO held VALUES (1)");
      const { inputs } = await other.check("ReplicationSlot", { endpoint: server.endpoint(), name: "godwit_waiting" });
      const answer = failure(other.create("ReplicationSlot", inputs));
      await expect.poll(slots).toEqual([{ name: "godwit_waiting" }]);
      const ended = once(other.process, "exit");
      other.process.kill("SIGTERM");
      expect(await answer).toMatchObject({ details: expect.stringMatching(/^GW1608/) });
      expect(await ended).toEqual([0, null]);
      expect(await slots()).toEqual([]);
    } finally {
      await writer.query("ROLLBACK");
      await writer.end();
      await other.close();
    }
  });

  it("ends when the CLI that started it is gone", async () => {
    const other = await startPlugin();
    const ended = once(other.process, "exit");
    other.endEngine();
    expect(await ended).toEqual([0, null]);
    await other.close();
  });
});
