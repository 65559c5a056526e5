import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type PostgresServer, startPostgres } from "../support/postgres.js";
import { createTestTask, discard, type TestTask } from "../support/task.js";
import { ALIKE, settled } from "./ddlComparison.js";

const live = { migrationTypes: ["schema", "full", "incremental"] as const };

const TABLES = `
  CREATE TYPE mood AS ENUM ('sad', 'glad');
  CREATE TABLE customer (id int PRIMARY KEY, name text NOT NULL, note text, mood mood DEFAULT 'glad', seen timestamp);
  CREATE TABLE orders (id bigserial PRIMARY KEY, customer_id int REFERENCES customer, amount numeric(10,2) DEFAULT 0, state varchar(10));
  CREATE TABLE bag (kind text, value int);
  CREATE VIEW glad AS SELECT id, name FROM customer WHERE mood = 'glad';
  CREATE FUNCTION twice(x int) RETURNS int LANGUAGE sql AS 'SELECT x * 2';
  INSERT INTO customer (id, name) SELECT g, 'n' || g FROM generate_series(1, 500) g;
  INSERT INTO orders (customer_id, amount) SELECT g, g / 3.0 FROM generate_series(1, 500) g;
  INSERT INTO bag SELECT 'k' || g % 10, g % 7 FROM generate_series(1, 200) g`;

