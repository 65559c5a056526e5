/**
 * A database with every kind of object and the names that break careless quoting, as SQL for servers of `version` and later.
 * Statements run one by one on a connection with an empty search_path.
 */
export function fixture(version: number): string[] {
  return [
    ...BASE,
    ...(version >= 11 ? FROM_11 : []),
    ...(version >= 12 ? FROM_12 : []),
    ...(version >= 14 ? FROM_14 : []),
    ...(version >= 15 ? FROM_15 : []),
    ...(version >= 18 ? FROM_18 : []),
  ];
}

export const LONG_NAME = "n".repeat(63);
export const AWKWARD_NAMES = [
  'Say "hi"',
  "Grüße an 世界",
  "select",
  "with space",
  "dot.ted",
  "$dollar$",
  "back\\slash",
  "quo'te",
  LONG_NAME,
];

const quote = (name: string): string => `"${name.replaceAll('"', '""')}"`;

const AWKWARD = AWKWARD_NAMES.flatMap((name, index) => [
  `CREATE TABLE "Odd Schema".${quote(name)} (${quote(name)} int PRIMARY KEY, "user" text DEFAULT 'it''s \\ "x"', CONSTRAINT ${quote(`c ${index}"'`)} CHECK ("user" <> ${index}::text))`,
  `CREATE INDEX ON "Odd Schema".${quote(name)} (lower("user")) WHERE ${quote(name)} > 0`,
  `COMMENT ON COLUMN "Odd Schema".${quote(name)}.${quote(name)} IS E'of \\'${index}\\' \\\\ and "more"'`,
]);

