import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "pg";
import { ErrorCode, GodwitError } from "../../../engine/errors.js";
import type { PlannedTable } from "../../../engine/models/plan.js";
import { serverVersion } from "../clients.js";
import { ident, literal, qualified } from "../sql.js";
import { currentIdentities, type FormerIdentity, fullIdentitySql, restoreIdentitiesSql } from "./replicaIdentity.js";

/** What a publication needs to know of a table. Leaves of partitioned tables are listed one by one, on every version. */
export type PublishedTable = Pick<PlannedTable, "id" | "source" | "replicaIdentity">;

/**
 * Makes the publication list exactly these tables, whether it exists or not, and sets REPLICA IDENTITY FULL where the plan
 * asks for it before the table joins (an UPDATE of a published table without an identity fails at the source). What the identities were is
 * kept in the publication's comment, in the same transaction, so that `dropPublication` can restore them without any other state.
 * `keeps`: tables (by oid) that stay when it lists them: what joined by itself since the plan was made. Taken out for a moment, they would
 * be missing from the stream for that moment.
 * A table's owner and CREATE on the database are needed. Errors: GW1505 when a table stays locked, GW1506 when refused.
 */
export async function createPublication(
  client: Client,
  name: string,
  tables: readonly PublishedTable[],
  keeps: () => Promise<ReadonlySet<number>> = async () => new Set(),
): Promise<void> {
  const before = await readPublication(client, name);
  if (!before) {
    const version = await serverVersion(client);
    const operations = version >= 110000 ? "insert, update, delete, truncate" : "insert, update, delete";
    await client.query(`CREATE PUBLICATION ${ident(name)} WITH (publish = ${literal(operations)})`);
  }
  const wanted = new Set(tables.map(({ id }) => id));
  // Asked after the publication was read: what it lists because of itself is known by then.
  const kept = await keeps();
  await removeTables(
    client,
    name,
    [...(before?.tableIds ?? [])].filter((id) => !wanted.has(id) && !kept.has(id)),
  );
  await addTables(client, name, tables);
}

/**
 * Adds tables to the publication; those it lists already stay. By oid, under the names they have now: the plan's may be older, and what was dropped
 * since can't be published, nor need be.
 */
export async function addTables(client: Client, name: string, tables: readonly PublishedTable[]): Promise<void> {
  for (const planned of chunks(tables)) {
    await withTableLocks(client, name, async () => {
      const chunk = await underPresentNames(client, planned);
      const publication = await existingPublication(client, name);
      const full = chunk.filter(({ replicaIdentity }) => replicaIdentity.needs === "full");
      const identities = await currentIdentities(
        client,
        full.map(({ id }) => id),
      );
      const changing = new Set(identities.map(({ id }) => id));
      const joining = chunk.filter(({ id }) => !publication.tableIds.has(id));
      return [
        recordSql(name, [...publication.formerIdentities, ...identities]),
        ...full.filter(({ id }) => changing.has(id)).map(({ source }) => fullIdentitySql(source)),
        ...(joining.length > 0
          ? [`ALTER PUBLICATION ${ident(name)} ADD TABLE ${joining.map(({ source }) => `ONLY ${qualified(source)}`).join(", ")}`]
          : []),
      ];
    });
  }
}

/** Takes tables (by oid) out and restores their replica identities. Those dropped at the source since are gone already. */
export async function removeTables(client: Client, name: string, tableIds: readonly number[]): Promise<void> {
  for (const chunk of chunks(tableIds)) {
    await withTableLocks(client, name, async () => {
      const publication = await existingPublication(client, name);
      const leaving = new Set(chunk);
      const { rows } = await client.query<{ schema: string; name: string }>(PUBLISHED_NAMES, [name, chunk]);
      return [
        ...(rows.length > 0
          ? [`ALTER PUBLICATION ${ident(name)} DROP TABLE ${rows.map((table) => `ONLY ${qualified(table)}`).join(", ")}`]
          : []),
        ...(await restoreIdentitiesSql(
          client,
          publication.formerIdentities.filter(({ id }) => leaving.has(id)),
        )),
        recordSql(
          name,
          publication.formerIdentities.filter(({ id }) => !leaving.has(id)),
        ),
      ];
    });
  }
}

/** Restores every replica identity and drops the publication. Returns false when there was none. Errors: as createPublication. */
export async function dropPublication(client: Client, name: string): Promise<boolean> {
  const publication = await readPublication(client, name);
  if (!publication) return false;
  await removeTables(client, name, [...new Set([...publication.tableIds, ...publication.formerIdentities.map(({ id }) => id)])]);
  await withTableLocks(client, name, async () => [`DROP PUBLICATION IF EXISTS ${ident(name)}`]);
  return true;
}

