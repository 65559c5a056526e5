import type { Client } from "pg";
import type { SchemaSelection } from "../../../../engine/selection.js";
import { serverVersion } from "../../clients.js";
import { restoreIdentitiesSql } from "../../replication/replicaIdentity.js";
import { ident } from "../../sql.js";
import { CAPTURE_FORMAT, CAPTURE_SCHEMA, captureStatements } from "./captureSql.js";
import { eventTriggers } from "./eventTriggerSql.js";

export interface CaptureTask {
  /** The task's publication, which must exist. */
  readonly publication: string;
  /** As in the program; undefined: every schema of the user's. */
  readonly objects: readonly SchemaSelection[] | undefined;
  /** New tables join. */
  readonly creates: boolean;
}

/** Whether changes of structure are captured for the task, or why not. */
export type CaptureOutcome = { readonly captured: true } | { readonly captured: false; readonly reason: string };

/**
 * Makes the source write down changes of structure for this task (see captureSql.ts) and puts the table that they are written to
 * into the task's publication. Shared by all tasks of the database; a reconcile. Without the right to make event triggers nothing is made and
 * the answer says so; what rights are needed differs between servers and services, so it is tried.
 */
export async function installCapture(client: Client, task: CaptureTask): Promise<CaptureOutcome> {
  const version = Math.floor((await serverVersion(client)) / 10_000);
  const stranger = await foreignOwner(client);
  if (stranger !== undefined) return { captured: false, reason: `schema ${CAPTURE_SCHEMA} belongs to "${stranger}"` };
  try {
    await locked(client, async () => {
      if ((await installedFormat(client)) !== CAPTURE_FORMAT || !(await triggersStand(client, version)))
        await make(client, version);
      await register(client, task);
    });
  } catch (cause) {
    if (!isRefusal(cause)) throw cause;
    return { captured: false, reason: (cause as Error).message };
  }
  await describeObjects(client);
  return { captured: true };
}

/** Whether the role could make event triggers, found out by making one in a transaction that is rolled back. */
export async function tryCapture(client: Client): Promise<CaptureOutcome> {
  if ((await installedFormat(client)) !== undefined) return { captured: true };
  const call = (await serverVersion(client)) >= 110000 ? "FUNCTION" : "PROCEDURE";
  await client.query("BEGIN");
  try {
    await client.query("CREATE FUNCTION pg_temp.godwit_probe() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END'");
    await client.query(`CREATE EVENT TRIGGER godwit_probe ON sql_drop EXECUTE ${call} pg_temp.godwit_probe()`);
    return { captured: true };
  } catch (cause) {
    if (!isRefusal(cause)) throw cause;
    return { captured: false, reason: (cause as Error).message };
  } finally {
    await client.query("ROLLBACK").catch(() => undefined);
  }
}

/** Tables that a publication lists beside the plan's: the one that carries the events, and those that joined by themselves. */
export async function keptTables(client: Client, publication: string): Promise<ReadonlySet<number>> {
  if ((await installedFormat(client)) === undefined) return new Set();
  const { rows } = await client.query<{ id: string }>(
    `SELECT relation::text AS id FROM godwit_capture.joined WHERE publication = $1
     UNION ALL SELECT 'godwit_capture.ddl'::pg_catalog.regclass::pg_catalog.oid::text`,
    [publication],
  );
  return new Set(rows.map(({ id }) => Number(id)));
}

/**
 * Forgets the task; the last one takes the capture with it. Tasks whose publications are gone count as forgotten: what a killed
 * release left, the next one takes. The task's own publication must have been dropped before.
 */
