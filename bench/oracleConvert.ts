import { execFile } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { Client, DatabaseError } from "pg";
import { convertFile } from "../provider/cli/convert.js";
import { startPostgres } from "../test/support/postgres.js";
import { standIn } from "./support/oracleStandIns.js";

/**
 * Percent of Oracle objects that a converter turns into SQL that a real server loads, per kind.
 *
 *   tsx bench/oracleConvert.ts FOLDER [--json] [--errors] [--stand-ins TYPE] [--converter "COMMAND {file} {kind}"]
 *
 * FOLDER holds index.json (a list of { file, kind }) and objects/. COMMAND prints SQL; {file} and {kind} in it stand for the object's
 * file and kind (a command without {file} is run as `COMMAND --kind KIND FILE`, also when it is given behind `--`); by default it is
 * this project's own converter, in this process. An object counts as loaded when the command succeeds and prints at least one
 * statement that the server runs, all of it, in one transaction with check_function_bodies on. Each object is loaded alone, so what it
 * refers to and does not create (a table, a column, a type, a schema) is made as an empty stand-in when the server says that it is
 * missing, and the load starts again. A stand-in column's type is guessed from nothing: text, then numeric, then timestamp for all, and
 * another one where the server says so; with --stand-ins text (or numeric) every such column has that type and keeps it.
 */

interface Entry {
  readonly file: string;
  readonly kind: string;
}

interface Result extends Entry {
  readonly loaded: boolean;
  /** Without any stand-in. */
  readonly alone: boolean;
  /** What the converter left out of the object (a routine of a package), by its own report. */
  readonly leftOut?: readonly string[];
  readonly error?: string;
}

const run = promisify(execFile);
const COLUMN_TYPES = ["text", "numeric", "timestamp"] as const;
const STAND_INS = 300;
/** Milliseconds after which no further stand-in is tried. */
const PATIENCE = 20_000;

/** Prints the SQL for an object; an error is a converter that failed. */
type Converter = (entry: Entry, path: string) => Promise<{ readonly sql: string; readonly leftOut?: readonly string[] }>;

async function main(argv: readonly string[]): Promise<void> {
  const separator = argv.indexOf("--");
  const own = separator < 0 ? [...argv] : argv.slice(0, separator);
  const at = own.indexOf("--converter");
  const given = at < 0 ? undefined : own.splice(at, 2)[1];
  const fixedAt = own.indexOf("--stand-ins");
  const fixed = fixedAt < 0 ? undefined : own.splice(fixedAt, 2)[1];
  const command = given === undefined ? (separator < 0 ? [] : argv.slice(separator + 1)) : given.trim().split(/\s+/);
  const [folder] = own.filter((argument) => !argument.startsWith("--"));
  if (folder === undefined)
    throw new Error('usage: oracleConvert.ts FOLDER [--json] [--errors] [--stand-ins TYPE] [--converter "COMMAND {file}"]');
  const entries = JSON.parse(await readFile(join(folder, "index.json"), "utf8")) as Entry[];
  const present = new Set(await readdir(join(folder, "objects")));
  const server = await startPostgres({ major: 17, settings: { fsync: "off", check_function_bodies: "on" }, name: "convert" });
  const client = new Client(server.clientConfig("postgres"));
  client.on("error", () => undefined);
  const results: Result[] = [];
  try {
    await client.connect();
    const convert = command.length > 0 ? program(command) : ownConverter;
    for (const entry of entries.filter(({ file }) => present.has(file))) {
      const result = await measure(entry, join(folder, "objects", entry.file), convert, client, fixed);
      results.push(result);
      if (own.includes("--errors")) printError(result);
    }
  } finally {
    await client.end();
    await server.remove();
  }
  print(results, own.includes("--json"));
}

const ownConverter: Converter = async (entry, path) => {
  let sql = "";
  let report = "";
  const status = await convertFile(["--kind", entry.kind, path], {
    input: process.stdin,
    output: { write: (text) => (sql += text) },
    report: { write: (text) => (report += text) },
  });
  if (status !== 0) throw new Error(report);
  return { sql, leftOut: report.split("\n").filter((line) => line.startsWith("skipped: ")) };
};

