import type { Client } from "pg";
import type { Plan, PlannedTable } from "../../../engine/models/plan.js";
import type { TaskDefinition, TaskSelection } from "../../../engine/taskDefinition.js";
import type { NewTask, TaskStore } from "../../../engine/taskStore.js";
import { inTransaction } from "../transaction.js";
import { selectTables, selectTasks } from "./records.js";
import { ensureStore, type ReadStoreLayout, STORE_FORMAT, STORE_LOCK, type StoreLayout, storeExists } from "./storeSchema.js";

/** The store over one connection to the target; `close` ends the connection. `readLayout`: where it is not PostgreSQL's own. */
export function openTaskStore(client: Client, readLayout?: ReadStoreLayout): TaskStore {
  return {
    readTask: async (taskId) => ((await storeExists(client)) ? (await selectTasks(client, taskId))[0] : undefined),
    listTasks: async () => ((await storeExists(client)) ? selectTasks(client) : []),
    createTask: (task) => inTransaction(client, async () => insertTask(client, task, await readLayout?.(client))),
    async updateSettings(taskId, change) {
      await client.query(
        `UPDATE godwit.task SET settings = coalesce($2::jsonb, settings), desired_state = coalesce($3, desired_state)
         WHERE task_id = $1`,
        [taskId, change.settings ? JSON.stringify(change.settings) : null, change.desiredState ?? null],
      );
    },
    async reviveTask(taskId) {
      await client.query("UPDATE godwit.task SET state = 'running', errors = '[]' WHERE task_id = $1", [taskId]);
    },
    changePlan: (taskId, plan) =>
      inTransaction(client, async () => {
        // The task before its tables, as a worker's writes lock them: the other way round the two would wait for each other.
        await client.query("UPDATE godwit.task SET skipped = $2 WHERE task_id = $1", [taskId, JSON.stringify(plan.skipped)]);
        if (plan.selection) await changeSelection(client, taskId, plan.selection);
        const former = new Map((await selectTables(client, taskId)).map(({ table }) => [table.id, table]));
        await client.query(`DELETE FROM godwit.table_load WHERE task_id = $1 AND table_id <> ALL ($2::bigint[])`, [
          taskId,
          plan.tables.map(({ id }) => id),
        ]);
        const tables = plan.tables.map((table) => succeeding(former.get(table.id), table));
        await insertPlan(client, taskId, { ...plan, tables });
      }),
    readTables: (taskId) => selectTables(client, taskId),
    async fence(taskId) {
      if (!(await storeExists(client))) return;
      await client.query("UPDATE godwit.task SET epoch = epoch + 1 WHERE task_id = $1", [taskId]);
      await client.query(
        `SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity
         WHERE (application_name = $1 OR application_name LIKE $2) AND usename = current_user AND pid <> pg_catalog.pg_backend_pid()`,
        [`godwit/${taskId}/lease`, `godwit/${taskId}/target/%`],
      );
    },
    async deleteTask(taskId) {
      if (!(await storeExists(client))) return;
      await inTransaction(client, async () => {
        await client.query(STORE_LOCK);
        for (const table of TASK_TABLES) await client.query(`DELETE FROM godwit.${table} WHERE task_id = $1`, [taskId]);
        const { rows } = await client.query("SELECT 1 FROM godwit.task LIMIT 1");
        if (rows.length === 0) {
          await client.query("SET LOCAL client_min_messages = warning");
          await client.query("DROP SCHEMA godwit CASCADE");
        }
      });
    },
    close: () => client.end(),
  };
}

/** Inside the caller's transaction, which holds the task's row. */
export async function replacePlan(client: Client, taskId: string, plan: Plan): Promise<void> {
  await client.query("UPDATE godwit.task SET skipped = $2 WHERE task_id = $1", [taskId, JSON.stringify(plan.skipped)]);
  if (plan.selection) await changeSelection(client, taskId, plan.selection);
  for (const table of ["table_load", "step"]) await client.query(`DELETE FROM godwit.${table} WHERE task_id = $1`, [taskId]);
  await insertPlan(client, taskId, plan);
}

