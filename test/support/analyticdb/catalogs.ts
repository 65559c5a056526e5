/**
 * What Greenplum's catalog has beside PostgreSQL's, as far as it is asked for: gp_segment_configuration and gp_distribution_policy, filled by
 * gp_standin.distribute, which the proxy calls after each CREATE TABLE; and event triggers that enforce what a segmented server enforces.
 * The columns are those of Greenplum's documents of the two catalogs ("gp_segment_configuration", "gp_distribution_policy").
 */
export const CATALOGS = `
CREATE TABLE pg_catalog.gp_segment_configuration (
  dbid smallint, content smallint, role "char", preferred_role "char", mode "char", status "char", port integer, hostname text, address text, datadir text);
INSERT INTO pg_catalog.gp_segment_configuration VALUES
  (1, -1, 'p', 'p', 'n', 'u', 5432, 'coordinator', 'coordinator', '/data/coordinator'),
  (2, 0, 'p', 'p', 's', 'u', 6000, 'segment0', 'segment0', '/data/segment0'), (3, 1, 'p', 'p', 's', 'u', 6000, 'segment1', 'segment1', '/data/segment1');
CREATE TABLE pg_catalog.gp_distribution_policy (
  localoid oid PRIMARY KEY, policytype "char", numsegments integer, distkey int2vector, distclass oidvector);
GRANT SELECT ON pg_catalog.gp_segment_configuration, pg_catalog.gp_distribution_policy TO PUBLIC;

CREATE SCHEMA gp_standin;
GRANT USAGE ON SCHEMA gp_standin TO PUBLIC;
CREATE FUNCTION gp_standin.check_keys(relation oid) RETURNS void LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE misfit text;
BEGIN
  SELECT i.indexrelid::regclass::text INTO misfit
    FROM pg_index i JOIN pg_catalog.gp_distribution_policy d ON d.localoid = i.indrelid
   WHERE i.indrelid = relation AND i.indisunique AND d.policytype = 'p'
     AND (cardinality(d.distkey::int2[]) = 0 OR NOT d.distkey::int2[] <@ i.indkey::int2[]);
  IF FOUND THEN
    RAISE EXCEPTION 'UNIQUE index % must contain all columns in the table''s distribution key', misfit USING ERRCODE = '42P16';
  END IF;
END $$;
CREATE FUNCTION gp_standin.distribute(relation text, columns text[], replicated boolean) RETURNS void LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE numbers text;
BEGIN
  IF (SELECT count(*) FROM pg_attribute a WHERE a.attrelid = relation::regclass AND a.attname = ANY (columns)) <> cardinality(columns) THEN
    RAISE EXCEPTION 'column named in DISTRIBUTED BY clause does not exist' USING ERRCODE = '42703';
  END IF;
  SELECT coalesce(string_agg(a.attnum::text, ' ' ORDER BY w.ordinality), '') INTO numbers
    FROM unnest(columns) WITH ORDINALITY w (name) JOIN pg_attribute a ON a.attname = w.name AND a.attrelid = relation::regclass;
  INSERT INTO pg_catalog.gp_distribution_policy VALUES (relation::regclass, CASE WHEN replicated THEN 'r' ELSE 'p' END, 2, numbers::int2vector, '')
  ON CONFLICT DO NOTHING;
  PERFORM gp_standin.check_keys(relation::regclass);
END $$;
CREATE FUNCTION gp_standin.redistribute(relation text, columns text[]) RETURNS void LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
  IF cardinality(columns) = 0 AND EXISTS (SELECT FROM pg_index i WHERE i.indrelid = relation::regclass AND i.indisunique) THEN
    RAISE EXCEPTION 'cannot set to DISTRIBUTED RANDOMLY because relation has primary key or unique index' USING ERRCODE = '42P16';
  END IF;
  DELETE FROM pg_catalog.gp_distribution_policy d WHERE d.localoid = relation::regclass;
  PERFORM gp_standin.distribute(relation, columns, false);
END $$;
-- Types of one hash family may be exchanged; others only while there are no rows.
CREATE FUNCTION gp_standin.retype(relation text, named text, wanted text) RETURNS void LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE filled boolean; same boolean;
BEGIN
  -- Greenplum 6 on a column of any index (of a primary key it says that the key exists already).
  IF current_setting('server_version_num')::int < 120000 AND EXISTS (SELECT FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid
      WHERE i.indrelid = relation::regclass AND a.attname = named AND a.attnum = ANY (i.indkey::int2[])) THEN
    RAISE EXCEPTION 'cannot alter indexed column' USING ERRCODE = '0A000', HINT = 'DROP the index first, and recreate it after the ALTER';
  END IF;
  EXECUTE format('SELECT EXISTS (SELECT FROM %s)', relation::regclass) INTO filled;
  SELECT bool_or(f.opcfamily = g.opcfamily) INTO same
    FROM pg_attribute a JOIN pg_opclass f ON f.opcdefault AND f.opcintype = CASE a.atttypid WHEN 1043 THEN 25 ELSE a.atttypid END JOIN pg_am m ON m.oid = f.opcmethod AND m.amname = 'hash'
    JOIN pg_opclass g ON g.opcmethod = m.oid AND g.opcdefault AND g.opcintype = CASE wanted::regtype::oid WHEN 1043 THEN 25 ELSE wanted::regtype::oid END
   WHERE a.attrelid = relation::regclass AND a.attname = named;
  IF filled AND same IS NOT TRUE AND EXISTS (SELECT FROM pg_catalog.gp_distribution_policy d JOIN pg_attribute a ON a.attrelid = d.localoid AND a.attname = named
      WHERE d.localoid = relation::regclass AND a.attnum = ANY (d.distkey::int2[])) THEN
    RAISE EXCEPTION 'cannot alter type of a column used in a distribution policy' USING ERRCODE = '0A000';
  END IF;
END $$;
CREATE FUNCTION gp_standin.after_ddl() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE relation oid; keyed record;
BEGIN
  FOR relation IN
    SELECT CASE WHEN c.classid = 'pg_class'::regclass THEN coalesce((SELECT i.indrelid FROM pg_index i WHERE i.indexrelid = c.objid), c.objid) END
      FROM pg_event_trigger_ddl_commands() c WHERE c.command_tag IN ('ALTER TABLE', 'CREATE INDEX')
  LOOP
    -- A dropped column of the distribution key leaves the rows at random.
    UPDATE pg_catalog.gp_distribution_policy d SET distkey = ''
     WHERE d.localoid = relation AND EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = relation AND a.attisdropped AND a.attnum = ANY (d.distkey::int2[]));
    PERFORM gp_standin.check_keys(relation);
  END LOOP;
  -- Foreign keys are kept and not enforced.
  FOR keyed IN SELECT DISTINCT t.tgrelid::regclass::text AS name FROM pg_trigger t WHERE t.tgisinternal AND t.tgconstraint <> 0 AND t.tgenabled <> 'D'
  LOOP
    EXECUTE 'ALTER TABLE ' || keyed.name || ' DISABLE TRIGGER ALL';
  END LOOP;
END $$;
CREATE FUNCTION gp_standin.after_drop() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
  DELETE FROM pg_catalog.gp_distribution_policy d USING pg_event_trigger_dropped_objects() o WHERE o.classid = 'pg_class'::regclass AND o.objsubid = 0 AND o.objid = d.localoid;
END $$;
CREATE EVENT TRIGGER gp_standin_ddl ON ddl_command_end WHEN TAG IN ('ALTER TABLE', 'CREATE INDEX', 'CREATE TABLE') EXECUTE PROCEDURE gp_standin.after_ddl();
CREATE EVENT TRIGGER gp_standin_drop ON sql_drop EXECUTE PROCEDURE gp_standin.after_drop()`;

/** Storage engines are access methods there, so USING beam is PostgreSQL's own clause. */
export const CATALOG_7 = (beam: boolean): string =>
  [...(beam ? ["beam"] : []), "ao_row", "ao_column"]
    .map((name) => `CREATE ACCESS METHOD ${name} TYPE TABLE HANDLER heap_tableam_handler`)
    .join("; ");

/** Types that came after PostgreSQL 9.4 go by names that nobody asks for. */
export const CATALOG_6 =
  "UPDATE pg_catalog.pg_type SET typname = 'later ' || typname WHERE typname IN ('macaddr8', '_macaddr8', 'regrole', 'regnamespace')";
