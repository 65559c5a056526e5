/**
 * The functions that the event triggers call, and the triggers. They find out which objects a command touched; what is written of them is
 * captureSql.ts's.
 */

/** Notes which tables a command rewrites, and why (1 persistence, 2 a default, 4 a type, 8 access method), for the command's end. */
export const onRewrite = `
CREATE OR REPLACE FUNCTION godwit_capture.on_rewrite() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $godwit$
BEGIN
  PERFORM set_config('godwit_capture.rewritten', coalesce(current_setting('godwit_capture.rewritten', true), '')
    || pg_event_trigger_table_rewrite_oid() || ':' || pg_event_trigger_table_rewrite_reason() || ',', true);
EXCEPTION WHEN OTHERS THEN
  RAISE WARNING 'godwit_capture: %', sqlerrm;
END $godwit$`;

/**
 * Whether the rows of a rewritten table must be written again. A changed type need not when the values were cast in the one way there is without
 * a USING clause; the text of the query shows that, unless it calls something that we can't see into.
 */
const mustFill = (version: number): string => `
    (reason & 4 <> 0 AND (query ~* '\\musing\\M' OR query ~* '(^|;)\\s*(select|with|call|do|execute)\\M'))
    OR (reason & 2 <> 0${
      // Up to 10 every default rewrites; a constant's value is the same everywhere.
      version >= 11
        ? ""
        : ` AND EXISTS (SELECT FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
          WHERE a.attrelid = item AND a.attnum > 0 AND NOT a.attisdropped
            AND (a.attidentity <> '' OR pg_get_expr(d.adbin, d.adrelid) ~* '\\(|current_|localtime|session_user')
            AND NOT EXISTS (SELECT FROM godwit_capture.object o, jsonb_array_elements(o.structure -> 'columns') k
                             WHERE o.class = 'relation' AND o.id = item AND k ->> 'number' = a.attnum::text))`
    })`;

