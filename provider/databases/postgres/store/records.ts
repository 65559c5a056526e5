import type { Client } from "pg";
import { ErrorCode, GodwitError } from "../../../engine/errors.js";
import type { StepRecord, TableRecord, TaskRecord } from "../../../engine/taskStore.js";
import { STORE_FORMAT } from "./storeSchema.js";

/** First half of a task's advisory lock; the second is the hash of its id. */
export const LEASE_CLASS = 1735681907;

const SELECT_TASK = `
SELECT t.task_id, t.format, t.definition, t.settings, t.desired_state, t.state, t.phase, t.epoch, t.capture_position,
       t.prechecks, t.skipped, t.errors, s.status,
       EXISTS (SELECT 1 FROM pg_catalog.pg_locks l
               WHERE l.locktype = 'advisory' AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
                 AND l.classid = ${LEASE_CLASS} AND l.objid = pg_catalog.hashtext(t.task_id)::bigint & 4294967295 AND l.granted) AS leased
FROM godwit.task t LEFT JOIN godwit.status s USING (task_id)`;

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
  leased: boolean;
}

export async function selectTasks(client: Client, taskId?: string): Promise<TaskRecord[]> {
  const { rows } = await client.query<TaskRow>(
    taskId === undefined ? `${SELECT_TASK} ORDER BY t.created_at` : `${SELECT_TASK} WHERE t.task_id = $1`,
    taskId === undefined ? [] : [taskId],
  );
  return rows.map(taskRecord);
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

function taskRecord(row: TaskRow): TaskRecord {
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
    leased: row.leased,
  };
}
