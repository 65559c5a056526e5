import { readdir, readFile } from "node:fs/promises";
import { isAbsolute, join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { PostgresServer } from "./postgres.js";

export interface Leftover {
  readonly kind: string;
  /** Database, for what lives in one. */
  readonly database?: string;
  readonly name: string;
}

const ON_THE_SERVER = `
  SELECT 'slot' AS kind, slot_name::text AS name FROM pg_replication_slots
  UNION ALL
  SELECT 'walsender', pid || ' ' || coalesce(application_name, '') FROM pg_stat_replication
  UNION ALL
  SELECT 'session', pid || ' ' || application_name FROM pg_stat_activity
  WHERE application_name ILIKE 'godwit%' AND pid <> pg_backend_pid()
  UNION ALL
  SELECT 'advisory lock', l.classid || '/' || l.objid || ' held by ' || l.pid FROM pg_locks l WHERE l.locktype = 'advisory'
  UNION ALL
  SELECT 'replication origin', roname FROM pg_replication_origin
  UNION ALL
  SELECT 'prepared transaction', gid FROM pg_prepared_xacts
  UNION ALL
  SELECT 'pg_hba.conf line', btrim(line)
  FROM regexp_split_to_table(pg_read_file(current_setting('hba_file')), '\\n') AS line WHERE line ILIKE '%godwit%'
  UNION ALL
  SELECT 'role', rolname FROM pg_roles WHERE rolname ILIKE 'godwit%'`;

const IN_A_DATABASE = `
  SELECT 'publication' AS kind, pubname::text AS name FROM pg_publication
  UNION ALL
  SELECT 'subscription', subname FROM pg_subscription WHERE subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())
  UNION ALL
  SELECT 'schema', nspname FROM pg_namespace WHERE nspname ILIKE 'godwit%'
  UNION ALL
  SELECT 'event trigger', evtname FROM pg_event_trigger
  UNION ALL
  SELECT 'trigger', t.tgname || ' on ' || t.tgrelid::regclass FROM pg_trigger t WHERE t.tgname ILIKE 'godwit%'
  UNION ALL
  SELECT 'function', p.oid::regprocedure::text FROM pg_proc p WHERE p.proname ILIKE 'godwit%'
  UNION ALL
  SELECT 'replica identity ' || c.relreplident::text, c.oid::regclass::text
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p') AND c.relreplident <> 'd'
    AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'`;

/**
 * What a migration may have left on a server, over all its databases. Empty after a destroy, given that the test itself made no
 * slots, publications, event triggers or replica identities.
 */
export async function listLeftovers(server: PostgresServer): Promise<Leftover[]> {
  const found = await serverLeftovers(server);
  const { rows: databases } = await server.query<{ name: string }>("SELECT datname AS name FROM pg_database WHERE datallowconn");
  for (const { name: database } of databases) {
    if (database === "template1") continue;
    const { rows } = await server.query<Leftover>(IN_A_DATABASE, [], database);
    found.push(...rows.map((row) => ({ ...row, database })));
  }
  return found;
}

const OF_SESSIONS: ReadonlySet<string> = new Set(["session", "walsender", "advisory lock"]);
const PARTING_MS = 5000;

/** A session ends a moment after its client has gone: on a busy machine it is still to be seen. One that stays for seconds is left over. */
async function serverLeftovers(server: PostgresServer): Promise<Leftover[]> {
  const end = Date.now() + PARTING_MS;
  for (;;) {
    const { rows } = await server.query<Leftover>(ON_THE_SERVER);
    if (Date.now() > end || !rows.some(({ kind }) => OF_SESSIONS.has(kind))) return rows;
    await sleep(50);
  }
}

/** Processes and files of a GODWIT_HOME: a worker or a supervisor that lives on, logs, sockets, specs. */
export async function listLocalLeftovers(godwitHome: string): Promise<Leftover[]> {
  const processes = await listProcesses(godwitHome);
  const files = await readdir(godwitHome, { recursive: true, withFileTypes: true }).catch(() => []);
  return [
    ...processes.map(({ pid, command }) => ({ kind: "process", name: `${pid} ${command}` })),
    ...files.filter((entry) => !entry.isDirectory()).map((entry) => ({ kind: "file", name: join(entry.parentPath, entry.name) })),
  ];
}

export interface GodwitProcess {
  readonly pid: number;
  readonly command: string;
}

/**
 * Processes that were started with this GODWIT_HOME, or have it, or a path below it, as an argument. Arguments are compared whole: a script that
 * some other process was given as text may well mention the folder. Linux only: it reads /proc.
 */
export async function listProcesses(godwitHome: string): Promise<GodwitProcess[]> {
  if (!isAbsolute(godwitHome) || resolve(godwitHome) === "/") {
    throw new Error(`"${godwitHome}" is no folder of a task's: every process would be, or none`);
  }
  const home = resolve(godwitHome);
  const found: GodwitProcess[] = [];
  for (const name of await readdir("/proc")) {
    const pid = Number(name);
    if (!Number.isInteger(pid) || pid === process.pid) continue;
    // A process may end between two reads.
    const read = (file: string) => readFile(join("/proc", name, file), "utf8").catch(() => "");
    const [environment, commandLine] = await Promise.all([read("environ"), read("cmdline")]);
    const set = environment.split("\0").find((pair) => pair.startsWith("GODWIT_HOME="));
    const named = [set?.slice("GODWIT_HOME=".length) ?? "", ...commandLine.split("\0").map(pathIn)];
    const isOfThisHome = named.some((path) => isAbsolute(path) && isWithin(path, home));
    if (isOfThisHome && commandLine !== "") found.push({ pid, command: commandLine.replaceAll("\0", " ").trim() });
  }
  return found;
}

/** The path of `--option=/path`, else the argument itself. */
function pathIn(argument: string): string {
  return argument.startsWith("-") ? argument.slice(argument.indexOf("=") + 1) : argument;
}

function isWithin(path: string, home: string): boolean {
  const whole = resolve(path);
  return whole === home || whole.startsWith(`${home}/`);
}
