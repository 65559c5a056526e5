import { parseArgs } from "node:util";
import { connect, withConnection } from "../../provider/databases/postgres/connection.js";
import { ident } from "../../provider/databases/postgres/sql.js";
import type { TaskEndpoint } from "../../provider/engine/models/endpoint.js";
import { compareClients } from "../support/compareTables.js";
import { type PostgresServer, startPostgres } from "../support/postgres.js";
import { accept, type Scratch } from "./acceptance.js";
import { interruption, parseConnection, readPassword } from "./connectionArgument.js";
import { postgresScratch } from "./postgresScratch.js";

const ENGINES = ["analyticdb-postgresql", "polardb-o", "postgresql"];

const USAGE = `npm run accept:target -- ENGINE USER@HOST:PORT/DATABASE [--ca FILE]

Starts a PostgreSQL 17 with a scratch schema godwit_accept_..., migrates it into your database with structures, rows, changes and changes of structure,
compares whole tables after each step, and removes everything. ENGINE is one of ${ENGINES.join(", ")}. USER needs what the task needs at a target
(the route's page in docs/). The password is asked for, or comes from GODWIT_ACCEPT_TARGET_PASSWORD. The schema godwit must not be there, or be Godwit's.`;

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { ca: { type: "string" }, help: { type: "boolean" } },
  });
  const [engine, given] = positionals;
  if (engine === undefined || given === undefined || values.help || !ENGINES.includes(engine)) {
    console.log(USAGE);
    return values.help ? 0 : 2;
  }
  const { username, host, name } = parseConnection(given, USAGE);
  const target: TaskEndpoint = {
    engine,
    hosts: [host],
    username,
    password: await readPassword("GODWIT_ACCEPT_TARGET_PASSWORD", `password of ${username}`),
    databaseName: name,
    ...(values.ca === undefined ? {} : { ssl: { ca: await (await import("node:fs/promises")).readFile(values.ca, "utf8") } }),
  };
  const signal = interruption();
  const server = await startPostgres({ major: 17, name: "accept" });
  try {
    await server.createDatabase("accept");
    const scratch = postgresScratch(server, "accept");
    const held = await acceptTarget(server, target, scratch, signal);
    console.log(held ? "accepted      everything held" : "NOT ACCEPTED  see above");
    return held ? 0 : 1;
  } finally {
    await server.remove();
  }
}

async function acceptTarget(
  server: PostgresServer,
  target: TaskEndpoint,
  scratch: Scratch,
  signal: AbortSignal,
): Promise<boolean> {
  const source = server.endpoint("accept") as TaskEndpoint;
  const held = await accept({
    source,
    target,
    scratch,
    signal,
    compare: () => compare(source, target, scratch.schema),
    say: (step, text) => console.log(`${step.padEnd(13)} ${text}`),
  });
  await withConnection(target, { applicationName: "godwit/accept" }, (client) =>
    client.query(`DROP SCHEMA IF EXISTS ${ident(scratch.schema)} CASCADE`),
  );
  return held;
}

async function compare(source: TaskEndpoint, target: TaskEndpoint, schema: string) {
  const sides = [
    await connect(source, { applicationName: "godwit/accept" }),
    await connect(target, { applicationName: "godwit/accept" }),
  ] as const;
  try {
    for (const side of sides) await side.query("BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY");
    const { differences, rows, tables } = await compareClients(sides[0], sides[1], { schemas: [schema] });
    if (differences.length === 0) return [{ table: `${tables} tables`, rows: Number(rows), differences: [] }];
    return differences.map(({ table, what, onlyInSource = [], onlyInTarget = [] }) => ({
      table,
      rows: 0,
      differences: [what, ...onlyInSource.map((row) => `- ${row}`), ...onlyInTarget.map((row) => `+ ${row}`)].map((text) =>
        text.slice(0, 200),
      ),
    }));
  } finally {
    for (const side of sides) await side.end();
  }
}

main().then(
  (status) => process.exit(status),
  (cause: unknown) => {
    console.error(cause instanceof Error ? cause.message : cause);
    process.exit(1);
  },
);
