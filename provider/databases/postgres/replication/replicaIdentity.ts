import type { Client } from "pg";
import { ident, qualified } from "../sql.js";

/**
 * What a table's replica identity was before Godwit set it to FULL. By oid, so that a table renamed since is found; the index of
 * USING INDEX by oid for the same reason.
 */
export interface FormerIdentity {
  readonly id: number;
  readonly was: "d" | "n" | "i";
  readonly index?: number;
}

/** Identities of the tables (by oid) as they are now; those that are FULL already are left out. */
export async function currentIdentities(client: Client, ids: readonly number[]): Promise<FormerIdentity[]> {
  const { rows } = await client.query<{ id: string; was: "d" | "n" | "i" | "f"; index: string | null }>(
    `SELECT c.oid::text AS id, c.relreplident AS was,
            (SELECT i.indexrelid::text FROM pg_catalog.pg_index i WHERE i.indrelid = c.oid AND i.indisreplident) AS index
       FROM pg_catalog.pg_class c
      WHERE c.oid = ANY ($1::pg_catalog.int8[]::pg_catalog.oid[])`,
    [ids],
  );
  const identities: FormerIdentity[] = [];
  for (const { id, was, index } of rows) {
    if (was === "f") continue;
    identities.push({ id: Number(id), was, ...(was === "i" && index !== null ? { index: Number(index) } : {}) });
  }
  return identities;
}

/** FULL: the old row travels with every update and delete, which is what a table without a key is known by. */
export function fullIdentitySql(table: { readonly schema: string; readonly name: string }): string {
  return `ALTER TABLE ONLY ${qualified(table)} REPLICA IDENTITY FULL`;
}

/**
 * The statements that put identities back. Left out: tables dropped since, and those whose identity is no longer FULL because
 * someone else has set it since. An identity index dropped since leaves DEFAULT.
 */
export async function restoreIdentitiesSql(client: Client, former: readonly FormerIdentity[]): Promise<string[]> {
  const { rows } = await client.query<{ id: string; schema: string; name: string }>(
    `SELECT c.oid::text AS id, n.nspname AS schema, c.relname AS name
       FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
      WHERE c.oid = ANY ($1::pg_catalog.int8[]::pg_catalog.oid[]) AND c.relreplident = 'f'`,
    [former.map(({ id }) => id)],
  );
  const indexes = await client.query<{ id: string; name: string }>(
    `SELECT c.oid::text AS id, c.relname AS name
       FROM pg_catalog.pg_class c JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid
      WHERE c.oid = ANY ($1::pg_catalog.int8[]::pg_catalog.oid[])`,
    [former.flatMap(({ index }) => (index === undefined ? [] : [index]))],
  );
  const wasById = new Map(former.map((identity) => [identity.id, identity]));
  const indexNames = new Map(indexes.rows.map(({ id, name }) => [Number(id), name]));
  return rows.map((table) => {
    const identity = wasById.get(Number(table.id));
    const index = identity?.index === undefined ? undefined : indexNames.get(identity.index);
    const was = identity?.was === "n" ? "NOTHING" : index === undefined ? "DEFAULT" : `USING INDEX ${ident(index)}`;
    return `ALTER TABLE ONLY ${qualified(table)} REPLICA IDENTITY ${was}`;
  });
}
