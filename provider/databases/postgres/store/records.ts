import type { Client } from "pg";
import { ErrorCode, GodwitError } from "../../../engine/errors.js";
import type { StepRecord, TableRecord, TaskRecord } from "../../../engine/taskStore.js";
import { STORE_FORMAT } from "./storeSchema.js";

/** First half of a task's advisory lock; the second is the hash of its id. */
export const LEASE_CLASS = 1735681907;

const SELECT_TASK = `
SELECT t.task_id, t.format, t.definition, t.settings, t.desired_state, t.state, t.phase, t.epoch, t.capture_position,
       t.prechecks, t.skipped, t.errors, s.status, pg_catalog.hashtext(t.task_id)::bigint & 4294967295 AS lock
FROM godwit.task t LEFT JOIN godwit.status s USING (task_id)`;

// Not joined to the tasks: on Greenplum a query of pg_locks and a distributed table fails, or sees only a part of the locks (its pull
// request 5560).
const HELD_LEASES = `
SELECT l.objid::bigint AS lock FROM pg_catalog.pg_locks l
WHERE l.locktype = 'advisory' AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
  AND l.classid = ${LEASE_CLASS} AND l.granted`;

interface TaskRow {
  task_id: string;
  format: number;
  definition: TaskRecord["definition"];
  settings: TaskRecord["settings"];
  desired_state: TaskRecord["desiredState"];
  state: TaskRecord["state"];
  phase: TaskRecord["phase"];
  epoch: string;
  capture_position: string | null;
  prechecks: TaskRecord["prechecks"];
  skipped: TaskRecord["skipped"];
  errors: TaskRecord["errors"];
  status: TaskRecord["status"] | null;
  lock: string;
}

export async function selectTasks(client: Client, taskId?: string): Promise<TaskRecord[]> {
  const { rows } = await client.query<TaskRow>(
    taskId === undefined ? `${SELECT_TASK} ORDER BY t.created_at` : `${SELECT_TASK} WHERE t.task_id = $1`,
    taskId === undefined ? [] : [taskId],
  );
  const held = await client.query<{ lock: string }>(HELD_LEASES);
  const leases = new Set(held.rows.map(({ lock }) => lock));
  return rows.map((row) => taskRecord(row, leases.has(row.lock)));
}

export async function selectTables(client: Client, taskId: string): Promise<TableRecord[]> {
  const { rows } = await client.query<{
    plan: TableRecord["table"];
    state: TableRecord["state"];
    load_position: string | null;
    rows: string;
    bytes: string;
  }>("SELECT plan, state, load_position, rows, bytes FROM godwit.table_load WHERE task_id = $1 ORDER BY ordinal", [taskId]);
  return rows.map((row) => ({
    table: row.plan,
    state: row.state,
    loadPosition: row.load_position === null ? undefined : BigInt(row.load_position),
    rows: Number(row.rows),
    bytes: Number(row.bytes),
  }));
}

export async function selectSteps(client: Client, taskId: string): Promise<StepRecord[]> {
  const { rows } = await client.query<{ step: StepRecord["step"]; done: boolean }>(
    "SELECT step, done FROM godwit.step WHERE task_id = $1 ORDER BY ordinal",
    [taskId],
  );
  return rows;
}

/** What the task goes on from: the checkpoint's, before the first one that of the start of capture. */
export async function selectResume(client: Client, taskId: string): Promise<string | undefined> {
  const { rows } = await client.query<{ resume: string | null }>(
    `SELECT CASE WHEN c.task_id IS NULL THEN t.capture_resume ELSE c.resume END AS resume
       FROM godwit.task t LEFT JOIN godwit.checkpoint c ON c.task_id = t.task_id WHERE t.task_id = $1`,
    [taskId],
  );
  return rows[0]?.resume ?? undefined;
}

function taskRecord(row: TaskRow, leased: boolean): TaskRecord {
  if (row.format !== STORE_FORMAT) {
    throw new GodwitError(
      ErrorCode.StoreUnusable,
      `the store has format ${row.format}, this version of Godwit writes ${STORE_FORMAT}`,
      {
        object: row.task_id,
        remedy: "use the version of Godwit that the task was made with, or destroy it with that version first",
      },
    );
  }
  return {
    definition: row.definition,
    settings: row.settings,
    desiredState: row.desired_state,
    state: row.state,
    phase: row.phase,
    epoch: BigInt(row.epoch),
    capturePosition: row.capture_position === null ? undefined : BigInt(row.capture_position),
    prechecks: row.prechecks,
    skipped: row.skipped,
    errors: row.errors,
    status: row.status ?? undefined,
    leased,
  };
}
