import { chmod, mkdir, readdir, readFile, rename, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Client } from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { WhitelistInputs } from "../../provider/contract/types.js";
import { withDefaults } from "../../provider/contract/validate.js";
import { whitelist } from "../../provider/resources/whitelist.js";
import { createTlsFixture } from "../support/certificates.js";
import { type PostgresServer, startPostgres } from "../support/postgres.js";
import type { PostgresMajor } from "../support/postgresBinaries.js";
import { recordedLog } from "./recordedLog.js";

/** Bytes that no text encoding of ours may touch: CRLF, Latin-1, tabs, backslashes, no newline at the end. */
const AWKWARD = Buffer.concat([
  Buffer.from('# caf\xe9 \\ "quoted"\t\r\n# BEGIN godwit-like line\nlocal all all trust\n', "latin1"),
  Buffer.from('host\tall all 127.0.0.1/32 scram-sha-256 # \\N\nhost "d,\\b" all 10.9.9.9/32 md5', "latin1"),
]);

function inputs(server: PostgresServer, more: Partial<WhitelistInputs> = {}): WhitelistInputs {
  return withDefaults<WhitelistInputs>("Whitelist", {
    endpoint: server.endpoint(),
    name: "app",
    cidrs: ["10.1.0.0/16"],
    ...more,
  } as WhitelistInputs);
}

