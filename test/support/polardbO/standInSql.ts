import type { PostgresMajor } from "../postgresBinaries.js";

/**
 * A small stand-in for what PolarDB for PostgreSQL (Compatible with Oracle) has and PostgreSQL lacks. What it fakes, and all that it fakes:
 *
 * - `version()` and rows of `pg_settings` that tell the product and its release;
 * - the types number, varchar2, nvarchar2, clob, blob and raw, as base types of pg_catalog with PostgreSQL's own functions behind them;
 * - `dual`, `sysdate()`, `nvl()` in schema sys;
 * - packages and types with bodies: their texts are kept for ALL_SOURCE, the statements come through frontendProxy.ts; nothing runs them. An object
 *   type's fields become a composite type;
 * - synonyms: rows of pg_synonym; nothing resolves them;
 * - 1.0 only: DATE in CREATE TABLE becomes timestamp(0), by an event trigger, unless polar_comp_redwood_date is off;
 * - the words that its grammar reserves, as pg_get_keywords() shows them; its parser is PostgreSQL's.
 *
 * - on demand (EMPTY_IS_NULL): '' in columns of character types becomes NULL, by triggers that every new table gets, temporary ones too; literals and
 *   parameters in expressions stay '';
 * - on demand (LONG_DATES): pg_catalog.date holds a time of day in 8 bytes: it is timestamp's functions under date's name and number. Its
 *   operators and casts are not: such columns can be stored and shown, no more.
 *
 * It has no NLS formats, no row ids, no SPL, no proxy or shared storage. Nothing here was compared with
 * the real product.
 */
export function standInSql(release: "1.0" | "2.0", major: PostgresMajor): string[] {
  return [
    SCHEMA,
    ...SETTINGS,
    ...TYPES,
    OBJECTS,
    keywords(major),
    version(release),
    ...(release === "1.0" ? [REDWOOD_DATE] : []),
  ];
}

/** Settings of each release that Godwit asks for: value and context. */
export const RELEASE_SETTINGS: Readonly<Record<"1.0" | "2.0", Readonly<Record<string, readonly [string, string]>>>> = {
  "1.0": {
    polar_version: ["1.1.30", "internal"],
    polar_comp_redwood_date: ["on", "user"],
    polar_comp_redwood_strings: ["on", "user"],
    polar_empty_string_is_null_enable: ["on", "user"],
    polar_failover_slot_mode: ["async", "sighup"],
  },
  "2.0": {
    polar_version: ["2.0.14.20.41.0", "internal"],
    polar_compatibility_mode: ["ora", "internal"],
    polar_enable_empty_string_is_null: ["on", "user"],
  },
};

export function setSetting(name: string, value: string, context: string): string {
  return `DELETE FROM sys.setting WHERE name = '${name}'; INSERT INTO sys.setting VALUES ('${name}', '${value}', '${context}')`;
}

const SCHEMA = "CREATE SCHEMA sys; GRANT USAGE ON SCHEMA sys TO PUBLIC";

const SETTINGS = [
  "CREATE TABLE sys.setting (name text PRIMARY KEY, setting text, context text); GRANT SELECT ON sys.setting TO PUBLIC",
  `CREATE OR REPLACE VIEW pg_catalog.pg_settings AS
   SELECT * FROM pg_catalog.pg_show_all_settings()
   UNION ALL
   SELECT name, setting, NULL, 'PolarDB', '', NULL, context, 'string', 'default', NULL, NULL, NULL::text[], setting, setting, NULL, NULL, false
   FROM sys.setting`,
];

