import type { Client } from "pg";
import type { DdlStep } from "../../../engine/models/plan.js";
import { shownTarget } from "./draft.js";

/** Ids of the steps whose objects the target has already. */
export type TargetObjects = ReadonlySet<string>;

/** What is on the target, in the words of a plan's steps. The connection's search_path must be empty, so that signatures are qualified. */
export async function readTargetObjects(client: Client): Promise<TargetObjects> {
  const { rows } = await client.query<{ step: string; schema: string | null; name: string; rest: string }>(OBJECTS);
  return new Set(
    rows.map(({ step, schema, name, rest }) => `${step}:${schema === null ? name : shownTarget({ schema, name })}${rest}`),
  );
}

/** Extensions whose files are on the target's server: what planSchema takes as `extensions`. */
export async function readOfferedExtensions(client: Client): Promise<ReadonlySet<string>> {
  const { rows } = await client.query<{ name: string }>("SELECT name FROM pg_catalog.pg_available_extensions");
  return new Set(rows.map(({ name }) => name));
}

/**
 * Drops the steps whose object exists: with conflictMode ignoreAndProceed a table is kept as it is, with what belongs to it; keys, indexes
 * and triggers that it lacks are added. Other steps no longer wait for what was dropped.
 */
export function withoutExisting(steps: readonly DdlStep[], existing: TargetObjects): DdlStep[] {
  const dropped = new Set(steps.filter(({ id }) => existing.has(objectId(id))).map(({ id }) => id));
  const joins = (id: string) => id.startsWith("table:") && dropped.has(id);
  return steps
    .filter(({ id }) => !dropped.has(id))
    .map((step) => (step.id.startsWith("attach:") && step.dependsOn.some(joins) ? attachedLast(step, steps) : step))
    .map((step) => ({ ...step, dependsOn: step.dependsOn.filter((id) => !dropped.has(id)) }));
}

/**
 * ATTACH makes on a partition what its parent has and it lacks. A parent that is there has its keys and indexes already: the partition's own, which
 * would then be second ones, are made before.
 */
function attachedLast(step: DdlStep, steps: readonly DdlStep[]): DdlStep {
  const partition = step.id.slice("attach:".length);
  const keys = steps.filter(({ id }) => id.startsWith(`constraint:${partition}.`));
  const indexes = steps.filter(({ id, dependsOn }) => id.startsWith("attachIndex:") && dependsOn.includes(step.id));
  const own = new Set([...keys.map(({ id }) => id), ...indexes.flatMap(({ dependsOn }) => dependsOn)]);
  own.delete(step.id);
  return { ...step, stage: "afterRows", dependsOn: [...step.dependsOn, ...own] };
}

