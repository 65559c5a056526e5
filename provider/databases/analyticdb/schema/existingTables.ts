import type { Client } from "pg";
import { shownTarget } from "../../postgres/schema/draft.js";
import type { TargetObjects } from "../../postgres/schema/existingObjects.js";

/** What is on the target of the kinds this route makes, in the words of a plan's steps; in SQL that PostgreSQL 9.4 has. */
export async function readExistingTables(client: Client): Promise<TargetObjects> {
  const { rows } = await client.query<{ step: string; schema: string; name: string; rest: string }>(OBJECTS);
  return new Set(rows.map(({ step, schema, name, rest }) => `${step}:${shownTarget({ schema, name })}${rest}`));
}

const SHARED = "n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'gp_toolkit', 'godwit', 'godwit_capture')";

const OBJECTS = `
SELECT 'table' AS step, n.nspname AS schema, c.relname AS name, '' AS rest
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm') AND ${SHARED}
UNION ALL
SELECT CASE k.contype WHEN 'f' THEN 'foreignKey' ELSE 'constraint' END, n.nspname, c.relname, '.' || k.conname
  FROM pg_catalog.pg_constraint k
  JOIN pg_catalog.pg_class c ON c.oid = k.conrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE ${SHARED}`;
