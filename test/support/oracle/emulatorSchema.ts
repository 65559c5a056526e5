/**
 * The emulated Oracle, as tables and views of a PostgreSQL database. Views have the names of Oracle's own, so that the SQL of the product runs as
 * it is, but for what `translate.ts` changes (`#` in names becomes `_no`). Add a view here for each dictionary view a test needs.
 */
export const EMULATOR_SCHEMA = `
CREATE SCHEMA oracle_emulator;
SET search_path = oracle_emulator;

CREATE TABLE clock (scn bigint NOT NULL, resetlogs bigint NOT NULL);
CREATE TABLE redo (
  id bigint PRIMARY KEY, scn bigint NOT NULL, thread int NOT NULL, sequence int NOT NULL, rs_id text NOT NULL, ssn int NOT NULL,
  operation_code int NOT NULL, xid text NOT NULL, rollback int NOT NULL, seg_owner text, table_name text, row_id text, csf int NOT NULL,
  at timestamp NOT NULL, info text, sql_redo text, container text NOT NULL, by_place text, object_id bigint,
  resetlogs bigint NOT NULL DEFAULT 1);
CREATE INDEX ON redo (scn, id);
CREATE TABLE log (
  thread int, sequence int, first_scn bigint NOT NULL, next_scn bigint, path text NOT NULL, online boolean NOT NULL, archived boolean NOT NULL,
  deleted boolean NOT NULL DEFAULT false, resetlogs bigint NOT NULL DEFAULT 1, PRIMARY KEY (resetlogs, thread, sequence));
-- Of RAC: an instance that is down has a closed thread.
CREATE TABLE redo_thread (thread int PRIMARY KEY, status text NOT NULL, enabled_scn bigint NOT NULL, last_scn bigint NOT NULL);
CREATE TABLE incarnation (resetlogs bigint PRIMARY KEY, status text NOT NULL);
INSERT INTO incarnation VALUES (1, 'CURRENT');
CREATE TABLE open_transaction (xid text PRIMARY KEY, start_scn bigint NOT NULL);
CREATE TABLE object_table (owner text, name text, columns jsonb NOT NULL, changed_scn bigint NOT NULL DEFAULT 0, PRIMARY KEY (owner, name));
CREATE TABLE row_version (
  owner text NOT NULL, name text NOT NULL, row_id text NOT NULL, from_scn bigint NOT NULL, to_scn bigint, "values" jsonb NOT NULL);
CREATE INDEX ON row_version (owner, name, row_id);
CREATE UNIQUE INDEX ON row_version (row_id) WHERE to_scn IS NULL;
CREATE TABLE answer (sql text PRIMARY KEY, rows jsonb NOT NULL);
CREATE TABLE fault (code text, place text, times int NOT NULL, PRIMARY KEY (code, place));
INSERT INTO clock VALUES (1000, 1);

CREATE FUNCTION rawtohex(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT $1';
CREATE VIEW dual AS SELECT 'X'::text AS dummy;
CREATE VIEW database_properties AS SELECT 'LOCAL_UNDO_ENABLED'::text AS property_name, 'TRUE'::text AS property_value;
CREATE VIEW v$database AS
  SELECT 4242424242 AS dbid, 'EMU'::text AS name, scn AS current_scn, resetlogs AS resetlogs_change_no, 'then'::text AS resetlogs_time,
         'YES'::text AS force_logging FROM clock;
CREATE VIEW v$log AS
  SELECT thread AS thread_no, sequence AS sequence_no, first_scn AS first_change_no, coalesce(next_scn, 18446744073709551615) AS next_change_no,
         thread * 100000 + sequence AS group_no, CASE WHEN next_scn IS NULL THEN 'CURRENT' ELSE 'INACTIVE' END AS status
    FROM log WHERE online;
CREATE VIEW v$logfile AS SELECT thread * 100000 + sequence AS group_no, path AS member, NULL::text AS status FROM log WHERE online;
CREATE VIEW v$archived_log AS
  SELECT thread AS thread_no, sequence AS sequence_no, first_scn AS first_change_no, next_scn AS next_change_no, 1 AS dest_id,
         CASE WHEN deleted THEN NULL ELSE 'archived/' || path END AS name, 'YES'::text AS archived, CASE WHEN deleted THEN 'YES' ELSE 'NO' END AS deleted,
         CASE WHEN deleted THEN 'D' ELSE 'A' END AS status, 'NO'::text AS standby_dest, log.resetlogs AS resetlogs_change_no
    FROM log WHERE log.archived;
CREATE VIEW v$thread AS
  SELECT thread AS thread_no, status, enabled_scn AS enable_change_no, CASE status WHEN 'OPEN' THEN c.scn ELSE last_scn END AS last_redo_change_no
    FROM redo_thread, clock c;
CREATE VIEW v$database_incarnation AS SELECT resetlogs AS resetlogs_change_no, status FROM incarnation;
CREATE TABLE datafile (name text, unrecoverable_scn bigint NOT NULL);
INSERT INTO datafile VALUES ('users01.dbf', 0);
CREATE VIEW v$datafile AS SELECT 1 AS file_no, name, unrecoverable_scn AS unrecoverable_change_no FROM datafile;
CREATE VIEW gv$transaction AS SELECT xid, start_scn FROM open_transaction;
CREATE VIEW v$logmnr_contents AS
  SELECT scn, thread AS thread_no, rs_id, ssn, operation_code, xid, rollback, seg_owner, table_name, row_id, csf, at AS "timestamp", info, sql_redo,
         container AS src_con_name, object_id AS data_obj_no
    FROM redo
   WHERE thread || '.' || sequence || '.' || resetlogs = ANY (pg_catalog.current_setting('oracle_emulator.logs')::text[])
     AND scn BETWEEN pg_catalog.current_setting('oracle_emulator.from_scn')::bigint AND pg_catalog.current_setting('oracle_emulator.to_scn')::bigint
   ORDER BY scn, id;
`;
