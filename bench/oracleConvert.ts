import { execFile } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { Client, DatabaseError } from "pg";
import { type PostgresServer, startPostgres } from "../test/support/postgres.js";

/**
 * Percent of Oracle objects that a converter turns into SQL that a real server loads, per kind.
 *
 *   tsx bench/oracleConvert.ts FOLDER [--json] [--errors] [-- COMMAND ...]
 *
 * FOLDER holds index.json (a list of { file, kind }) and objects/. COMMAND is run as `COMMAND --kind KIND FILE` and prints SQL; by
 * default it is this project's own. An object counts as loaded when the command succeeds and prints at least one statement that the
 * server runs, all of it, in one transaction with check_function_bodies on. Each object is loaded alone, so what it refers to and does
 * not create (a table, a column, a type, a schema) is made as an empty stand-in when the server says that it is missing, and the
 * load starts again. A stand-in column's type is guessed from nothing: text, then numeric, then timestamp for all.
 */

interface Entry {
  readonly file: string;
  readonly kind: string;
}

interface Result extends Entry {
  readonly loaded: boolean;
  /** Without any stand-in. */
  readonly alone: boolean;
  readonly error?: string;
}

const run = promisify(execFile);
const COLUMN_TYPES = ["text", "numeric", "timestamp"] as const;

async function main(argv: readonly string[]): Promise<void> {
  const separator = argv.indexOf("--");
  const own = separator < 0 ? argv : argv.slice(0, separator);
  const command =
    separator < 0 ? ["npx", "tsx", join(__dirname, "../provider/cli/godwit.ts"), "convert"] : argv.slice(separator + 1);
  const [folder] = own.filter((argument) => !argument.startsWith("--"));
  if (folder === undefined || command.length === 0)
    throw new Error("usage: oracleConvert.ts FOLDER [--json] [--errors] [-- COMMAND ...]");
  const entries = JSON.parse(await readFile(join(folder, "index.json"), "utf8")) as Entry[];
  const present = new Set(await readdir(join(folder, "objects")));
  const server = await startPostgres({ major: 17, settings: { fsync: "off", check_function_bodies: "on" }, name: "convert" });
  const results: Result[] = [];
  try {
    for (const entry of entries.filter(({ file }) => present.has(file)))
      results.push(await measure(entry, join(folder, "objects"), command, server));
  } finally {
    await server.remove();
  }
  print(results, own.includes("--json"), own.includes("--errors"));
}

async function measure(entry: Entry, folder: string, command: readonly string[], server: PostgresServer): Promise<Result> {
  const [program = "", ...args] = command;
  let sql: string;
  try {
    sql = (await run(program, [...args, "--kind", entry.kind, join(folder, entry.file)], { maxBuffer: 64 << 20 })).stdout;
  } catch (cause) {
    return {
      ...entry,
      loaded: false,
      alone: false,
      error: `the converter failed: ${String((cause as { stderr?: string }).stderr ?? cause).slice(0, 300)}`,
    };
  }
  if (sql.replace(/--[^\n]*|\s/g, "") === "") return { ...entry, loaded: false, alone: false, error: "no statement" };
  let error: string | undefined;
  for (const type of COLUMN_TYPES) {
    const outcome = await load(sql, type, server);
    if (outcome.error === undefined) return { ...entry, loaded: true, alone: outcome.standIns === 0 };
    error ??= outcome.error;
  }
  return { ...entry, loaded: false, alone: false, ...(error === undefined ? {} : { error }) };
}

/** Loads into a new database, with a stand-in for each thing that the server misses. */
async function load(sql: string, columnType: string, server: PostgresServer): Promise<{ error?: string; standIns: number }> {
  await server.query("DROP DATABASE IF EXISTS object");
  await server.createDatabase("object");
  const client = new Client(server.clientConfig("object"));
  client.on("error", () => undefined);
  await client.connect();
  try {
    for (let standIns = 0; ; standIns++) {
      try {
        await client.query(sql);
        return { standIns };
      } catch (cause) {
        const message = cause instanceof Error ? cause.message : String(cause);
        const standIn = standIns < 200 ? standInFor(message, columnType, sql) : undefined;
        if (standIn === undefined || !(await succeeds(client, standIn))) {
          const where = cause instanceof DatabaseError ? cause.where?.split("\n")[0] : undefined;
          return { error: where === undefined ? message : `${message} (${where})`, standIns };
        }
      }
    }
  } finally {
    await client.end();
  }
}

async function succeeds(client: Client, sql: string): Promise<boolean> {
  try {
    await client.query(sql);
    return true;
  } catch {
    return false;
  }
}

