import { onCommand, onDrop, onRewrite } from "./eventTriggerSql.js";
import { relationSql, routineSql, schemaSql, sequenceSql, typeSql } from "./structureSql.js";

/** The schema that capture lives in at the source; removed with the last task. */
export const CAPTURE_SCHEMA = "godwit_capture";

/** Grows with what the functions below do: a source with an older one gets the new functions. */
export const CAPTURE_FORMAT = 1;

/**
 * The statements that make the capture, each of them repeatable. Event triggers write what a command changed into the published table
 * `godwit_capture.ddl`, in the command's own transaction and place: the stream brings it between the rows before and the rows after.
 *
 * The row is deleted as soon as it is written: the log keeps both, so the stream has it, and nobody has to clean the table.
 * `replicaRole`: the role may set session_replication_role, so that rows moved below fire no trigger and no foreign key's action.
 */
export function captureStatements(version: number, replicaRole: boolean): string[] {
  return [
    TABLES,
    describe(version),
    SELECTED,
    EMIT,
    publish(version),
    capture,
    FILL(version, replicaRole),
    onRewrite,
    onCommand(version),
    onDrop,
  ];
}

const TABLES = `
CREATE SCHEMA IF NOT EXISTS godwit_capture;
COMMENT ON SCHEMA godwit_capture IS 'Godwit: changes of structure for migration tasks. Removed with the last task. Format ${CAPTURE_FORMAT}';
CREATE TABLE IF NOT EXISTS godwit_capture.ddl (id pg_catalog.int8 PRIMARY KEY, event text NOT NULL);
CREATE SEQUENCE IF NOT EXISTS godwit_capture.ddl_id;
-- The tasks that capture here. selection: as in the program, NULL for every schema; creates: new tables join the publication.
CREATE TABLE IF NOT EXISTS godwit_capture.task (publication name PRIMARY KEY, selection jsonb, creates boolean NOT NULL);
-- What each object was like after the last change: the next event says what it was before.
CREATE TABLE IF NOT EXISTS godwit_capture.object (class text, id oid, structure jsonb NOT NULL, PRIMARY KEY (class, id));
-- Tables that the triggers added to a publication, and the replica identities that they set to FULL.
CREATE TABLE IF NOT EXISTS godwit_capture.joined (publication name, relation oid, PRIMARY KEY (publication, relation));
CREATE TABLE IF NOT EXISTS godwit_capture.identity (relation oid PRIMARY KEY, was "char" NOT NULL)`;

/**
 * Everywhere pg_temp comes last by name: left out it would come first, and with a temporary table called pg_class anyone could feed functions that run
 * with the rights of a superuser.
 *
 * Values are printed alike whatever the user's session has set.
 */
const PRINTING = `SET search_path = pg_catalog, pg_temp SET datestyle = 'ISO, MDY' SET intervalstyle = 'postgres' SET extra_float_digits = 3
SET bytea_output = 'hex' SET timezone = 'UTC' SET quote_all_identifiers = off`;

const describe = (version: number): string => `
CREATE OR REPLACE FUNCTION godwit_capture.describe(class text, object oid) RETURNS jsonb LANGUAGE plpgsql ${PRINTING} AS $godwit$
BEGIN
  RETURN CASE class
    WHEN 'relation' THEN coalesce((${relationSql(version, "object")}), (${sequenceSql("object")}))
    WHEN 'routine' THEN (${routineSql(version, "object")})
    WHEN 'schema' THEN (${schemaSql("object")})
    WHEN 'type' THEN (${typeSql("object")}) END;
END $godwit$`;

/** Whether a selection takes a table that is made now. A partition goes where the table goes that it is a part of. */
const SELECTED = `
CREATE OR REPLACE FUNCTION godwit_capture.selected(selection jsonb, relation oid) RETURNS boolean LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $godwit$
DECLARE
  place record; entry jsonb; own boolean := true;
BEGIN
  FOR place IN
    WITH RECURSIVE chain (id, depth) AS (
      SELECT relation, 0
      UNION ALL SELECT i.inhparent, chain.depth + 1 FROM chain JOIN pg_class c ON c.oid = chain.id AND c.relispartition JOIN pg_inherits i ON i.inhrelid = chain.id)
    SELECT n.nspname AS schema, c.relname AS name FROM chain JOIN pg_class c ON c.oid = chain.id JOIN pg_namespace n ON n.oid = c.relnamespace ORDER BY depth
  LOOP
    IF selection IS NULL THEN RETURN true; END IF;
    SELECT e INTO entry FROM jsonb_array_elements(selection) e WHERE e ->> 'schema' = place.schema;
    IF entry -> 'exclude' ? place.name::text THEN
      IF own THEN RETURN false; END IF;
    ELSIF entry IS NOT NULL AND coalesce(entry -> 'tables' ? place.name::text, coalesce(entry -> 'kinds' ? 'table', true)) THEN
      RETURN true;
    END IF;
    own := false;
  END LOOP;
  RETURN false;
END $godwit$`;

const EMIT = `
CREATE OR REPLACE FUNCTION godwit_capture.emit(event jsonb) RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $godwit$
DECLARE
  number int8 := nextval('godwit_capture.ddl_id');
BEGIN
  INSERT INTO godwit_capture.ddl VALUES (number, event::text);
  DELETE FROM godwit_capture.ddl d WHERE d.id = number;
END $godwit$`;

/**
 * A new table joins the publications of the tasks that select it, before anyone can write to it. Whatever is published needs an identity, else
 * the application's next UPDATE fails: FULL while there is no key, and DEFAULT again once there is.
 * Returns the names of the tasks' publications that list the table.
 */
