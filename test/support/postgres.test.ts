import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { Client, type ClientConfig } from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createTlsFixture, encryptKey, type TlsFixture } from "./certificates.js";
import { type PostgresServer, startPostgres } from "./postgres.js";
import type { PostgresMajor } from "./postgresBinaries.js";
import { REPOSITORY } from "./pulumiProject.js";
import { delay } from "./serverProcess.js";

const FAST = { fsync: "off" };

describe("a test server", () => {
  it.each<PostgresMajor>([10, 11, 14, 15, 17, 18])(
    "of PostgreSQL %i starts with logical decoding and recovers from kill -9",
    async (major) => {
      const server = await startPostgres({ major, settings: FAST });
      try {
        expect(await withTcp(server, {}, "SHOW wal_level")).toEqual([{ wal_level: "logical" }]);
        expect(server.endpoint("postgres").hosts).toEqual([`127.0.0.1:${server.port}`]);
        await server.query("SELECT pg_create_logical_replication_slot('survivor', 'pgoutput')");
        await server.query("CREATE TABLE kept AS SELECT generate_series(1, 1000) AS id");
        const busy = server.query("SELECT pg_sleep(60)").catch((error: Error) => error);
        await delay(100);

        await server.kill9();
        expect(await busy).toBeInstanceOf(Error);
        expect(() => server.pid()).toThrow("is down");
        await server.start();

        expect((await server.query("SELECT count(*)::int AS n FROM kept")).rows).toEqual([{ n: 1000 }]);
        expect((await server.query("SELECT slot_name FROM pg_replication_slots")).rows).toEqual([{ slot_name: "survivor" }]);
        await server.stop();
        await server.start();
        expect((await server.query("SELECT 1 AS up")).rows).toEqual([{ up: 1 }]);
      } finally {
        await server.remove();
      }
      expect(existsSync(dirname(server.dataDirectory))).toBe(false);
    },
  );

  it("is a server of its own: identifier and password differ from the next one's", async () => {
    const servers = await Promise.all([1, 2].map(() => startPostgres({ major: 17, settings: FAST })));
    const identifiers = await Promise.all(
      servers.map(
        async (server) => (await server.query("SELECT system_identifier::text AS id FROM pg_control_system()")).rows[0]?.id,
      ),
    );
    await Promise.all(servers.map((server) => server.remove()));
    expect(new Set(identifiers).size).toBe(2);
    expect(new Set(servers.map((server) => server.password)).size).toBe(2);
  });

  it("refuses a wrong password", async () => {
    const server = await startPostgres({ major: 17, settings: FAST });
    await expect(withTcp(server, { password: "guess" }, "SELECT 1")).rejects.toThrow("password authentication failed");
    await server.remove();
  });

  it("ends and leaves no folder when the process that started it is killed", async () => {
    const script = join(await mkdtemp(join(tmpdir(), "godwit-orphan-")), "orphan.ts");
    const support = JSON.stringify(join(REPOSITORY, "test/support/postgres.js"));
    await writeFile(
      script,
      `import { startPostgres } from ${support};
      startPostgres({ major: 17, settings: { fsync: "off" } }).then((server) => {
        console.log(JSON.stringify({ pid: server.pid(), folder: server.dataDirectory }));
        setInterval(() => undefined, 1000);
      });`,
    );
    const owner = spawn(process.execPath, ["--import", join(REPOSITORY, "node_modules/tsx/dist/loader.mjs"), script], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [line] = (await once(owner.stdout, "data")) as [Buffer];
    const { pid, folder } = JSON.parse(line.toString()) as { pid: number; folder: string };
    expect(existsSync(folder)).toBe(true);
    owner.kill("SIGKILL");
    await expect.poll(() => existsSync(dirname(folder)), { timeout: 60_000 }).toBe(false);
    const { stdout } = await promisify(execFile)("sh", ["-c", `tr '\\0' ' ' < /proc/${pid}/cmdline || true`]);
    expect(stdout).not.toContain(folder);
    await rm(dirname(script), { recursive: true });
  });
});

describe("a test server with TLS", () => {
  let fixture: TlsFixture;
  let server: PostgresServer;

  beforeAll(async () => {
    fixture = await createTlsFixture();
    const tls = { ...fixture.server.good, ca: fixture.ca, requireClientCertificate: true };
    server = await startPostgres({ major: 14, settings: FAST, tls });
  });

  afterAll(() => server?.remove());

  it("lets a client with a good certificate in", async () => {
    expect(await withTcp(server, { ssl: clientTls("good") }, "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")).toEqual(
      [{ ssl: true }],
    );
    const { key, certificate } = fixture.client.good;
    const ssl = { ca: fixture.ca, cert: certificate, key: encryptKey(key, "tide"), passphrase: "tide" };
    expect(await withTcp(server, { ssl }, "SELECT 1 AS one")).toEqual([{ one: 1 }]);
  });

  it("turns away expired and foreign client certificates, and plain connections", async () => {
    await expect(withTcp(server, { ssl: clientTls("expired") }, "SELECT 1")).rejects.toThrow(
      /certificate expired|ECONNRESET|closed/,
    );
    await expect(withTcp(server, { ssl: clientTls("unknownAuthority") }, "SELECT 1")).rejects.toThrow(
      /unknown ca|ECONNRESET|closed/,
    );
    await expect(withTcp(server, { ssl: { ca: fixture.ca } }, "SELECT 1")).rejects.toThrow(/client certificate/);
    await expect(withTcp(server, {}, "SELECT 1")).rejects.toThrow("no pg_hba.conf entry");
  });

  it.each([
    ["expired", /expired/],
    ["wrongHost", /altnames|Hostname/],
  ] as const)("shows a client that its certificate is %s", async (name, message) => {
    const bad = await startPostgres({ major: 18, settings: FAST, tls: { ...fixture.server[name], ca: fixture.ca } });
    await expect(withTcp(bad, { ssl: { ca: fixture.ca } }, "SELECT 1")).rejects.toThrow(message);
    await bad.remove();
  });

  function clientTls(name: keyof TlsFixture["client"]) {
    return { ca: fixture.ca, cert: fixture.client[name].certificate, key: fixture.client[name].key };
  }
});

async function withTcp(server: PostgresServer, config: ClientConfig, sql: string): Promise<unknown[]> {
  const { host, port, username, password } = server;
  const client = new Client({ host, port, user: username, password, database: "postgres", ...config });
  client.on("error", () => undefined);
  // Outside of the try: pg's end() never settles after a TLS handshake that the server broke off.
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}
