import type { Client } from "pg";
import type { PolardbTraits } from "../traits.js";
import type { PolardbSynonym } from "./objects.js";
import { fromView, storedName, userSchema } from "./oracleViews.js";

/**
 * The user's synonyms, from pg_synonym or from DBA_SYNONYMS and ALL_SYNONYMS, whichever the server has. A public synonym is one of schema
 * public ("Synonyms").
 */
export async function readSynonyms(
  client: Client,
  { synonymView }: PolardbTraits,
  schemas: ReadonlySet<string>,
): Promise<PolardbSynonym[]> {
  if (synonymView === undefined) return [];
  const { rows } = await client.query<SynonymRow>(synonymsSql(synonymView));
  return rows.flatMap((row): PolardbSynonym[] => {
    const place = userSchema(row.schema === "PUBLIC" ? "public" : (row.schema ?? undefined), schemas);
    if (!place || row.name === null || row.of_name === null) return [];
    const folded = place.folded || row.schema === "PUBLIC";
    return [
      {
        schema: place.schema,
        name: storedName(row.name, folded),
        of: { schema: storedName(row.of_schema ?? place.schema, folded), name: storedName(row.of_name, folded) },
        link: row.link === null || row.link === "" ? undefined : row.link,
      },
    ];
  });
}

interface SynonymRow {
  schema: string | null;
  name: string | null;
  of_schema: string | null;
  of_name: string | null;
  link: string | null;
}

/** By way of JSON: the catalog names its columns one way, the Oracle views another, and schema_name is only where schemas are no owners. */
function synonymsSql(view: string): string {
  return `
SELECT coalesce(n.nspname::text, s.j ->> 'schema_name', s.j ->> 'owner') AS schema,
       coalesce(s.j ->> 'synname', s.j ->> 'synonym_name') AS name,
       coalesce(s.j ->> 'synobjschema', s.j ->> 'table_schema', s.j ->> 'table_owner') AS of_schema,
       coalesce(s.j ->> 'synobjname', s.j ->> 'table_name') AS of_name,
       coalesce(s.j ->> 'synlink', s.j ->> 'db_link') AS link
FROM (SELECT pg_catalog.to_jsonb(v) AS j FROM ${fromView(view)} v) s
LEFT JOIN pg_catalog.pg_namespace n ON n.oid::text = s.j ->> 'synnamespace'
ORDER BY 1, 2`;
}
