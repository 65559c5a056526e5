import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { listLeftovers, listLocalLeftovers } from "../support/leftovers.js";
import { type PostgresServer, startPostgres } from "../support/postgres.js";
import { createProgram, type PulumiProgram } from "../support/pulumi.js";
import { startWebhook, type Webhook } from "../support/webhook.js";

const DATABASE = "shop";
let source: PostgresServer;
let target: PostgresServer;
let hook: Webhook;
let program: PulumiProgram;

beforeAll(async () => {
  [source, target] = await Promise.all([startPostgres({ major: 14 }), startPostgres({ major: 17 })]);
  hook = await startWebhook();
  await Promise.all([source.createDatabase(DATABASE), target.createDatabase(DATABASE)]);
  await source.query(
    "CREATE TABLE orders (id integer PRIMARY KEY, region text); INSERT INTO orders SELECT g, 'eu' FROM generate_series(1, 100) g",
    undefined,
    DATABASE,
  );
  program = await createProgram({ files: { "index.ts": text("1") } });
  await program.config.set("sourcePassword", source.password, { secret: true });
  await program.config.set("targetPassword", target.password, { secret: true });
  await program.config.set("godwit:smtpUrl", "smtp://bot:relay-secret@127.0.0.1:9", { secret: true });
  await program.config.set("godwit:smtpFrom", "godwit@example.com");
});
afterAll(() => Promise.all([program?.remove(), source?.remove(), target?.remove(), hook?.close()]));

function text(at: string): string {
  const end = ({ port, username }: PostgresServer, secret: string) =>
    `{ engine: "postgresql", hosts: ["127.0.0.1:${port}"], username: "${username}", password: config.requireSecret("${secret}"), databaseName: "${DATABASE}" }`;
  return `
import * as pulumi from "@pulumi/pulumi";
import * as godwit from "godwit";
const config = new pulumi.Config();
const task = new godwit.MigrationTask("orders", {
  source: ${end(source, "sourcePassword")},
  target: ${end(target, "targetPassword")},
  migrationTypes: ["schema", "full", "incremental"],
  dataValidation: { mode: "full", triggers: { at: "${at}" } },
  alerts: { latencySeconds: 60, contacts: ["${hook.url}", "dba@example.com"] },
});
export const codes = task.errors.apply((errors) => errors.map(({ code }) => code).join());
`;
}

it("a program that compares and alerts: up, a second up that changes nothing, a difference that is told, no secret in sight, destroy", async () => {
  const first = await program.up();
  expect(first.changes).toMatchObject({ create: 2 });
  expect((await program.up()).changes).toEqual({ same: 2 });
  await target.query("UPDATE orders SET region = 'us' WHERE id = 42", undefined, DATABASE);
  await program.write({ "index.ts": text("2") });
  const { stdout } = await program.run(["up", "--yes", "--skip-preview", "--stack", "dev"]);
  expect(stdout).toMatch(/warning: GW2201: 1 table differs between source and target: public\.orders: changed id = 42/);
  expect(stdout).toMatch(/codes\s*: "GW2201"/);
  expect((await program.up()).changes).toEqual({ same: 2 });
  expect((await program.refresh()).changes).toEqual({ same: 2 });
  const state = JSON.stringify(await program.stackExport());
  for (const secret of ["hook-secret", "relay-secret"]) {
    expect(`${stdout}${state}`).not.toContain(secret);
    for (const entry of await readdir(program.godwitHome, { recursive: true, withFileTypes: true }))
      if (entry.isFile()) expect(await readFile(join(entry.parentPath, entry.name), "latin1")).not.toContain(secret);
  }
  expect((await program.destroy()).changes).toMatchObject({ delete: 2 });
  const left = await Promise.all([listLeftovers(source), listLeftovers(target), listLocalLeftovers(program.godwitHome)]);
  expect(left.flat()).toEqual([]);
}, 300_000);
