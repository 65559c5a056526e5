import { Client } from "pg";
import type { PostgresServer } from "../../../support/postgres.js";

/** Tables with every trouble a stream can meet. `modern`: PostgreSQL 12 and up. */
export function troublesomeTables(modern: boolean): string {
  return `
  CREATE TYPE mood AS ENUM ('calm', 'über', 'it''s');
  CREATE TABLE plain (id bigint PRIMARY KEY, a int, b text, c numeric, j jsonb, arr int[], m mood, d timestamptz, f float8, x bytea);
  CREATE TABLE toasted (id int PRIMARY KEY, small int, big text, other bytea);
  ALTER TABLE toasted ALTER big SET STORAGE EXTERNAL, ALTER other SET STORAGE EXTERNAL;
  CREATE TABLE "Quoted ""T""" ("Key one" text, "k 2" int, "väl ue" varchar(40), PRIMARY KEY ("k 2", "Key one"));
  CREATE TABLE swapped (id int PRIMARY KEY, u int NOT NULL UNIQUE);
  CREATE TABLE keyless (a int, b text, c numeric);
  CREATE TABLE keyless_toasted (a int, big text);
  ALTER TABLE keyless_toasted ALTER big SET STORAGE EXTERNAL;
  CREATE TABLE identities (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, v text);
  CREATE TABLE only_key (a int, b text, PRIMARY KEY (a, b));
  CREATE TABLE emptied (id int PRIMARY KEY, v text);
  CREATE TABLE emptied_child (id int PRIMARY KEY, v text);
  CREATE TABLE nothing ();
  ${modern ? "CREATE TABLE computed (id int PRIMARY KEY, v int, g int GENERATED ALWAYS AS (v * 2) STORED);" : ""}
  CREATE TABLE unpublished_work (n int);`;
}

