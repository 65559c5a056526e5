import { afterAll, beforeAll, expect, it } from "vitest";
import { listLeftovers, listLocalLeftovers } from "../support/leftovers.js";
import { type PostgresServer, startPostgres } from "../support/postgres.js";
import { createProgram, type PulumiProgram } from "../support/pulumi.js";

const DATABASE = "shop";
let source: PostgresServer;
let target: PostgresServer;
let program: PulumiProgram;

beforeAll(async () => {
  [source, target] = await Promise.all([startPostgres({ major: 14 }), startPostgres({ major: 17 })]);
  await Promise.all([source.createDatabase(DATABASE), target.createDatabase(DATABASE)]);
  await source.query(
    `CREATE TABLE customer (id integer PRIMARY KEY, email text);
     INSERT INTO customer SELECT g, 'mail' || g || '@shop.example' FROM generate_series(1, 100) g`,
    undefined,
    DATABASE,
  );
  program = await createProgram({ files: { "index.ts": text("md5") } });
  await program.config.set("sourcePassword", source.password, { secret: true });
  await program.config.set("targetPassword", target.password, { secret: true });
});
afterAll(() => Promise.all([program?.remove(), source?.remove(), target?.remove()]));

function text(method: string): string {
  const end = ({ port, username }: PostgresServer, secret: string) =>
    `{ engine: "postgresql", hosts: ["127.0.0.1:${port}"], username: "${username}", password: config.requireSecret("${secret}"), databaseName: "${DATABASE}" }`;
  return `
import * as pulumi from "@pulumi/pulumi";
import * as godwit from "godwit";
const config = new pulumi.Config();
export const state = new godwit.MigrationTask("customers", {
  source: ${end(source, "sourcePassword")},
  target: ${end(target, "targetPassword")},
  migrationTypes: ["schema", "full", "incremental"],
  objects: [{ schema: "public", tables: [{ name: "customer" }] }],
  etl: [{
    schema: "public",
    table: "customer",
    derive: [{ column: "mail_host", expression: "split_part(email, '@', 2)", type: "varchar(80)" }],
    drop: "id % 2 = 0",
    mask: [{ column: "email", method: "${method}" }],
  }],
}).state;
`;
}

const digest = async (server: PostgresServer, query: string) => {
  const { rows } = await server.query<{ n: number; sum: string }>(
    `SELECT count(*)::integer AS n, md5(string_agg(r::text, '|' ORDER BY id)) AS sum FROM (${query}) r`,
    undefined,
    DATABASE,
  );
  return rows[0];
};
const here = () => digest(source, "SELECT id, md5(email), split_part(email, '@', 2) FROM customer WHERE id % 2 <> 0");
const there = () => digest(target, "SELECT id, email, mail_host FROM customer");

it("a program that masks, derives and drops: up, up that changes nothing, another mask refused, refresh, destroy", async () => {
  expect((await program.up()).changes).toMatchObject({ create: 2 });
  expect(await there()).toEqual(await here());
  expect((await there())?.n).toBe(50);
  await source.query(
    "UPDATE customer SET email = 'other@x.example' WHERE id < 10; INSERT INTO customer VALUES (101, 'new@y.example'); UPDATE customer SET id = 99 + 4 WHERE id = 4",
    undefined,
    DATABASE,
  );
  await expect.poll(there, { timeout: 60_000 }).toEqual(await here());
  expect((await program.up()).changes).toEqual({ same: 2 });
  await program.write({ "index.ts": text("null") });
  const refused = await program.run(["up", "--yes", "--skip-preview", "--stack", "dev"], { mayFail: true });
  expect(`${refused.stdout}${refused.stderr}`).toMatch(/GW1304: `etl` of a table that is being migrated can't change/);
  await program.write({ "index.ts": text("blur") });
  const unknown = await program.run(["up", "--yes", "--skip-preview", "--stack", "dev"], { mayFail: true });
  expect(`${unknown.stdout}${unknown.stderr}`).toMatch(/"blur\\?"' is not assignable to type 'Input<MaskMethod>'/);
  await program.write({ "index.ts": text("md5") });
  expect((await program.refresh()).changes).toEqual({ same: 2 });
  await source.query("DELETE FROM customer WHERE id IN (1, 2, 3)", undefined, DATABASE);
  await expect.poll(there, { timeout: 60_000 }).toEqual(await here());
  expect((await program.destroy()).changes).toMatchObject({ delete: 2 });
  const left = await Promise.all([listLeftovers(source), listLeftovers(target), listLocalLeftovers(program.godwitHome)]);
  expect(left.flat()).toEqual([]);
  expect(await there()).toEqual(await here());
}, 300_000);
