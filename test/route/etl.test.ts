import { describe, expect, it } from "vitest";
import type { TableEtl } from "../../provider/contract/types.js";
import { digest, onceLevel, upUnderKills } from "../support/rowRules.js";
import { taskOfEachTest } from "../support/suiteTask.js";
import type { Database, TestTask } from "../support/task.js";

const TABLES = `
  CREATE TYPE pair AS (name text, value bigint);
  CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
  CREATE TABLE person (
    gone integer, id bigint PRIMARY KEY, "Name" text, email varchar(60), card char(16), body text, born date, score integer,
    price numeric(10, 2), token bytea, ref uuid, feeling mood, vip boolean, address inet, tags text[]);
  ALTER TABLE person DROP gone;
  ALTER TABLE person ALTER body SET STORAGE EXTERNAL;
  CREATE TABLE bag (kind text, secret text, value integer);
  CREATE TABLE plain (id integer PRIMARY KEY, value integer);
  CREATE TABLE event (id integer, region text, what text, PRIMARY KEY (id, region)) PARTITION BY LIST (region);
  CREATE TABLE event_eu PARTITION OF event FOR VALUES IN ('eu');
  CREATE TABLE event_us PARTITION OF event FOR VALUES IN ('us');
  INSERT INTO person (id, "Name", email, card, body, born, score, price, token, ref, feeling, vip, address, tags)
    SELECT g, 'name ' || g, CASE WHEN g % 9 > 0 THEN 'm' || g || '@shop.example' END, lpad(g::text, 16, '4'), repeat(md5(g::text), 80),
           '1970-01-01'::date + g::integer, g % 100, g / 3.0, decode(md5(g::text), 'hex'), md5('r' || g)::uuid,
           (enum_range(NULL::mood))[1 + g % 3], g % 2 = 0, ('10.0.0.' || g % 250)::inet, ARRAY['a' || g, 'b', NULL]
      FROM generate_series(1, 6000) g;
  INSERT INTO bag SELECT 'k' || g % 10, 'secret' || g % 50, g % 100 FROM generate_series(1, 2000) g;
  INSERT INTO event SELECT g, (ARRAY['eu', 'us'])[1 + g % 2], 'what' || g FROM generate_series(1, 400) g;
  ANALYZE`;

const ETL: readonly TableEtl[] = [
  {
    schema: "public",
    table: "person",
    derive: [
      { column: "score", expression: "score / 2 + char_length(body) -- half" },
      { column: "vip", expression: "score > 50 OR address << '10.0.0.0/25'" },
      { column: "tags", expression: `ARRAY["Name", NULL] || tags` },
      { column: "birth_year", expression: "extract(year FROM born)", type: "smallint" },
      { column: "Mail Host", expression: "split_part(email, '@', 2)", type: "varchar(40)" },
      {
        column: "whole",
        expression: "CASE WHEN id % 2 = 0 THEN ROW(NULL, NULL)::public.pair ELSE ROW('n', id)::public.pair END",
        type: "public.pair",
      },
    ],
    drop: "score % 5 = 0 AND \"Name\" <> 'never'",
    mask: [
      { column: "Name", method: "keep", keepFirst: 2, keepLast: 1 },
      { column: "email", method: "md5" },
      { column: "card", method: "keep", keepLast: 4, replaceWith: "'" },
      { column: "token", method: "md5" },
      { column: "ref", method: "md5" },
      { column: "feeling", method: "constant", value: "ok" },
      { column: "address", method: "null" },
    ],
  },
  {
    schema: "public",
    table: "bag",
    mask: [{ column: "secret", method: "keep", keepFirst: 1, replaceWith: "\\" }],
    drop: "value < 20",
  },
  {
    schema: "public",
    table: "event",
    mask: [{ column: "what", method: "md5" }],
    derive: [{ column: "len", expression: "char_length(what)", type: "bigint" }],
  },
];

/** What the source's rows are to be at the target, in the source's own SQL, written down apart from what Godwit makes of it. */
const EXPECTED = {
  person: `SELECT id, CASE WHEN length("Name") > 3 THEN left("Name", 2) || repeat('*', length("Name") - 3) || right("Name", 1) ELSE repeat('*', length("Name")) END AS "Name",
      md5(email)::varchar(60) AS email, (repeat('''', length(card) - 4) || right(card::text, 4))::char(16) AS card, body, born, score / 2 + length(body) AS score, price,
      decode(md5(token), 'hex') AS token, md5(ref::text)::uuid AS ref, 'ok' AS feeling, (score > 50 OR address << '10.0.0.0/25') AS vip, NULL::inet AS address,
      ARRAY["Name", NULL] || tags AS tags, extract(year FROM born)::smallint AS birth_year, split_part(email, '@', 2) AS "Mail Host", CASE WHEN id % 2 = 0 THEN ROW(NULL, NULL)::pair ELSE ROW('n', id)::pair END AS whole
      FROM person WHERE (score % 5 = 0 AND "Name" <> 'never') IS NOT TRUE`,
  bag: `SELECT kind, CASE WHEN length(secret) > 1 THEN left(secret, 1) || repeat('\\', length(secret) - 1) ELSE repeat('\\', length(secret)) END AS secret, value FROM bag WHERE (value < 20) IS NOT TRUE`,
  plain: "SELECT id, value FROM plain",
  event: "SELECT id, region, md5(what) AS what, length(what)::bigint AS len FROM event",
};
const FOUND = {
  person: `SELECT id, "Name", email, card, body, born, score, price, token, ref, feeling, vip, address, tags, birth_year, "Mail Host", whole FROM person`,
  bag: "SELECT kind, secret, value FROM bag",
  plain: "SELECT id, value FROM plain",
  event: "SELECT id, region, what, len FROM event",
};
const WRITTEN = [
  { name: "person", key: "id", columns: ["id", "Name", "score", "body", "email"] },
  { name: "bag", operations: { insert: 2, update: 2, delete: 1, keyChange: 0 } },
  { name: "plain", key: "id" },
];
const live = { migrationTypes: ["schema", "full", "incremental"] as const };
const objects = [{ schema: "public" }];

async function sides({ source, target }: TestTask) {
  const read = async (database: Database, queries: Readonly<Record<string, string>>) => {
    const found: Record<string, unknown> = {};
    for (const [name, query] of Object.entries(queries)) found[name] = await digest(database, query);
    return found;
  };
  return { source: await read(source, EXPECTED), target: await read(target, FOUND) };
}

describe.each([
  { from: 11, to: 14 },
  { from: 17, to: 18 },
] as const)("rows that expressions make, $from to $to", ({ from, to }) => {
  let task: TestTask;
  taskOfEachTest({ from, to, sql: TABLES }, (made) => {
    task = made;
  });

  it("are at the target as the source's own SELECT gives them, under four writers, key changes and kill -9 of the worker", async () => {
    await upUnderKills(task, { ...live, objects, etl: ETL }, WRITTEN, 30_000);
    const found = await onceLevel(() => sides(task));
    expect(found.target).toEqual(found.source);
    const [all] = await task.source.rows<{ n: number }>("SELECT count(*)::integer AS n FROM person");
    expect(found.target.person).not.toMatchObject({ n: all?.n });
    await task.destroy();
    expect(await task.leftovers()).toEqual([]);
  });
});
