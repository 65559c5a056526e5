import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connect, type PostgresEndpoint, parseHost } from "../../../provider/databases/postgres/connection.js";
import type { GodwitError } from "../../../provider/engine/errors.js";
import { createTlsFixture, encryptKey, type TlsFixture } from "../../support/certificates.js";
import { type PostgresServer, startPostgres } from "../../support/postgres.js";
import { freePort } from "../../support/serverProcess.js";

const name = { applicationName: "godwit/test", timeoutSeconds: 5 };

/** Connects, asks one question and leaves. */
async function answer(
  endpoint: PostgresEndpoint,
  sql = "SELECT ssl::text AS answer FROM pg_stat_ssl WHERE pid = pg_backend_pid()",
): Promise<string> {
  const client = await connect(endpoint, name);
  try {
    return (await client.query<{ answer: string }>(sql)).rows[0]?.answer ?? "";
  } finally {
    await client.end();
  }
}

async function failure(endpoint: PostgresEndpoint): Promise<GodwitError> {
  try {
    await answer(endpoint);
  } catch (cause) {
    return cause as GodwitError;
  }
  throw new Error("the connection was let in");
}

describe("a connection without TLS", () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres({ major: 17, settings: { fsync: "off" } });
  });
  afterAll(() => server.remove());

  it("needs none on a loopback host", async () => {
    expect(await answer(server.endpoint())).toBe("false");
  });

  it("runs under the settings that make text forms alike", async () => {
    expect(
      await answer(
        server.endpoint(),
        "SELECT concat_ws(';', current_setting('DateStyle'), current_setting('TimeZone'), current_setting('search_path')) AS answer",
      ),
    ).toBe("ISO, YMD;UTC;");
  });

  it("takes the second host when the first is down", async () => {
    const endpoint = server.endpoint();
    expect(await answer({ ...endpoint, hosts: [`127.0.0.1:${await freePort()}`, ...endpoint.hosts] })).toBe("false");
  });

  it("takes the second host when the first is read-only, and says so when all are", async () => {
    const readOnly = await startPostgres({ major: 15, settings: { fsync: "off", default_transaction_read_only: "on" } });
    try {
      await readOnly.query(`BEGIN READ WRITE; ALTER ROLE postgres PASSWORD '${server.password}'; COMMIT`);
      const endpoint = server.endpoint();
      const hosts = [`127.0.0.1:${readOnly.port}`, ...endpoint.hosts];
      expect(await answer({ ...endpoint, hosts }, "SELECT current_setting('port') AS answer")).toBe(String(server.port));
      const error = await failure({ ...endpoint, hosts: hosts.slice(0, 1) });
      expect(error.code).toBe("GW1105");
    } finally {
      await readOnly.remove();
    }
  });

  it("names a wrong password, a missing database and a server that is down by code, with a remedy and without the password", async () => {
    const endpoint = server.endpoint();
    const wrong = await failure({ ...endpoint, password: "swordfish" });
    expect([wrong.code, wrong.message.includes("swordfish"), wrong.remedy?.length]).toEqual([
      "GW1102",
      false,
      expect.any(Number),
    ]);
    expect((await failure({ ...endpoint, databaseName: "nowhere" })).code).toBe("GW1104");
    const down = await failure({ ...endpoint, hosts: [`127.0.0.1:${await freePort()}`] });
    expect([down.code, down.remedy]).toEqual(["GW1101", expect.stringContaining("reachable")]);
  });

  it("does not try a refused password on the next host, which could lock the account", async () => {
    const endpoint = server.endpoint();
    expect((await failure({ ...endpoint, password: "swordfish", hosts: [...endpoint.hosts, "127.0.0.1:1"] })).code).toBe(
      "GW1102",
    );
  });

  it("says GW1108 when pg_hba.conf has no line for the client", async () => {
    const closed = await startPostgres({
      major: 17,
      settings: { fsync: "off" },
      hba: ["host all nobody 127.0.0.1/32 scram-sha-256"],
    });
    try {
      expect((await failure(closed.endpoint())).code).toBe("GW1108");
    } finally {
      await closed.remove();
    }
  });
});