/** What makes up for an error about something missing. */
function standInFor(message: string, columnType: string, sql: string): string | undefined {
  const [, schema] = /^schema "(.+)" does not exist$/.exec(message) ?? [];
  if (schema !== undefined) return `CREATE SCHEMA ${quote(schema)}`;
  const [, column, table] = /^column "(.+)" of relation "(.+)" does not exist$/.exec(message) ?? [];
  if (column !== undefined && table !== undefined)
    return `ALTER TABLE ${relationIn(sql, table)} ADD COLUMN ${quote(column)} ${columnType}`;
  const [, key] = /^column "(.+)" (?:named in key|referenced in foreign key constraint) does not exist$/.exec(message) ?? [];
  const bare = key ?? /^column "(.+)" does not exist$/.exec(message)?.[1];
  if (bare !== undefined) return addToEvery(bare, columnType);
  const [, alias, field] = /^column (\w+)\.(\w+) does not exist$/.exec(message) ?? [];
  if (alias !== undefined && field !== undefined) return addToEvery(field, columnType);
  const [, relation] = /^relation "(.+)" does not exist$/.exec(message) ?? [];
  if (relation !== undefined)
    return /^CREATE (UNIQUE )?INDEX|REINDEX/.test(sql) && sql.includes(`INDEX ${relation};`)
      ? `CREATE TABLE godwit_t (c text); CREATE INDEX ${relation} ON godwit_t (c)`
      : `${schemaOf(relation)}CREATE TABLE ${quotePath(relation)} ()`;
  const [, type] = /^type "?(.+?)(?:\[\])?"? does not exist$/.exec(message) ?? [];
  if (type !== undefined) return `${schemaOf(type)}CREATE TYPE ${quotePath(type)} AS (stand_in text)`;
  const [, routine, args = ""] = /^function (\S+)\((.*)\) does not exist$/.exec(message) ?? [];
  if (routine !== undefined)
    return `${schemaOf(routine)}CREATE FUNCTION ${routine}(${args.replaceAll("unknown", "text")}) RETURNS ${columnType} LANGUAGE sql AS 'SELECT NULL::${columnType}'`;
  const [, constraint, owner] = /^constraint "(.+)" of relation "(.+)" does not exist$/.exec(message) ?? [];
  if (constraint !== undefined && owner !== undefined)
    return `ALTER TABLE ${relationIn(sql, owner)} ADD CONSTRAINT ${quote(constraint)} CHECK (true)`;
  const [, trigger] = /^trigger "(.+?)" does not exist$/.exec(message) ?? [];
  if (trigger !== undefined)
    return `CREATE TABLE godwit_t (c text); CREATE TRIGGER ${quote(trigger)} BEFORE UPDATE ON godwit_t FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()`;
  const [, unmatched] =
    /^there is no (?:primary key|unique constraint matching given keys) for referenced table "(.+)"$/.exec(message) ?? [];
  if (unmatched === undefined) return undefined;
  const keys = new RegExp(`REFERENCES [\\w."]*${unmatched}"? \\(([^)]+)\\)`).exec(sql)?.[1];
  return keys === undefined
    ? `ALTER TABLE ${relationIn(sql, unmatched)} ADD COLUMN stand_in_key ${columnType} PRIMARY KEY`
    : `ALTER TABLE ${relationIn(sql, unmatched)} ADD UNIQUE (${keys})`;
}

function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

function quotePath(path: string): string {
  return path.split(".").map(quote).join(".");
}

function schemaOf(path: string): string {
  const [schema, ...rest] = path.split(".");
  return schema !== undefined && rest.length > 0 ? `CREATE SCHEMA IF NOT EXISTS ${quote(schema)}; ` : "";
}

/** Messages name a relation without its schema; the converted text has it. */
function relationIn(sql: string, table: string): string {
  return new RegExp(`(?:[\\w"]+\\.)?"?${table.replace(/[$.#]/g, "\\$&")}"?(?![\\w$])`).exec(sql)?.[0] ?? quote(table);
}

/** A column that is missing from one of a query's tables: which one, the message does not say. */
function addToEvery(column: string, columnType: string): string {
  return `DO $$ DECLARE t record; n integer := 0; BEGIN
    FOR t IN SELECT c.oid::regclass AS name FROM pg_class c JOIN pg_namespace s ON s.oid = relnamespace
      WHERE relkind IN ('r', 'p') AND nspname NOT IN ('pg_catalog', 'information_schema')
        AND NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = c.oid AND attname = '${column.replaceAll("'", "''")}')
    LOOP EXECUTE format('ALTER TABLE %s ADD COLUMN ${quote(column).replaceAll("'", "''").replaceAll("%", "%%")} ${columnType}', t.name); n := n + 1; END LOOP;
    IF n = 0 THEN RAISE EXCEPTION 'nothing to add to'; END IF;
  END $$`;
}

function print(results: readonly Result[], json: boolean, errors: boolean): void {
  const kinds = [...new Set(results.map(({ kind }) => kind)), "all"];
  for (const kind of kinds) {
    const own = results.filter((result) => kind === "all" || result.kind === kind);
    const loaded = own.filter((result) => result.loaded).length;
    const alone = own.filter((result) => result.alone).length;
    const percent = Math.round((1000 * loaded) / Math.max(own.length, 1)) / 10;
    console.log(
      json
        ? JSON.stringify({ name: `oracle-convert ${kind}`, objects: own.length, loaded, alone, percent })
        : `${kind.padEnd(12)} ${loaded}/${own.length} ${percent} % (${alone} without stand-ins)`,
    );
  }
  if (errors) for (const result of results) if (!result.loaded) console.log(`${result.file}: ${result.error}`);
}

main(process.argv.slice(2)).catch((cause: unknown) => {
  console.error(cause instanceof Error ? cause.message : cause);
  process.exitCode = 1;
});