function program(command: readonly string[]): Converter {
  const [name = "", ...args] = command;
  return async ({ kind }, path) => {
    const filled = args.map((arg) => arg.replaceAll("{file}", path).replaceAll("{kind}", kind));
    const all = args.some((arg) => arg.includes("{file}")) ? filled : [...filled, "--kind", kind, path];
    try {
      return { sql: (await run(name, all, { maxBuffer: 64 << 20, timeout: 120_000 })).stdout };
    } catch (cause) {
      throw new Error(String((cause as { stderr?: string }).stderr || cause));
    }
  };
}

async function measure(entry: Entry, path: string, convert: Converter, client: Client, fixed?: string): Promise<Result> {
  const failed = { ...entry, loaded: false, alone: false };
  let converted: Awaited<ReturnType<Converter>>;
  try {
    converted = await convert(entry, path);
  } catch (cause) {
    return {
      ...failed,
      error: `the converter failed: ${(cause instanceof Error ? cause.message : String(cause)).slice(0, 300)}`,
    };
  }
  const { sql, leftOut = [] } = converted;
  if (sql.replace(/--[^\n]*|\s/g, "") === "") return { ...failed, error: "no statement" };
  let error: string | undefined;
  for (const type of fixed === undefined ? COLUMN_TYPES : [fixed]) {
    const outcome = await load(sql, type, fixed === undefined, client);
    if (outcome.error === undefined) return { ...entry, loaded: true, alone: outcome.standIns === 0, leftOut };
    error ??= outcome.error;
  }
  return { ...failed, ...(error === undefined ? {} : { error }) };
}

/** Loads inside a transaction that is rolled back, with a stand-in for each thing that the server misses. */
async function load(
  sql: string,
  columnType: string,
  retypes: boolean,
  client: Client,
): Promise<{ error?: string; standIns: number }> {
  try {
    await client.query("BEGIN");
    const start = Date.now();
    for (let standIns = 0; ; standIns++) {
      await client.query("SAVEPOINT before_object");
      try {
        await client.query(sql);
        return { standIns };
      } catch (cause) {
        await client.query("ROLLBACK TO before_object");
        if (!(cause instanceof DatabaseError)) throw cause;
        if (standIns < STAND_INS && Date.now() - start < PATIENCE && (await standIn(cause, columnType, retypes, sql, client)))
          continue;
        const where = cause.where?.split("\n")[0];
        return { error: where === undefined ? cause.message : `${cause.message} (${where})`, standIns };
      }
    }
  } finally {
    await client.query("ROLLBACK");
    await client.query("DISCARD ALL");
  }
}

function printError({ file, loaded, error, leftOut = [] }: Result): void {
  if (!loaded) console.log(`${file}: ${error}`);
  for (const part of leftOut) console.log(`${file}: ${part}`);
}

function print(results: readonly Result[], json: boolean): void {
  const kinds = [...new Set(results.map(({ kind }) => kind)), "all"];
  for (const kind of kinds) {
    const own = results.filter((result) => kind === "all" || result.kind === kind);
    const loaded = own.filter((result) => result.loaded).length;
    const whole = own.filter((result) => result.loaded && (result.leftOut?.length ?? 0) === 0).length;
    const alone = own.filter((result) => result.alone).length;
    const percent = Math.round((1000 * loaded) / Math.max(own.length, 1)) / 10;
    console.log(
      json
        ? JSON.stringify({ name: `oracle-convert ${kind}`, objects: own.length, loaded, whole, alone, percent })
        : `${kind.padEnd(12)} ${loaded}/${own.length} ${percent} % (${whole} with nothing left out, ${alone} without stand-ins)`,
    );
  }
}

main(process.argv.slice(2)).catch((cause: unknown) => {
  console.error(cause instanceof Error ? cause.message : cause);
  process.exitCode = 1;
});
