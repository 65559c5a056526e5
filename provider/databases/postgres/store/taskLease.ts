import type { Client } from "pg";
import { ErrorCode, GodwitError } from "../../../engine/errors.js";
import type { LeaseOptions } from "../../../engine/routeKind.js";
import type { TaskLease } from "../../../engine/taskStore.js";
import { connect, type PostgresEndpoint } from "../connection.js";
import { isConnectionError } from "../connectionErrors.js";
import { literal } from "../sql.js";
import { statementQueue } from "../statementQueue.js";
import { inTransaction } from "../transaction.js";
import { LEASE_CLASS, selectResume, selectSteps, selectTables, selectTasks } from "./records.js";
import { FENCED_SQLSTATE, storeExists } from "./storeSchema.js";
import { replacePlan } from "./taskStore.js";

/**
 * Takes the task's lease: a session advisory lock, which dies with this process, and a new epoch, which shuts out whoever
 * held it before even when its session still lives beyond a broken network.
 * Errors: GW1601 when the task is not in the store, GW1602 when another worker holds it.
 */
export async function takeLease(endpoint: PostgresEndpoint, taskId: string, options: LeaseOptions = {}): Promise<TaskLease> {
  const client = await connect(endpoint, { applicationName: `godwit/${taskId}/lease` });
  try {
    if (!(await storeExists(client))) throw missing(taskId);
    if (options.takeOver || (options.former !== undefined && options.former === (await currentEpoch(client, taskId)))) {
      await endHolder(client, taskId);
    }
    await lock(client, taskId);
    await endOrphans(client, taskId);
    const { rows } = await client.query<{ epoch: string }>(
      "UPDATE godwit.task SET epoch = epoch + 1 WHERE task_id = $1 RETURNING epoch",
      [taskId],
    );
    if (!rows[0]) throw missing(taskId);
    return lease(client, taskId, BigInt(rows[0].epoch));
  } catch (cause) {
    await client.end().catch(() => undefined);
    throw cause;
  }
}