/** The shell of a view or routine exists when the object does. Schemas and extensions say IF NOT EXISTS themselves. */
function objectId(id: string): string {
  return id.replace(/#shell$/, "");
}

const SHARED = "n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'godwit', 'godwit_capture')";

const OBJECTS = `
SELECT CASE c.relkind WHEN 'S' THEN 'sequence' WHEN 'v' THEN 'view' WHEN 'm' THEN 'view' WHEN 'c' THEN 'type'
                      WHEN 'i' THEN 'index' WHEN 'I' THEN 'index' ELSE 'table' END AS step,
       n.nspname AS schema, c.relname AS name, '' AS rest
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'f', 'S', 'v', 'm', 'c', 'i', 'I') AND ${SHARED}
UNION ALL
SELECT s.step, n.nspname, c.relname, ''
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
CROSS JOIN LATERAL (
  SELECT 'attach' AS step WHERE c.relispartition AND c.relkind IN ('r', 'p')
  UNION ALL SELECT 'attachIndex' WHERE c.relispartition AND c.relkind IN ('i', 'I')
  UNION ALL SELECT 'identity' WHERE c.relkind IN ('r', 'p')
  UNION ALL SELECT 'owner' WHERE c.relkind = 'S'
) s
WHERE ${SHARED}
UNION ALL
SELECT 'default', n.nspname, c.relname, '.' || a.attname
FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v') AND a.attnum > 0 AND NOT a.attisdropped AND ${SHARED}
UNION ALL
SELECT s.step, n.nspname, t.typname, ''
FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
CROSS JOIN LATERAL (SELECT 'type' AS step UNION ALL SELECT 'default' WHERE t.typtype = 'd') s
WHERE t.typtype IN ('e', 'd', 'r') AND ${SHARED}
UNION ALL
SELECT CASE k.contype WHEN 'f' THEN 'foreignKey' WHEN 'c' THEN 'check' WHEN 'n' THEN 'check' ELSE 'constraint' END,
       n.nspname, coalesce(c.relname, t.typname), '.' || k.conname
FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_namespace n ON n.oid = k.connamespace
LEFT JOIN pg_catalog.pg_class c ON c.oid = k.conrelid LEFT JOIN pg_catalog.pg_type t ON t.oid = k.contypid
WHERE ${SHARED}
UNION ALL
SELECT CASE p.prokind WHEN 'a' THEN 'aggregate' ELSE 'routine' END, n.nspname, p.proname,
       '(' || CASE WHEN p.prokind = 'a' AND p.pronargs = 0 THEN '*' ELSE pg_catalog.pg_get_function_identity_arguments(p.oid) END || ')'
FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
WHERE ${SHARED}
UNION ALL
SELECT 'operator', n.nspname, o.oprname,
       '(' || CASE WHEN o.oprleft = 0 THEN 'NONE' ELSE pg_catalog.format_type(o.oprleft, NULL) END || ',' || pg_catalog.format_type(o.oprright, NULL) || ')'
FROM pg_catalog.pg_operator o JOIN pg_catalog.pg_namespace n ON n.oid = o.oprnamespace
WHERE o.oprcode <> 0 AND ${SHARED}
UNION ALL
SELECT 'operatorFamily', n.nspname, f.opfname, ' USING ' || m.amname
FROM pg_catalog.pg_opfamily f JOIN pg_catalog.pg_namespace n ON n.oid = f.opfnamespace JOIN pg_catalog.pg_am m ON m.oid = f.opfmethod
WHERE ${SHARED}
UNION ALL
SELECT 'operatorClass', n.nspname, o.opcname, ' USING ' || m.amname
FROM pg_catalog.pg_opclass o JOIN pg_catalog.pg_namespace n ON n.oid = o.opcnamespace JOIN pg_catalog.pg_am m ON m.oid = o.opcmethod
WHERE ${SHARED}
UNION ALL
SELECT 'collation', n.nspname, c.collname, '' FROM pg_catalog.pg_collation c JOIN pg_catalog.pg_namespace n ON n.oid = c.collnamespace WHERE ${SHARED}
UNION ALL
SELECT 'cast', NULL, '(' || pg_catalog.format_type(c.castsource, NULL) || ' AS ' || pg_catalog.format_type(c.casttarget, NULL) || ')', ''
FROM pg_catalog.pg_cast c WHERE c.oid >= 16384
UNION ALL
SELECT 'statistics', n.nspname, s.stxname, '' FROM pg_catalog.pg_statistic_ext s JOIN pg_catalog.pg_namespace n ON n.oid = s.stxnamespace WHERE ${SHARED}
UNION ALL
SELECT s.step, n.nspname, c.relname, '.' || t.tgname
FROM pg_catalog.pg_trigger t JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
CROSS JOIN (VALUES ('trigger'), ('triggerState')) s (step)
WHERE ${SHARED}
UNION ALL
SELECT 'rule', n.nspname, c.relname, '.' || r.rulename
FROM pg_catalog.pg_rewrite r JOIN pg_catalog.pg_class c ON c.oid = r.ev_class JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE r.rulename <> '_RETURN' AND ${SHARED}`;
