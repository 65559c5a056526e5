import { createInterface } from "node:readline";
import { Writable } from "node:stream";
import { parseArgs } from "node:util";
import { connectOracle } from "../../provider/databases/oracle/driver.js";
import { withConnection } from "../../provider/databases/postgres/connection.js";
import type { TaskEndpoint } from "../../provider/engine/models/endpoint.js";
import { startPostgres } from "../support/postgres.js";
import { accept } from "./acceptance.js";
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
  const from = parseConnection(given);
  const source: TaskEndpoint = {
    engine: "oracle",
    hosts: [from.host],
    username: from.username,
    password: await password("GODWIT_ACCEPT_PASSWORD", `password of ${from.username}`),
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
  const interrupted = new AbortController();
  const onSignal = () => {
    if (interrupted.signal.aborted) process.exit(130);
    console.error("stopping: the scratch schema and the task are being taken away (again: leaves them where they are)");
    interrupted.abort(new Error("interrupted"));
  };
  process.on("SIGINT", onSignal).on("SIGTERM", onSignal);
  try {
    const scratch = oracleScratch(connection);
    const held = await accept({
      source,
      target: side.endpoint,
      scratch,
      connection,
      signal: interrupted.signal,
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
  const { username, host, name } = parseConnection(given);
  const secret = await password("GODWIT_ACCEPT_TARGET_PASSWORD", `password of ${username} at the target`);
  const endpoint = { engine: "postgresql", hosts: [host], username, password: secret, databaseName: name };
  return { endpoint, close: async () => undefined };
}

/** Others on this machine see a command's arguments: a password has no place there. */
function parseConnection(text: string): { readonly username: string; readonly host: string; readonly name: string } {
  const match = /^([^/@\s]+)@([^/\s]+)\/(\S+)$/.exec(text);
  if (match) return { username: match[1] ?? "", host: match[2] ?? "", name: match[3] ?? "" };
  throw new Error(`give the connection as USER@HOST:PORT/NAME, without a password\n\n${USAGE}`);
}

async function password(variable: string, what: string): Promise<string> {
  const set = process.env[variable];
  if (set !== undefined && set !== "") return set;
  process.stderr.write(`${what}: `);
  // What is typed is not shown.
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const reader = createInterface({ input: process.stdin, output: silent, terminal: true });
  try {
    return await new Promise((resolve, reject) => {
      reader.once("line", resolve);
      reader.once("close", () => reject(new Error(`no password was given (or set ${variable})`)));
    });
  } finally {
    reader.close();
    process.stderr.write("\n");
  }
}

main().then(
  (status) => process.exit(status),
  (cause: unknown) => {
    console.error(cause instanceof Error ? cause.message : cause);
    process.exit(1);
  },
);
