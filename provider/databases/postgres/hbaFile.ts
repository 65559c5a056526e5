import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "pg";
import { ErrorCode, GodwitError } from "../../engine/errors.js";
import { connect, type PostgresEndpoint, withConnection } from "./connection.js";
import { blockLines, type HbaText, hbaText } from "./hbaBlock.js";
import { replaceHbaFile, type WrittenFile } from "./hbaWrite.js";

const APPLICATION = "godwit/whitelist";
/** How long another edit may hold the lock, and how long a reload may take on a busy server. */
const LOCK_SECONDS = 60;
const RELOAD_SECONDS = 20;

export interface HbaFile extends WrittenFile {
  /** Whether the server offers TLS. */
  readonly ssl: boolean;
}

/** Reads the file through SQL. Errors: GW1802 for a role that is not a superuser. */
export async function readHbaFile(endpoint: PostgresEndpoint): Promise<HbaFile> {
  return withConnection(endpoint, { applicationName: APPLICATION }, async (client) => {
    await mustBeSuperuser(client, endpoint);
    return currentFile(client);
  });
}

export interface HbaEdit {
  /** The block's name. */
  readonly name: string;
  /** The text that is wanted, made of the one there is; the same text for no change. Pure. */
  readonly change: (file: HbaFile) => HbaText;
  /** Whether the new lines must be in force in the end, and let this very endpoint in. False for a removal. */
  readonly mustHold: boolean;
}

/**
 * Edits the file as one: under a lock that holds for the whole server, checked by the server's own parser before the reload, loaded,
 * and, where asked, tried with a new connection. What fails is put back, byte for byte, and reported. Returns the file as it
 * is now. Errors: GW1801 (rejected), GW1802, GW1803, GW1804.
 */
export async function editHbaFile(endpoint: PostgresEndpoint, edit: HbaEdit): Promise<HbaFile> {
  const options = { applicationName: APPLICATION };
  return withConnection(endpoint, options, async (client) => {
    await mustBeSuperuser(client, endpoint);
    return withConnection(endpoint, options, async (locker) => {
      await lockServerWide(locker);
      const before = await currentFile(client);
      const after = { ...before, text: edit.change(before) };
      const restore = after.text === before.text ? async () => undefined : await replaceHbaFile(client, before, after.text);
      try {
        await mustParse(client, after, edit);
        // Also when the text is right already: an edit that was killed before its reload left it so, and not in force.
        await reload(client);
        if (edit.mustHold) await mustBeLetIn(endpoint);
      } catch (cause) {
        await restore();
        await reload(client);
        throw cause;
      }
      return after;
    });
  });
}

async function mustBeSuperuser(client: Client, endpoint: PostgresEndpoint): Promise<void> {
  const { rows } = await client.query<{ superuser: boolean; segmented: boolean; version: number }>(
    `SELECT rolsuper AS superuser, EXISTS (SELECT 1 FROM pg_catalog.pg_class WHERE relname = 'gp_segment_configuration') AS segmented,
            pg_catalog.current_setting('server_version_num')::int AS version
       FROM pg_catalog.pg_roles WHERE rolname = CURRENT_USER`,
  );
  // Each segment has a pg_hba.conf of its own, and the standby as well: a line on the coordinator alone goes with its next failover.
  if (rows[0]?.segmented || (rows[0]?.version ?? 0) < 100000) {
    throw new GodwitError(ErrorCode.HbaNotPermitted, "pg_hba.conf of this server is not for a session to write", {
      object: endpoint.hosts.join(","),
      remedy: "whitelist the addresses in the instance's console (AnalyticDB), or with the cluster's own tools (Greenplum)",
    });
  }
  if (rows[0]?.superuser) return;
  throw new GodwitError(
    ErrorCode.HbaNotPermitted,
    `role "${endpoint.username}" is no superuser: it can neither read nor write pg_hba.conf`,
    {
      object: endpoint.hosts.join(","),
      remedy: "give the Whitelist an endpoint with a superuser, or whitelist the addresses where the server is managed",
    },
  );
}

async function currentFile(client: Client): Promise<HbaFile> {
  const { rows } = await client.query<{ path: string; directory: string; ssl: boolean; version: number }>(`
    SELECT pg_catalog.current_setting('hba_file') AS path,
           pg_catalog.current_setting('data_directory') AS directory,
           pg_catalog.current_setting('ssl') = 'on' AS ssl,
           pg_catalog.current_setting('server_version_num')::int AS version`);
  const { path = "", directory = "", ssl = false, version = 0 } = rows[0] ?? {};
  const bytes = version >= 110000 ? await readBytes(client, path) : await importBytes(client, path);
  return { path, dataDirectory: directory, ssl, text: hbaText(bytes) };
}

async function readBytes(client: Client, path: string): Promise<Buffer> {
  const { rows } = await client.query<{ bytes: Buffer }>("SELECT pg_catalog.pg_read_binary_file($1) AS bytes", [path]);
  return rows[0]?.bytes ?? Buffer.alloc(0);
}

