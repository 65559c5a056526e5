import type { PgRule, PgTrigger } from "./model.js";
import { type CatalogSession, inUserSchema, notFromExtension, rows, since } from "./query.js";

/** Rules but the _RETURN rules, which are what views are. */
export async function readRules(session: CatalogSession): Promise<PgRule[]> {
  const found = await rows<Omit<PgRule, "key"> & { id: number }>(session, RULES);
  return found.map(({ id, ...row }) => ({ ...row, key: `pg_rewrite/${id}` }));
}

/** Users' triggers, and the clones on partitions whose enabled state differs from that of the trigger they were cloned from. */
export async function readTriggers(session: CatalogSession): Promise<PgTrigger[]> {
  const found = await rows<Omit<PgTrigger, "key"> & { id: number }>(session, triggersSql(session));
  return found.map(({ id, ...row }) => ({ ...row, key: `pg_trigger/${id}` }));
}

const RULES = `
SELECT r.oid AS id, r.rulename AS name, r.ev_class AS relation, r.ev_enabled AS enabled, pg_catalog.pg_get_ruledef(r.oid) AS definition
FROM pg_catalog.pg_rewrite r
JOIN pg_catalog.pg_class c ON c.oid = r.ev_class
WHERE r.rulename <> '_RETURN' AND ${inUserSchema("c.relnamespace")} AND ${notFromExtension("pg_class", "c.oid")}
ORDER BY r.oid`;

/**
 * Clones are tgisinternal up to PostgreSQL 14 and have tgparentid from 13 on. In 11 and 12 only pg_depend tells them from a foreign
 * key's triggers, so there a clone that was disabled on its own comes back enabled.
 */
function triggersSql(session: CatalogSession): string {
  const parent = since(session, 13, "t.tgparentid", "0::pg_catalog.oid");
  return `
SELECT t.oid AS id, t.tgname AS name, t.tgrelid AS relation, t.tgenabled AS enabled,
       pg_catalog.pg_get_triggerdef(t.oid) AS definition, ${parent} <> 0 AS cloned
FROM pg_catalog.pg_trigger t
JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid
LEFT JOIN pg_catalog.pg_trigger u ON u.oid = ${parent}
WHERE c.relkind IN ('r', 'p', 'v') AND ${inUserSchema("c.relnamespace")} AND ${notFromExtension("pg_class", "c.oid")}
  AND ${notFromExtension("pg_trigger", "t.oid")}
  AND CASE WHEN ${parent} = 0 THEN NOT t.tgisinternal ELSE u.tgconstraint = 0 AND t.tgenabled <> u.tgenabled END
ORDER BY t.oid`;
}
