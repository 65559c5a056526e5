import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { listLeftovers, listProcesses } from "../support/leftovers.js";
import { EmulatedDictionary } from "../support/oracle/dictionary.js";
import { OracleEmulator } from "../support/oracle/emulator.js";
import { type PostgresServer, startPostgres } from "../support/postgres.js";
import { REPOSITORY } from "../support/pulumiProject.js";

let server: PostgresServer;
let folder: string;
let record: string;
let count = 0;
let running: ChildProcess | undefined;

beforeAll(async () => {
  server = await startPostgres({ major: 17, name: "oracle", settings: { fsync: "off" } });
});
afterAll(() => server.remove());
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "godwit-accept-entry-"));
  record = join(folder, "record");
  await writeFile(record, "");
  const emulator = await OracleEmulator.create(server, `source${++count}`);
  await EmulatedDictionary.create(emulator);
  await emulator.flush();
  await emulator.close();
  await server.createDatabase(`target${count}`);
});
afterEach(async () => {
  running?.kill("SIGKILL");
  await rm(folder, { recursive: true, force: true });
});

interface Ended {
  readonly status: number | null;
  readonly out: string;
  readonly err: string;
}

/** The command as `npm run accept:oracle` starts it. `stdin`: what a person types. */
function accept(
  args: readonly string[],
  {
    environment = {},
    stdin,
    onOutput,
  }: { environment?: NodeJS.ProcessEnv; stdin?: string; onOutput?: (text: string, child: ChildProcess) => void } = {},
): Promise<Ended> {
  const child = spawn(process.execPath, ["--import", "tsx", "test/accept/acceptOracle.ts", ...args], {
    cwd: REPOSITORY,
    env: {
      ...process.env,
      TMPDIR: folder,
      GODWIT_ORACLE_DRIVER: join(REPOSITORY, "test/support/oracle/acceptModule.cjs"),
      GODWIT_TEST_RECORD: record,
      GODWIT_ACCEPT_TARGET_PASSWORD: server.password,
      ...environment,
    },
  });
  running = child;
  let [out, err] = ["", ""];
  child.stdout.on("data", (chunk) => {
    out += chunk;
    onOutput?.(out, child);
  });
  child.stderr.on("data", (chunk) => {
    err += chunk;
  });
  child.stdin.end(stdin ?? "");
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (status) => resolve({ status, out, err }));
  });
}

function connections(): readonly string[] {
  const host = `${server.host}:${server.port}`;
  return [`${server.username}@${host}/source${count}`, "--target", `${server.username}@${host}/target${count}`];
}

async function recorded(): Promise<string[]> {
  const lines = (await readFile(record, "utf8")).split("\n").filter(Boolean);
  return lines.map((line) => JSON.parse(line) as string);
}

async function nothingLeft(): Promise<void> {
  const schemas = await server.query(
    "SELECT nspname FROM pg_namespace WHERE nspname ILIKE 'godwit%accept%' OR nspname = 'godwit'",
    undefined,
    `target${count}`,
  );
  expect(schemas.rows).toEqual([]);
  const users = await server.query(
    "SELECT nspname FROM pg_namespace WHERE nspname ILIKE 'godwit_accept%'",
    undefined,
    `source${count}`,
  );
  expect(users.rows).toEqual([]);
  // Workers tidy up in the moments after their task.
  await expect
    .poll(async () => (await listProcesses(folder)).filter(({ command }) => !command.includes("esbuild")), { timeout: 60_000 })
    .toEqual([]);
  expect(
    (await listLeftovers(server)).filter(({ kind, database }) => kind !== "function" && database === `target${count}`),
  ).toEqual([]);
}

