import type { Client } from "pg";

/**
 * The store: schema `godwit` beside the data. Secrets never come here.
 *
 * Every write of a worker goes through a function that checks its epoch, so that one which lost its lease (a network partition, a
 * paused laptop) fails with SQLSTATE GW001 instead of writing over its successor. FOR SHARE: a takeover waits for a commit under way, and a
 * commit that starts after the takeover sees the new epoch.
 */
export const STORE_FORMAT = 1;
export const FENCED_SQLSTATE = "GW001";

const STORE_DDL = `
CREATE SCHEMA IF NOT EXISTS godwit;
COMMENT ON SCHEMA godwit IS 'State of Godwit migration tasks. Removed with the last task.';
CREATE TABLE IF NOT EXISTS godwit.task (
  task_id text PRIMARY KEY,
  format integer NOT NULL,
  definition jsonb NOT NULL,
  settings jsonb NOT NULL,
  desired_state text NOT NULL,
  state text NOT NULL,
  phase text NOT NULL,
  epoch bigint NOT NULL DEFAULT 0,
  capture_position bigint,
  prechecks jsonb NOT NULL,
  skipped jsonb NOT NULL,
  errors jsonb NOT NULL DEFAULT '[]',
  created_at timestamptz NOT NULL DEFAULT pg_catalog.now()
);
-- Apart from task, because it is written every second.
CREATE TABLE IF NOT EXISTS godwit.status (
  task_id text PRIMARY KEY REFERENCES godwit.task ON DELETE CASCADE,
  status jsonb NOT NULL
);
CREATE TABLE IF NOT EXISTS godwit.table_load (
  task_id text NOT NULL REFERENCES godwit.task ON DELETE CASCADE,
  table_id bigint NOT NULL,
  ordinal integer NOT NULL,
  plan jsonb NOT NULL,
  state text NOT NULL DEFAULT 'pending',
  load_position bigint,
  rows bigint NOT NULL DEFAULT 0,
  bytes bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (task_id, table_id)
);
CREATE TABLE IF NOT EXISTS godwit.step (
  task_id text NOT NULL REFERENCES godwit.task ON DELETE CASCADE,
  step_id text NOT NULL,
  ordinal integer NOT NULL,
  step jsonb NOT NULL,
  done boolean NOT NULL DEFAULT false,
  PRIMARY KEY (task_id, step_id)
);
-- One row a task, updated with every batch: room on the page keeps the updates HOT.
CREATE TABLE IF NOT EXISTS godwit.checkpoint (
  task_id text PRIMARY KEY REFERENCES godwit.task ON DELETE CASCADE,
  position bigint NOT NULL,
  commit_time timestamptz
) WITH (fillfactor = 10);

CREATE OR REPLACE FUNCTION godwit.fence(task text, worker_epoch bigint) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  PERFORM 1 FROM godwit.task t WHERE t.task_id = task AND t.epoch = worker_epoch FOR SHARE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'another worker took task % over', task USING ERRCODE = '${FENCED_SQLSTATE}';
  END IF;
  RETURN true;
END $$;
CREATE OR REPLACE FUNCTION godwit.set_checkpoint(task text, worker_epoch bigint, lsn bigint, committed timestamptz)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM godwit.fence(task, worker_epoch);
  UPDATE godwit.checkpoint c SET position = lsn, commit_time = committed WHERE c.task_id = task;
  IF NOT FOUND THEN
    INSERT INTO godwit.checkpoint VALUES (task, lsn, committed);
  END IF;
END $$;
CREATE OR REPLACE FUNCTION godwit.add_loaded(task text, worker_epoch bigint, tab bigint, more_rows bigint, more_bytes bigint)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM godwit.fence(task, worker_epoch);
  UPDATE godwit.table_load l SET rows = l.rows + more_rows, bytes = l.bytes + more_bytes
  WHERE l.task_id = task AND l.table_id = tab;
END $$;
CREATE OR REPLACE FUNCTION godwit.set_loaded(task text, worker_epoch bigint, tab bigint, lsn bigint)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM godwit.fence(task, worker_epoch);
  UPDATE godwit.table_load l SET state = 'loaded', load_position = lsn WHERE l.task_id = task AND l.table_id = tab;
END $$;
CREATE OR REPLACE FUNCTION godwit.set_step_done(task text, worker_epoch bigint, finished text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM godwit.fence(task, worker_epoch);
  UPDATE godwit.step s SET done = true WHERE s.task_id = task AND s.step_id = finished;
END $$;
`;

/** Held while the store's schema is made or dropped: two tasks may start or end at once. */
export const STORE_LOCK = "SELECT pg_catalog.pg_advisory_xact_lock(1735681908, 0)";

/** Makes the store where it is missing, inside the caller's transaction. */
export async function ensureStore(client: Client): Promise<void> {
  await client.query(STORE_LOCK);
  await client.query(STORE_DDL);
}

export async function storeExists(client: Client): Promise<boolean> {
  const { rows } = await client.query<{ present: boolean }>(
    "SELECT pg_catalog.to_regclass('godwit.task') IS NOT NULL AS present",
  );
  return rows[0]?.present === true;
}
