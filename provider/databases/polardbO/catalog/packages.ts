import type { Client } from "pg";
import { nameKey } from "../../../engine/selection.js";
import type { PolardbTraits } from "../traits.js";
import type { PolardbPackage } from "./objects.js";
import { readSourceTexts } from "./sourceLines.js";

/** The user's packages, with what the catalog says is inside. */
export async function readPackages(
  client: Client,
  traits: PolardbTraits,
  schemas: ReadonlySet<string>,
): Promise<PolardbPackage[]> {
  const texts = await readSourceTexts(client, traits, "PACKAGE", schemas);
  if (texts.length === 0) return [];
  const { rows } = await client.query<{ schema: string; name: string; members: string[] }>(MEMBERS);
  const members = new Map(rows.map((row) => [nameKey(row), row.members]));
  return texts.map((text) => ({ ...text, members: members.get(nameKey(text)) ?? [] }));
}

/**
 * Where a package is a schema within a schema (nspparent, as in the server that 1.0 takes its Oracle dialect from), its functions and types lie in it.
 * By way of JSON, for other servers have no such column: they answer with nothing.
 */
const MEMBERS = `
SELECT p.nspname AS schema, k.nspname AS name,
       ARRAY(SELECT 'pg_proc/' || f.oid FROM pg_catalog.pg_proc f WHERE f.pronamespace = k.oid)
         || ARRAY(SELECT 'pg_type/' || t.oid FROM pg_catalog.pg_type t WHERE t.typnamespace = k.oid) AS members
FROM pg_catalog.pg_namespace k
JOIN pg_catalog.pg_namespace p ON p.oid = (pg_catalog.to_jsonb(k) ->> 'nspparent')::pg_catalog.oid`;