export const onCommand = (version: number): string => `
CREATE OR REPLACE FUNCTION godwit_capture.on_command() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET lock_timeout = '5s' AS $godwit$
DECLARE
  command record; item oid; class text; made boolean; reason int; keys text[] := '{}'; created text[] := '{}'; fill oid[] := '{}'; key text;
  query text := current_query(); rewritten text; facts jsonb; more text[];
BEGIN
  -- The triggers' own commands fire them, too.
  IF current_setting('godwit_capture.busy', true) = 'on' THEN RETURN; END IF;
  rewritten := coalesce(current_setting('godwit_capture.rewritten', true), '');
  IF rewritten <> '' THEN PERFORM set_config('godwit_capture.rewritten', '', true); END IF;
  IF NOT EXISTS (SELECT FROM godwit_capture.task) THEN RETURN; END IF;
  facts := godwit_capture.facts(tg_tag, query);
  FOR command IN SELECT c.classid, c.objid, c.command_tag FROM pg_event_trigger_ddl_commands() c
                  WHERE NOT c.in_extension AND c.objid IS NOT NULL AND c.schema_name IS DISTINCT FROM 'pg_temp' LOOP
    more := CASE command.classid
      WHEN 'pg_class'::regclass THEN godwit_capture.relations(command.objid)
      WHEN 'pg_proc'::regclass THEN ARRAY['routine/' || command.objid]
      WHEN 'pg_type'::regclass THEN ARRAY['type/' || command.objid]
      WHEN 'pg_constraint'::regclass THEN (SELECT CASE WHEN k.conrelid <> 0 THEN godwit_capture.relations(k.conrelid) ELSE ARRAY['type/' || k.contypid] END
                                             FROM pg_constraint k WHERE k.oid = command.objid)
      WHEN 'pg_namespace'::regclass THEN ARRAY['schema/' || command.objid] || (SELECT array_agg('relation/' || c.oid) FROM pg_class c
                                           WHERE c.relnamespace = command.objid AND c.relkind IN ('r', 'p', 'v', 'm', 'S') AND tg_tag = 'ALTER SCHEMA') END;
    IF command.command_tag IN ('CREATE TABLE', 'CREATE TABLE AS', 'SELECT INTO') THEN created := created || more; END IF;
    keys := keys || coalesce(more, '{}');
  END LOOP;
  -- Rows that are to be written again are announced before anything else.
  FOREACH key IN ARRAY string_to_array(rewritten, ',') LOOP
    CONTINUE WHEN key = '';
    item := split_part(key, ':', 1);
    reason := split_part(key, ':', 2);
    IF ${mustFill(version)} THEN fill := fill || item; END IF;
  END LOOP;
  IF tg_tag IN ('CREATE TABLE AS', 'SELECT INTO') THEN
    FOREACH key IN ARRAY created LOOP fill := fill || split_part(key, '/', 2)::oid; END LOOP;
  END IF;
  SELECT coalesce(array_agg(f), '{}') INTO fill FROM unnest(fill) f WHERE godwit_capture.has_rows(f);
  PERFORM set_config('godwit_capture.busy', 'on', true);
  IF cardinality(fill) > 0 THEN
    PERFORM godwit_capture.emit(jsonb_build_object('kind', 'empty', 'ids', to_jsonb(fill::int8[])));
  END IF;
  -- Types and sequences come before the tables whose columns and defaults name them.
  FOR key IN SELECT k FROM unnest(keys) WITH ORDINALITY AS u (k, place) GROUP BY k
    ORDER BY NOT (k ~ '^(schema|type)/' OR EXISTS (SELECT FROM pg_class c WHERE c.oid = split_part(k, '/', 2)::oid AND k LIKE 'relation/%' AND c.relkind = 'S')), min(place) LOOP
    class := split_part(key, '/', 1);
    item := split_part(key, '/', 2);
    made := key = ANY (created);
    BEGIN
      PERFORM godwit_capture.capture(class, item, facts, made, tg_tag = 'REFRESH MATERIALIZED VIEW');
    EXCEPTION WHEN OTHERS THEN
      PERFORM godwit_capture.failed(facts, class, item, sqlerrm);
    END;
  END LOOP;
  FOREACH item IN ARRAY fill LOOP
    BEGIN
      PERFORM godwit_capture.fill(item);
    EXCEPTION WHEN OTHERS THEN
      PERFORM godwit_capture.failed(facts, 'rows', item, sqlerrm);
    END;
  END LOOP;
  PERFORM set_config('godwit_capture.busy', '', true);
EXCEPTION WHEN OTHERS THEN
  -- Whatever is wrong with the capture, the user's command goes on.
  PERFORM set_config('godwit_capture.busy', '', true);
  RAISE WARNING 'godwit_capture: %', sqlerrm;
END $godwit$;
-- The text as the user wrote it, when it is this one command and nothing else.
CREATE OR REPLACE FUNCTION godwit_capture.facts(tag text, query text) RETURNS jsonb LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $godwit$
  SELECT jsonb_build_object('command', tag, 'statement',
    CASE WHEN position(';' IN rtrim(query, E'; \\t\\r\\n')) = 0
          AND upper(substring(query FROM '^(?:\\s|--[^\\n]*\\n|/\\*.*?\\*/)*([A-Za-z]+)')) = split_part(tag, ' ', 1) THEN btrim(query, E'; \\t\\r\\n') END)
$godwit$;
-- Whether there is anything to be written again, and anyone who follows it.
CREATE OR REPLACE FUNCTION godwit_capture.has_rows(relation oid) RETURNS boolean LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $godwit$
DECLARE
  which text; found boolean;
BEGIN
  SELECT format('%I.%I', n.nspname, c.relname) INTO which FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE c.oid = relation AND c.relkind = 'r' AND c.relpersistence = 'p'
     AND EXISTS (SELECT FROM godwit_capture.task t JOIN pg_publication p ON p.pubname = t.publication
                  WHERE EXISTS (SELECT FROM pg_publication_rel r WHERE r.prpubid = p.oid AND r.prrelid = c.oid)
                     OR (t.creates AND godwit_capture.selected(t.selection, c.oid)));
  IF which IS NULL THEN RETURN false; END IF;
  EXECUTE format('SELECT EXISTS (SELECT FROM ONLY %s)', which) INTO found;
  RETURN found;
END $godwit$;
CREATE OR REPLACE FUNCTION godwit_capture.failed(facts jsonb, class text, object oid, message text) RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $godwit$
BEGIN
  PERFORM godwit_capture.emit(facts || jsonb_build_object('kind', 'failed', 'class', class, 'id', object::int8, 'message', message,
    'name', CASE WHEN class IN ('relation', 'rows') THEN object::regclass::text END));
END $godwit$;
-- The relations that a command on this one may have changed: the table of an index, the partitions and children of a table, those it had before.
CREATE OR REPLACE FUNCTION godwit_capture.relations(object oid) RETURNS text[] LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $godwit$
DECLARE
  found record;
BEGIN
  SELECT c.relkind, c.reltype, c.relname, n.nspname INTO found FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE c.oid = object AND c.relpersistence <> 't';
  IF found.relkind IN ('i', 'I') THEN RETURN godwit_capture.relations((SELECT i.indrelid FROM pg_index i WHERE i.indexrelid = object)); END IF;
  IF found.relkind = 'c' THEN RETURN ARRAY['type/' || found.reltype]; END IF;
  IF found.relkind = 'S' THEN
    RETURN ARRAY['relation/' || object] || coalesce((SELECT array_agg('relation/' || e.refobjid) FROM pg_depend e
      WHERE e.classid = 'pg_class'::regclass AND e.objid = object AND e.refclassid = 'pg_class'::regclass AND e.deptype IN ('a', 'i')), '{}');
  END IF;
  IF found.relkind IN ('v', 'm') THEN RETURN ARRAY['relation/' || object]; END IF;
  IF found.relkind NOT IN ('r', 'p') THEN RETURN '{}'; END IF;
  RETURN ARRAY['relation/' || object] || coalesce((
    WITH RECURSIVE below (id) AS (
      SELECT i.inhrelid FROM pg_inherits i WHERE i.inhparent = object
      UNION SELECT i.inhrelid FROM below JOIN pg_inherits i ON i.inhparent = below.id)
    SELECT array_agg('relation/' || below.id) FROM below), '{}')
  || coalesce((SELECT array_agg('relation/' || o.id) FROM godwit_capture.object o
    WHERE o.class = 'relation' AND o.structure -> 'parents' @> jsonb_build_array(jsonb_build_object('schema', found.nspname, 'name', found.relname))), '{}');
END $godwit$`;

