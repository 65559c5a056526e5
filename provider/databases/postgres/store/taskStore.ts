import type { Client } from "pg";
import type { Plan, PlannedTable } from "../../../engine/models/plan.js";
import type { NewTask, TaskStore } from "../../../engine/taskStore.js";
import { inTransaction } from "../transaction.js";
import { selectTables, selectTasks } from "./records.js";
import { ensureStore, STORE_FORMAT, STORE_LOCK, storeExists } from "./storeSchema.js";

/** The store over one connection to the target; `close` ends the connection. */
export function openTaskStore(client: Client): TaskStore {
  return {
    readTask: async (taskId) => ((await storeExists(client)) ? (await selectTasks(client, taskId))[0] : undefined),
    listTasks: async () => ((await storeExists(client)) ? selectTasks(client) : []),
    createTask: (task) => inTransaction(client, () => insertTask(client, task)),
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
        const former = new Map((await selectTables(client, taskId)).map(({ table }) => [table.id, table]));
        await client.query(`DELETE FROM godwit.table_load WHERE task_id = $1 AND table_id <> ALL ($2::bigint[])`, [
          taskId,
          plan.tables.map(({ id }) => id),
        ]);
        const tables = plan.tables.map((table) => succeeding(former.get(table.id), table));
        await insertPlan(client, taskId, { ...plan, tables });
        await client.query("UPDATE godwit.task SET skipped = $2 WHERE task_id = $1", [taskId, JSON.stringify(plan.skipped)]);
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
        await client.query("DELETE FROM godwit.task WHERE task_id = $1", [taskId]);
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

async function insertTask(client: Client, task: NewTask): Promise<void> {
  await ensureStore(client);
  const { definition, settings, desiredState, plan, prechecks } = task;
  await client.query(
    `INSERT INTO godwit.task (task_id, format, definition, settings, desired_state, state, phase, prechecks, skipped)
     VALUES ($1, $2, $3, $4, $5, 'running', 'schema', $6, $7)`,
    [
      definition.taskId,
      STORE_FORMAT,
      JSON.stringify(definition),
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

/** Adds what the task does not have yet: an added table must not reset the others. */
async function insertPlan(client: Client, taskId: string, plan: Plan): Promise<void> {
  await client.query(
    `INSERT INTO godwit.table_load (task_id, table_id, ordinal, plan)
     SELECT $1, (p.plan ->> 'id')::bigint, p.ordinal::integer + (SELECT count(*) FROM godwit.table_load WHERE task_id = $1), p.plan
     FROM unnest($2::jsonb[]) WITH ORDINALITY AS p (plan, ordinal)
     ON CONFLICT (task_id, table_id)
     DO UPDATE SET plan = excluded.plan`,
    [taskId, plan.tables.map((table) => JSON.stringify(table))],
  );
  await client.query(
    `INSERT INTO godwit.step (task_id, step_id, ordinal, step)
     SELECT $1, p.step ->> 'id', p.ordinal::integer + (SELECT count(*) FROM godwit.step WHERE task_id = $1), p.step
     FROM unnest($2::jsonb[]) WITH ORDINALITY AS p (step, ordinal)
     ON CONFLICT DO NOTHING`,
    [taskId, plan.steps.map((step) => JSON.stringify(step))],
  );
}
