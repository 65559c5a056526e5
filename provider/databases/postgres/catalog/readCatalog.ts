import type { Client } from "pg";
import { ErrorCode, GodwitError } from "../../../engine/errors.js";
import { readBinaryForms } from "./binaryForm.js";
import { listObjects } from "./catalogObjects.js";
import { describeTables } from "./catalogTables.js";
import { readConstraints } from "./constraints.js";
import { readComments, readDependencies, readExtensions, readNamespaces } from "./dependencies.js";
import { readImmovable } from "./immovable.js";
import { readIndexes, readStatistics } from "./indexes.js";
import type { PostgresCatalog } from "./model.js";
import { readCasts, readOperatorClasses, readOperatorFamilies, readOperators } from "./operators.js";
import type { CatalogSession } from "./query.js";
import { readRelations } from "./relations.js";
import { readAggregates, readRoutines } from "./routines.js";
import { readRules, readTriggers } from "./rulesAndTriggers.js";
import { readSequences } from "./sequences.js";
import { readCollations, readTypes } from "./types.js";

/** With a thousand objects made and dropped in eight seconds, one attempt in three met one that had just gone. */
const ATTEMPTS = 10;
const OLDEST_VERSION = 10;

/**
 * Reads everything that users made in the connection's database, in about twenty queries however many objects there are.
 * Runs in a read-only transaction of its own, so the client must not be in one.
 * Errors: GW1305 when the server is older than PostgreSQL 10 or its objects kept being dropped while they were read.
 */
export async function readCatalog(client: Client): Promise<PostgresCatalog> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await readOnce(client);
    } catch (cause) {
      await client.query("ROLLBACK").catch(() => undefined);
      if (!vanished(cause)) throw cause;
      if (attempt === ATTEMPTS) {
        throw new GodwitError(ErrorCode.CatalogUnreadable, "objects were dropped again and again while the catalog was read", {
          remedy: "hold back DDL on the source for the time of the plan",
          cause,
        });
      }
    }
  }
}

async function readOnce(client: Client): Promise<PostgresCatalog> {
  await client.query(
    "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL search_path = ''; SET LOCAL quote_all_identifiers = off",
  );
  const session: CatalogSession = { client, version: await majorVersion(client) };
  const namespaces = await readNamespaces(session);
  const relations = await readRelations(session);
  const portable = await readBinaryForms(session, relations);
  const constraints = await readConstraints(session);
  const indexes = await readIndexes(session);
  const immovable = await readImmovable(session);
  const parts = {
    version: session.version,
    namespaces,
    relations,
    constraints,
    indexes,
    extensions: await readExtensions(session),
    sequences: await readSequences(session),
    types: await readTypes(session),
    collations: await readCollations(session),
    routines: await readRoutines(session),
    aggregates: await readAggregates(session),
    operators: await readOperators(session),
    operatorFamilies: await readOperatorFamilies(session),
    operatorClasses: await readOperatorClasses(session),
    casts: await readCasts(session),
    statistics: await readStatistics(session),
    rules: await readRules(session),
    triggers: await readTriggers(session),
    dependencies: await readDependencies(session),
    comments: await readComments(session),
    immovable: immovable.keys,
    unsupported: immovable.unsupported,
  };
  await client.query("COMMIT");
  const definitions = [parts.constraints, parts.indexes, parts.statistics, parts.rules, parts.triggers, parts.routines].flat();
  const views = relations.filter(({ kind }) => kind === "view" || kind === "materializedView");
  if (definitions.some(({ definition }) => !definition) || views.some(({ query }) => !query)) throw new Vanished();
  return {
    ...parts,
    schemas: namespaces.map(({ name }) => name),
    tables: describeTables(relations, indexes, portable),
    objects: listObjects(parts),
  };
}

async function majorVersion(client: Client): Promise<number> {
  const { rows } = await client.query<{ number: number }>(
    "SELECT pg_catalog.current_setting('server_version_num')::pg_catalog.int4 AS number",
  );
  const version = Math.floor((rows[0]?.number ?? 0) / 10_000);
  if (version < OLDEST_VERSION) {
    throw new GodwitError(ErrorCode.CatalogUnreadable, `the source is PostgreSQL ${version}`, {
      remedy: "PostgreSQL 10 to 18 can be a source",
    });
  }
  return version;
}

/** A definition came back empty: its object is gone. */
class Vanished extends Error {}

/**
 * pg_get_*def see the catalog as it is now, not as of the transaction: an object dropped in between is an internal error there, or has no
 * definition.
 */
function vanished(cause: unknown): boolean {
  if (cause instanceof Vanished) return true;
  const code = (cause as { code?: string } | undefined)?.code;
  return code === "XX000" || code === "42P01" || code === "42704" || code === "42883" || code === "3F000";
}
