import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { EndpointInputs } from "../../provider/contract/types.js";
import { endpoint } from "../../provider/resources/endpoint.js";
import { createTlsFixture, type TlsFixture } from "../support/certificates.js";
import { type PostgresServer, startPostgres } from "../support/postgres.js";
import type { PostgresMajor } from "../support/postgresBinaries.js";
import { recordedLog } from "./recordedLog.js";

describe.each<PostgresMajor>([10, 18])("an endpoint on PostgreSQL %i", (major) => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres({ major, name: "endpoint", settings: { timezone: "Asia/Kolkata" } });
  });
  afterAll(() => server?.remove());

  it("connects and notes who answered", async () => {
    const inputs = { ...server.endpoint(), environmentTag: "test" };
    const context = recordedLog();
    const { outputs } = await endpoint.create(inputs, context);
    const { rows } = await server.query<{ id: string; version: string }>(
      "SELECT system_identifier::text AS id, current_setting('server_version') AS version FROM pg_control_system()",
    );
    expect(outputs).toEqual({
      ...inputs,
      serverId: rows[0]?.id,
      serverVersion: rows[0]?.version,
      encoding: "UTF8",
      // The server's own, though every session of ours runs in UTC.
      timeZone: "Asia/Kolkata",
      superuser: true,
    });
    expect(context.lines.join()).not.toContain(server.password);
    expect(endpoint.diff(outputs, inputs)).toEqual({ changes: false, replaces: [], deleteBeforeReplace: false, details: [] });
    expect(await endpoint.read("id", outputs, recordedLog())).toEqual(outputs);
  });

  it("is the same for a role that may not call pg_control_system()", async () => {
    const { outputs } = await endpoint.create(server.endpoint(), recordedLog());
    await server.query("SET password_encryption = 'scram-sha-256'; CREATE ROLE plain LOGIN PASSWORD 'p'");
    await server.query("REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC");
    const plain = { ...server.endpoint(), username: "plain", password: "p" };
    await expect(endpoint.create(plain, recordedLog())).rejects.toThrow(/GW1110.*GRANT EXECUTE ON FUNCTION/s);
    await server.query("ALTER ROLE plain REPLICATION");
    expect((await endpoint.create(plain, recordedLog())).outputs).toMatchObject({ serverId: outputs.serverId, superuser: false });
    await server.query("GRANT EXECUTE ON FUNCTION pg_control_system() TO PUBLIC");
  });

  it("says what is wrong, and never the password", async () => {
    const wrong = { ...server.endpoint(), password: "not-the-password" };
    const failure = await endpoint.create(wrong, recordedLog()).then(String, String);
    expect(failure).toMatch(/GW1102/);
    expect(failure).not.toContain("not-the-password");
    await expect(endpoint.create({ ...server.endpoint(), databaseName: "nowhere" }, recordedLog())).rejects.toThrow(
      /GW1104.*CREATE DATABASE/s,
    );
    await expect(endpoint.create({ ...server.endpoint(), hosts: ["127.0.0.1:1"] }, recordedLog())).rejects.toThrow(/GW1101/);
  });

  it("uses the first host that answers", async () => {
    const hosts = ["127.0.0.1:1", ...server.endpoint().hosts];
    const { outputs } = await endpoint.create({ ...server.endpoint(), hosts }, recordedLog());
    expect(outputs.hosts).toEqual(hosts);
  });

  it("is changed in place but for engine and database", async () => {
    const { outputs } = await endpoint.create(server.endpoint(), recordedLog());
    const diff = (more: Partial<EndpointInputs>) => endpoint.diff(outputs, { ...server.endpoint(), ...more });
    expect(diff({ password: "changed" })).toMatchObject({ changes: true, replaces: [] });
    expect(diff({ username: "other" })).toMatchObject({ changes: true, replaces: [] });
    expect(diff({ hosts: ["elsewhere"] })).toMatchObject({ changes: true, replaces: [] });
    expect(diff({ databaseName: "other" })).toMatchObject({ changes: true, replaces: ["databaseName"] });
  });
});

describe("an endpoint under which another server appears", () => {
  let first: PostgresServer;
  let second: PostgresServer;
  beforeAll(async () => {
    [first, second] = await Promise.all([
      startPostgres({ major: 16, name: "first" }),
      startPostgres({ major: 16, name: "second" }),
    ]);
  });
  afterAll(() => Promise.all([first?.remove(), second?.remove()]));

  it("is loud drift on refresh, an error on update, and fine under new hosts", async () => {
    const { outputs: registered } = await endpoint.create(first.endpoint(), recordedLog());
    // The registered address now leads to the second server.
    const swapped = { ...registered, ...second.endpoint(), password: second.password };
    const context = recordedLog();
    const found = await endpoint.read("id", swapped, context);
    expect(context.lines.join()).toMatch(/warning: GW1106: another server answers.*Remedy/s);
    expect(found?.serverId).not.toBe(registered.serverId);
    await expect(endpoint.update("id", swapped, second.endpoint(), recordedLog())).rejects.toThrow(/GW1106/);
    const moved = await endpoint.update("id", registered, second.endpoint(), recordedLog());
    expect(moved.serverId).toBe(found?.serverId);
  });
});

describe("an endpoint with TLS", () => {
  let server: PostgresServer;
  let tls: TlsFixture;
  beforeAll(async () => {
    tls = await createTlsFixture();
    const { key, certificate } = tls.server.good;
    server = await startPostgres({
      major: 17,
      name: "endpoint-tls",
      tls: { key, certificate, ca: tls.ca, requireClientCertificate: true },
    });
  });
  afterAll(() => server?.remove());

  it("connects with a client certificate, and names what is wrong with another", async () => {
    const with_ = ({ certificate, key }: { certificate: string; key: string }, ca = tls.ca): EndpointInputs => ({
      ...server.endpoint(),
      ssl: { mode: "verify-full", ca, clientCertificate: certificate, clientKey: key },
    });
    const { outputs } = await endpoint.create(with_(tls.client.good), recordedLog());
    expect(outputs.serverVersion).toMatch(/^17\./);
    for (const wrong of [with_(tls.client.expired), with_(tls.client.unknownAuthority), with_(tls.client.good, tls.otherCa)]) {
      const failure = await endpoint.create(wrong, recordedLog()).then(String, String);
      expect(failure).toMatch(/GW11\d\d/);
      expect(failure).not.toContain("PRIVATE KEY");
    }
  });
});
