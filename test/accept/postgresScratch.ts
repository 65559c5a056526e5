import { randomBytes } from "node:crypto";
import type { PostgresServer } from "../support/postgres.js";
import type { Scratch } from "./acceptance.js";

const TABLES = `
  CREATE TABLE {s}.value_kinds (id integer PRIMARY KEY, n numeric, scaled numeric(20,6), r real, d double precision, v varchar(200), c char(10), t text,
    b bytea, yes boolean, day date, at timestamp, tz timestamptz, span interval, u uuid, j json, ns numeric[], ds double precision[], ip inet, spot point);
  CREATE TABLE {s}.orders (region integer, id bigint, note text, amount numeric(12,2) DEFAULT 0, paper text, PRIMARY KEY (region, id));
  ALTER TABLE {s}.orders ALTER paper SET STORAGE EXTERNAL;
  CREATE TABLE {s}.events (what text, how_much double precision)`;

const ROWS = `
  INSERT INTO {s}.value_kinds VALUES (1, -123456789012345678901234567890.123456, 12345678901234.567891, 0.1, 8.93067428842187e-10,
    E'it''s "quoted" \\n\\t\\\\N', 'ab', '漢字', '\\x00ff10', true, '2024-02-29', '2024-02-29 23:59:59.123456', '2024-07-01 12:00:00.5+05:30',
    '-3 years 12 days 03:04:05.678', '6f1e5d5c-9e3b-4a57-8d0a-0d9c9a6b7c11', '{"a": [1, 2]}', '{1.5,NULL}', '{0.1,NaN,1e-300}', '10.0.0.1/8', '(1.5,-2)');
  INSERT INTO {s}.value_kinds (id, n, r, d, v, day, at) VALUES (2, 'NaN', 'Infinity', '-Infinity', 'x', '9999-12-31', '0044-03-15 00:00:00 BC');
  INSERT INTO {s}.value_kinds (id, d, r, ds) SELECT g, random() * 10 ^ (g % 30 - 15), random() * 1000, ARRAY[random(), random() * 1e9] FROM generate_series(10, 3000) g;
  INSERT INTO {s}.orders (region, id, note, amount, paper) SELECT g % 5, g, 'order ' || g, g / 7.0, repeat(md5(g::text), 80) FROM generate_series(1, 2000) g;
  INSERT INTO {s}.events SELECT 'what ' || g % 9, g % 4 + 0.1 FROM generate_series(1, 1000) g`;

/** Each a transaction. */
const CHANGES = [
  `INSERT INTO {s}.orders (region, id, note) SELECT g % 5, g, 'more' FROM generate_series(2001, 2500) g;
   UPDATE {s}.orders SET note = 'changed', amount = -id WHERE id % 3 = 0;
   UPDATE {s}.orders SET id = id + 100000 WHERE id % 50 = 0;
   UPDATE {s}.orders SET region = 77 WHERE id % 70 = 1;
   DELETE FROM {s}.orders WHERE id % 11 = 0`,
  `UPDATE {s}.events SET how_much = how_much + 1 WHERE what = 'what 3';
   DELETE FROM {s}.events WHERE ctid IN (SELECT ctid FROM {s}.events WHERE what = 'what 5' LIMIT 7);
   INSERT INTO {s}.events VALUES ('what 1', 1.1), (NULL, NULL)`,
  "UPDATE {s}.value_kinds SET d = d * 3, ds = ds || 0.1 WHERE id % 2 = 0",
  `SAVEPOINT before_it; DELETE FROM {s}.orders; ROLLBACK TO SAVEPOINT before_it; INSERT INTO {s}.orders VALUES (1, 900001, 'behind the savepoint')`,
  "TRUNCATE {s}.events; INSERT INTO {s}.events SELECT 'again', g FROM generate_series(1, 20) g",
];

const STRUCTURES = [
  "ALTER TABLE {s}.orders ADD COLUMN extra text DEFAULT 'e'; INSERT INTO {s}.orders (region, id, extra) VALUES (1, 900002, 'x')",
  "ALTER TABLE {s}.orders ALTER region TYPE bigint; UPDATE {s}.orders SET region = 5000000000 WHERE id = 900002",
  "ALTER TABLE {s}.events RENAME COLUMN how_much TO amount; ALTER TABLE {s}.events ADD COLUMN n integer; INSERT INTO {s}.events VALUES ('b', 1, 2)",
  "CREATE TABLE {s}.fresh (id integer PRIMARY KEY, v varchar(20)); INSERT INTO {s}.fresh SELECT g, 'v' || g FROM generate_series(1, 50) g",
  "ALTER TABLE {s}.fresh RENAME TO stale; ALTER TABLE {s}.stale DROP COLUMN v; DELETE FROM {s}.stale WHERE id > 40",
];

/** A schema in a database of a server of our own, for migration into somebody's server. */
export function postgresScratch(server: PostgresServer, database: string): Scratch {
  const schema = `godwit_accept_${randomBytes(4).toString("hex")}`;
  const run = async (statements: readonly string[]) => {
    for (const sql of statements) await server.query(`BEGIN; ${sql.replaceAll("{s}", schema)}; COMMIT`, undefined, database);
  };
  return {
    schema,
    tables: ["value_kinds", "orders", "events"],
    create: () => run([`CREATE SCHEMA ${schema}`, TABLES, ROWS]),
    change: () => run(CHANGES),
    restructure: () => run(STRUCTURES),
    remove: () => run([`DROP SCHEMA IF EXISTS ${schema} CASCADE`]),
  };
}