/** Runs `transactions` of mixed changes on one connection; the same seed gives the same statements. */
export async function writeRandomly(
  server: PostgresServer,
  database: string,
  { seed, transactions, modern }: { seed: number; transactions: number; modern: boolean },
): Promise<void> {
  const client = new Client({ ...connection(server), database });
  client.on("error", () => undefined);
  await client.connect();
  const random = generator(seed);
  const int = (below: number) => Math.floor(random() * below);
  // Writers keep to their own keys, so that they seldom wait for each other and never deadlock.
  const key = () => seed * 100_000 + int(300);
  const text = (length: number) => `repeat(chr(${97 + int(26)}), ${length})`;
  const awkward = () => ["E'tab\\tnewline\\nreturn\\rback\\\\slash'", "'\\N'", "''", "NULL", "'größe 漢字 😀'", "'\\.'"][int(6)];
  const anyPlain = () =>
    `${int(9)}, ${awkward()}, ${["1.0", "1.00", "'NaN'", "-0.000001", "99999999999999999999.5", "NULL"][int(6)]}, ` +
    `'{"a": [1, "\\\\n"]}', '{{1,2},{3,NULL}}', '${["calm", "über", "it''s"][int(3)]}', ` +
    `${["'infinity'", "'-infinity'", "now()", "'0044-03-15 BC'"][int(4)]}, ${["'-0'", "'NaN'", "1e300", "0.1"][int(4)]}, '\\x00ff5c'`;
  const choices: (() => string[])[] = [
    () => [`INSERT INTO plain VALUES (${key()}, ${anyPlain()}) ON CONFLICT (id) DO NOTHING`],
    () => [
      `INSERT INTO plain VALUES (${key()}, ${anyPlain()}) ON CONFLICT (id) DO UPDATE SET a = plain.a + 1, b = excluded.b, c = excluded.c`,
    ],
    () => [`UPDATE plain SET a = coalesce(a, 0) + 1 WHERE id BETWEEN ${key()} AND ${seed * 100_000 + 250}`],
    () => [`DELETE FROM plain WHERE id = ${key()}`],
    () => {
      const id = key();
      return [
        `DELETE FROM plain WHERE id = ${id}`,
        `INSERT INTO plain VALUES (${id}, ${anyPlain()})`,
        `UPDATE plain SET b = 'again' WHERE id = ${id}`,
      ];
    },
    () => [`UPDATE plain SET id = -id WHERE id = ${key()} AND NOT EXISTS (SELECT FROM plain p WHERE p.id = -plain.id)`],
    () => {
      const [a, b] = [key(), key()];
      const free = seed * 100_000 + 99_999;
      return a === b
        ? []
        : [
            `UPDATE plain SET id = ${free} WHERE id = ${a}`,
            `UPDATE plain SET id = ${a} WHERE id = ${b}`,
            `UPDATE plain SET id = ${b} WHERE id = ${free}`,
          ];
    },
    () => [
      `INSERT INTO toasted VALUES (${key()}, 1, ${text(int(3) * 4000)}, convert_to(${text(int(2) * 5000)}, 'UTF8')) ON CONFLICT (id) DO UPDATE SET small = toasted.small + 1`,
    ],
    () => [`UPDATE toasted SET small = small + 1 WHERE id = ${key()}`],
    () => [
      `UPDATE toasted SET big = ${text(3000 + int(3000))} WHERE id = ${key()}`,
      `UPDATE toasted SET small = small + 1 WHERE id = ${key()}`,
    ],
    () => [`UPDATE toasted SET other = convert_to(${text(4000)}, 'UTF8') WHERE id = ${key()}`],
    () => [`DELETE FROM toasted WHERE id = ${key()}`],
    () =>
      int(10) === 0
        ? [
            `UPDATE toasted SET id = id + 1000 WHERE id = ${key()} AND NOT EXISTS (SELECT FROM toasted p WHERE p.id = toasted.id + 1000)`,
          ]
        : [],
    () => [`INSERT INTO "Quoted ""T""" VALUES ('k${int(50)}', ${key()}, ${awkward()}) ON CONFLICT DO NOTHING`],
    () => [`UPDATE "Quoted ""T""" SET "väl ue" = 'new' WHERE "k 2" = ${key()}`],
    () => [`UPDATE "Quoted ""T""" SET "Key one" = "Key one" || 'x' WHERE "k 2" = ${key()}`],
    () => {
      const [a, b] = [seed * 1000 + int(10), seed * 1000 + int(10)];
      const value = (id: number) => `(SELECT u FROM swapped WHERE id = ${id})`;
      if (a === b || int(8) > 0) return [`INSERT INTO swapped VALUES (${a}, ${a * 10}) ON CONFLICT DO NOTHING`];
      return [
        `CREATE TEMP TABLE IF NOT EXISTS s (a int, b int)`,
        `TRUNCATE s`,
        `INSERT INTO s SELECT x.u, y.u FROM swapped x, swapped y WHERE x.id = ${a} AND y.id = ${b}`,
        `UPDATE swapped SET u = -${a} WHERE id = ${a} AND EXISTS (SELECT FROM s)`,
        `UPDATE swapped SET u = coalesce((SELECT a FROM s), ${value(b)}) WHERE id = ${b}`,
        `UPDATE swapped SET u = coalesce((SELECT b FROM s), ${value(a)}) WHERE id = ${a}`,
      ];
    },
    () => [`INSERT INTO keyless SELECT ${int(5)}, ${awkward()}, 1.50 FROM generate_series(1, ${1 + int(3)})`],
    () => [
      `UPDATE keyless SET a = a + 1 WHERE ctid = (SELECT ctid FROM keyless LIMIT 1 OFFSET ${int(20)} FOR UPDATE SKIP LOCKED)`,
    ],
    () => [`DELETE FROM keyless WHERE ctid = (SELECT ctid FROM keyless LIMIT 1 OFFSET ${int(20)} FOR UPDATE SKIP LOCKED)`],
    () => [`INSERT INTO keyless_toasted VALUES (${int(5)}, ${text(5000)})`],
    () => [`UPDATE keyless_toasted SET a = a + 1 WHERE ctid = (SELECT ctid FROM keyless_toasted LIMIT 1 FOR UPDATE SKIP LOCKED)`],
    () => [`DELETE FROM keyless_toasted WHERE ctid = (SELECT ctid FROM keyless_toasted LIMIT 1 OFFSET 5 FOR UPDATE SKIP LOCKED)`],
    () => [
      `INSERT INTO identities (v) VALUES (${awkward()})`,
      `UPDATE identities SET v = 'x' WHERE id = (SELECT max(id) - ${int(5)} FROM identities)`,
    ],
    () => [`INSERT INTO only_key VALUES (${key()}, 'b') ON CONFLICT DO NOTHING`, `DELETE FROM only_key WHERE a = ${key()}`],
    () => [`UPDATE only_key SET b = b || 'c' WHERE a = ${key()} AND length(b) < 20`],
    () =>
      int(12) === 0 && seed === 1
        ? [`TRUNCATE emptied, emptied_child RESTART IDENTITY`]
        : [`INSERT INTO emptied VALUES (${key()}, 'v') ON CONFLICT (id) DO UPDATE SET v = emptied.v || 'w'`],
    () =>
      seed === 1 && int(30) === 0
        ? [
            `INSERT INTO emptied_child SELECT ${key()}, 'c' ON CONFLICT DO NOTHING`,
            `TRUNCATE emptied_child`,
            `INSERT INTO emptied_child VALUES (${key()}, 'after')`,
          ]
        : [],
    () => [
      int(3) === 0
        ? "DELETE FROM nothing WHERE ctid = (SELECT ctid FROM nothing LIMIT 1 FOR UPDATE SKIP LOCKED)"
        : "INSERT INTO nothing DEFAULT VALUES",
    ],
    () =>
      modern ? [`INSERT INTO computed VALUES (${key()}, ${int(100)}) ON CONFLICT (id) DO UPDATE SET v = computed.v + 1`] : [],
    () => ["INSERT INTO unpublished_work VALUES (1)"],
    () => ["SAVEPOINT a", `INSERT INTO plain VALUES (${seed * 100_000 + 90_000}, ${anyPlain()})`, "ROLLBACK TO a"],
  ];
  try {
    for (let transaction = 0; transaction < transactions; transaction++) {
      const statements = Array.from({ length: 1 + int(12) }, () => (choices[int(choices.length)] ?? (() => []))()).flat();
      try {
        await client.query(["BEGIN", ...statements, "COMMIT"].join(";\n"));
      } catch (cause) {
        await client.query("ROLLBACK");
        // Writers may meet in the shared tables: a deadlock's victim, or a unique value taken.
        if (!["40P01", "23505"].includes((cause as { code?: string }).code ?? "")) throw cause;
      }
    }
  } finally {
    await client.end();
  }
}

function connection(server: PostgresServer) {
  return { host: server.host, port: server.port, user: server.username, password: server.password, ssl: false };
}

/** mulberry32: small, and the same on every machine. */
function generator(seed: number): () => number {
  let state = seed * 0x9e3779b9;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}