describe.each<PostgresMajor>([10, 15, 18])("a whitelist on PostgreSQL %i", (major) => {
  let server: PostgresServer;
  let path: string;

  beforeAll(async () => {
    server = await startPostgres({ major, name: "whitelist" });
    path = join(server.dataDirectory, "pg_hba.conf");
  });
  afterAll(() => server?.remove());
  beforeEach(async () => {
    await writeFile(path, AWKWARD);
    await server.query("SELECT pg_reload_conf()");
  });

  const file = () => readFile(path);
  const loaded = async () => {
    const { rows } = await server.query<{ rule: string }>(
      "SELECT concat_ws(' ', type, database, user_name, address, netmask, auth_method) AS rule FROM pg_hba_file_rules ORDER BY line_number",
    );
    return rows.map(({ rule }) => rule);
  };

  it("takes its block away from a server whose database of the endpoint was dropped", async () => {
    await server.query("CREATE DATABASE passing");
    const context = recordedLog();
    const { id, outputs } = await whitelist.create(inputs(server, { endpoint: server.endpoint("passing") }), context);
    await server.query("DROP DATABASE passing");
    await whitelist.delete(id, outputs, context);
    expect(await file()).toEqual(AWKWARD);
  });

  it("puts one marked block at the top, in force, and takes it away again byte for byte", async () => {
    const context = recordedLog();
    const { id, outputs } = await whitelist.create(
      inputs(server, { cidrs: ["10.1.0.0/16", "2001:db8::/32", "192.0.2.7"] }),
      context,
    );

    expect(id).toBe("app");
    expect(outputs).toMatchObject({
      file: path,
      databases: ["postgres", "replication"],
      usernames: ["all"],
      connectionType: "host",
    });
    expect(outputs.rules).toEqual([
      'host\t"postgres",replication\tall\t10.1.0.0/16\tscram-sha-256',
      'host\t"postgres",replication\tall\t2001:db8::/32\tscram-sha-256',
      'host\t"postgres",replication\tall\t192.0.2.7/32\tscram-sha-256',
    ]);
    const block = `# BEGIN godwit app\n${outputs.rules.join("\n")}\n# END godwit app\n`;
    expect((await file()).equals(Buffer.concat([Buffer.from(block), AWKWARD]))).toBe(true);
    expect((await loaded()).slice(0, 2)).toEqual([
      "host {postgres,replication} {all} 10.1.0.0 255.255.0.0 scram-sha-256",
      "host {postgres,replication} {all} 2001:db8:: ffff:ffff:: scram-sha-256",
    ]);

    await whitelist.delete(id, outputs, context);
    expect((await file()).equals(AWKWARD)).toBe(true);
    expect(await readdir(dirname(path))).not.toContain("pg_hba.conf.godwit");
    await whitelist.delete(id, outputs, context);
    expect((await file()).equals(AWKWARD)).toBe(true);
  });

  it("lets a client in at once, and no longer once it is destroyed", async () => {
    await writeFile(path, "local all all trust\nhost all postgres 127.0.0.1/32 scram-sha-256\n");
    await server.query("SELECT pg_reload_conf()");
    await server.query("DROP ROLE IF EXISTS guest");
    await server.query(`CREATE ROLE guest LOGIN PASSWORD 'g'`);
    const knock = async () => {
      const client = new Client({ host: "127.0.0.1", port: server.port, user: "guest", password: "g", database: "postgres" });
      try {
        await client.connect();
      } finally {
        await client.end();
      }
    };
    await expect(knock()).rejects.toThrow(/pg_hba.conf/);
    // md5 takes either kind of stored password: before 14 the default is md5.
    const guest = inputs(server, { cidrs: ["127.0.0.1"], usernames: ["guest"], authMethod: "md5" });
    const { id, outputs } = await whitelist.create(guest, recordedLog());
    await knock();
    await whitelist.delete(id, outputs, recordedLog());
    await expect(knock()).rejects.toThrow(/pg_hba.conf/);
  });

  it("takes names literally, whatever they hold", async () => {
    const names = ['a "b" c', "x,y", "#z", "+group", "@file", "all in", "Ünïcode", "samerole"];
    await whitelist.create(inputs(server, { databases: names, usernames: [...names, "all"] }), recordedLog());
    const { rows } = await server.query<{ database: string[]; user_name: string[]; error: string | null }>(
      "SELECT database, user_name, error FROM pg_hba_file_rules ORDER BY line_number LIMIT 1",
    );
    expect(rows).toEqual([{ database: names, user_name: [...names, "all"], error: null }]);
  });

  it("changes its own lines in place and nothing else", async () => {
    const created = await whitelist.create(inputs(server), recordedLog());
    const moved = Buffer.concat([Buffer.from("# mine\n"), await file()]);
    await writeFile(path, moved);
    const news = inputs(server, { cidrs: ["10.2.0.0/16"], databases: ["all"] });
    expect(whitelist.diff(created.outputs, news)).toMatchObject({ changes: true, replaces: [] });
    const outputs = await whitelist.update(created.id, created.outputs, news, recordedLog());
    const expected = moved.toString("latin1").replace(created.outputs.rules.join("\n"), outputs.rules.join("\n"));
    expect((await file()).toString("latin1")).toBe(expected);
    expect(whitelist.diff(outputs, news)).toMatchObject({ changes: false });
  });

  it("shows lines changed or removed by hand as drift, and mends them", async () => {
    const wanted = inputs(server, { cidrs: ["10.1.0.0/16", "10.2.0.0/16"] });
    const created = await whitelist.create(wanted, recordedLog());
    expect(await whitelist.read(created.id, created.outputs, recordedLog())).toEqual(created.outputs);

    await writeFile(path, (await file()).toString("latin1").replace(/host.*10\.2\..*\n/, ""), "latin1");
    const context = recordedLog();
    const drifted = await whitelist.read(created.id, created.outputs, context);
    expect(drifted?.rules).toHaveLength(1);
    expect(context.lines.join()).toContain("changed by hand");
    expect(drifted && whitelist.diff(drifted, wanted)).toMatchObject({ changes: true, replaces: [] });
    const mended = await whitelist.update(created.id, drifted ?? created.outputs, wanted, recordedLog());
    expect(mended).toEqual(created.outputs);

    await writeFile(path, AWKWARD);
    expect(await whitelist.read(created.id, mended, recordedLog())).toBeUndefined();
  });

  it("puts the text back when the server rejects it, and says why", async () => {
    // The contract's rules refuse this pair; the server's parser does too.
    const rejected = inputs(server, { connectionType: "host", authMethod: "cert" });
    await expect(whitelist.create(rejected, recordedLog())).rejects.toThrow(
      /GW1801: the server rejects a line of the block: .*cert.*\[app\]/s,
    );
    expect((await file()).equals(AWKWARD)).toBe(true);

    const broken = Buffer.concat([AWKWARD, Buffer.from("\nhost all all nonsense\n")]);
    await writeFile(path, broken);
    await expect(whitelist.create(inputs(server), recordedLog())).rejects.toThrow(
      /GW1801: the server rejects line 9, which is outside/,
    );
    expect((await file()).equals(broken)).toBe(true);
  });

  it("does not mind lines of others that can never match", async () => {
    await writeFile(path, Buffer.concat([AWKWARD, Buffer.from("\nhostssl all all 10.3.0.0/16 md5\n")]));
    await whitelist.create(inputs(server), recordedLog());
    const useless = inputs(server, { name: "tls", connectionType: "hostssl" });
    await expect(whitelist.create(useless, recordedLog())).rejects.toThrow(/GW1801.*SSL is disabled/s);
  });

  it("puts the text back when the rules would lock its own endpoint out", async () => {
    await server.query("DROP ROLE IF EXISTS old_school");
    // A secret of the md5 kind does not pass scram-sha-256.
    await server.query("SET password_encryption = 'md5'; CREATE ROLE old_school SUPERUSER LOGIN PASSWORD 'o'");
    const text = "local all all trust\nhost all all 127.0.0.1/32 md5\n";
    await writeFile(path, text);
    await server.query("SELECT pg_reload_conf()");
    const endpoint = { ...server.endpoint(), username: "old_school", password: "o" };
    await expect(whitelist.create(inputs(server, { endpoint, cidrs: ["127.0.0.0/8"] }), recordedLog())).rejects.toThrow(
      /GW1801: with these rules the endpoint itself is not let in .*GW1102/s,
    );
    expect((await file()).toString()).toBe(text);
    // What was put back is in force: the same endpoint connects.
    await whitelist.create(inputs(server, { endpoint, cidrs: ["127.0.0.0/8"], authMethod: "md5" }), recordedLog());
  });

  it("refuses to take the last line away", async () => {
    const { id, outputs } = await whitelist.create(
      inputs(server, { cidrs: ["127.0.0.1"], databases: ["all"], authMethod: "md5" }),
      recordedLog(),
    );
    const block = (await file()).subarray(0, (await file()).length - AWKWARD.length);
    await writeFile(path, block);
    await expect(whitelist.delete(id, outputs, recordedLog())).rejects.toThrow(/GW1801.*no rule at all/s);
    expect((await file()).equals(block)).toBe(true);
    // No one can get in through the socket now: the signal is the way to reload.
    await writeFile(path, AWKWARD);
    process.kill(server.pid(), "SIGHUP");
    await expect.poll(() => server.query("SELECT 1").then(() => "in", String)).toBe("in");
  });

  it("keeps two blocks apart that are edited at the same time from two databases", async () => {
    await server.query("CREATE DATABASE other").catch(() => undefined);
    const names = ["one", "two", "three", "four"];
    const created = await Promise.all(
      names.map((name, index) =>
        whitelist.create(inputs(server, { name, endpoint: server.endpoint(index % 2 ? "other" : "postgres") }), recordedLog()),
      ),
    );
    const text = (await file()).toString("latin1");
    for (const name of names) expect(text).toContain(`# BEGIN godwit ${name}\n`);
    await Promise.all(created.map(({ id, outputs }) => whitelist.delete(id, outputs, recordedLog())));
    expect((await file()).equals(AWKWARD)).toBe(true);
  });

  it("refuses markers that do not pair up", async () => {
    await writeFile(path, Buffer.concat([Buffer.from("# BEGIN godwit app\n"), AWKWARD]));
    await expect(whitelist.create(inputs(server), recordedLog())).rejects.toThrow(/GW1803.*app/s);
  });

  it("keeps the file's mode, and follows a symbolic link to it", async () => {
    await chmod(path, 0o640);
    const real = join(server.dataDirectory, "real_hba.conf");
    await rename(path, real);
    await symlink(real, path);
    try {
      const { id, outputs } = await whitelist.create(inputs(server), recordedLog());
      expect((await readFile(real, "latin1")).startsWith("# BEGIN godwit app\n")).toBe(true);
      expect((await stat(real)).mode & 0o777).toBe(0o640);
      await whitelist.delete(id, outputs, recordedLog());
      expect((await readFile(real)).equals(AWKWARD)).toBe(true);
    } finally {
      await rename(real, path);
    }
  });

  it("tells a role that is no superuser what it lacks", async () => {
    await server.query("DROP ROLE IF EXISTS plain");
    await server.query(`CREATE ROLE plain LOGIN PASSWORD 'p'`);
    await writeFile(path, "local all all trust\nhost all all 127.0.0.1/32 md5\n");
    await server.query("SELECT pg_reload_conf()");
    const endpoint = { ...server.endpoint(), username: "plain", password: "p" };
    await expect(whitelist.create(inputs(server, { endpoint }), recordedLog())).rejects.toThrow(/GW1802.*superuser/s);
  });

  it("warns of a range that is everyone", async () => {
    const context = recordedLog();
    await whitelist.create(inputs(server, { cidrs: ["0.0.0.0/0"], allowAnyAddress: true }), context);
    expect(context.lines.join()).toContain("warning: 0.0.0.0/0 lets every address there is try to connect");
  });
});