async function changeSelection(client: Client, taskId: string, selection: TaskSelection): Promise<void> {
  const { rows } = await client.query<{ definition: TaskDefinition }>("SELECT definition FROM godwit.task WHERE task_id = $1", [
    taskId,
  ]);
  const definition = JSON.stringify({ ...rows[0]?.definition, selection });
  await client.query("UPDATE godwit.task SET definition = $2 WHERE task_id = $1", [taskId, definition]);
}

/** The task first, as everyone locks them; the others go with it only where foreign keys are enforced. */
const TASK_TABLES = ["task", "status", "table_load", "step", "checkpoint"] as const;

async function insertTask(client: Client, task: NewTask, layout: StoreLayout | undefined): Promise<void> {
  await ensureStore(client, layout);
  const { definition, settings, desiredState, plan, prechecks } = task;
  await client.query(
    `INSERT INTO godwit.task (task_id, format, definition, settings, desired_state, state, phase, prechecks, skipped)
     VALUES ($1, $2, $3, $4, $5, 'running', 'schema', $6, $7)`,
    [
      definition.taskId,
      STORE_FORMAT,
      JSON.stringify({ ...definition, ...(plan.selection ? { selection: plan.selection } : {}) }),
      JSON.stringify(settings),
      desiredState,
      JSON.stringify(prechecks),
      JSON.stringify(plan.skipped),
    ],
  );
  await insertPlan(client, definition.taskId, plan);
}

/**
 * A table's new plan for a stream that may still bring changes from before it: columns that are gone are passed over, those that joined may
 * be missing. What its replica identity was is known from before this task changed it.
 */
function succeeding(before: PlannedTable | undefined, now: PlannedTable): PlannedTable {
  if (!before) return now;
  const known = new Set([...before.columns.map(({ source }) => source), ...before.leftOut]);
  const kept = new Set(now.columns.map(({ source }) => source));
  return {
    ...now,
    replicaIdentity: before.replicaIdentity,
    leftOut: [...new Set([...now.leftOut, ...[...known].filter((name) => !kept.has(name))])],
    joined: [...new Set([...(before.joined ?? []), ...[...kept].filter((name) => !known.has(name))])].filter((name) =>
      kept.has(name),
    ),
  };
}

/**
 * Adds what the task does not have yet: an added table must not reset the others. The caller holds the task's row. Without ON CONFLICT, which
 * members of the family lack.
 */
async function insertPlan(client: Client, taskId: string, plan: Plan): Promise<void> {
  const tables = [taskId, plan.tables.map((table) => JSON.stringify(table))];
  await client.query(
    `UPDATE godwit.table_load t SET plan = p.plan
     FROM (SELECT unnest($2::jsonb[]) AS plan) p
     WHERE t.task_id = $1 AND t.table_id = (p.plan ->> 'id')::bigint`,
    tables,
  );
  await client.query(
    `INSERT INTO godwit.table_load (task_id, table_id, ordinal, plan)
     SELECT $1, (p.plan ->> 'id')::bigint, p.ordinal::integer + (SELECT count(*) FROM godwit.table_load WHERE task_id = $1), p.plan
     FROM unnest($2::jsonb[]) WITH ORDINALITY AS p (plan, ordinal)
     WHERE (p.plan ->> 'id')::bigint NOT IN (SELECT table_id FROM godwit.table_load WHERE task_id = $1)`,
    tables,
  );
  await client.query(
    `INSERT INTO godwit.step (task_id, step_id, ordinal, step)
     SELECT $1, p.step ->> 'id', p.ordinal::integer + (SELECT count(*) FROM godwit.step WHERE task_id = $1), p.step
     FROM unnest($2::jsonb[]) WITH ORDINALITY AS p (step, ordinal)
     WHERE (p.step ->> 'id') NOT IN (SELECT step_id FROM godwit.step WHERE task_id = $1)`,
    [taskId, plan.steps.map((step) => JSON.stringify(step))],
  );
}