async function underPresentNames(client: Client, tables: readonly PublishedTable[]): Promise<PublishedTable[]> {
  const { rows } = await client.query<{ id: string; schema: string; name: string }>(
    `SELECT c.oid::text AS id, n.nspname AS schema, c.relname AS name
       FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
      WHERE c.oid = ANY ($1::pg_catalog.int8[]::pg_catalog.oid[])`,
    [tables.map(({ id }) => id)],
  );
  const names = new Map(rows.map(({ id, schema, name }) => [Number(id), { schema, name }]));
  return tables.flatMap((table) => {
    const source = names.get(table.id);
    return source ? [{ ...table, source }] : [];
  });
}

export interface PublicationState {
  readonly tableIds: ReadonlySet<number>;
  readonly formerIdentities: readonly FormerIdentity[];
}

/** What the server has under this name; undefined when it has nothing. */
export async function readPublication(client: Client, name: string): Promise<PublicationState | undefined> {
  const { rows } = await client.query<{ comment: string | null; tables: string[] }>(
    `SELECT pg_catalog.obj_description(p.oid, 'pg_publication') AS comment,
            ARRAY(SELECT r.prrelid::text FROM pg_catalog.pg_publication_rel r WHERE r.prpubid = p.oid) AS tables
       FROM pg_catalog.pg_publication p
      WHERE p.pubname = $1`,
    [name],
  );
  const [row] = rows;
  return row && { tableIds: new Set(row.tables.map(Number)), formerIdentities: parseRecord(row.comment) };
}

const PUBLISHED_NAMES = `
  SELECT n.nspname AS schema, c.relname AS name
    FROM pg_catalog.pg_publication p
    JOIN pg_catalog.pg_publication_rel r ON r.prpubid = p.oid
    JOIN pg_catalog.pg_class c ON c.oid = r.prrelid
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
   WHERE p.pubname = $1 AND c.oid = ANY ($2::pg_catalog.int8[]::pg_catalog.oid[])`;

/**
 * Runs the statements that `plan` gives in one transaction. Changing an identity takes an ACCESS EXCLUSIVE lock; while it queues
 * behind a long transaction everyone else queues behind it. So each attempt waits 2 s at the most (longer than
 * deadlock_timeout, after which the server makes an autovacuum give way), and leaves the application a pause between two attempts.
 */
async function withTableLocks(client: Client, name: string, plan: () => Promise<readonly string[]>): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await client.query("BEGIN; SET LOCAL lock_timeout = '2s'");
      const statements = await plan();
      if (statements.length > 0) await client.query(statements.join(";\n"));
      await client.query("COMMIT");
      return;
    } catch (cause) {
      await client.query("ROLLBACK").catch(() => undefined); // The cause says more than a broken connection's second error.
      const { code, message } = cause as { code?: string; message?: string };
      if (code === "42501") {
        throw new GodwitError(ErrorCode.PublicationRefused, message ?? "permission denied", {
          object: name,
          remedy: "the source's user must own the tables and have CREATE on the database",
          cause,
        });
      }
      if (code === undefined || !RETRIED.has(code)) throw cause;
      if (attempt === ATTEMPTS) {
        throw new GodwitError(ErrorCode.SourceTableLocked, `a table could not be locked in ${ATTEMPTS} attempts: ${message}`, {
          object: name,
          remedy: "end the long transaction that holds the table (pg_locks shows it), then try again",
          cause,
        });
      }
    }
    await sleep(Math.min(500 * attempt, 3000));
  }
}

const ATTEMPTS = 10;
/** lock_not_available, deadlock_detected. */
const RETRIED = new Set(["55P03", "40P01"]);

/** Every table of a chunk is locked until its transaction ends: few enough not to overrun the server's lock table. */
function* chunks<T>(items: readonly T[], size = 200): Generator<T[]> {
  for (let start = 0; start < items.length; start += size) yield items.slice(start, start + size);
}

async function existingPublication(client: Client, name: string): Promise<PublicationState> {
  const publication = await readPublication(client, name);
  if (publication) return publication;
  throw new GodwitError(ErrorCode.ObjectMissing, "the publication does not exist", {
    object: name,
    remedy: "run the task again: it makes what is missing",
  });
}

const RECORD = "godwit: former replica identities ";

function recordSql(name: string, identities: readonly FormerIdentity[]): string {
  return `COMMENT ON PUBLICATION ${ident(name)} IS ${literal(RECORD + JSON.stringify(identities))}`;
}

function parseRecord(comment: string | null): FormerIdentity[] {
  return comment?.startsWith(RECORD) ? (JSON.parse(comment.slice(RECORD.length)) as FormerIdentity[]) : [];
}
