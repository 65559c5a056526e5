import type { Client } from "pg";
import type { PrecheckItem } from "../../../engine/models/plan.js";
import { precheckItem } from "../../postgres/precheck/precheckItem.js";
import { ident, literal } from "../../postgres/sql.js";

/** What a server says of how many statements it lets run, and beside what. */
export interface ServerLimits {
  /** gp_enable_global_deadlock_detector; null where there is no such setting. */
  readonly detector: string | null;
  /** The role's resource queue; undefined where resource groups rule, or nothing does. */
  readonly queue:
    | {
        readonly name: string;
        /** ACTIVE_STATEMENTS; -1 for any number. */
        readonly statements: number;
        /** MAX_COST; -1 for any. */
        readonly cost: number;
        /** A statement beyond the cost waits for an empty queue, instead of being refused. */
        readonly overcommit: boolean;
        readonly role: string;
      }
    | undefined;
}

/** Lanes of a load, the applier and the store, each with a statement of its own. */
const STATEMENTS_AT_ONCE = 8;

const SETTINGS = `
SELECT pg_catalog.max(CASE s.name WHEN 'gp_enable_global_deadlock_detector' THEN s.setting END) AS detector,
       coalesce(pg_catalog.bool_or(s.name = 'gp_resource_manager' AND s.setting = 'queue'), false)
         AND EXISTS (SELECT 1 FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
                      WHERE n.nspname = 'pg_catalog' AND c.relname = 'pg_resqueue') AS queues
  FROM pg_catalog.pg_settings s
 WHERE s.name IN ('gp_enable_global_deadlock_detector', 'gp_resource_manager')`;

/** pg_resqueue and pg_roles.rolresqueue: Greenplum's reference of system catalogs. Superusers are in no queue. */
const QUEUE = `
SELECT q.rsqname::text AS name, q.rsqcountlimit::pg_catalog.float8 AS statements, q.rsqcostlimit::pg_catalog.float8 AS cost,
       q.rsqovercommit AS overcommit, r.rolname::text AS role
  FROM pg_catalog.pg_roles r JOIN pg_catalog.pg_resqueue q ON q.oid = (pg_catalog.row_to_json(r) ->> 'rolresqueue')::pg_catalog.oid
 WHERE r.rolname = current_user AND NOT r.rolsuper`;

export async function readServerLimits(client: Client): Promise<ServerLimits> {
  const { rows } = await client.query<{ detector: string | null; queues: boolean }>(SETTINGS);
  const queues = rows[0]?.queues ? (await client.query<NonNullable<ServerLimits["queue"]>>(QUEUE)).rows : [];
  return { detector: rows[0]?.detector ?? null, queue: queues[0] };
}

/** Warnings of what a task would wait for. Pure. `follows`: it applies changes. */
export function limitItems({ detector, queue }: ServerLimits, follows: boolean): PrecheckItem[] {
  return [...(queue ? [queueItem(queue)] : []), ...(follows && detector !== null ? [detectorItem(detector)] : [])];
}

function queueItem({ name, statements, cost, overcommit, role }: NonNullable<ServerLimits["queue"]>): PrecheckItem {
  const few = statements >= 0 && statements < STATEMENTS_AT_ONCE;
  const refuses = cost >= 0 && !overcommit;
  const changes = [...(few ? [`ACTIVE_STATEMENTS=${STATEMENTS_AT_ONCE * 2}`] : []), ...(refuses ? ["MAX_COST=-1"] : [])];
  return precheckItem({
    item: "targetResourceQueue",
    severity: "warning",
    passed: changes.length === 0,
    message:
      changes.length === 0
        ? `the resource queue ${name} lets the task's statements run beside each other`
        : [
            ...(few
              ? [
                  `the resource queue ${name} runs ${statements} statements at once, of all its roles: the task's may wait for others`,
                ]
              : []),
            ...(refuses ? [`it refuses statements that cost more than ${cost}`] : []),
          ].join("; "),
    remedy: `ALTER RESOURCE QUEUE ${ident(name)} WITH (${changes.join(", ")}), or another queue for the role: ALTER ROLE ${ident(role)} RESOURCE QUEUE ...`,
  });
}

/** Greenplum 6's reference of gp_enable_global_deadlock_detector: off (the default), UPDATE and DELETE of a heap table lock it against each other. */
function detectorItem(detector: string): PrecheckItem {
  return precheckItem({
    item: "targetConcurrentUpdates",
    severity: "warning",
    passed: detector === "on",
    message:
      detector === "on"
        ? "others may change rows of a table while a batch does"
        : "the global deadlock detector is off: sessions that UPDATE or DELETE in a table of the task wait for its batches, and these for them",
    remedy: `leave the tables to the task while it runs, or set gp_enable_global_deadlock_detector to ${literal("on")} (gpconfig, or the console), which restarts the instance`,
  });
}
