import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { compareDatabases } from "../support/compareTables.js";
import { killProcess } from "../support/kill.js";
import { listLeftovers, listLocalLeftovers, listProcesses } from "../support/leftovers.js";
import { type PostgresServer, startPostgres } from "../support/postgres.js";
import { createProgram, type PulumiProgram, type PulumiResult } from "../support/pulumi.js";
import { startWriters } from "../support/writers.js";

const PASSWORD = "the-password-of-the-mover";
const PROGRAM = `
import { readFileSync } from "node:fs";
import * as godwit from "godwit";
import * as pulumi from "@pulumi/pulumi";

const settings = JSON.parse(readFileSync("settings.json", "utf8"));
const password = new pulumi.Config().requireSecret("password");
const end = (port: number) => ({ engine: "postgresql" as const, hosts: ["127.0.0.1:" + port], username: "mover", password, databaseName: "shop" });

const source = new godwit.Endpoint("source", end(settings.source));
const task = new godwit.MigrationTask("shop", {
  source,
  target: end(settings.target),
  migrationTypes: ["schema", "full", "incremental"],
  ...settings.task,
});
new godwit.SequenceSync("sequences", { source, target: end(settings.target) }, { dependsOn: task });

export const taskId = task.taskId;
export const state: pulumi.Output<string> = task.state;
export const skipped = task.skippedObjects;
`;

let source: PostgresServer;
let target: PostgresServer;
let program: PulumiProgram;
let output = "";

beforeAll(async () => {
  [source, target] = await Promise.all([startPostgres({ major: 14 }), startPostgres({ major: 18 })]);
  for (const server of [source, target]) {
    await server.query(`CREATE ROLE mover SUPERUSER LOGIN PASSWORD '${PASSWORD}'`);
    await server.createDatabase("shop");
  }
  await source.query(
    `CREATE TABLE customer (id bigserial PRIMARY KEY, name text NOT NULL, noted jsonb);
     CREATE TABLE purchase (id bigserial PRIMARY KEY, customer bigint NOT NULL REFERENCES customer, total numeric(12,2), at timestamptz);
     INSERT INTO customer (name) SELECT 'c' || g FROM generate_series(1, 5000) g;
     INSERT INTO purchase (customer, total) SELECT 1 + g % 5000, g FROM generate_series(1, 20000) g`,
    undefined,
    "shop",
  );
  program = await createProgram({
    files: { "index.ts": PROGRAM },
    onOutput: (text) => {
      output += text;
    },
  });
  await program.config.set("password", PASSWORD, { secret: true });
  await settings({});
});
afterAll(() => Promise.all([program?.remove(), source?.remove(), target?.remove()]));

const settings = (task: object) =>
  writeFile(join(program.folder, "settings.json"), JSON.stringify({ source: source.port, target: target.port, task }));

function operations(result: PulumiResult): Record<string, string> {
  const changed = result.steps.filter(({ op, type }) => !["same", "refresh"].includes(op) && type.includes("godwit"));
  return Object.fromEntries(changed.map(({ urn, op }) => [urn.split("::").at(-1) ?? "", op]));
}

/** As the stack's state has it: a refresh does not run the program, so its outputs stay as they were. */
async function stateOfTask(): Promise<unknown> {
  const { deployment } = (await program.stackExport()) as {
    deployment: { resources: { type: string; outputs?: { state?: unknown } }[] };
  };
  return deployment.resources.find(({ type }) => type.endsWith("MigrationTask"))?.outputs?.state;
}

async function equal(): Promise<unknown> {
  const compared = await compareDatabases(source.clientConfig("shop"), target.clientConfig("shop"));
  return compared.differences;
}

