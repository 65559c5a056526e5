/**
 * Oracle functions whose behaviour no expression of PostgreSQL gives in one line. They are created in the schema godwit_oracle, each
 * only where a converted object calls it; being immutable, they serve in indexes and checks, too.
 */
export type SupportFunction = keyof typeof DEFINITIONS;

/** Statements that create these functions, with the schema they live in. */
export function writeSupport(used: ReadonlySet<SupportFunction>): string[] {
  if (used.size === 0) return [];
  return ["CREATE SCHEMA IF NOT EXISTS godwit_oracle", ...[...used].sort().flatMap((name) => DEFINITIONS[name])];
}

const DEFINITIONS = {
  /** The last day of a month stays the last day. */
  add_months: [
    `CREATE OR REPLACE FUNCTION godwit_oracle.add_months(day timestamp, months numeric) RETURNS timestamp(0)
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE
    WHEN extract(month FROM day + interval '1 day') <> extract(month FROM day)
    THEN date_trunc('month', day + trunc(months) * interval '1 month') + interval '1 month - 1 day' + (day - date_trunc('day', day))
    ELSE day + trunc(months) * interval '1 month'
  END
$$`,
  ],
  last_day: [
    `CREATE OR REPLACE FUNCTION godwit_oracle.last_day(day timestamp) RETURNS timestamp(0)
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT date_trunc('month', day) + interval '1 month - 1 day' + (day - date_trunc('day', day))
$$`,
  ],
  /** Whole months where both are the same day or both the last day of a month, else with days as 31sts. */
  months_between: [
    `CREATE OR REPLACE FUNCTION godwit_oracle.months_between(a timestamp, b timestamp) RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT (extract(year FROM a) - extract(year FROM b)) * 12 + extract(month FROM a) - extract(month FROM b) + CASE
    WHEN extract(day FROM a) = extract(day FROM b)
      OR (extract(day FROM a + interval '1 day') = 1 AND extract(day FROM b + interval '1 day') = 1) THEN 0
    ELSE (extract(day FROM a) - extract(day FROM b)
      + (extract(epoch FROM a - date_trunc('day', a)) - extract(epoch FROM b - date_trunc('day', b))) / 86400) / 31
  END
$$`,
  ],
  /** Day names in English, whole or by their first three letters. */
  next_day: [
    `CREATE OR REPLACE FUNCTION godwit_oracle.next_day(day timestamp, weekday text) RETURNS timestamp(0)
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT day + ((array_position(ARRAY['MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT', 'SUN'], upper(left(weekday, 3)))
    - extract(isodow FROM day)::integer + 6) % 7 + 1) * interval '1 day'
$$`,
  ],
  /** A negative position searches backwards from the end. */
  instr: [
    `CREATE OR REPLACE FUNCTION godwit_oracle.instr(source text, wanted text, start numeric DEFAULT 1, occurrence numeric DEFAULT 1)
RETURNS integer LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
  step integer := CASE WHEN start < 0 THEN -1 ELSE 1 END;
  at integer := CASE WHEN start < 0 THEN length(source) + start + 1 ELSE start END;
  seen integer := 0;
BEGIN
  IF source IS NULL OR wanted IS NULL OR wanted = '' OR start IS NULL OR occurrence IS NULL THEN RETURN NULL; END IF;
  IF start = 0 THEN RETURN 0; END IF;
  WHILE at BETWEEN 1 AND length(source) LOOP
    IF substr(source, at, length(wanted)) = wanted THEN
      seen := seen + 1;
      IF seen = occurrence THEN RETURN at; END IF;
    END IF;
    at := at + step;
  END LOOP;
  RETURN 0;
END
$$`,
  ],
  /** Position 0 is the first character, a negative one counts from the end; nothing is NULL. */
  substr: [
    `CREATE OR REPLACE FUNCTION godwit_oracle.substr(source text, start numeric, amount numeric DEFAULT NULL)
RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT nullif(CASE
    WHEN amount < 1 OR -start > length(source) THEN NULL
    ELSE left(substr(source, CASE WHEN start < 0 THEN length(source) + trunc(start)::integer + 1 WHEN start = 0 THEN 1
      ELSE trunc(start)::integer END), coalesce(trunc(amount)::integer, length(source)))
  END, '')
$$`,
  ],
  /** For arguments whose type the conversion could not see: the server picks by it. */
  trunc: [
    `CREATE OR REPLACE FUNCTION godwit_oracle.trunc(value numeric, digits numeric DEFAULT 0) RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT pg_catalog.trunc(value, digits::integer) $$`,
    `CREATE OR REPLACE FUNCTION godwit_oracle.trunc(value timestamp, unit text DEFAULT 'DD') RETURNS timestamp(0)
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE upper(unit)
    WHEN 'D' THEN date_trunc('week', value + interval '1 day') - interval '1 day'
    WHEN 'DAY' THEN date_trunc('week', value + interval '1 day') - interval '1 day'
    WHEN 'DY' THEN date_trunc('week', value + interval '1 day') - interval '1 day'
    WHEN 'WW' THEN date_trunc('day', value) - ((extract(doy FROM value)::integer - 1) % 7) * interval '1 day'
    WHEN 'W' THEN date_trunc('day', value) - ((extract(day FROM value)::integer - 1) % 7) * interval '1 day'
    ELSE date_trunc(CASE
      WHEN upper(unit) IN ('YEAR', 'SYEAR', 'YYYY', 'SYYYY', 'YYY', 'YY', 'Y') THEN 'year'
      WHEN upper(unit) = 'Q' THEN 'quarter'
      WHEN upper(unit) IN ('MONTH', 'MON', 'MM', 'RM') THEN 'month'
      WHEN upper(unit) IN ('IW', 'IYYY') THEN 'week'
      WHEN upper(unit) IN ('HH', 'HH12', 'HH24') THEN 'hour'
      WHEN upper(unit) = 'MI' THEN 'minute'
      WHEN upper(unit) = 'CC' THEN 'century'
      ELSE 'day' END, value)
  END
$$`,
  ],
  /** In an index the text of a moment must not depend on the session: it does not, but to_char() is not marked so. */
  to_char: [
    `CREATE OR REPLACE FUNCTION godwit_oracle.to_char(value timestamp, format text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT pg_catalog.to_char(value, format) $$`,
    `CREATE OR REPLACE FUNCTION godwit_oracle.to_char(value numeric, format text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT pg_catalog.to_char(value, format) $$`,
  ],
  /** 5.00 is 5 and 0.5 is .5 in Oracle's text of a number. */
  number_text: [
    `CREATE OR REPLACE FUNCTION godwit_oracle.number_text(value numeric) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$ SELECT regexp_replace(trim_scale(value)::text, '^(-?)0\\.', '\\1.') $$`,
  ],
  round: [
    `CREATE OR REPLACE FUNCTION godwit_oracle.round(value numeric, digits numeric DEFAULT 0) RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT pg_catalog.round(value, digits::integer) $$`,
    `CREATE OR REPLACE FUNCTION godwit_oracle.round(value timestamp, unit text DEFAULT 'DD') RETURNS timestamp(0)
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE
    WHEN upper(unit) IN ('YEAR', 'SYEAR', 'YYYY', 'SYYYY', 'YYY', 'YY', 'Y') THEN date_trunc('year', value + interval '6 months')
    WHEN upper(unit) IN ('MONTH', 'MON', 'MM', 'RM') THEN date_trunc('month', date_trunc('day', value) + interval '1 month'
      - CASE WHEN extract(day FROM value) >= 16 THEN interval '0' ELSE interval '1 month' END)
    WHEN upper(unit) IN ('HH', 'HH12', 'HH24') THEN date_trunc('hour', value + interval '30 minutes')
    WHEN upper(unit) = 'MI' THEN date_trunc('minute', value + interval '30 seconds')
    ELSE date_trunc('day', value + interval '12 hours')
  END
$$`,
  ],
  bitand: [
    `CREATE OR REPLACE FUNCTION godwit_oracle.bitand(a numeric, b numeric) RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT (a::bigint & b::bigint)::numeric $$`,
  ],
  /** A moment whose year has two digits: of the hundred years from \`first\` on. A year that has four, or where YYYY read more than two, stays. */
  to_moment: [
    `CREATE OR REPLACE FUNCTION godwit_oracle.to_moment(value text, format text, first integer DEFAULT NULL) RETURNS timestamp
LANGUAGE sql STABLE PARALLEL SAFE SET timezone TO 'UTC' AS $$
  SELECT CASE
    WHEN first IS NULL OR CASE WHEN format ILIKE '%yyyy%' THEN y >= 100 ELSE value ~ '(^|\\D)\\d{4}(\\D|$)' END THEN m
    ELSE m + make_interval(years => first + mod(mod(y - first, 100) + 100, 100) - y)
  END
  FROM (SELECT to_timestamp(value, format)::timestamp AS m) AS t, LATERAL (SELECT extract(year FROM m)::integer AS y) AS u
$$`,
  ],
  /** Letters of one sound that stand together, or with only H and W between them, count once. */
  soundex: [
    `CREATE OR REPLACE FUNCTION godwit_oracle.soundex(source text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE WHEN letters <> '' THEN rpad(left(letters, 1) || translate(substr(regexp_replace(translate(
    left(letters, 1) || translate(substr(letters, 2), 'HW', ''),
    'AEIOUYBFPVCGJKQSXZDTLMNRHW', '000000111122222222334556--'), '(.)\\1+', '\\1', 'g'), 2), '0-', ''), 4, '0') END
  FROM (SELECT regexp_replace(upper(source), '[^A-Z]', '', 'g') AS letters) AS l
$$`,
  ],
  /** The different values among these, without NULL, in their order. */
  distinct_values: [
    `CREATE OR REPLACE FUNCTION godwit_oracle.distinct_values(items anyarray) RETURNS anyarray LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT array_agg(DISTINCT item) FROM unnest(items) AS item WHERE item IS NOT NULL
$$`,
  ],
  /** An entry of a table indexed by a string. */
  entry: [
    `CREATE OR REPLACE FUNCTION godwit_oracle.entry(entries jsonb, key text) RETURNS jsonb LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
  IF NOT coalesce(entries ? key, false) THEN RAISE no_data_found USING MESSAGE = 'ORA-01403: no data found'; END IF;
  RETURN entries -> key;
END
$$`,
  ],
  /** An element of a table indexed by a number, in which NULL is what it has not. */
  element: [
    `CREATE OR REPLACE FUNCTION godwit_oracle.element(items anyarray, at integer) RETURNS anyelement
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
  IF items[at] IS NOT DISTINCT FROM NULL THEN RAISE no_data_found USING MESSAGE = 'ORA-01403: no data found'; END IF;
  RETURN items[at];
END
$$`,
  ],
  /** Without the elements from one index to another; the others keep theirs, and the first and last are elements that are there. */
  without: [
    `CREATE OR REPLACE FUNCTION godwit_oracle.without(items anyarray, low numeric, high numeric) RETURNS anyarray
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
  kept items%TYPE := '{}';
BEGIN
  FOR k IN coalesce(array_lower(items, 1), 1) .. coalesce(array_upper(items, 1), 0) LOOP
    IF k NOT BETWEEN low AND high AND items[k] IS DISTINCT FROM NULL THEN kept[k] := items[k]; END IF;
  END LOOP;
  RETURN kept;
END
$$`,
  ],
  /** The text of an error with Oracle's number in front, for the errors that have a counterpart. */
  sqlerrm: [
    `CREATE OR REPLACE FUNCTION godwit_oracle.sqlerrm(state text, message text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE
    WHEN message LIKE 'ORA-%' THEN message
    WHEN state = 'P0002' THEN 'ORA-01403: no data found'
    WHEN state = 'P0003' THEN 'ORA-01422: exact fetch returns more than requested number of rows'
    WHEN state = '22012' THEN 'ORA-01476: divisor is equal to zero'
    ELSE coalesce((SELECT format('ORA-%s: ', code) FROM (VALUES ('23505', '00001'), ('22P02', '01722'), ('22000', '06502'),
      ('23503', '02291'), ('23514', '02290'), ('23502', '01400'), ('22001', '12899'), ('22003', '01438'), ('22008', '01843'),
      ('42P01', '00942'), ('42703', '00904'), ('40P01', '00060'), ('55P03', '00054')) AS known(own, code) WHERE own = state), '') || message
  END
$$`,
  ],
  /** Whether a conversion would raise no error, which only trying it tells. */
  is_convertible: [
    `CREATE OR REPLACE FUNCTION godwit_oracle.is_convertible(value text, type_name text, format text DEFAULT NULL) RETURNS boolean
LANGUAGE plpgsql STABLE AS $$
BEGIN
  IF value IS NULL THEN RETURN true; END IF;
  IF format IS NULL THEN RETURN pg_input_is_valid(value, type_name); END IF;
  IF type_name LIKE 'timestamp%' THEN PERFORM to_timestamp(value, format); ELSE PERFORM to_number(value, format); END IF;
  RETURN true;
EXCEPTION WHEN data_exception THEN
  RETURN false;
END
$$`,
  ],
  /** A value of any type: its text, and what Oracle calls its type. */
  anydata: [
    `DO $$ BEGIN
  IF to_regtype('godwit_oracle.anydata') IS NULL THEN CREATE TYPE godwit_oracle.anydata AS (type_name text, value text); END IF;
END $$`,
  ],
  /** :name to $1, $2 ... by their order, as Oracle binds them; texts and names in quotes are left alone. */
  placeholders: [
    `CREATE OR REPLACE FUNCTION godwit_oracle.placeholders(command text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT string_agg(CASE WHEN is_bind THEN '$' || nth ELSE piece END, '' ORDER BY place)
  FROM (
    SELECT piece, place, is_bind, count(*) FILTER (WHERE is_bind) OVER (ORDER BY place) AS nth
    FROM regexp_matches(command, '(''[^'']*''|"[^"]*"|::|:[A-Za-z0-9_]+|[^''":]+|.)', 'g') WITH ORDINALITY AS m(found, place),
      LATERAL (SELECT found[1] AS piece, found[1] ~ '^:[A-Za-z0-9_]' AS is_bind) AS p
  ) AS pieces
$$`,
  ],
  sdo_geometry: [
    `DO $$ BEGIN
  IF to_regtype('godwit_oracle.sdo_geometry') IS NULL THEN
    CREATE TYPE godwit_oracle.sdo_point_type AS (x numeric, y numeric, z numeric);
    CREATE TYPE godwit_oracle.sdo_geometry AS (sdo_gtype numeric, sdo_srid numeric, sdo_point godwit_oracle.sdo_point_type,
      sdo_elem_info numeric[], sdo_ordinates numeric[]);
  END IF;
END $$`,
  ],
  anydata_value: [
    `CREATE OR REPLACE FUNCTION godwit_oracle.anydata_value(data godwit_oracle.anydata, type_name text) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
  IF data.type_name <> anydata_value.type_name THEN
    RAISE EXCEPTION USING ERRCODE = '42804', MESSAGE = format('the value is a %s, not a %s', data.type_name, anydata_value.type_name);
  END IF;
  RETURN data.value;
END
$$`,
  ],
  random_string: [
    `CREATE OR REPLACE FUNCTION godwit_oracle.random_string(kind text, amount numeric) RETURNS text
LANGUAGE sql VOLATILE AS $$
  SELECT string_agg(substr(letters, 1 + floor(random() * length(letters))::integer, 1), '')
  FROM generate_series(1, amount::integer), (SELECT CASE lower(kind)
    WHEN 'u' THEN 'ABCDEFGHIJKLMNOPQRSTUVWXYZ' WHEN 'l' THEN 'abcdefghijklmnopqrstuvwxyz'
    WHEN 'x' THEN 'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789' WHEN 'a' THEN 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
    ELSE '!#$%&()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz' END AS letters) AS l
$$`,
  ],
} as const;
