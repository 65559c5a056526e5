import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "pg";
import { compareDatabases } from "../../test/support/compareTables.js";
import { listLeftovers, listLocalLeftovers } from "../../test/support/leftovers.js";
import { type PostgresServer, startPostgres } from "../../test/support/postgres.js";
import { createProgram, type PulumiProgram } from "../../test/support/pulumi.js";
import { countRows, fillSource } from "./demo/dataSet.js";
import { number, say, sayLast, sayMore } from "./demo/screen.js";
import { nextFlightAt, untilLevel } from "./demo/sides.js";
import { upLines } from "./demo/upLines.js";
import { Writer } from "./demo/writer.js";

const DATABASE = "travel";
const PROGRAM = ["index.ts", "Pulumi.yaml", "package.json", "tsconfig.json"];

/** What has been started, the last first when it is taken down. */
const started: (() => Promise<void>)[] = [];

/**
 * `npm run quickstart`: migrates a PostgreSQL 15 database that is being written to into PostgreSQL 17, with the program beside
 * this file and the real Pulumi CLI, and checks everything it says. Exit status 0: all of it held.
 */
async function quickstart(): Promise<void> {
  const [source, target] = await startServers();
  const reader = await connected(source);
  say("data", `${number(await fillSource(reader))} rows in 7 related tables, out of npm's vega-datasets`);

  const program = await preparedProgram(source, target);
  const writer = await Writer.start(source.clientConfig(DATABASE));
  started.push(() => writer.stop());
  say("writer", "inserts, updates and deletes at the source, transaction after transaction");

  say("pulumi up", "two endpoints, a migration task, a sequence sync");
  expectChanges(await program.up(), { create: 5 });
  await showArriving(reader, await connected(target), writer);

  say("again", `pulumi up: ${described(expectChanges(await program.up(), { same: 5 }))}`);

  await writer.stop();
  const { transactions, inserts, updates, deletes } = writer.written;
  const changes = `${number(inserts)} inserts, ${number(updates)} updates, ${number(deletes)} deletes`;
  say("cut over", `the writer stops after ${number(transactions)} transactions: ${changes}`);
  sayMore(`the target is level ${(await untilLevel(reader)).toFixed(1)} s later`);
  await program.config.set("cutOver", new Date().toISOString());
  expectChanges(await program.up(), { update: 1, same: 4 });
  const next = await nextFlightAt(reader, await connected(target));
  sayMore(`the next flight gets id ${number(next.target)} at the target; the source's last is ${number(next.source)}`);

  const { tables, rows, differences } = await compareDatabases(source.clientConfig(DATABASE), target.clientConfig(DATABASE));
  if (differences.length > 0) throw new Error(`source and target differ:\n${JSON.stringify(differences, undefined, 2)}`);
  say("compare", `${tables} tables, ${number(Number(rows))} rows: every checksum is equal`);

  say("destroy", `pulumi destroy: ${described(expectChanges(await program.destroy(), { delete: 5 }))}`);
  await expectNothingLeft(source, target, program);
  say("left", "no slot, publication, trigger, godwit schema, session, process or file; the data stays at the target");
}

async function startServers(): Promise<[PostgresServer, PostgresServer]> {
  const start = async (major: 15 | 17) => {
    const server = await startPostgres({ major, name: "quickstart" });
    started.push(() => server.remove());
    await server.createDatabase(DATABASE);
    return server;
  };
  const [source, target] = await Promise.all([start(15), start(17)]);
  say("servers", `source: PostgreSQL 15 on port ${source.port}; target: PostgreSQL 17 on port ${target.port}`);
  return [source, target];
}

async function connected(server: PostgresServer): Promise<Client> {
  const client = new Client({ ...server.clientConfig(DATABASE), application_name: "quickstart" });
  client.on("error", () => undefined);
  await client.connect();
  started.push(() => client.end());
  return client;
}

/** The program of this folder in one of its own, with the packed godwit installed and its configuration set, passwords as secrets. */
async function preparedProgram(source: PostgresServer, target: PostgresServer): Promise<PulumiProgram> {
  const files: Record<string, string> = {};
  for (const name of PROGRAM) files[name] = await readFile(join(__dirname, name), "utf8");
  const program = await createProgram({ files, onOutput: upLines(sayMore) });
  started.push(() => program.remove());
  for (const [side, { host, port, username, password }] of Object.entries({ source, target })) {
    await program.config.set(`${side}Host`, `${host}:${port}`);
    await program.config.set(`${side}Username`, username);
    await program.config.set(`${side}Password`, password, { secret: true });
    await program.config.set(`${side}Database`, DATABASE);
  }
  say("program", "examples/quickstart with the packed godwit installed, a stack, and its passwords as secrets");
  return program;
}

/** Both sides at the same moments: the target follows while the source moves. */
async function showArriving(source: Client, target: Client, writer: Writer): Promise<void> {
  for (let line = 0; line < 3; line++) {
    const [there, here] = await Promise.all([countRows(source), countRows(target)]);
    const { transactions } = writer.written;
    const text = `source ${number(there)} rows, target ${number(here)} rows, after ${number(transactions)} transactions of the writer`;
    if (line === 0) say("arriving", text);
    else sayMore(text);
    await sleep(1000);
  }
}

function expectChanges<T extends { readonly changes: Readonly<Record<string, number>> }>(
  result: T,
  wanted: Record<string, number>,
): T {
  if (described({ changes: wanted }) === described(result)) return result;
  throw new Error(`pulumi should have reported ${described({ changes: wanted })}; it reported ${described(result)}`);
}

function described({ changes }: { readonly changes: Readonly<Record<string, number>> }): string {
  const words: Readonly<Record<string, string>> = { create: "created", same: "unchanged", update: "updated", delete: "deleted" };
  const parts = Object.entries(changes).sort(([a], [b]) => (a < b ? 1 : -1));
  return parts.map(([operation, count]) => `${count} ${words[operation] ?? operation}`).join(", ") || "nothing";
}

async function expectNothingLeft(source: PostgresServer, target: PostgresServer, program: PulumiProgram): Promise<void> {
  const found = (
    await Promise.all([listLeftovers(source), listLeftovers(target), listLocalLeftovers(program.godwitHome)])
  ).flat();
  if (found.length === 0) return;
  throw new Error(
    `destroy left something behind:\n${found.map(({ kind, name, database }) => `  ${kind} ${name} ${database ?? ""}`).join("\n")}`,
  );
}

async function takeDown(): Promise<void> {
  // The workers before the servers they would miss; each on its own, so that a failure leaves the others none the less.
  for (let end = started.pop(); end; end = started.pop()) await end().catch(() => undefined);
}

const interrupted = new Promise<never>((_, reject) => {
  for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, () => reject(new Error(`interrupted by ${name}`)));
});
// What is awaited below are unreferenced children: an event loop that runs empty would end this as if all were well.
setInterval(() => undefined, 60_000);

Promise.race([quickstart(), interrupted])
  .then(
    () => {
      sayLast("done", "everything held");
      return 0;
    },
    (cause: unknown) => {
      sayLast("FAILED", cause instanceof Error ? cause.message : String(cause));
      return 1;
    },
  )
  .then(async (status) => {
    await takeDown();
    process.exit(status);
  });
