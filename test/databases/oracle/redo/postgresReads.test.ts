import { afterAll, beforeAll, expect, it } from "vitest";
import { type PostgresServer, startPostgres } from "../../../support/postgres.js";
import { scan, tableOf } from "./scan.js";

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres({ major: 17, name: "redo" });
});
afterAll(() => server.remove());

it.each([
  ["date", "timestamp(0)", "TO_DATE(' 2024-02-29 23:59:58', 'SYYYY-MM-DD HH24:MI:SS')", "2024-02-29 23:59:58"],
  ["date", "timestamp(0)", "TO_DATE('-0044-03-15 00:00:00', 'SYYYY-MM-DD HH24:MI:SS')", "0044-03-15 00:00:00 BC"],
  ["timestamp", "timestamp(6)", "TO_TIMESTAMP(' 2024-02-29 00:00:00.')", "2024-02-29 00:00:00"],
  ["timestamp", "timestamp(6)", "TO_TIMESTAMP(' 2024-02-29 00:00:00.123456789')", "2024-02-29 00:00:00.123457"],
  ["timestampTz", "timestamptz", "TO_TIMESTAMP_TZ(' 2024-02-29 00:00:00. +05:30')", "2024-02-28 18:30:00+00"],
  ["timestampTz", "timestamptz", "TO_TIMESTAMP_TZ('-0044-03-15 00:00:00.5 +00:00')", "0044-03-15 00:00:00.5+00 BC"],
  ["timestampTz", "timestamptz", "TO_TIMESTAMP_TZ(' 2024-07-01 00:00:00.5 Europe/Berlin')", "2024-06-30 22:00:00.5+00"],
  ["timestampLtz", "timestamptz", "TO_TIMESTAMP(' 2024-02-29 00:00:00.25')", "2024-02-29 00:00:00.25+00"],
  ["yearToMonth", "interval", "TO_YMINTERVAL('-02-03')", "-2 years -3 mons"],
  ["dayToSecond", "interval", "TO_DSINTERVAL('-01 02:03:04.5')", "-1 days -02:03:04.5"],
  ["dayToSecond", "interval", "TO_DSINTERVAL('+999999999 23:59:59.')", "999999999 days 23:59:59"],
  ["number", "numeric", "'.5'", "0.5"],
  ["number", "integer", "HEXTORAW('C202')", "100"],
  ["number", "numeric", "'1E+125'", `1${"0".repeat(125)}`],
  ["float", "double precision", "'Nan'", "NaN"],
  ["float", "double precision", "'-Inf'", "-Infinity"],
  ["float", "real", "'3.40282347E+038'", "3.4028235e+38"],
  ["bytes", "bytea", "HEXTORAW('00ff0A')", "\\x00ff0a"],
  ["blob", "bytea", "EMPTY_BLOB()", "\\x"],
  ["text", "char(5)", "'a    '", "a    "],
])("PostgreSQL reads a %s as %s: %s", async (kind, type, literal, expected) => {
  const text = scan(tableOf(`ID|V:${kind}`), `insert into "S"."T"("ID","V") values ('1',${literal})`).new?.[1];
  const { rows } = await server.query<{ v: string }>(
    `SELECT format('%s', $1::text::${type}) AS v FROM (SELECT set_config('TimeZone', 'UTC', false)) s`,
    [text],
  );
  expect(rows[0]?.v.trimEnd()).toBe(expected.trimEnd());
});