const BASE: readonly string[] = [
  "CREATE SCHEMA app",
  'CREATE SCHEMA "Odd Schema"',
  "CREATE SCHEMA empty_one",
  "COMMENT ON SCHEMA app IS 'the application''s own'",
  ...AWKWARD,
  // Types.
  "CREATE TYPE app.mood AS ENUM ('sad', 'o''k', 'Happy Day')",
  "ALTER TYPE app.mood ADD VALUE 'meh' BEFORE 'Happy Day'",
  "COMMENT ON TYPE app.mood IS 'how it goes'",
  "CREATE DOMAIN app.posint AS integer DEFAULT 1 NOT NULL CHECK (VALUE > 0)",
  "CREATE DOMAIN app.moody AS app.mood CONSTRAINT fine CHECK (VALUE <> 'sad')",
  "COMMENT ON CONSTRAINT fine ON DOMAIN app.moody IS 'no sadness'",
  "CREATE FUNCTION app.is_code(text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$ SELECT $1 ~ '^[A-Z]+$' $$",
  "CREATE DOMAIN app.code AS text CONSTRAINT letters CHECK (app.is_code(VALUE))",
  "CREATE FUNCTION app.code_length(app.code) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT length($1)'",
  'CREATE TYPE app.point3 AS (x double precision, "Y y" numeric(10,2), m app.mood, tags text[])',
  `COMMENT ON COLUMN app.point3."Y y" IS 'the odd one'`,
  "CREATE TYPE app.line3 AS (a app.point3, b app.point3[])",
  "CREATE FUNCTION app.float_gap(double precision, double precision) RETURNS double precision LANGUAGE sql IMMUTABLE AS 'SELECT $1 - $2'",
  "CREATE TYPE app.floats AS RANGE (SUBTYPE = double precision, SUBTYPE_DIFF = app.float_gap)",
  `CREATE COLLATION app."German" FROM "C"`,
  // Sequences.
  "CREATE SEQUENCE app.down AS smallint INCREMENT BY -3 MINVALUE -300 MAXVALUE 30 START WITH 15 CACHE 7 CYCLE",
  "CREATE SEQUENCE app.shared",
  "COMMENT ON SEQUENCE app.shared IS 'for all'",
  // Functions.
  "CREATE FUNCTION app.next_code() RETURNS text LANGUAGE plpgsql AS $$ BEGIN RETURN upper('a' || nextval('app.shared')); END $$",
  "CREATE FUNCTION app.triple(a integer, b integer DEFAULT 3, OUT c bigint, VARIADIC d integer[] DEFAULT '{}') LANGUAGE sql STABLE STRICT COST 7 AS 'SELECT (a*b)::bigint'",
  "COMMENT ON FUNCTION app.triple(integer, integer, integer[]) IS 'times'",
  // Tables.
  `CREATE TABLE app.customer (
     id serial PRIMARY KEY, code app.code UNIQUE DEFERRABLE INITIALLY DEFERRED, mood app.mood DEFAULT 'o''k', gone text,
     name varchar(40) COLLATE "C" NOT NULL, "Mixed Case" numeric(12,3) DEFAULT 0.5, at timestamptz(3) DEFAULT now(),
     seen interval day to second(3), bits bit varying(9), home app.point3, span app.floats, tags text[][] DEFAULT '{}', rank app.posint,
     token text DEFAULT app.next_code(), CONSTRAINT positive CHECK ("Mixed Case" >= 0) NO INHERIT) WITH (fillfactor = 70, autovacuum_enabled = false, toast.autovacuum_enabled = off)`,
  "ALTER TABLE app.customer DROP COLUMN gone",
  "ALTER TABLE app.customer ALTER COLUMN name SET STATISTICS 321, ALTER COLUMN name SET STORAGE EXTERNAL, ALTER COLUMN at SET (n_distinct = -0.5)",
  "ALTER TABLE app.customer ADD CONSTRAINT short CHECK (length(name) < 40) NOT VALID",
  "ALTER TABLE app.customer ADD CONSTRAINT coded CHECK (app.is_code(upper(name)))",
  "COMMENT ON TABLE app.customer IS 'who buys'",
  "COMMENT ON COLUMN app.customer.name IS 'as on the bill'",
  "COMMENT ON CONSTRAINT positive ON app.customer IS 'no debts'",
  `CREATE UNIQUE INDEX customer_name ON app.customer USING btree (lower(name::text) text_pattern_ops DESC NULLS LAST, id) WITH (fillfactor = 60) WHERE mood <> 'sad'`,
  "COMMENT ON INDEX app.customer_name IS 'by name'",
  'CREATE INDEX customer_sum ON app.customer ((id + 1), ("Mixed Case" * 2))',
  "CREATE INDEX customer_tags ON app.customer USING gin (tags)",
  "CREATE UNIQUE INDEX customer_rank ON app.customer (rank, name)",
  "ALTER TABLE app.customer CLUSTER ON customer_pkey",
  "ALTER TABLE app.customer ALTER COLUMN rank SET NOT NULL",
  "ALTER TABLE app.customer REPLICA IDENTITY USING INDEX customer_rank",
  "CREATE STATISTICS app.customer_stats (dependencies, ndistinct) ON name, mood FROM app.customer",
  `CREATE TABLE app.invoice (
     id bigint GENERATED ALWAYS AS IDENTITY (START WITH 100 INCREMENT BY 5 MINVALUE 50 CACHE 3) PRIMARY KEY,
     no integer GENERATED BY DEFAULT AS IDENTITY, customer integer, owner app.customer, parent bigint, during tsrange,
     CONSTRAINT invoice_customer FOREIGN KEY (customer) REFERENCES app.customer ON UPDATE CASCADE ON DELETE SET NULL DEFERRABLE,
     CONSTRAINT apart EXCLUDE USING gist (during WITH &&) WHERE (during IS NOT NULL) DEFERRABLE)`,
  "ALTER TABLE app.invoice ADD CONSTRAINT invoice_parent FOREIGN KEY (parent) REFERENCES app.invoice NOT VALID",
  "ALTER TABLE app.customer ADD COLUMN last_invoice bigint REFERENCES app.invoice",
  "ALTER TABLE app.invoice REPLICA IDENTITY FULL",
  "CREATE TABLE app.nothing ()",
  "CREATE UNLOGGED TABLE app.scratch (a int)",
  "ALTER TABLE app.scratch REPLICA IDENTITY NOTHING",
  "CREATE SEQUENCE app.scratch_seq OWNED BY app.scratch.a",
  "CREATE TABLE app.typed OF app.point3 (x WITH OPTIONS DEFAULT 1)",
  `CREATE TABLE app.wide (${Array.from({ length: 1600 }, (_, index) => `c${index} int`).join(", ")})`,
  "CREATE TABLE app.clock (id int PRIMARY KEY DEFAULT nextval('app.shared'), label text)",
  "CREATE FUNCTION app.label_of(app.clock) RETURNS text LANGUAGE sql STABLE AS 'SELECT $1.label'",
  "CREATE FUNCTION app.first_clock() RETURNS app.clock LANGUAGE sql STABLE AS 'SELECT * FROM app.clock LIMIT 1'",
  "ALTER TABLE app.clock ALTER COLUMN label SET DEFAULT app.label_of(app.first_clock())",
  // Inheritance.
  "CREATE TABLE app.base (id int NOT NULL, kind text DEFAULT 'b', CHECK (id > 0))",
  "CREATE TABLE app.mixin (m date)",
  "CREATE TABLE app.child (extra text, CONSTRAINT own CHECK (extra <> '')) INHERITS (app.base, app.mixin)",
  "ALTER TABLE app.child ALTER COLUMN kind SET DEFAULT 'c', ALTER COLUMN m SET NOT NULL",
  "CREATE TABLE app.grandchild () INHERITS (app.child)",
  // Partitions: list over range, a default of another column order where the version has one.
  "CREATE TABLE app.event (id int NOT NULL, region text NOT NULL, at date DEFAULT '2020-01-01', CONSTRAINT known CHECK (id <> 7)) PARTITION BY LIST (lower(region))",
  "CREATE TABLE app.event_eu PARTITION OF app.event FOR VALUES IN ('de', 'fr''') PARTITION BY RANGE (at, id)",
  "CREATE TABLE app.event_eu_old PARTITION OF app.event_eu (CONSTRAINT more CHECK (id > 1)) FOR VALUES FROM (MINVALUE, MINVALUE) TO ('2021-01-01', 5)",
  "CREATE TABLE app.event_us (region text NOT NULL, at date, dropped int, id int NOT NULL, CONSTRAINT known CHECK (id <> 7))",
  "ALTER TABLE app.event_us DROP COLUMN dropped",
  "ALTER TABLE app.event ATTACH PARTITION app.event_us FOR VALUES IN ('us', NULL)",
  "CREATE TABLE app.numbered (id int GENERATED ALWAYS AS IDENTITY, v int) PARTITION BY RANGE (v)",
  "CREATE TABLE app.numbered_1 PARTITION OF app.numbered FOR VALUES FROM (0) TO (10)",
  "CREATE INDEX event_us_at ON app.event_us (at)",
  // Views.
  `CREATE VIEW app.happy WITH (security_barrier = true) AS SELECT c.*, i.during FROM app.customer c LEFT JOIN app.invoice i ON i.customer = c.id WHERE mood = 'Happy Day'`,
  'CREATE VIEW app.names (a, "B b") AS SELECT id, name FROM app.customer WHERE id > 0 WITH CASCADED CHECK OPTION',
  "CREATE VIEW app.grouped AS SELECT c.id, c.name, count(*) AS n FROM app.customer c, app.invoice GROUP BY c.id",
  "CREATE VIEW app.over_grouped AS SELECT * FROM app.grouped JOIN app.names ON a = id",
  "CREATE VIEW app.tree AS WITH RECURSIVE t(id) AS (SELECT id FROM app.invoice WHERE parent IS NULL UNION ALL SELECT i.id FROM app.invoice i JOIN t ON t.id = i.parent) SELECT * FROM t",
  "ALTER VIEW app.names ALTER COLUMN a SET DEFAULT 5",
  "COMMENT ON VIEW app.names IS 'just names'",
  "COMMENT ON COLUMN app.names.a IS 'the id'",
  "CREATE VIEW app.knot AS SELECT 1 AS a, 'x'::text AS b",
  "CREATE FUNCTION app.of_knot(app.knot) RETURNS integer LANGUAGE sql AS 'SELECT $1.a'",
  "CREATE OR REPLACE VIEW app.knot AS SELECT 1 AS a, app.of_knot(NULL)::text AS b",
  "CREATE MATERIALIZED VIEW app.totals AS SELECT customer, count(*) AS n FROM app.invoice GROUP BY 1",
  "CREATE UNIQUE INDEX totals_key ON app.totals (customer)",
  "CREATE MATERIALIZED VIEW app.later AS SELECT * FROM app.totals WITH NO DATA",
  "CREATE VIEW app.of_totals AS SELECT sum(n) FROM app.totals",
  "COMMENT ON MATERIALIZED VIEW app.totals IS 'summed'",
  // Aggregates, operators, casts.
  "CREATE FUNCTION app.add_mood(integer, app.mood) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT $1 + length($2::text)'",
  "CREATE AGGREGATE app.moods(app.mood) (SFUNC = app.add_mood, STYPE = integer, INITCOND = '0', PARALLEL = SAFE)",
  "CREATE AGGREGATE app.rows(*) (SFUNC = int8inc, STYPE = int8, INITCOND = 0)",
  "COMMENT ON AGGREGATE app.rows(*) IS 'counts'",
  "CREATE FUNCTION app.mood_near(app.mood, app.mood) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT $1 <= $2'",
  "CREATE OPERATOR app.<~ (PROCEDURE = app.mood_near, LEFTARG = app.mood, RIGHTARG = app.mood, COMMUTATOR = OPERATOR(app.~>), RESTRICT = eqsel)",
  "CREATE OPERATOR app.~> (PROCEDURE = app.mood_near, LEFTARG = app.mood, RIGHTARG = app.mood, COMMUTATOR = OPERATOR(app.<~))",
  "COMMENT ON OPERATOR app.<~ (app.mood, app.mood) IS 'near'",
  "CREATE FUNCTION app.point_order(app.point3, app.point3) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT btfloat8cmp($1.x, $2.x)'",
  ...["<", "<=", "=", ">=", ">"].flatMap((sign, index) => [
    `CREATE FUNCTION app.point_is_${index}(app.point3, app.point3) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT $1.x ${sign} $2.x'`,
    `CREATE OPERATOR app.#${sign}# (PROCEDURE = app.point_is_${index}, LEFTARG = app.point3, RIGHTARG = app.point3)`,
  ]),
  `CREATE OPERATOR CLASS app.by_x FOR TYPE app.point3 USING btree AS
     OPERATOR 1 app.#<#, OPERATOR 2 app.#<=#, OPERATOR 3 app.#=#, OPERATOR 4 app.#>=#, OPERATOR 5 app.#>#,
     FUNCTION 1 app.point_order(app.point3, app.point3)`,
  "CREATE INDEX customer_home ON app.customer USING btree (home app.by_x)",
  "CREATE FUNCTION app.mood_number(app.mood) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT 1'",
  "CREATE CAST (app.mood AS integer) WITH FUNCTION app.mood_number(app.mood) AS ASSIGNMENT",
  "CREATE VIEW app.operated AS SELECT app.moods(mood) AS m, app.rows(*) AS r, bool_or(mood OPERATOR(app.<~) 'sad') AS o, sum(mood::integer) AS s FROM app.customer",
  // Triggers and rules.
  'CREATE FUNCTION app.stamp() RETURNS trigger LANGUAGE plpgsql SET search_path = app, "Odd Schema" AS $$ BEGIN NEW.at := now(); RETURN NEW; END $$',
  "CREATE TRIGGER stamp BEFORE INSERT OR UPDATE OF name ON app.customer FOR EACH ROW WHEN (NEW.id > 0) EXECUTE PROCEDURE app.stamp('a', 'b''c')",
  "CREATE CONSTRAINT TRIGGER late AFTER INSERT ON app.invoice DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE PROCEDURE app.stamp()",
  "CREATE TRIGGER seen AFTER INSERT ON app.invoice REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE PROCEDURE app.stamp()",
  "CREATE TRIGGER instead INSTEAD OF INSERT ON app.happy FOR EACH ROW EXECUTE PROCEDURE app.stamp()",
  "ALTER TABLE app.customer ENABLE ALWAYS TRIGGER stamp",
  "ALTER TABLE app.invoice DISABLE TRIGGER seen",
  "COMMENT ON TRIGGER stamp ON app.customer IS 'stamps'",
  "CREATE RULE quiet AS ON DELETE TO app.invoice WHERE OLD.id < 0 DO INSTEAD NOTHING",
  "CREATE RULE log AS ON INSERT TO app.clock DO ALSO INSERT INTO app.scratch (a) VALUES (NEW.id)",
  "ALTER TABLE app.clock DISABLE RULE log",
  "COMMENT ON RULE quiet ON app.invoice IS 'hush'",
];

