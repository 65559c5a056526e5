import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Client } from "pg";
import { REPOSITORY } from "../../../test/support/pulumiProject.js";
import { csvRecords } from "./csvRecords.js";

const FOLDER = join(REPOSITORY, "node_modules/vega-datasets/data");

export const TABLES = ["state", "zip_code", "airport", "flight", "delay_report", "species", "bird_strike"] as const;

const SCHEMA = `
  CREATE SCHEMA travel;
  SET search_path = travel;

  CREATE TYPE damage AS ENUM ('None', 'Minor', 'Medium', 'Substantial', 'B', 'C');
  CREATE TABLE state (code char(2) PRIMARY KEY, name text UNIQUE, capital text);
  CREATE TABLE zip_code (
    zip char(5) PRIMARY KEY, city text NOT NULL, county text, state char(2) NOT NULL REFERENCES state,
    latitude double precision, longitude double precision);
  CREATE TABLE airport (
    iata text PRIMARY KEY, name text NOT NULL, city text, state char(2) REFERENCES state, country text NOT NULL,
    latitude numeric(10,8), longitude numeric(11,8));
  CREATE TABLE flight (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, departure timestamptz NOT NULL,
    origin text NOT NULL REFERENCES airport, destination text NOT NULL REFERENCES airport,
    distance integer NOT NULL CHECK (distance > 0), delay integer NOT NULL,
    late boolean GENERATED ALWAYS AS (delay > 15) STORED);
  CREATE TABLE delay_report (
    id serial PRIMARY KEY, hour_of_day real NOT NULL, delay integer NOT NULL, distance integer NOT NULL);
  CREATE TABLE species (id serial PRIMARY KEY, name text NOT NULL UNIQUE);
  CREATE TABLE bird_strike (
    id bigserial PRIMARY KEY, airport text NOT NULL, state char(2) NOT NULL REFERENCES state, day date NOT NULL,
    damage damage NOT NULL, species integer NOT NULL REFERENCES species, cost numeric(12,2), notes jsonb NOT NULL)`;

const INDEXES_AND_VIEW = `
  CREATE INDEX flight_route ON flight (origin, destination, departure DESC);
  CREATE INDEX flight_late ON flight (departure) WHERE late;
  CREATE INDEX zip_code_city ON zip_code (lower(city));
  CREATE INDEX delay_report_delay ON delay_report (delay);
  CREATE INDEX bird_strike_notes ON bird_strike USING gin (notes);
  CREATE VIEW late_share AS
    SELECT airport.iata, airport.name, count(*) AS flights, round(avg(late::integer), 3) AS late
    FROM flight JOIN airport ON airport.iata = flight.origin GROUP BY airport.iata;
  ANALYZE`;

/**
 * One statement a file; foreign keys are checked at its end, so the states may come along.
 * $1 is the data file as a JSON array. What the files do not say (a state's code) follows from where its capital lies.
 */
const FILL: readonly { readonly file: string; readonly sql: string }[] = [
  {
    file: "zipcodes.csv",
    sql: `WITH given AS (
            SELECT * FROM json_to_recordset($1) AS r
              (zip_code text, latitude float8, longitude float8, city text, state text, county text)),
          states AS (INSERT INTO state (code) SELECT DISTINCT state FROM given)
          INSERT INTO zip_code
          SELECT zip_code, city, nullif(county, ''), state, latitude, longitude FROM given`,
  },
  {
    file: "us-state-capitals.json",
    sql: `UPDATE state SET name = given.state, capital = given.city
          FROM json_to_recordset($1) AS given (lon float8, lat float8, state text, city text)
          WHERE code = (SELECT zip_code.state FROM zip_code
                        ORDER BY (latitude - lat) ^ 2 + (longitude - lon) ^ 2 LIMIT 1)`,
  },
  {
    file: "airports.csv",
    sql: `WITH given AS (
            SELECT iata, name, city, nullif(state, 'NA') AS state, country, latitude, longitude
            FROM json_to_recordset($1) AS r
              (iata text, name text, city text, state text, country text, latitude numeric, longitude numeric)),
          states AS (
            INSERT INTO state (code) SELECT DISTINCT state FROM given WHERE state IS NOT NULL ON CONFLICT DO NOTHING)
          INSERT INTO airport SELECT * FROM given`,
  },
  {
    file: "flights-20k.json",
    sql: `INSERT INTO flight (departure, origin, destination, distance, delay)
          SELECT to_timestamp(date, 'YYYY/MM/DD HH24:MI'), origin, destination, distance, delay
          FROM json_to_recordset($1) AS r (date text, delay integer, distance integer, origin text, destination text)`,
  },
  {
    file: "flights-200k.json",
    sql: `INSERT INTO delay_report (hour_of_day, delay, distance)
          SELECT time, delay, distance FROM json_to_recordset($1) AS r (delay integer, distance integer, time real)`,
  },
  {
    file: "birdstrikes.csv",
    sql: `WITH given AS (
            SELECT * FROM json_to_recordset($1) AS r (
              "Airport Name" text, "Aircraft Make Model" text, "Effect Amount of damage" damage, "Flight Date" date,
              "Origin State" text, "Phase of flight" text, "Wildlife Species" text, "Cost Total $" numeric)),
          named AS (INSERT INTO species (name) SELECT DISTINCT "Wildlife Species" FROM given RETURNING id, name)
          INSERT INTO bird_strike (airport, state, day, damage, species, cost, notes)
          SELECT "Airport Name", state.code, "Flight Date", "Effect Amount of damage", named.id, "Cost Total $",
            jsonb_build_object('aircraft', "Aircraft Make Model", 'phase', "Phase of flight")
          FROM given JOIN named ON named.name = "Wildlife Species"
            JOIN state ON "Origin State" IN (state.name, state.code)`,
  },
];

/** Makes seven related tables of npm's vega-datasets (public data on flights, airports and bird strikes), and returns their rows. */
export async function fillSource(client: Client): Promise<number> {
  await client.query(SCHEMA);
  for (const { file, sql } of FILL) {
    const text = await readFile(join(FOLDER, file), "utf8");
    await client.query(sql, [file.endsWith(".csv") ? JSON.stringify(csvRecords(text)) : text]);
  }
  await client.query(INDEXES_AND_VIEW);
  return countRows(client);
}

/** Rows of all tables in one snapshot. */
export async function countRows(client: Client): Promise<number> {
  const counts = TABLES.map((table) => `(SELECT count(*) FROM travel.${table})`).join(" + ");
  const { rows } = await client.query<{ rows: string }>(`SELECT ${counts} AS rows`);
  return Number(rows[0]?.rows);
}