describe("a whitelist on a server whose pg_hba.conf lies in a folder that it may not write", () => {
  let server: PostgresServer;
  const folder = join(tmpdir(), `godwit-hba-${process.pid}`);
  const path = join(folder, "access rules'.conf");

  beforeAll(async () => {
    await mkdir(folder, { mode: 0o755 });
    await writeFile(path, AWKWARD);
    await chmod(path, 0o666);
    await chmod(folder, 0o555);
    server = await startPostgres({ major: 10, name: "whitelist-etc", settings: { hba_file: path } });
  });
  afterAll(async () => {
    await server?.remove();
    await chmod(folder, 0o755);
    await rm(folder, { recursive: true });
  });

  it("writes it in place, byte for byte, and leaves no copy", async () => {
    const { id, outputs } = await whitelist.create(inputs(server), recordedLog());
    expect(outputs.file).toBe(path);
    expect((await readFile(path, "latin1")).endsWith(`# END godwit app\n${AWKWARD.toString("latin1")}`)).toBe(true);
    await expect(whitelist.create(inputs(server, { connectionType: "host", authMethod: "cert" }), recordedLog())).rejects.toThrow(
      /GW1801/,
    );
    expect((await readFile(path, "latin1")).startsWith(`# BEGIN godwit app\n${outputs.rules.join("\n")}\n`)).toBe(true);
    await whitelist.delete(id, outputs, recordedLog());
    expect((await readFile(path)).equals(AWKWARD)).toBe(true);
    expect(await readdir(folder)).toEqual(["access rules'.conf"]);
    expect(await readdir(server.dataDirectory)).not.toContain("pg_hba.conf.godwit");
  });
});

describe("a whitelist on a server with TLS", () => {
  let server: PostgresServer;
  beforeAll(async () => {
    const tls = await createTlsFixture();
    server = await startPostgres({
      major: 17,
      name: "whitelist-tls",
      tls: { key: tls.server.good.key, certificate: tls.server.good.certificate, ca: tls.ca },
    });
  });
  afterAll(() => server?.remove());

  it("demands TLS unless told otherwise", async () => {
    const { outputs } = await whitelist.create(inputs(server), recordedLog());
    expect(outputs.connectionType).toBe("hostssl");
    expect(outputs.rules).toEqual(['hostssl\t"postgres",replication\tall\t10.1.0.0/16\tscram-sha-256']);
    expect(whitelist.diff(outputs, inputs(server))).toMatchObject({ changes: false });
  });
});