/** Each as a type of its own, binary-coercible to the one whose functions it borrows. */
const TYPES = (
  [
    ["varchar2", "varchar", "varcharin", "varcharout", "varcharrecv", "varcharsend", "varchartypmod"],
    ["nvarchar2", "varchar", "varcharin", "varcharout", "varcharrecv", "varcharsend", "varchartypmod"],
    ["number", "numeric", "numeric_in", "numeric_out", "numeric_recv", "numeric_send", "numerictypmod"],
    ["clob", "text", "textin", "textout", "textrecv", "textsend", ""],
    ["blob", "bytea", "byteain", "byteaout", "bytearecv", "byteasend", ""],
    ["raw", "bytea", "byteain", "byteaout", "bytearecv", "byteasend", ""],
  ] as const
).map(([name, like, input, output, receive, send, modifier]) => {
  const arguments_ = modifier === "" ? "" : ", oid, integer";
  const routine = (suffix: string, args: string, result: string, internal: string): string =>
    `CREATE FUNCTION sys.${name}_${suffix}(${args}) RETURNS ${result} AS '${internal}' LANGUAGE internal IMMUTABLE STRICT`;
  return [
    `CREATE TYPE pg_catalog.${name}`,
    routine("in", `cstring${arguments_}`, `pg_catalog.${name}`, input),
    routine("out", `pg_catalog.${name}`, "cstring", output),
    routine("recv", `internal${arguments_}`, `pg_catalog.${name}`, receive),
    routine("send", `pg_catalog.${name}`, "bytea", send),
    `CREATE TYPE pg_catalog.${name} (INPUT = sys.${name}_in, OUTPUT = sys.${name}_out, RECEIVE = sys.${name}_recv, SEND = sys.${name}_send,
       LIKE = ${like}${modifier === "" ? "" : `, TYPMOD_IN = ${modifier}in, TYPMOD_OUT = ${modifier}out`}${like === "varchar" || like === "text" ? ", COLLATABLE = true" : ""})`,
    `CREATE CAST (pg_catalog.${name} AS ${like}) WITHOUT FUNCTION AS IMPLICIT`,
    ...lengthCast(name, modifier),
    ...(like === "varchar" ? [`CREATE CAST (pg_catalog.${name} AS text) WITHOUT FUNCTION AS IMPLICIT`] : []),
    `CREATE CAST (${like} AS pg_catalog.${name}) WITHOUT FUNCTION AS ASSIGNMENT`,
  ].join(";\n");
});

/** A value is cut or rounded to a column's length by a cast of the type to itself. */
function lengthCast(name: string, modifier: string): string[] {
  if (modifier === "") return [];
  const [args, internal] = modifier === "numerictypmod" ? ["integer", "numeric"] : ["integer, boolean", "varchar"];
  return [
    `CREATE FUNCTION sys.${name}_length(pg_catalog.${name}, ${args}) RETURNS pg_catalog.${name} AS '${internal}' LANGUAGE internal IMMUTABLE STRICT`,
    `CREATE CAST (pg_catalog.${name} AS pg_catalog.${name}) WITH FUNCTION sys.${name}_length(pg_catalog.${name}, ${args}) AS IMPLICIT`,
  ];
}