/** A worker that was just killed may leave its backend a moment longer. */
async function lock(client: Client, taskId: string): Promise<void> {
  for (let attempt = 0; attempt < 20; attempt++) {
    const { rows } = await client.query<{ taken: boolean }>(
      "SELECT pg_catalog.pg_try_advisory_lock($1, pg_catalog.hashtext($2)) AS taken",
      [LEASE_CLASS, taskId],
    );
    if (rows[0]?.taken) return;
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  throw new GodwitError(ErrorCode.WorkerFenced, "another worker holds the task", {
    object: taskId,
    remedy: "godwit status shows where it runs",
  });
}

async function currentEpoch(client: Client, taskId: string): Promise<bigint | undefined> {
  const { rows } = await client.query<{ epoch: string }>("SELECT epoch FROM godwit.task WHERE task_id = $1", [taskId]);
  return rows[0] && BigInt(rows[0].epoch);
}

async function endHolder(client: Client, taskId: string): Promise<void> {
  await client.query(
    `SELECT pg_catalog.pg_terminate_backend(l.pid) FROM pg_catalog.pg_locks l
     WHERE l.locktype = 'advisory' AND l.classid = $1 AND l.objid = pg_catalog.hashtext($2)::bigint & 4294967295 AND l.granted
       AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
       AND l.pid <> pg_catalog.pg_backend_pid()`,
    [LEASE_CLASS, taskId],
  );
}

/**
 * Ends statements a dead worker left running (an index build goes on long after its client is gone). The lock is ours, so
 * whatever else carries the task's name is an orphan.
 */
async function endOrphans(client: Client, taskId: string): Promise<void> {
  await client.query(
    // Before PostgreSQL 10 the view has client backends only, and no backend_type.
    `SELECT pg_catalog.pg_terminate_backend(a.pid) FROM pg_catalog.pg_stat_activity a
     WHERE a.application_name LIKE $1 AND a.pid <> pg_catalog.pg_backend_pid() AND a.usename = current_user
       AND a.datname = pg_catalog.current_database()
       AND coalesce(pg_catalog.row_to_json(a) ->> 'backend_type', 'client backend') = 'client backend'`,
    [`godwit/${taskId}/target/%`],
  );
}

function lease(client: Client, taskId: string, epoch: bigint): TaskLease {
  let onLost: (cause: Error) => void = () => undefined;
  const lost = new Promise<never>((_, reject) => {
    onLost = reject;
  });
  lost.catch(() => undefined);
  let released = false;
  client.on("end", () => {
    if (!released) onLost(leaseLost(taskId));
  });

  // The phases and the poll share this connection.
  const queue = statementQueue();
  const serially = <T>(work: () => Promise<T>): Promise<T> =>
    queue(work).catch((cause: unknown) => {
      throw isConnectionError(cause) ? leaseLost(taskId, cause) : fencedError(cause, taskId);
    });
  const run = (statement: string, values: unknown[] = []) =>
    serially(async () => {
      await client.query(statement, values);
    });
  const holder = `${literal(taskId)}, ${epoch}`;
  const guarded = (set: string, values: unknown[]) =>
    serially(async () => {
      const { rowCount } = await client.query(`UPDATE godwit.task SET ${set} WHERE task_id = $1 AND epoch = ${epoch}`, [
        taskId,
        ...values,
      ]);
      if (rowCount === 0) throw fenced(taskId);
    });
  return {
    epoch,
    lost,
    readTask: () =>
      serially(async () => {
        const [task] = await selectTasks(client, taskId);
        if (!task) throw missing(taskId);
        if (task.epoch !== epoch) throw fenced(taskId);
        return task;
      }),
    readTables: () => serially(() => selectTables(client, taskId)),
    readSteps: () => serially(() => selectSteps(client, taskId)),
    readCheckpoint: () =>
      serially(async () => {
        const { rows } = await client.query<{ position: string }>("SELECT position FROM godwit.checkpoint WHERE task_id = $1", [
          taskId,
        ]);
        return rows[0] ? BigInt(rows[0].position) : undefined;
      }),
    readResume: () => serially(() => selectResume(client, taskId)),
    setState: (state, phase, errors) => guarded("state = $2, phase = $3, errors = $4", [state, phase, JSON.stringify(errors)]),
    setCapturePosition: (position, resume) =>
      resume === undefined
        ? guarded("capture_position = $2", [position.toString()])
        : guarded("capture_position = $2, capture_resume = $3", [position.toString(), resume]),
    replacePlan: (plan) =>
      serially(() =>
        inTransaction(client, async () => {
          await client.query(`SELECT godwit.fence(${holder})`);
          await replacePlan(client, taskId, plan);
        }),
      ),
    setTableLoading: (tableId) =>
      // Two statements in one transaction: Greenplum runs no function that reads a table inside a statement on another.
      run(
        `SELECT godwit.fence(${holder});
         UPDATE godwit.table_load SET state = 'loading', rows = 0, bytes = 0 WHERE task_id = ${literal(taskId)} AND table_id = ${tableId}`,
      ),
    writeStatus: (status) =>
      serially(async () => {
        const values = [taskId, JSON.stringify(status)];
        const { rowCount } = await client.query("UPDATE godwit.status SET status = $2 WHERE task_id = $1", values);
        if (rowCount === 0) await client.query("INSERT INTO godwit.status VALUES ($1, $2)", values);
      }),
    statements: {
      checkpoint: (position, commitTimeMs, resume) =>
        `SELECT godwit.set_checkpoint(${holder}, ${position}, pg_catalog.to_timestamp(${commitTimeMs / 1000})${resume === undefined ? "" : `, ${literal(resume)}`})`,
      chunkLoaded: (tableId, rows, bytes) => `SELECT godwit.add_loaded(${holder}, ${tableId}, ${rows}, ${bytes})`,
      tableLoaded: (tableId, loadPosition) => `SELECT godwit.set_loaded(${holder}, ${tableId}, ${loadPosition})`,
      tablePlanned: (table, loadPosition) => {
        const plan = `${literal(JSON.stringify(table))}::jsonb`;
        const at = `task_id = ${literal(taskId)} AND table_id = ${table.id}`;
        return `SELECT godwit.fence(${holder});
          UPDATE godwit.table_load SET plan = ${plan} WHERE ${at};
          INSERT INTO godwit.table_load (task_id, table_id, ordinal, plan, state, load_position)
          SELECT ${literal(taskId)}, ${table.id}, (SELECT count(*) FROM godwit.table_load WHERE task_id = ${literal(taskId)}) + 1, ${plan}, 'loaded', ${loadPosition ?? "NULL::bigint"}
          WHERE NOT EXISTS (SELECT 1 FROM godwit.table_load WHERE ${at})`;
      },
      tableGone: (tableId) =>
        `SELECT godwit.fence(${holder});
         DELETE FROM godwit.table_load WHERE task_id = ${literal(taskId)} AND table_id = ${tableId}`,
      stepPlanned: (step) => {
        const text = `${literal(JSON.stringify(step))}::jsonb`;
        const at = `task_id = ${literal(taskId)} AND step_id = ${literal(step.id)}`;
        return `SELECT godwit.fence(${holder}); UPDATE godwit.step SET step = ${text} WHERE ${at} AND NOT done;
          INSERT INTO godwit.step (task_id, step_id, ordinal, step)
          SELECT ${literal(taskId)}, ${literal(step.id)}, (SELECT count(*) FROM godwit.step WHERE task_id = ${literal(taskId)}) + 1, ${text}
          WHERE NOT EXISTS (SELECT 1 FROM godwit.step WHERE ${at})`;
      },
      stepsNeeding: (id) =>
        `SELECT pg_catalog.json_agg(step)::text FROM godwit.step WHERE task_id = ${literal(taskId)} AND NOT done AND step -> 'dependsOn' ? ${literal(id)}`,
      stepsGone: (id) =>
        `SELECT godwit.fence(${holder});
         DELETE FROM godwit.step WHERE task_id = ${literal(taskId)} AND NOT done AND (step_id = ${literal(id)} OR step -> 'dependsOn' ? ${literal(id)})`,
      stepDone: (stepId) => `SELECT godwit.set_step_done(${holder}, ${literal(stepId)})`,
    },
    run: (statement) => run(statement),
    async release() {
      released = true;
      await client.end().catch(() => undefined);
    },
  };
}

function leaseLost(taskId: string, cause?: unknown): GodwitError {
  return new GodwitError(ErrorCode.LeaseLost, "the connection that holds the lease broke", { object: taskId, cause });
}

/** Turns the store's own SQLSTATE into GW1602. */
export function fencedError(cause: unknown, taskId: string): unknown {
  if ((cause as { code?: string } | undefined)?.code !== FENCED_SQLSTATE) return cause;
  return fenced(taskId, cause);
}

function fenced(taskId: string, cause?: unknown): GodwitError {
  return new GodwitError(ErrorCode.WorkerFenced, "another worker took the task over", { object: taskId, cause });
}

function missing(taskId: string): GodwitError {
  return new GodwitError(ErrorCode.StoreUnusable, "the task is not in the target's godwit schema", {
    object: taskId,
    remedy: "pulumi refresh, then pulumi up: it is made anew",
  });
}