/** Each on top of the one before; after each both sides are compared, structure and rows. */
const CHANGES: readonly (readonly [string, string])[] = [
  [
    "creates a table and fills it in the same transaction",
    "BEGIN; CREATE TABLE made (id serial PRIMARY KEY, t text DEFAULT 'q', UNIQUE (t, id)); INSERT INTO made (t) SELECT 'x' || g FROM generate_series(1, 1000) g; COMMIT",
  ],
  [
    "creates a table without a key, and changes its rows",
    "BEGIN; CREATE TABLE plain (a int, b text); INSERT INTO plain VALUES (1, 'a'), (1, 'a'), (2, 'b'); UPDATE plain SET b = 'c' WHERE a = 2; DELETE FROM plain WHERE ctid = '(0,1)'; COMMIT",
  ],
  ["creates a table from a query", "CREATE TABLE copied AS SELECT id, name FROM customer WHERE id <= 50"],
  [
    "selects into a table",
    "SELECT id, amount INTO picked FROM orders WHERE id <= 20; ALTER TABLE picked ADD PRIMARY KEY (id); UPDATE picked SET amount = 1 WHERE id = 1",
  ],
  [
    "creates a table like another, with everything",
    "CREATE TABLE alike (LIKE orders INCLUDING ALL); INSERT INTO alike SELECT * FROM orders WHERE id < 10",
  ],
  ["adds a column", "ALTER TABLE customer ADD COLUMN city text; UPDATE customer SET city = 'here' WHERE id = 1"],
  ["adds a column with a constant default", "ALTER TABLE customer ADD COLUMN points int NOT NULL DEFAULT 5"],
  [
    "adds a column that says when it was added",
    "ALTER TABLE customer ADD COLUMN since timestamptz DEFAULT now(); INSERT INTO customer (id, name) VALUES (1001, 'late')",
  ],
  ["adds a column of random values", "ALTER TABLE orders ADD COLUMN token text DEFAULT md5(random()::text)"],
  [
    "adds a serial and an identity column",
    "ALTER TABLE bag ADD COLUMN n serial; ALTER TABLE plain ADD COLUMN i int GENERATED ALWAYS AS IDENTITY; INSERT INTO bag VALUES ('new', 1)",
  ],
  ["adds a generated column", "ALTER TABLE orders ADD COLUMN doubled numeric GENERATED ALWAYS AS (amount * 2) STORED"],
  [
    "changes a type without rewriting",
    "ALTER TABLE orders ALTER COLUMN state TYPE varchar(50); ALTER TABLE customer ALTER COLUMN city TYPE varchar(99)",
  ],
  [
    "changes a type with rewriting",
    "ALTER TABLE orders DROP COLUMN doubled; ALTER TABLE orders ALTER COLUMN amount TYPE double precision; INSERT INTO orders (customer_id, amount) VALUES (1, 1e100)",
  ],
  [
    "changes a key's type, referenced by another table",
    "BEGIN; ALTER TABLE orders ALTER COLUMN customer_id TYPE bigint; DROP VIEW glad; ALTER TABLE customer ALTER COLUMN id TYPE bigint; CREATE VIEW glad AS SELECT id, name FROM customer WHERE mood = 'glad'; INSERT INTO customer (id, name) VALUES (5000000000, 'far'); COMMIT",
  ],
  ["changes a type with an expression", "ALTER TABLE customer ALTER COLUMN note TYPE int USING length(name)"],
  [
    "changes a type with an expression, in a function",
    "DO $$ BEGIN EXECUTE 'ALTER TABLE plain ALTER COLUMN b TYPE int USING ascii(b)'; INSERT INTO plain (a, b) VALUES (9, 9); END $$",
  ],
  [
    "sets and drops defaults and NOT NULL",
    "ALTER TABLE orders ALTER COLUMN amount DROP DEFAULT, ALTER COLUMN state SET DEFAULT 'new', ALTER COLUMN token SET NOT NULL; ALTER TABLE customer ALTER COLUMN points DROP NOT NULL",
  ],
  ["drops a column", "ALTER TABLE customer DROP COLUMN city; UPDATE customer SET points = 7 WHERE id = 2"],
  [
    "drops a column and adds one of the same name",
    "ALTER TABLE customer DROP COLUMN note, ADD COLUMN note text; UPDATE customer SET note = 'n' || id WHERE id < 10",
  ],
  ["renames a column", "ALTER TABLE customer RENAME COLUMN note TO remark; UPDATE customer SET remark = 'r' WHERE id = 3"],
  [
    "swaps the names of two columns",
    "BEGIN; ALTER TABLE picked ADD COLUMN other numeric DEFAULT 3; ALTER TABLE picked RENAME COLUMN amount TO x; ALTER TABLE picked RENAME COLUMN other TO amount; ALTER TABLE picked RENAME COLUMN x TO other; UPDATE picked SET amount = 4, other = 5 WHERE id = 2; COMMIT",
  ],
  [
    "renames and adds in one query",
    "ALTER TABLE bag RENAME COLUMN value TO worth; ALTER TABLE bag ADD COLUMN value text DEFAULT 'v'; INSERT INTO bag (kind, worth, value) VALUES ('both', 1, 'w')",
  ],
  [
    "adds constraints of every kind",
    "ALTER TABLE orders ADD CONSTRAINT positive CHECK (amount >= 0), ADD CONSTRAINT one_token UNIQUE (token); ALTER TABLE picked ADD CONSTRAINT far FOREIGN KEY (id) REFERENCES orders (id); ALTER TABLE bag ADD CONSTRAINT nv CHECK (worth < 1000) NOT VALID",
  ],
  [
    "validates, renames and drops constraints",
    "ALTER TABLE bag VALIDATE CONSTRAINT nv; ALTER TABLE orders RENAME CONSTRAINT positive TO not_negative; ALTER TABLE orders DROP CONSTRAINT one_token; ALTER TABLE picked ALTER CONSTRAINT far DEFERRABLE",
  ],
  [
    "gives a table another key",
    "BEGIN; ALTER TABLE plain ADD COLUMN k int; UPDATE plain SET k = i; ALTER TABLE plain ADD PRIMARY KEY (k); COMMIT; UPDATE plain SET b = b + 1; DELETE FROM plain WHERE k = 1",
  ],
  ["takes a table's key away", "ALTER TABLE plain DROP CONSTRAINT plain_pkey; UPDATE plain SET b = b + 1"],
  [
    "creates, renames and drops indexes",
    "CREATE INDEX by_name ON customer (name); CREATE UNIQUE INDEX by_lower ON customer (lower(name)) WHERE id > 10; ALTER INDEX by_name RENAME TO on_name; CREATE INDEX gone ON bag (kind); DROP INDEX gone",
  ],
  ["creates an index concurrently", "CREATE INDEX CONCURRENTLY slow ON orders (amount DESC)"],
  [
    "creates, replaces, renames and drops views",
    "CREATE VIEW v1 AS SELECT id FROM orders; CREATE OR REPLACE VIEW v1 AS SELECT id, amount FROM orders; ALTER VIEW v1 RENAME TO v2; CREATE VIEW v3 AS SELECT * FROM v2; DROP VIEW v3",
  ],
  ["makes a view again with other columns", "DROP VIEW v2; CREATE VIEW v2 AS SELECT amount, id FROM orders"],
  [
    "creates, fills and drops a materialized view",
    "CREATE MATERIALIZED VIEW total AS SELECT sum(amount) AS s FROM orders; CREATE UNIQUE INDEX total_s ON total (s); INSERT INTO orders (amount) VALUES (3); REFRESH MATERIALIZED VIEW total",
  ],
  [
    "creates, changes and drops routines",
    "CREATE FUNCTION f(x int) RETURNS int LANGUAGE plpgsql AS $$ BEGIN RETURN x; END $$; CREATE OR REPLACE FUNCTION f(x int) RETURNS int LANGUAGE plpgsql AS $$ BEGIN RETURN x + 1; END $$; CREATE PROCEDURE p(a int) LANGUAGE sql AS 'SELECT 1'; ALTER FUNCTION twice(int) RENAME TO double; ALTER FUNCTION f(int) STABLE; DROP PROCEDURE p(int)",
  ],
  [
    "creates types and uses them",
    "CREATE TYPE pair AS (a int, b text); CREATE DOMAIN small AS int CHECK (VALUE < 100); CREATE TYPE colour AS ENUM ('red'); CREATE TABLE typed (id small PRIMARY KEY, p pair, c colour, cs colour[]); INSERT INTO typed VALUES (1, (1, 'x'), 'red', '{red,red}')",
  ],
  [
    "changes types",
    "ALTER TYPE pair ADD ATTRIBUTE c int; ALTER DOMAIN small SET DEFAULT 3; ALTER TYPE colour RENAME VALUE 'red' TO 'crimson'; ALTER TYPE mood RENAME TO humour",
  ],
  ["adds labels to an enum and uses one", "ALTER TYPE colour ADD VALUE 'blue' BEFORE 'crimson'"],
  ["uses the new label", "INSERT INTO typed VALUES (2, NULL, 'blue', NULL); UPDATE customer SET mood = 'sad' WHERE id = 4"],
  [
    "changes a standing sequence",
    "CREATE SEQUENCE tick INCREMENT BY 5; ALTER SEQUENCE tick MAXVALUE 1000; CREATE SEQUENCE tock; DROP SEQUENCE tock",
  ],
  ["renames a table", "ALTER TABLE copied RENAME TO copies; INSERT INTO copies VALUES (900, 'after')"],
  [
    "swaps two tables by renames in one transaction",
    "BEGIN; CREATE TABLE copies_new (LIKE copies INCLUDING ALL); INSERT INTO copies_new SELECT id + 1000, name FROM copies; ALTER TABLE copies RENAME TO copies_old; ALTER TABLE copies_new RENAME TO copies; INSERT INTO copies VALUES (7, 'seven'); INSERT INTO copies_old VALUES (8, 'eight'); COMMIT",
  ],
  [
    "moves a table to a schema that is new",
    "CREATE SCHEMA other; ALTER TABLE copies_old SET SCHEMA other; INSERT INTO other.copies_old VALUES (11, 'moved')",
  ],
  [
    "makes a schema with a table in it",
    "CREATE SCHEMA third CREATE TABLE inside (id int PRIMARY KEY, x text) CREATE VIEW over_inside AS SELECT id FROM third.inside; INSERT INTO third.inside VALUES (1, 'in')",
  ],
  [
    "partitions: creates, adds columns to, attaches and detaches",
    "CREATE TABLE log (id int, day date, PRIMARY KEY (id, day)) PARTITION BY RANGE (day); CREATE TABLE log_2020 PARTITION OF log FOR VALUES FROM ('2020-01-01') TO ('2021-01-01'); INSERT INTO log VALUES (1, '2020-05-05'); ALTER TABLE log ADD COLUMN t timestamptz DEFAULT now(); CREATE INDEX ON log (t); CREATE TABLE log_2021 (LIKE log INCLUDING DEFAULTS); INSERT INTO log_2021 (id, day) VALUES (1, '2021-02-02'); ALTER TABLE log ATTACH PARTITION log_2021 FOR VALUES FROM ('2021-01-01') TO ('2022-01-01'); INSERT INTO log VALUES (2, '2021-03-03')",
  ],
  [
    "partitions: detaches and drops",
    "ALTER TABLE log DETACH PARTITION log_2020; DROP TABLE log_2021; INSERT INTO log_2020 VALUES (5, '2030-01-01')",
  ],
  ["truncates", "TRUNCATE bag; INSERT INTO bag (kind) VALUES ('again')"],
  ["drops with CASCADE what others depend on", "DROP TABLE orders CASCADE"],
  ["drops a type with CASCADE", "DROP TYPE colour CASCADE; INSERT INTO typed (id) VALUES (4)"],
  ["drops a schema with CASCADE", "DROP SCHEMA third CASCADE"],
  [
    "mixes rows and structure in one transaction",
    "BEGIN; INSERT INTO bag (kind) VALUES ('a'); ALTER TABLE bag ADD COLUMN z int DEFAULT 1; INSERT INTO bag (kind, z) VALUES ('b', 2); ALTER TABLE bag DROP COLUMN z; INSERT INTO bag (kind) VALUES ('c'); CREATE TABLE short (id int PRIMARY KEY); INSERT INTO short VALUES (1); DROP TABLE short; UPDATE bag SET kind = kind || '!'; COMMIT",
  ],
  [
    "runs in a function that makes tables in a loop",
    "CREATE FUNCTION build() RETURNS void LANGUAGE plpgsql AS $$ BEGIN FOR i IN 1..5 LOOP EXECUTE format('CREATE TABLE built_%s (id int PRIMARY KEY, v text)', i); EXECUTE format('INSERT INTO built_%s SELECT g, g FROM generate_series(1, 100) g', i); EXECUTE format('ALTER TABLE built_%s ADD COLUMN w int DEFAULT %s', i, i); END LOOP; END $$; SELECT build()",
  ],
  [
    "undoes what a savepoint took back",
    "BEGIN; SAVEPOINT s; CREATE TABLE undone (id int); ALTER TABLE bag ADD COLUMN undone int; ROLLBACK TO s; ALTER TABLE bag ADD COLUMN done int; INSERT INTO bag (kind, done) VALUES ('done', 1); COMMIT",
  ],
  [
    "works in a session with session_replication_role = replica",
    "SET session_replication_role = replica; CREATE TABLE quiet (id int PRIMARY KEY); INSERT INTO quiet VALUES (1); RESET session_replication_role",
  ],
  [
    "leaves temporary tables alone",
    "CREATE TEMP TABLE t (id int); INSERT INTO t VALUES (1); ALTER TABLE t ADD COLUMN x int; DROP TABLE t",
  ],
];

describe.each([17, 14] as const)("changes of structure while the stream runs, on PostgreSQL %i", (major) => {
  let server: PostgresServer;
  let target: PostgresServer;
  let task: TestTask;
  beforeAll(async () => {
    [server, target] = await Promise.all([startPostgres({ major }), startPostgres({ major })]);
    task = await createTestTask(server, target);
    await task.source.run(TABLES);
    await task.up(live);
  });
  afterAll(async () => {
    await discard(task);
    await Promise.all([server.remove(), target.remove()]);
  });

  it.each(CHANGES)("%s", async (_, sql) => {
    for (const part of sql.includes("CONCURRENTLY") || sql.includes("ADD VALUE") ? sql.split("; ") : [sql])
      await task.source.run(part);
    const found = await settled(task);
    expect((await task.refresh())?.errors).toEqual([]);
    expect(found).toEqual(ALIKE);
  });

  it("leaves nothing at the source when it is destroyed", async () => {
    await task.destroy();
    expect(await task.leftovers()).toEqual([]);
  });
});