/** PostgreSQL 10 reads no file outside its data directory, as Debian's pg_hba.conf is, except into a large object. */
async function importBytes(client: Client, path: string): Promise<Buffer> {
  await client.query("BEGIN");
  try {
    const imported = await client.query<{ oid: string }>("SELECT pg_catalog.lo_import($1)::text AS oid", [path]);
    const { rows } = await client.query<{ bytes: Buffer }>("SELECT pg_catalog.lo_get($1::pg_catalog.oid) AS bytes", [
      imported.rows[0]?.oid,
    ]);
    return rows[0]?.bytes ?? Buffer.alloc(0);
  } finally {
    await client.query("ROLLBACK");
  }
}

/**
 * Advisory locks hold within one database, and two endpoints of one server may name two. A row of a shared catalog is the same row
 * from all of them; nothing else takes this lock on it short of ALTER TABLESPACE pg_global.
 */
async function lockServerWide(client: Client): Promise<void> {
  await client.query("BEGIN");
  await client.query(`SET LOCAL lock_timeout = '${LOCK_SECONDS}s'`);
  try {
    await client.query("SELECT FROM pg_catalog.pg_tablespace WHERE spcname = 'pg_global' FOR UPDATE");
  } catch (cause) {
    if ((cause as { code?: string }).code !== "55P03") throw cause;
    throw new GodwitError(ErrorCode.HbaUnwritable, `another edit of pg_hba.conf has not ended within ${LOCK_SECONDS} s`, {
      remedy: "see SELECT * FROM pg_stat_activity WHERE application_name = 'godwit/whitelist'",
      cause,
    });
  }
}

interface HbaRule {
  readonly line: number | null;
  /** Null for a line that the server could not make sense of. */
  readonly type: string | null;
  readonly error: string | null;
}

/**
 * pg_hba_file_rules parses the file as it lies on disk, so that an error shows before the reload. A line that makes no sense, anywhere,
 * makes the server keep the rules that it has, and fail at its next start. A line that can never match (hostssl without TLS) is
 * reported and loaded: it matters in the block, where it would have no effect, and not elsewhere.
 */
async function mustParse(client: Client, file: HbaFile, edit: HbaEdit): Promise<void> {
  // 16 has included files, whose lines have numbers of their own.
  const { rows } = await client.query<HbaRule>(
    `SELECT line_number AS line, type, error
       FROM pg_catalog.pg_hba_file_rules AS rule
      WHERE COALESCE(pg_catalog.to_jsonb(rule)->>'file_name', $1) = $1 OR type IS NULL
      ORDER BY line_number`,
    [file.path],
  );
  if (!rows.some(({ type }) => type !== null)) {
    throw new GodwitError(ErrorCode.HbaRejected, "pg_hba.conf would hold no rule at all, and the server would not start again", {
      remedy: "add a line outside of Godwit's blocks first",
    });
  }
  if (!edit.mustHold) return;
  const block = blockLines(file.text, edit.name);
  const inBlock = ({ line }: HbaRule) => block !== undefined && line !== null && line > block.first && line < block.last;
  const bad = rows.find((rule) => rule.error !== null && (rule.type === null || inBlock(rule)));
  if (!bad) return;
  const where = inBlock(bad) ? "a line of the block" : `line ${bad.line}, which is outside of the block`;
  throw new GodwitError(ErrorCode.HbaRejected, `the server rejects ${where}: ${bad.error}; the file is as it was before`, {
    object: edit.name,
    remedy: inBlock(bad) ? "change what the line is made of" : "mend that line: the server loads all of the file or nothing",
  });
}

/**
 * Resolves when the server has loaded the file. A session's load time changes when the postmaster has passed the signal on, and the
 * postmaster accepts no connection until it has loaded pg_hba.conf too.
 */
async function reload(client: Client): Promise<void> {
  const loadTime = async () => {
    const { rows } = await client.query<{ at: string }>("SELECT pg_catalog.pg_conf_load_time()::text AS at");
    return rows[0]?.at;
  };
  const before = await loadTime();
  await client.query("SELECT pg_catalog.pg_reload_conf()");
  const deadline = Date.now() + RELOAD_SECONDS * 1000;
  while ((await loadTime()) === before) {
    if (Date.now() > deadline) {
      throw new GodwitError(ErrorCode.HbaRejected, `the server has not reloaded its configuration within ${RELOAD_SECONDS} s`, {
        remedy: "see the server's log",
      });
    }
    await sleep(20);
  }
}

async function mustBeLetIn(endpoint: PostgresEndpoint): Promise<void> {
  try {
    const client = await connect(endpoint, { applicationName: APPLICATION });
    await client.end();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new GodwitError(
      ErrorCode.HbaRejected,
      `with these rules the endpoint itself is not let in (${reason}); the file is as it was before`,
      {
        object: endpoint.hosts.join(","),
        remedy:
          "choose connectionType, authMethod and databases so that the endpoint's own connection fits, or narrow cidrs to leave it out",
        cause,
      },
    );
  }
}