describe("npm run accept:oracle", () => {
  it("accepts a database: its own SQL makes, changes and removes the scratch schema, and every row arrives", async () => {
    const { status, out, err } = await accept(connections(), { stdin: `${server.password}\n` });
    expect(`${out}${err}`).not.toMatch(/DIFFERENT|FAILED/);
    expect(out).toMatch(/accepted {6}everything held/);
    expect(status).toBe(0);
    expect(err).toMatch(/^password of \w+: \n/);
    expect(`${out}${err}`).not.toContain(`${server.password}\n`);
    expect(out).toMatch(/loaded +ORDERS: 1000 rows, equal/);
    expect(out).toMatch(/loaded +VALUE_KINDS: 3 rows, equal/);
    expect(out).toMatch(/changed +VALUE_KINDS: 4 rows, equal/);
    expect(out).toMatch(/changed +PAPERS: 20 rows, equal/);
    expect(out).toMatch(/restructured +EVENTS: 1 rows, equal/);
    const heads = (await recorded()).map((sql) => sql.trim().split(/\s+/, 2).join(" "));
    expect(heads).toEqual([
      "CREATE USER",
      ...Array(4).fill("CREATE TABLE"),
      ...Array(4).fill("ALTER TABLE"),
      "BEGIN INSERT",
      "BEGIN FOR",
      "BEGIN UPDATE",
      "BEGIN INSERT",
      "DECLARE l",
      "BEGIN UPDATE",
      "ALTER TABLE",
      "BEGIN INSERT",
      "ALTER TABLE",
      "ALTER TABLE",
      "BEGIN UPDATE",
      "TRUNCATE TABLE",
      "BEGIN INSERT",
      "DROP USER",
    ]);
    await nothingLeft();
  }, 180_000);

  it("names a wrong password, and leaves nothing", async () => {
    const { status, err } = await accept(connections(), { environment: { GODWIT_ACCEPT_PASSWORD: "wrong" } });
    expect(err).toMatch(/GW1102|refused user/);
    expect(err).not.toContain("wrong\n");
    expect(status).toBe(1);
    expect(await recorded()).toEqual([]);
    await nothingLeft();
  });

  it("says which right is lacking, and takes away what it had made by then", async () => {
    const environment = { GODWIT_ACCEPT_PASSWORD: server.password };
    const early = await accept(connections(), { environment: { ...environment, GODWIT_TEST_REFUSE: "CREATE USER" } });
    expect(early.out).toMatch(/FAILED +ORA-01031/);
    expect(early.status).toBe(1);
    expect((await recorded()).map((sql) => sql.trim().split(" ")[0])).toEqual(["CREATE", "DROP"]);
    await writeFile(record, "");
    const later = await accept(connections(), { environment: { ...environment, GODWIT_TEST_REFUSE: "ALTER TABLE" } });
    expect(later.out).toMatch(/FAILED +ORA-01031/);
    expect(later.status).toBe(1);
    expect((await recorded()).at(-1)).toMatch(/^DROP USER "GODWIT_ACCEPT_\w+" CASCADE$/);
    await nothingLeft();
  }, 60_000);

  it("takes everything away when it is interrupted half-way", async () => {
    let sent = false;
    const { status, out, err } = await accept(connections(), {
      environment: { GODWIT_ACCEPT_PASSWORD: server.password },
      onOutput(text, child) {
        if (sent || !text.includes("loaded")) return;
        sent = true;
        child.kill("SIGINT");
      },
    });
    expect(err).toMatch(/are being taken away/);
    expect(out).toMatch(/stopped +interrupted/);
    expect(out).toMatch(/removed +the task/);
    expect(out).toMatch(/removed +schema GODWIT_ACCEPT_\w+ at the source/);
    expect(out).not.toMatch(/restructured/);
    expect(status).toBe(1);
    await nothingLeft();
  }, 120_000);

  it("refuses a connection with a password in it, and explains itself", async () => {
    const spelled = await accept(["scott/tiger@db:1521/ORCL"]);
    expect(spelled.err).toMatch(/without a password/);
    expect(spelled.status).toBe(1);
    const help = await accept([]);
    expect(help.out).toMatch(/USER@HOST:PORT\/SERVICE/);
    expect(help.status).toBe(2);
    const closed = await accept(["scott@127.0.0.1:1/ORCL"], { environment: { GODWIT_ACCEPT_PASSWORD: "" } });
    expect(closed.err).toMatch(/no password was given \(or set GODWIT_ACCEPT_PASSWORD\)/);
    expect(closed.status).toBe(1);
  });
});
