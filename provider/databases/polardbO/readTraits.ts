import type { Client } from "pg";
import { type PolardbFacts, type PolardbSetting, type PolardbTraits, recognize } from "./traits.js";

/** Asks a server what it is. Reads only, in one statement that every member of the family understands. */
export async function readTraits(client: Client): Promise<PolardbTraits> {
  return recognize(await readFacts(client));
}

export async function readFacts(client: Client): Promise<PolardbFacts> {
  const { rows } = await client.query<FactsRow>(FACTS);
  const [row] = rows;
  if (!row) throw new Error("the server answered nothing about itself");
  return {
    version: row.version,
    banner: row.banner,
    dateBytes: row.date_bytes,
    catalogs: row.catalogs,
    settings: Object.fromEntries(
      row.settings.map(({ name, value, changeable }): [string, PolardbSetting] => [name, { value, changeable }]),
    ),
  };
}

interface FactsRow {
  version: number;
  banner: string;
  date_bytes: number;
  catalogs: string[];
  settings: { name: string; value: string; changeable: boolean }[];
}

/** Only what the server itself made counts as a catalog: a user may have a table called all_source. */
const FACTS = `
SELECT pg_catalog.current_setting('server_version_num')::pg_catalog.int4 AS version,
       pg_catalog.version() AS banner,
       (SELECT t.typlen::pg_catalog.int4 FROM pg_catalog.pg_type t
         WHERE t.typname = 'date' AND t.typnamespace = 'pg_catalog'::pg_catalog.regnamespace) AS date_bytes,
       ARRAY(SELECT n.nspname || '.' || c.relname
               FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
              WHERE c.relname IN ('dba_source', 'all_source', 'pg_synonym', 'dba_synonyms', 'all_synonyms')
                AND c.relkind IN ('r', 'v') AND (n.nspname IN ('pg_catalog', 'sys') OR n.oid < 16384)
                AND pg_catalog.has_table_privilege(c.oid, 'SELECT')
              ORDER BY c.relname, n.nspname) AS catalogs,
       (SELECT coalesce(pg_catalog.json_agg(pg_catalog.json_build_object(
                 'name', s.name, 'value', coalesce(s.setting, ''), 'changeable', s.context = 'user')), '[]')
          FROM pg_catalog.pg_settings s
         WHERE s.name ~ '^(polar_(version|compatibility_mode|failover_slot_mode|comp_redwood_.*|.*empty_string_is_null.*)|nls_.*_format)$') AS settings`;