describe("a migration declared in a program on the packed package", () => {
  it("comes up with progress lines, level with its source", async () => {
    const up = await program.up();
    expect(operations(up)).toEqual({ source: "create", shop: "create", sequences: "create" });
    expect(up.stdout + up.stderr).toMatch(/MigrationTask: task .*: 2 tables, \d+ statements/);
    expect(await program.outputs()).toMatchObject({ state: "running", skipped: [] });
    expect(await equal()).toEqual([]);
  });

  it("changes nothing on a second up, nor on a refresh and a third", async () => {
    expect(operations(await program.up())).toEqual({});
    await program.refresh();
    expect(operations(await program.up())).toEqual({});
  });

  it("goes on after up has returned, and keeps no secret anywhere", async () => {
    const writers = await startWriters(source.clientConfig("shop"), {
      tables: [{ name: "customer", key: "id", operations: { insert: 1, update: 0, delete: 0, keyChange: 0 } }],
      maxChanges: 3000,
    });
    await writers.done;
    await expect.poll(equal, { timeout: 60_000, interval: 500 }).toEqual([]);
    expect(await whereItShows(PASSWORD)).toEqual([]);
  });

  it("takes a throttle and a new password in place", async () => {
    await settings({ throttle: { incremental: { rowsPerSecond: 100_000 } } });
    expect(operations(await program.up())).toEqual({ shop: "update" });
    for (const server of [source, target]) await server.query("ALTER ROLE mover PASSWORD 'another-password'");
    await program.config.set("password", "another-password", { secret: true });
    expect(operations(await program.up())).toEqual({ source: "update", shop: "update", sequences: "update" });
    await source.query("INSERT INTO customer (id, name) VALUES (-1, 'under the new password')", undefined, "shop");
    await expect.poll(equal, { timeout: 60_000, interval: 500 }).toEqual([]);
    expect(operations(await program.up())).toEqual({});
  });

  it("shows a vanished worker and a sequence left behind on refresh, and up mends both", async () => {
    await killProcess(program.godwitHome, "supervisor");
    await killProcess(program.godwitHome, "worker");
    await source.query("SELECT setval('customer_id_seq', 900000)", undefined, "shop");
    await expect
      .poll(
        async () => {
          await program.refresh();
          return stateOfTask();
        },
        { timeout: 60_000 },
      )
      .toBe("failed");
    expect(operations(await program.up())).toEqual({ shop: "update", sequences: "update" });
    const { rows } = await target.query("SELECT last_value::int AS value FROM customer_id_seq", undefined, "shop");
    expect(rows[0]?.value).toBeGreaterThanOrEqual(900_000);
    expect(operations(await program.up())).toEqual({});
  });

  it("leaves the data and nothing else after destroy", async () => {
    await program.destroy();
    expect(await equal()).toEqual([]);
    expect([...(await listLeftovers(source)), ...(await listLeftovers(target))]).toEqual([]);
    expect(await listLocalLeftovers(program.godwitHome)).toEqual([]);
    for (const secret of [PASSWORD, "another-password"]) expect(output).not.toContain(secret);
  });
});

/** Every place a secret could have got to, searched for it. */
async function whereItShows(secret: string): Promise<string[]> {
  const places: string[] = [];
  const look = (place: string, text: string) => {
    if (text.includes(secret)) places.push(place);
  };
  look("state", JSON.stringify(await program.stackExport()));
  look("output", output);
  for (const folder of [program.godwitHome, program.stateFolder]) {
    for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
      if (entry.isFile()) look(join(entry.parentPath, entry.name), await readFile(join(entry.parentPath, entry.name), "latin1"));
    }
  }
  const processes = await listProcesses(program.godwitHome);
  expect(processes.map(({ command }) => command.split(" ").slice(0, 2).join(" "))).toContain("godwit worker");
  for (const { pid } of processes) {
    for (const file of ["cmdline", "environ"])
      look(`/proc/${pid}/${file}`, await readFile(`/proc/${pid}/${file}`, "latin1").catch(() => ""));
  }
  const { rows } = await target.query<{ name: string }>(
    "SELECT tablename AS name FROM pg_tables WHERE schemaname = 'godwit'",
    undefined,
    "shop",
  );
  expect(rows.length).toBeGreaterThan(3);
  for (const { name } of rows) {
    const content = await target.query<{ row: string }>(`SELECT t::text AS row FROM godwit.${name} t`, undefined, "shop");
    look(`godwit.${name}`, content.rows.map(({ row }) => row).join("\n"));
  }
  for (const server of [source, target]) {
    const activity = await server.query<{ row: string }>(
      "SELECT a::text AS row FROM pg_stat_activity a WHERE pid <> pg_backend_pid()",
    );
    look("pg_stat_activity", activity.rows.map(({ row }) => row).join("\n"));
    look(server.logFile, await readFile(server.logFile, "latin1"));
  }
  return places;
}
