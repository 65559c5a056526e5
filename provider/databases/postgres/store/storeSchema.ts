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

/** How a member of the family lays out the store's tables. */
export interface StoreLayout {
  /** Clauses behind CREATE TABLE (...) for a table whose rows belong to the task in `task_id`. */
  readonly table: (parameters?: string) => string;
  /** The clause that makes rows go with their task's; empty where foreign keys are not enforced. */
  readonly references: string;
  /** plpgsql before the epoch is read: what keeps a takeover out until the caller's transaction is over. */
  readonly beforeFence: string;
  readonly fenceLock: string;
}

/** Asks the server, when a store may have to be made on it. */
export type ReadStoreLayout = (client: Client) => Promise<StoreLayout>;

/** PostgreSQL's own. */
const PLAIN_LAYOUT: StoreLayout = {
  table: (parameters) => (parameters ? ` WITH (${parameters})` : ""),
  references: " REFERENCES godwit.task ON DELETE CASCADE",
  beforeFence: "",
  fenceLock: " FOR SHARE",
};

const storeDdl = ({ table, references, beforeFence, fenceLock }: StoreLayout) => `
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
  capture_resume text,
  prechecks jsonb NOT NULL,
  skipped jsonb NOT NULL,
  errors jsonb NOT NULL DEFAULT '[]',
  created_at timestamptz NOT NULL DEFAULT pg_catalog.now()
)${table()};
-- Apart from task, because it is written every second.
CREATE TABLE IF NOT EXISTS godwit.status (
  task_id text PRIMARY KEY${references},
  status jsonb NOT NULL
)${table()};
CREATE TABLE IF NOT EXISTS godwit.table_load (
  task_id text NOT NULL${references},
  table_id bigint NOT NULL,
  ordinal integer NOT NULL,
  plan jsonb NOT NULL,
  state text NOT NULL DEFAULT 'pending',
  load_position bigint,
  rows bigint NOT NULL DEFAULT 0,
  bytes bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (task_id, table_id)
)${table()};
CREATE TABLE IF NOT EXISTS godwit.step (
  task_id text NOT NULL${references},
  step_id text NOT NULL,
  ordinal integer NOT NULL,
  step jsonb NOT NULL,
  done boolean NOT NULL DEFAULT false,
  PRIMARY KEY (task_id, step_id)
)${table()};
-- One row a task, updated with every batch: room on the page keeps the updates HOT.
CREATE TABLE IF NOT EXISTS godwit.checkpoint (
  task_id text PRIMARY KEY${references},
  position bigint NOT NULL,
  commit_time timestamptz,
  resume text
)${table("fillfactor = 10")};
-- Stores made before there were sources whose position is not enough to go on from. Greenplum 6 knows no ADD COLUMN IF NOT EXISTS.
DO $$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM pg_catalog.pg_attribute
                  WHERE attrelid = 'godwit.checkpoint'::pg_catalog.regclass AND attname = 'resume' AND NOT attisdropped) THEN
    ALTER TABLE godwit.task ADD COLUMN capture_resume text;
    ALTER TABLE godwit.checkpoint ADD COLUMN resume text;
  END IF;
END $$;

CREATE OR REPLACE FUNCTION godwit.fence(task text, worker_epoch bigint) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  ${beforeFence}PERFORM 1 FROM godwit.task t WHERE t.task_id = task AND t.epoch = worker_epoch${fenceLock};
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
-- For sources whose position is not enough to go on from. Never backwards: the batches and the idle stream write it from two sessions.
CREATE OR REPLACE FUNCTION godwit.set_checkpoint(task text, worker_epoch bigint, lsn bigint, committed timestamptz, resume_text text)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM godwit.fence(task, worker_epoch);
  UPDATE godwit.checkpoint c SET position = lsn, commit_time = committed, resume = resume_text WHERE c.task_id = task AND c.position <= lsn;
  IF NOT FOUND AND NOT EXISTS (SELECT 1 FROM godwit.checkpoint c WHERE c.task_id = task) THEN
    INSERT INTO godwit.checkpoint VALUES (task, lsn, committed, resume_text);
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
export async function ensureStore(client: Client, layout: StoreLayout = PLAIN_LAYOUT): Promise<void> {
  await client.query(STORE_LOCK);
  await client.query(storeDdl(layout));
}

export async function storeExists(client: Client): Promise<boolean> {
  const { rows } = await client.query<{ present: boolean }>(
    "SELECT pg_catalog.to_regclass('godwit.task') IS NOT NULL AS present",
  );
  return rows[0]?.present === true;
}
