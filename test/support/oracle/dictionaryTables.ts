/**
 * The part of Oracle's dictionary that Godwit reads, as PostgreSQL tables of the same names and columns: what the emulator answers catalog
 * queries from. LONG columns are text here; numbers come as text, as the driver gives them.
 */
export const DICTIONARY_TABLES = `
CREATE TABLE all_users (username text, oracle_maintained text);
CREATE TABLE dba_objects (owner text, object_name text, subobject_name text, object_id bigint, data_object_id bigint, object_type text);
CREATE TABLE dba_all_tables (owner text, table_name text, num_rows bigint, blocks bigint, temporary text, duration text, iot_type text,
  nested text, secondary text, table_type_owner text, table_type text, cluster_name text,
  logging text DEFAULT 'YES');
CREATE VIEW all_tables AS SELECT owner, table_name, cluster_name, logging FROM dba_all_tables;
CREATE TABLE dba_external_tables (owner text, table_name text);
CREATE TABLE dba_mviews (owner text, mview_name text, container_name text, query text);
CREATE TABLE dba_mview_logs (log_owner text, log_table text);
CREATE TABLE dba_queue_tables (owner text, queue_table text);
CREATE TABLE dba_tab_cols (owner text, table_name text, column_name text, column_id integer, data_type text, data_type_owner text,
  data_length integer, char_length integer, char_used text, data_precision integer, data_scale integer, nullable text,
  virtual_column text, hidden_column text, data_default text, segment_column_id integer, internal_column_id integer,
  user_generated text DEFAULT 'YES');
CREATE TABLE dba_tab_identity_cols (owner text, table_name text, column_name text, generation_type text, identity_options text,
  sequence_name text);
CREATE TABLE dba_constraints (owner text, table_name text, constraint_name text, constraint_type text, search_condition text,
  r_owner text, r_constraint_name text, delete_rule text, "deferrable" text, deferred text, status text);
CREATE TABLE dba_cons_columns (owner text, constraint_name text, table_name text, column_name text, position integer);
CREATE TABLE dba_indexes (owner text, index_name text, table_owner text, table_name text, table_type text, index_type text, uniqueness text);
CREATE TABLE dba_ind_columns (index_owner text, index_name text, column_position integer, column_name text, descend text);
CREATE TABLE dba_ind_expressions (index_owner text, index_name text, column_position integer, column_expression text);
CREATE TABLE dba_part_tables (owner text, table_name text, partitioning_type text, subpartitioning_type text, partition_count integer,
  "interval" text);
CREATE TABLE dba_part_key_columns (owner text, name text, object_type text, column_name text, column_position integer);
CREATE TABLE dba_tab_partitions (table_owner text, table_name text, partition_name text, high_value text, partition_position integer,
  logging text DEFAULT 'YES');
CREATE VIEW all_tab_partitions AS SELECT * FROM dba_tab_partitions;
CREATE TABLE dba_sequences (sequence_owner text, sequence_name text, min_value numeric, max_value numeric, increment_by numeric,
  cycle_flag text, cache_size numeric, last_number numeric);
CREATE TABLE dba_views (owner text, view_name text, text text, read_only text, view_type text);
CREATE TABLE dba_synonyms (owner text, synonym_name text, table_owner text, table_name text, db_link text);
CREATE TABLE dba_source (owner text, name text, type text, line integer, text text);
CREATE TABLE dba_triggers (owner text, trigger_name text, table_owner text, table_name text, status text);
CREATE TABLE dba_tab_comments (owner text, table_name text, comments text);
CREATE TABLE dba_col_comments (owner text, table_name text, column_name text, comments text);
CREATE TABLE dba_dependencies (owner text, name text, referenced_owner text, referenced_name text);
CREATE TABLE dba_lobs (owner text, table_name text, column_name text, segment_name text, logging text DEFAULT 'YES');
CREATE VIEW all_lobs AS SELECT * FROM dba_lobs;
CREATE TABLE dba_segments (owner text, segment_name text, bytes bigint);
CREATE SCHEMA dbms_lob;
CREATE TABLE dbms_lob.huge (value text);
-- Of a value that a test names there, more than any test would hold.
CREATE FUNCTION dbms_lob.getlength(text) RETURNS bigint LANGUAGE sql AS
  'SELECT CASE WHEN EXISTS (SELECT FROM dbms_lob.huge WHERE value = $1) THEN 600000000 ELSE length($1) END';
CREATE TABLE dba_types (owner text, type_name text, supertype_owner text, supertype_name text);
CREATE TABLE dba_type_attrs (owner text, type_name text, attr_name text, attr_type_owner text, attr_type_name text, attr_no integer);
CREATE TABLE dba_coll_types (owner text, type_name text, coll_type text, elem_type_owner text, elem_type_name text);
CREATE TABLE dba_extents (owner text, segment_name text, partition_name text, segment_type text, relative_fno integer, block_id integer,
  blocks integer);
CREATE TABLE all_log_groups (owner text, table_name text, log_group_type text);
CREATE TABLE session_privs (privilege text);
CREATE TABLE session_roles (role text);
CREATE TABLE nls_database_parameters (parameter text, value text);
INSERT INTO nls_database_parameters VALUES ('NLS_CHARACTERSET', 'AL32UTF8'), ('NLS_RDBMS_VERSION', '19.21.0.0.0');
INSERT INTO session_privs VALUES ('LOGMINING'), ('SELECT ANY TRANSACTION'), ('CREATE SESSION');
INSERT INTO session_roles VALUES ('SELECT_CATALOG_ROLE'), ('EXECUTE_CATALOG_ROLE');

-- One row: what a test changes to see a precheck fail.
CREATE TABLE instance_setting (version text, log_mode text, minimal text, primary_key text, unique_key text, all_columns text,
  container text, container_id text, undo_retention text, version_full text, force_logging text);
INSERT INTO instance_setting VALUES ('19.0.0.0.0', 'ARCHIVELOG', 'YES', 'YES', 'NO', 'NO', 'EMUPDB', '3', '900000', '19.21.0.0.0', 'YES');
CREATE VIEW product_component_version AS SELECT 'Oracle Database 19c'::text AS product, version, version_full FROM instance_setting;
CREATE OR REPLACE VIEW v$database AS
  SELECT 4242424242 AS dbid, 'EMU'::text AS name, scn AS current_scn, resetlogs AS resetlogs_change_no, 'then'::text AS resetlogs_time,
         s.force_logging, s.log_mode, s.minimal AS supplemental_log_data_min, s.primary_key AS supplemental_log_data_pk,
         s.unique_key AS supplemental_log_data_ui, s.all_columns AS supplemental_log_data_all
    FROM clock, instance_setting s;
CREATE VIEW v$instance AS SELECT version FROM instance_setting;
CREATE TABLE compatible (value text);
INSERT INTO compatible VALUES ('19.0.0');
CREATE VIEW v$parameter AS
  SELECT 'undo_retention'::text AS name, undo_retention AS value FROM instance_setting UNION ALL SELECT 'compatible', value FROM compatible;
CREATE TABLE all_xml_tab_cols (owner text, table_name text, column_name text, storage_type text);
CREATE VIEW v$archive_dest_status AS SELECT 1 AS dest_id;
CREATE VIEW v$logmnr_logs AS SELECT path AS filename FROM log;
CREATE FUNCTION sys_context(namespace text, parameter text) RETURNS text LANGUAGE sql AS $$
  SELECT CASE parameter WHEN 'CON_NAME' THEN container WHEN 'CON_ID' THEN container_id WHEN 'ISDBA' THEN 'FALSE' END
    FROM oracle_emulator.instance_setting
$$;

-- Row ids of the emulator are counters of 36 digits; a block here holds 32768 of them.
CREATE FUNCTION chartorowid(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT $1 COLLATE "C"';
CREATE SCHEMA dbms_rowid;
CREATE FUNCTION dbms_rowid.rowid_create(kind integer, object bigint, file integer, block integer, row_number integer) RETURNS text
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
  number bigint := block::bigint * 32768 + row_number;
  digits text := '';
BEGIN
  WHILE number > 0 LOOP
    digits := substr('0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ', (number % 36)::integer + 1, 1) || digits;
    number := number / 36;
  END LOOP;
  RETURN 'AAAE' || lpad(digits, 14, '0');
END $$;
`;
