import { parseArgs } from "node:util";
import { connectOracle } from "../../provider/databases/oracle/driver.js";
import { withConnection } from "../../provider/databases/postgres/connection.js";
import type { TaskEndpoint } from "../../provider/engine/models/endpoint.js";
import { startPostgres } from "../support/postgres.js";
import { accept } from "./acceptance.js";
import { compareSides } from "./compareSides.js";
import { interruption, parseConnection, readPassword } from "./connectionArgument.js";
import { oracleScratch } from "./oracleScratch.js";

const USAGE = `npm run accept:oracle -- USER@HOST:PORT/SERVICE [--target USER@HOST:PORT/DATABASE] [--sid] [--ca FILE] [--client-library FOLDER]

Makes a scratch schema GODWIT_ACCEPT_... in the Oracle database, migrates it into PostgreSQL with rows and changes, compares whole tables and removes
everything on both sides. USER needs what the task needs (docs/oracle-to-postgresql.md) and CREATE USER, CREATE ANY TABLE, ALTER ANY TABLE, INSERT,
UPDATE, DELETE and DROP ANY TABLE, DROP USER: a DBA has them. Passwords are asked for, or come from GODWIT_ACCEPT_PASSWORD and
GODWIT_ACCEPT_TARGET_PASSWORD. Without --target a PostgreSQL 17 is started for it.`;

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      target: { type: "string" },
      sid: { type: "boolean" },
      ca: { type: "string" },
      "client-library": { type: "string" },
      help: { type: "boolean" },
    },
  });
  const [given] = positionals;
  if (given === undefined || values.help) {
    console.log(USAGE);
    return given === undefined ? 2 : 0;
  }
  const from = parseConnection(given, USAGE);
  const source: TaskEndpoint = {
    engine: "oracle",
    hosts: [from.host],
    username: from.username,
    password: await readPassword("GODWIT_ACCEPT_PASSWORD", `password of ${from.username}`),
    oracle: {
      ...(values.sid ? { sid: from.name } : { serviceName: from.name }),
      ...(values["client-library"] === undefined ? {} : { clientLibraryDirectory: values["client-library"] }),
    },
    ssl:
      values.ca === undefined
        ? { mode: "disable" }
        : { ca: await (await import("node:fs/promises")).readFile(values.ca, "utf8") },
  };
  const connection = await connectOracle(source, { applicationName: "godwit/accept" });
  const side = await openTarget(values.target).catch(async (cause: unknown) => {
    await connection.close();
    throw cause;
  });
  const signal = interruption();
  try {
    const scratch = oracleScratch(connection);
    const held = await accept({
      source,
      target: side.endpoint,
      scratch,
      compare: () => compareSides(connection, side.endpoint, scratch.schema, scratch.tables),
      signal,
      say: (step, text) => console.log(`${step.padEnd(13)} ${text}`),
    });
    if (values.target !== undefined) {
      await withConnection(side.endpoint, { applicationName: "godwit/accept" }, async (client) => {
        await client.query(`DROP SCHEMA IF EXISTS ${scratch.schema.toLowerCase()} CASCADE`);
      });
    }
    console.log(held ? "accepted      everything held" : "NOT ACCEPTED  see above");
    return held ? 0 : 1;
  } finally {
    await connection.close();
    await side.close();
  }
}

async function openTarget(given: string | undefined): Promise<{ readonly endpoint: TaskEndpoint; close(): Promise<void> }> {
  if (given === undefined) {
    const server = await startPostgres({ major: 17, name: "accept" });
    await server.createDatabase("accept");
    return { endpoint: server.endpoint("accept") as TaskEndpoint, close: () => server.remove() };
  }
  const { username, host, name } = parseConnection(given, USAGE);
  const secret = await readPassword("GODWIT_ACCEPT_TARGET_PASSWORD", `password of ${username} at the target`);
  const endpoint = { engine: "postgresql", hosts: [host], username, password: secret, databaseName: name };
  return { endpoint, close: async () => undefined };
}

main().then(
  (status) => process.exit(status),
  (cause: unknown) => {
    console.error(cause instanceof Error ? cause.message : cause);
    process.exit(1);
  },
);