export async function releaseCapture(client: Client, publication: string): Promise<void> {
  if ((await installedFormat(client)) === undefined) return;
  const version = Math.floor((await serverVersion(client)) / 10_000);
  await locked(client, async () => {
    if ((await installedFormat(client)) === undefined) return;
    await client.query(
      "DELETE FROM godwit_capture.task t WHERE t.publication = $1 OR NOT EXISTS (SELECT FROM pg_catalog.pg_publication p WHERE p.pubname = t.publication)",
      [publication],
    );
    await client.query(
      "DELETE FROM godwit_capture.joined j WHERE NOT EXISTS (SELECT FROM godwit_capture.task t WHERE t.publication = j.publication)",
    );
    await restoreIdentities(client);
    const { rows } = await client.query("SELECT FROM godwit_capture.task LIMIT 1");
    if (rows.length > 0) return;
    for (const { name } of eventTriggers(version)) await client.query(`DROP EVENT TRIGGER IF EXISTS ${name}`);
    await client.query(`SET LOCAL client_min_messages = warning; DROP SCHEMA ${CAPTURE_SCHEMA} CASCADE`);
  });
}

/** Identities that the triggers set, of tables that no task publishes any more. */
async function restoreIdentities(client: Client): Promise<void> {
  const { rows } = await client.query<{ id: string; was: "d" | "n" }>(
    `DELETE FROM godwit_capture.identity i
      WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_publication_rel r JOIN pg_catalog.pg_publication p ON p.oid = r.prpubid
                          JOIN godwit_capture.task t ON t.publication = p.pubname WHERE r.prrelid = i.relation)
      RETURNING i.relation::text AS id, i.was`,
  );
  const statements = await restoreIdentitiesSql(
    client,
    rows.map(({ id, was }) => ({ id: Number(id), was })),
  );
  if (statements.length > 0) await client.query(statements.join(";\n"));
}

const LOCK = "SELECT pg_catalog.pg_advisory_xact_lock(1735681909, 0)";

/** One task at a time makes or removes what all of them share. */
async function locked(client: Client, work: () => Promise<void>): Promise<void> {
  await client.query("BEGIN");
  try {
    await client.query(LOCK);
    await work();
    await client.query("COMMIT");
  } catch (cause) {
    await client.query("ROLLBACK").catch(() => undefined); // The first error says more than that of a broken connection.
    throw cause;
  }
}

async function installedFormat(client: Client): Promise<number | undefined> {
  const { rows } = await client.query<{ comment: string | null }>(
    "SELECT pg_catalog.obj_description(oid, 'pg_namespace') AS comment FROM pg_catalog.pg_namespace WHERE nspname = $1",
    [CAPTURE_SCHEMA],
  );
  const [row] = rows;
  return row && Number(/Format (\d+)$/.exec(row.comment ?? "")?.[1] ?? 0);
}

/** The functions run with their maker's rights: tables that someone else made beforehand, with triggers on them, would run with those as well. */
async function foreignOwner(client: Client): Promise<string | undefined> {
  const { rows } = await client.query<{ owner: string }>(
    `SELECT r.rolname AS owner FROM pg_catalog.pg_namespace n JOIN pg_catalog.pg_roles r ON r.oid = n.nspowner
      WHERE n.nspname = $1 AND r.rolname <> CURRENT_USER AND NOT r.rolsuper`,
    [CAPTURE_SCHEMA],
  );
  return rows[0]?.owner;
}

async function triggersStand(client: Client, version: number): Promise<boolean> {
  const names = eventTriggers(version).map(({ name }) => name);
  const { rows } = await client.query("SELECT FROM pg_catalog.pg_event_trigger WHERE evtname = ANY ($1) AND evtenabled = 'A'", [
    names,
  ]);
  return rows.length === names.length;
}

async function make(client: Client, version: number): Promise<void> {
  const replicaRole = await allowed(client, "SET LOCAL session_replication_role = replica");
  if (replicaRole) await client.query("SET LOCAL session_replication_role = origin");
  // The functions name tables that the same statement list makes, and each other.
  await client.query("SET LOCAL check_function_bodies = off; SET LOCAL client_min_messages = warning");
  for (const statement of captureStatements(version, replicaRole)) await client.query(statement);
  await client.query(`REVOKE ALL ON ALL FUNCTIONS IN SCHEMA ${CAPTURE_SCHEMA} FROM PUBLIC`);
  for (const { name, create } of eventTriggers(version)) await client.query(`DROP EVENT TRIGGER IF EXISTS ${name}; ${create}`);
}