const OBJECTS = `
CREATE TABLE sys.dual (dummy pg_catalog.varchar2(1)); INSERT INTO sys.dual VALUES ('X'); GRANT SELECT ON sys.dual TO PUBLIC;
CREATE FUNCTION sys.sysdate() RETURNS timestamp(0) LANGUAGE sql STABLE AS 'SELECT pg_catalog.now()::timestamp(0)';
CREATE FUNCTION sys.nvl(anyelement, anyelement) RETURNS anyelement LANGUAGE sql IMMUTABLE AS 'SELECT coalesce($1, $2)';
CREATE TABLE sys.source_text (schema_name text, name text, type text, text text, PRIMARY KEY (schema_name, name, type));
CREATE VIEW sys.all_source AS
  SELECT 'POSTGRES'::text AS owner, schema_name, name, type, l.line::integer AS line, l.text
  FROM sys.source_text t, LATERAL pg_catalog.regexp_split_to_table(t.text, E'\\n') WITH ORDINALITY AS l (text, line);
GRANT SELECT ON sys.all_source TO PUBLIC;
CREATE TABLE pg_catalog.pg_synonym (
  synname name, synnamespace oid, synowner oid, synobjschema name, synobjname name, synlink text, UNIQUE (synnamespace, synname));
GRANT SELECT ON pg_catalog.pg_synonym TO PUBLIC;
CREATE FUNCTION sys.create_source(kind text, schema_name text, name text, source text) RETURNS void LANGUAGE plpgsql AS $do$
DECLARE fields text := pg_catalog.substring(source, '(?is)^.*?\\sobject\\s*\\((.*)\\)\\s*;?\\s*$');
BEGIN
  IF NOT EXISTS (SELECT FROM pg_catalog.pg_namespace n WHERE n.nspname = schema_name) THEN
    RAISE EXCEPTION 'schema "%" does not exist', schema_name USING ERRCODE = '3F000';
  END IF;
  IF kind LIKE '% BODY' AND NOT EXISTS (SELECT FROM sys.source_text s
      WHERE s.schema_name = create_source.schema_name AND s.name = create_source.name AND s.type || ' BODY' = kind) THEN
    RAISE EXCEPTION '% "%" has no specification', kind, name;
  END IF;
  IF kind = 'TYPE' AND fields IS NOT NULL THEN
    EXECUTE pg_catalog.format('CREATE TYPE %I.%I AS (%s)', schema_name, name,
      pg_catalog.regexp_replace(fields, '(?is),\\s*member\\s.*$', ''));
  END IF;
  INSERT INTO sys.source_text VALUES (schema_name, name, kind, source)
  ON CONFLICT ON CONSTRAINT source_text_pkey DO UPDATE SET text = EXCLUDED.text;
END $do$;
CREATE FUNCTION sys.create_synonym(schema_name text, name text, of_schema text, of_name text) RETURNS void LANGUAGE sql AS $do$
  INSERT INTO pg_catalog.pg_synonym VALUES (name, (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = schema_name), 10, of_schema, of_name, NULL)
  ON CONFLICT (synnamespace, synname) DO UPDATE SET synobjschema = EXCLUDED.synobjschema, synobjname = EXCLUDED.synobjname
$do$`;

/** As triggers that fire in every session: the product does it where a value is read in. */
export const EMPTY_IS_NULL = `
CREATE FUNCTION sys.empty_is_null() RETURNS trigger LANGUAGE plpgsql AS $do$
DECLARE
  named text;
BEGIN
  FOREACH named IN ARRAY TG_ARGV LOOP
    IF pg_catalog.to_jsonb(NEW) ->> named = '' THEN
      NEW := pg_catalog.jsonb_populate_record(NEW, pg_catalog.jsonb_build_object(named, NULL));
    END IF;
  END LOOP;
  RETURN NEW;
END $do$;
CREATE FUNCTION sys.watch_empty() RETURNS event_trigger LANGUAGE plpgsql AS $do$
DECLARE
  made record; names text;
BEGIN
  FOR made IN SELECT d.objid FROM pg_catalog.pg_event_trigger_ddl_commands() d JOIN pg_catalog.pg_class c ON c.oid = d.objid AND c.relkind = 'r'
               JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE d.classid = 'pg_catalog.pg_class'::regclass AND n.nspname NOT IN ('godwit', 'sys') LOOP
    SELECT pg_catalog.string_agg(pg_catalog.quote_literal(a.attname), ', ') INTO names FROM pg_catalog.pg_attribute a
     WHERE a.attrelid = made.objid AND a.attnum > 0 AND NOT a.attisdropped AND a.atttypid IN ('text'::regtype, 'varchar'::regtype);
    CONTINUE WHEN names IS NULL;
    EXECUTE pg_catalog.format('CREATE TRIGGER stand_in_empty BEFORE INSERT OR UPDATE ON %s FOR EACH ROW EXECUTE PROCEDURE sys.empty_is_null(%s)', made.objid::regclass, names);
    EXECUTE pg_catalog.format('ALTER TABLE %s ENABLE ALWAYS TRIGGER stand_in_empty', made.objid::regclass);
  END LOOP;
END $do$;
CREATE EVENT TRIGGER stand_in_empty ON ddl_command_end WHEN TAG IN ('CREATE TABLE', 'CREATE TABLE AS') EXECUTE PROCEDURE sys.watch_empty();
ALTER EVENT TRIGGER stand_in_empty ENABLE ALWAYS`;