/** What was dropped, with all that CASCADE reached, dependents first; a part of a table that stays (a column, a constraint) changes the table. */
export const onDrop = `
CREATE OR REPLACE FUNCTION godwit_capture.on_drop() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET lock_timeout = '5s' AS $godwit$
DECLARE
  dropped record; facts jsonb; before jsonb; kind text; owner oid;
BEGIN
  IF current_setting('godwit_capture.busy', true) = 'on' OR NOT EXISTS (SELECT FROM godwit_capture.task) THEN RETURN; END IF;
  facts := godwit_capture.facts(tg_tag, current_query());
  PERFORM set_config('godwit_capture.busy', 'on', true);
  -- The server lists what was named first, and what CASCADE reached after it.
  FOR dropped IN SELECT d.classid, d.objid, d.objsubid, d.object_type, d.address_names
                   FROM pg_event_trigger_dropped_objects() WITH ORDINALITY d WHERE NOT d.is_temporary ORDER BY d.ordinality DESC LOOP
    BEGIN
      kind := CASE dropped.classid WHEN 'pg_class'::regclass THEN 'relation' WHEN 'pg_proc'::regclass THEN 'routine' WHEN 'pg_type'::regclass THEN 'type'
                WHEN 'pg_namespace'::regclass THEN 'schema' END;
      IF dropped.objsubid = 0 THEN
        DELETE FROM godwit_capture.object o WHERE o.class = kind AND o.id = dropped.objid RETURNING o.structure INTO before;
        IF FOUND THEN
          DELETE FROM godwit_capture.joined j WHERE j.relation = dropped.objid;
          DELETE FROM godwit_capture.identity i WHERE i.relation = dropped.objid;
          -- A sequence that a column owns goes with it on the other side as well.
          IF before ->> 'type' <> 'sequence' OR before ->> 'owner' IS NULL THEN
            PERFORM godwit_capture.emit(facts || jsonb_build_object('kind', 'drop', 'id', dropped.objid::int8, 'before', before));
          END IF;
          CONTINUE;
        END IF;
      END IF;
      owner := CASE
        WHEN dropped.object_type = 'table column' THEN dropped.objid
        WHEN dropped.object_type = 'index' THEN
          (SELECT o.id FROM godwit_capture.object o WHERE o.class = 'relation' AND o.structure -> 'indexes' @> jsonb_build_array(jsonb_build_object('id', dropped.objid::int8)) LIMIT 1)
        WHEN dropped.object_type IN ('table constraint', 'default value') THEN
          to_regclass(format('%I.%I', dropped.address_names[1], dropped.address_names[2])) END;
      IF owner IS NOT NULL THEN PERFORM godwit_capture.capture('relation', owner, facts, false, false); END IF;
    EXCEPTION WHEN OTHERS THEN
      PERFORM godwit_capture.failed(facts, 'relation', dropped.objid, sqlerrm);
    END;
  END LOOP;
  PERFORM set_config('godwit_capture.busy', '', true);
EXCEPTION WHEN OTHERS THEN
  PERFORM set_config('godwit_capture.busy', '', true);
  RAISE WARNING 'godwit_capture: %', sqlerrm;
END $godwit$`;

/** The event triggers by name. ALWAYS: they fire in sessions with session_replication_role = replica as well. */
export function eventTriggers(version: number): { readonly name: string; readonly create: string }[] {
  const call = version >= 11 ? "EXECUTE FUNCTION" : "EXECUTE PROCEDURE";
  const tags = [...COMMANDS, ...(version >= 11 ? ["CREATE PROCEDURE", "ALTER PROCEDURE", "ALTER ROUTINE"] : [])];
  const tagList = tags.map((tag) => `'${tag}'`).join(", ");
  return [
    { name: "godwit_capture_rewrite", create: `ON table_rewrite ${call} godwit_capture.on_rewrite()` },
    { name: "godwit_capture_drop", create: `ON sql_drop ${call} godwit_capture.on_drop()` },
    { name: "godwit_capture_command", create: `ON ddl_command_end WHEN TAG IN (${tagList}) ${call} godwit_capture.on_command()` },
  ].map(({ name, create }) => ({
    name,
    create: `CREATE EVENT TRIGGER ${name} ${create}; ALTER EVENT TRIGGER ${name} ENABLE ALWAYS`,
  }));
}

const COMMANDS = [
  ...["TABLE", "INDEX", "VIEW", "MATERIALIZED VIEW", "FUNCTION", "TYPE", "DOMAIN", "SEQUENCE", "SCHEMA"].flatMap((kind) => [
    `CREATE ${kind}`,
    `ALTER ${kind}`,
  ]),
  "CREATE TABLE AS",
  "SELECT INTO",
  "REFRESH MATERIALIZED VIEW",
];