describe("a connection with TLS", () => {
  let tls: TlsFixture;
  let good: PostgresServer;
  beforeAll(async () => {
    tls = await createTlsFixture();
    good = await startPostgres({
      major: 17,
      settings: { fsync: "off" },
      tls: { ...tls.server.good, ca: tls.ca, requireClientCertificate: true },
    });
  });
  afterAll(() => good.remove());

  const client = () => ({ clientCertificate: tls.client.good.certificate, clientKey: tls.client.good.key });

  it("verifies the server and shows the client's certificate", async () => {
    expect(await answer({ ...good.endpoint(), ssl: { ca: tls.ca, ...client() } })).toBe("true");
    const hosts = [`localhost:${good.port}`];
    expect(await answer({ ...good.endpoint(), hosts, ssl: { mode: "verify-full", ca: tls.ca, ...client() } })).toBe("true");
  });

  it("takes an encrypted key with its passphrase", async () => {
    const ssl = {
      ca: tls.ca,
      ...client(),
      clientKey: encryptKey(tls.client.good.key, "open sesame"),
      clientKeyPassphrase: "open sesame",
    };
    expect(await answer({ ...good.endpoint(), ssl })).toBe("true");
    const error = await failure({ ...good.endpoint(), ssl: { ...ssl, clientKeyPassphrase: "swordfish" } });
    expect([error.code, error.message.includes("swordfish")]).toEqual(["GW1103", false]);
  });

  it.each([
    [
      "an expired client certificate",
      () => ({ clientCertificate: tls.client.expired.certificate, clientKey: tls.client.expired.key }),
    ],
    [
      "a client certificate of an authority the server does not know",
      () => ({ clientCertificate: tls.client.unknownAuthority.certificate, clientKey: tls.client.unknownAuthority.key }),
    ],
  ])("fails as TLS with %s", async (_what, certificate) => {
    expect((await failure({ ...good.endpoint(), ssl: { ca: tls.ca, ...certificate() } })).code).toBe("GW1103");
  });

  it("does not trust a server whose authority is another", async () => {
    expect((await failure({ ...good.endpoint(), ssl: { ca: tls.otherCa, ...client() } })).code).toBe("GW1103");
  });

  it("refuses a certificate for another host under verify-full, and takes it under verify-ca and require", async () => {
    const server = await startPostgres({ major: 17, settings: { fsync: "off" }, tls: { ...tls.server.wrongHost, ca: tls.ca } });
    try {
      expect((await failure({ ...server.endpoint(), ssl: { ca: tls.ca } })).code).toBe("GW1103");
      expect(await answer({ ...server.endpoint(), ssl: { mode: "verify-ca", ca: tls.ca } })).toBe("true");
      expect(await answer({ ...server.endpoint(), ssl: { mode: "require" } })).toBe("true");
    } finally {
      await server.remove();
    }
  });

  it("refuses an expired server certificate", async () => {
    const server = await startPostgres({ major: 17, settings: { fsync: "off" }, tls: { ...tls.server.expired, ca: tls.ca } });
    try {
      expect((await failure({ ...server.endpoint(), ssl: { ca: tls.ca } })).code).toBe("GW1103");
    } finally {
      await server.remove();
    }
  });
});

describe("a host's spelling", () => {
  it.each([
    ["db", { host: "db", port: 5432 }],
    ["db:6000", { host: "db", port: 6000 }],
    ["[::1]:6000", { host: "::1", port: 6000 }],
    ["[fe80::2]", { host: "fe80::2", port: 5432 }],
    ["::1", { host: "::1", port: 5432 }],
  ])("%s", (spelled, expected) => {
    expect(parseHost(spelled, 5432)).toEqual(expected);
  });
});