const FROM_11: readonly string[] = [
  "CREATE PROCEDURE app.tidy(INOUT n integer) LANGUAGE plpgsql AS $$ BEGIN n := n + 1; COMMIT; END $$",
  "COMMENT ON PROCEDURE app.tidy(integer) IS 'tidies'",
  "CREATE TABLE app.event_rest PARTITION OF app.event DEFAULT",
  "CREATE INDEX event_at ON app.event (at DESC, id)",
  "CREATE INDEX event_us_own ON app.event_us (at DESC, id) WITH (fillfactor = 50)",
  "CREATE TABLE app.bucket (id int, part int, note text, PRIMARY KEY (id, part) INCLUDE (note)) PARTITION BY HASH (id, part)",
  "CREATE TABLE app.bucket_0 PARTITION OF app.bucket FOR VALUES WITH (MODULUS 2, REMAINDER 0)",
  "CREATE TABLE app.bucket_1 PARTITION OF app.bucket FOR VALUES WITH (MODULUS 2, REMAINDER 1)",
  "CREATE TRIGGER each AFTER INSERT ON app.bucket FOR EACH ROW EXECUTE PROCEDURE app.stamp()",
  "ALTER INDEX app.customer_sum ALTER COLUMN 2 SET STATISTICS 55",
];