const publish = (version: number): string => `
CREATE OR REPLACE FUNCTION godwit_capture.publish(relation oid, created boolean) RETURNS jsonb LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $godwit$
DECLARE
  which text; task record; kind "char"; key boolean; usable boolean; names jsonb;
BEGIN
  SELECT format('%I.%I', n.nspname, c.relname), c.relreplident,
         EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary AND i.indimmediate),
         EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisreplident)
    INTO which, kind, key, usable
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE c.oid = relation AND c.relkind = 'r' AND c.relpersistence = 'p';
  IF which IS NULL THEN RETURN '[]'; END IF;
  IF created THEN
    FOR task IN SELECT t.publication, t.selection FROM godwit_capture.task t JOIN pg_publication p ON p.pubname = t.publication WHERE t.creates AND NOT p.puballtables LOOP
      IF godwit_capture.selected(task.selection, relation) THEN
        EXECUTE format('ALTER PUBLICATION %I ADD TABLE ONLY %s', task.publication, which);
        INSERT INTO godwit_capture.joined VALUES (task.publication, relation) ON CONFLICT DO NOTHING;
      END IF;
    END LOOP;
  END IF;
  SELECT coalesce(jsonb_agg(p.pubname), '[]') INTO names
    FROM godwit_capture.task t JOIN pg_publication p ON p.pubname = t.publication
   WHERE p.puballtables OR EXISTS (SELECT FROM pg_publication_rel r WHERE r.prpubid = p.oid AND r.prrelid = relation);
  IF names = '[]' THEN RETURN names; END IF;
  usable := kind = 'f' OR (kind = 'd' AND key) OR (kind = 'i' AND usable);
  IF NOT usable THEN
    EXECUTE format('ALTER TABLE ONLY %s REPLICA IDENTITY FULL', which);
    INSERT INTO godwit_capture.identity VALUES (relation, CASE kind WHEN 'n' THEN 'n'::"char" ELSE 'd'::"char" END) ON CONFLICT DO NOTHING;
  ELSIF kind = 'f' AND key AND EXISTS (SELECT FROM godwit_capture.identity i WHERE i.relation = publish.relation AND i.was = 'd') THEN
    EXECUTE format('ALTER TABLE ONLY %s REPLICA IDENTITY DEFAULT', which);
    DELETE FROM godwit_capture.identity i WHERE i.relation = publish.relation;
  END IF;
  RETURN names;
END $godwit$${version >= 11 ? "" : " "}`;

/** Writes the event of one object, if anything but its replica identity is another than it was. */
const capture = `
CREATE OR REPLACE FUNCTION godwit_capture.capture(kind text, object oid, facts jsonb, created boolean, always boolean) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $godwit$
DECLARE
  before jsonb; after jsonb := godwit_capture.describe(kind, object); published jsonb := '[]';
BEGIN
  IF after IS NULL OR after ->> 'schema' IN ('godwit', 'godwit_capture', 'information_schema') OR after ->> 'schema' LIKE 'pg\\_%' THEN RETURN; END IF;
  SELECT o.structure INTO before FROM godwit_capture.object o WHERE o.class = kind AND o.id = object;
  IF NOT always AND before - 'identity' = after - 'identity' THEN RETURN; END IF;
  INSERT INTO godwit_capture.object VALUES (kind, object, after) ON CONFLICT (class, id) DO UPDATE SET structure = excluded.structure;
  IF after ->> 'type' = 'table' THEN published := godwit_capture.publish(object, created); END IF;
  PERFORM godwit_capture.emit(facts || jsonb_build_object(
    'kind', CASE WHEN created THEN 'create' WHEN always THEN 'refresh' ELSE 'alter' END,
    'id', object::int8, 'before', before, 'after', after, 'published', published));
END $godwit$`;

/**
 * Rows that a command made or rewrote are in no stream: what CREATE TABLE AS wrote before the table could be published, the values a volatile
 * default or a USING clause gave. They are written again, now that the table is published: whoever follows the stream empties its table at
 * the event "empty", passes over what is deleted until "emptied", and takes what is inserted.
 */
const FILL = (version: number, replicaRole: boolean): string => `
CREATE OR REPLACE FUNCTION godwit_capture.fill(relation oid) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp${replicaRole ? " SET session_replication_role = replica" : ""} AS $godwit$
DECLARE
  which text; columns text; copy text := format('godwit_capture.copy_%s', relation);
BEGIN
  SELECT format('%I.%I', n.nspname, c.relname) INTO which FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = relation;
  SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) INTO columns
    FROM pg_attribute a WHERE a.attrelid = relation AND a.attnum > 0 AND NOT a.attisdropped${version >= 12 ? " AND a.attgenerated = ''" : ""};
  -- Not a temporary table: a transaction that made one can't be prepared for a two-phase commit.
  EXECUTE format('CREATE UNLOGGED TABLE %s AS SELECT %s FROM ONLY %s', copy, columns, which);
  BEGIN
    EXECUTE format('TRUNCATE ONLY %s', which);
  EXCEPTION WHEN OTHERS THEN
    -- A foreign key refers to it.
    EXECUTE format('DELETE FROM ONLY %s', which);
  END;
  PERFORM godwit_capture.emit(jsonb_build_object('kind', 'emptied', 'id', relation::int8));
  EXECUTE format('INSERT INTO %s (%s) OVERRIDING SYSTEM VALUE SELECT %s FROM %s', which, columns, columns, copy);
  EXECUTE format('DROP TABLE %s', copy);
END $godwit$`;