export const LONG_DATES = `UPDATE pg_catalog.pg_type SET typlen = 8, typalign = 'd', typinput = 'timestamp_in', typoutput = 'timestamp_out',
  typreceive = 'timestamp_recv', typsend = 'timestamp_send' WHERE oid = 'pg_catalog.date'::regtype`;

/** Some of those that "Keywords" lists and PostgreSQL does not reserve. */
const RESERVED = ["connect_by_root", "level", "loop", "minus", "polar_sys_rowid_attr", "prior", "rownum"];

function keywords(major: PostgresMajor): string {
  const more = major >= 14 ? ", OUT barelabel boolean, OUT catdesc text, OUT baredesc text" : ", OUT catdesc text";
  const rest = major >= 14 ? ", false, 'reserved', ''" : ", 'reserved'";
  const signature = `(OUT word text, OUT catcode "char"${more})`;
  return `
CREATE FUNCTION sys.postgres_keywords${signature} RETURNS SETOF record LANGUAGE internal STABLE STRICT AS 'pg_get_keywords';
CREATE OR REPLACE FUNCTION pg_catalog.pg_get_keywords${signature} RETURNS SETOF record LANGUAGE sql STABLE AS $do$
  SELECT * FROM sys.postgres_keywords() k WHERE k.word NOT IN (${RESERVED.map((word) => `'${word}'`).join(", ")})
  UNION ALL SELECT w, 'R'::"char"${rest} FROM pg_catalog.unnest(ARRAY[${RESERVED.map((word) => `'${word}'`).join(", ")}]) w $do$`;
}

function version(release: "1.0" | "2.0"): string {
  const banner =
    release === "1.0"
      ? "PostgreSQL 11.9 (POLARDB Database Compatible with Oracle 11.9.30)"
      : "PostgreSQL 14.20 (PolarDB 14.20.41.0)";
  return `CREATE OR REPLACE FUNCTION pg_catalog.version() RETURNS text LANGUAGE sql STABLE AS $do$ SELECT '${banner} on a stand-in'::text $do$`;
}

/** polar.comp_redwood_date: PostgreSQL takes settings it does not know only with a dot in them; the proxy writes it in. */
const REDWOOD_DATE = `
CREATE FUNCTION sys.redwood_date() RETURNS event_trigger LANGUAGE plpgsql AS $do$
DECLARE made record;
BEGIN
  IF coalesce(pg_catalog.current_setting('polar.comp_redwood_date', true), '') = 'off' THEN RETURN; END IF;
  FOR made IN SELECT a.attrelid::regclass AS relation, a.attname
    FROM pg_catalog.pg_event_trigger_ddl_commands() d
    JOIN pg_catalog.pg_attribute a ON a.attrelid = d.objid AND d.classid = 'pg_catalog.pg_class'::regclass
    JOIN pg_catalog.pg_class c ON c.oid = a.attrelid AND c.relkind = 'r'
    WHERE a.atttypid = 'pg_catalog.date'::regtype AND a.attnum > 0
  LOOP
    EXECUTE pg_catalog.format('ALTER TABLE %s ALTER COLUMN %I TYPE timestamp(0)', made.relation, made.attname);
  END LOOP;
END $do$;
CREATE EVENT TRIGGER stand_in_redwood_date ON ddl_command_end WHEN TAG IN ('CREATE TABLE') EXECUTE PROCEDURE sys.redwood_date()`;