const FROM_12: readonly string[] = [
  "CREATE TABLE app.points (id int GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, bucket_id int, bucket_part int, FOREIGN KEY (bucket_id, bucket_part) REFERENCES app.bucket)",
  "ALTER TABLE app.bucket ADD FOREIGN KEY (id) REFERENCES app.customer (id)",
  "CREATE FUNCTION app.doubled(integer) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT $1 * 2'",
  "ALTER TABLE app.points ADD COLUMN twice integer GENERATED ALWAYS AS (app.doubled(id)) STORED",
  "CREATE TABLE app.points_child () INHERITS (app.points)",
  `CREATE COLLATION app.anycase (provider = icu, locale = 'de-u-ks-level2', deterministic = false)`,
  "ALTER TABLE app.points ADD COLUMN label text COLLATE app.anycase",
];

const FROM_14: readonly string[] = [
  "CREATE FUNCTION app.parsed(n integer) RETURNS SETOF app.customer LANGUAGE sql BEGIN ATOMIC SELECT c.* FROM app.customer c WHERE c.id = parsed.n; END",
  "CREATE FUNCTION app.of_grouped() RETURNS bigint LANGUAGE sql RETURN (SELECT sum(n) FROM app.grouped)",
  "CREATE FUNCTION app.recursive(n integer) RETURNS integer LANGUAGE sql RETURN n",
  "CREATE OR REPLACE FUNCTION app.recursive(n integer) RETURNS integer LANGUAGE sql RETURN CASE WHEN n < 1 THEN 0 ELSE app.recursive(n - 1) END",
  `CREATE TYPE app.texts AS RANGE (SUBTYPE = text, COLLATION = "C", MULTIRANGE_TYPE_NAME = app."Many Texts")`,
  'CREATE TABLE app.ranges (r app.texts, m app."Many Texts", f app.floats, long text COMPRESSION pglz, c int)',
  "CREATE STATISTICS app.expressions ON (c + 1), (c % 3) FROM app.ranges",
  "ALTER STATISTICS app.expressions SET STATISTICS 77",
  "ALTER TABLE app.bucket_1 DISABLE TRIGGER each",
];

const FROM_15: readonly string[] = [
  "ALTER TABLE app.ranges ADD CONSTRAINT one_null UNIQUE NULLS NOT DISTINCT (c)",
  "CREATE VIEW app.invoked WITH (security_invoker = true) AS SELECT c FROM app.ranges",
  "CREATE UNLOGGED SEQUENCE app.unlogged_one",
];

const FROM_18: readonly string[] = [
  `CREATE TABLE app.modern (a int CONSTRAINT a_is_there NOT NULL, b int, v int GENERATED ALWAYS AS (a * 2) VIRTUAL, during daterange NOT NULL, room int4range NOT NULL,
     CONSTRAINT loose CHECK (b > 0) NOT ENFORCED, CONSTRAINT over_time PRIMARY KEY (room, during WITHOUT OVERLAPS))`,
  "ALTER TABLE app.modern ADD CONSTRAINT b_soon NOT NULL b NOT VALID",
];