async function allowed(client: Client, statement: string): Promise<boolean> {
  await client.query("SAVEPOINT tried");
  try {
    await client.query(statement);
    return true;
  } catch (cause) {
    if (!isRefusal(cause)) throw cause;
    await client.query("ROLLBACK TO tried");
    return false;
  }
}

async function register(client: Client, { publication, objects, creates }: CaptureTask): Promise<void> {
  const selection = objects?.map(({ schema, kinds, tables, exclude }) => ({
    schema,
    ...(kinds ? { kinds } : {}),
    ...(tables ? { tables: tables.map(({ name }) => name) } : {}),
    ...(exclude ? { exclude } : {}),
  }));
  await client.query(
    `INSERT INTO godwit_capture.task VALUES ($1, $2, $3)
     ON CONFLICT (publication) DO UPDATE SET selection = excluded.selection, creates = excluded.creates`,
    [publication, selection ? JSON.stringify(selection) : null, creates],
  );
  const { rows } = await client.query(
    `SELECT FROM pg_catalog.pg_publication p JOIN pg_catalog.pg_publication_rel r ON r.prpubid = p.oid
      WHERE p.pubname = $1 AND r.prrelid = 'godwit_capture.ddl'::pg_catalog.regclass`,
    [publication],
  );
  if (rows.length === 0) await client.query(`ALTER PUBLICATION ${ident(publication)} ADD TABLE ONLY godwit_capture.ddl`);
}

/**
 * What every object is like now, so that its first change has a before. In statements of a few hundred: the triggers stand already, and
 * an object that changes meanwhile has its row from them.
 */
async function describeObjects(client: Client): Promise<void> {
  const { rows } = await client.query<{ class: string; id: string }>(OBJECTS);
  for (let start = 0; start < rows.length; start += 200) {
    const part = rows.slice(start, start + 200);
    await client.query(
      `INSERT INTO godwit_capture.object
       SELECT w.class, w.id, d.structure FROM unnest($1::text[], $2::pg_catalog.oid[]) AS w (class, id)
        CROSS JOIN LATERAL (SELECT godwit_capture.describe(w.class, w.id) AS structure) d WHERE d.structure IS NOT NULL
       ON CONFLICT DO NOTHING`,
      [part.map((row) => row.class), part.map(({ id }) => id)],
    );
  }
}

const USERS = "n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'godwit', 'godwit_capture')";
const known = (kind: string, oid: string): string => `
   AND NOT EXISTS (SELECT FROM godwit_capture.object o WHERE o.class = '${kind}' AND o.id = ${oid})
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend e WHERE e.objid = ${oid} AND e.deptype = 'e')`;
const OBJECTS = `
SELECT 'schema' AS class, n.oid::text AS id FROM pg_catalog.pg_namespace n WHERE ${USERS} ${known("schema", "n.oid")}
UNION ALL
SELECT 'relation' AS class, c.oid::text AS id FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S') AND ${USERS} ${known("relation", "c.oid")}
UNION ALL
SELECT 'routine', p.oid::text FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
 WHERE ${USERS} ${known("routine", "p.oid")}
UNION ALL
SELECT 'type', t.oid::text FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
 WHERE t.typtype IN ('e', 'd', 'c') AND (t.typrelid = 0 OR EXISTS (SELECT FROM pg_catalog.pg_class r WHERE r.oid = t.typrelid AND r.relkind = 'c'))
   AND ${USERS} ${known("type", "t.oid")}`;

function isRefusal(cause: unknown): boolean {
  return (cause as { code?: string } | undefined)?.code === "42501";
}
