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
    `CREATE TABLE orders (id integer PRIMARY KEY, region text);
     INSERT INTO orders SELECT g, CASE WHEN g % 4 = 0 THEN 'eu' ELSE 'us' END FROM generate_series(1, 100) g`,
    undefined,
    DATABASE,
  );
  program = await createProgram({ files: { "index.ts": text("region = 'eu'") } });
  await program.config.set("sourcePassword", source.password, { secret: true });
  await program.config.set("targetPassword", target.password, { secret: true });
});
afterAll(() => Promise.all([program?.remove(), source?.remove(), target?.remove()]));

function text(where: string): string {
  const end = ({ port, username }: PostgresServer, secret: string) =>
    `{ engine: "postgresql", hosts: ["127.0.0.1:${port}"], username: "${username}", password: config.requireSecret("${secret}"), databaseName: "${DATABASE}" }`;
  return `
import * as pulumi from "@pulumi/pulumi";
import * as godwit from "godwit";
const config = new pulumi.Config();
export const state = new godwit.MigrationTask("orders", {
  source: ${end(source, "sourcePassword")},
  target: ${end(target, "targetPassword")},
  migrationTypes: ["schema", "full", "incremental"],
  objects: [{ schema: "public", tables: [{ name: "orders", where: ${JSON.stringify(where)} }] }],
}).state;
`;
}

const there = async () => {
  const { rows } = await target.query<{ ids: string }>(
    "SELECT count(*) || ': ' || sum(id) AS ids FROM orders",
    undefined,
    DATABASE,
  );
  return rows[0]?.ids;
};

it("a program that moves some rows of a table: up, up that changes nothing, another condition refused, refresh, destroy", async () => {
  expect((await program.up()).changes).toMatchObject({ create: 2 });
  expect(await there()).toBe("25: 1300");
  await source.query(
    "UPDATE orders SET region = 'eu' WHERE id = 1; UPDATE orders SET region = 'us' WHERE id = 100; INSERT INTO orders VALUES (101, 'us')",
    undefined,
    DATABASE,
  );
  await expect.poll(there, { timeout: 60_000 }).toBe("25: 1201");
  expect((await program.up()).changes).toEqual({ same: 2 });
  await program.write({ "index.ts": text("region = 'us'") });
  const refused = await program.run(["up", "--yes", "--skip-preview", "--stack", "dev"], { mayFail: true });
  expect(`${refused.stdout}${refused.stderr}`).toMatch(/GW1304: `where` of a table that is being migrated can't change/);
  await program.write({ "index.ts": text("region = 'eu'") });
  expect((await program.refresh()).changes).toEqual({ same: 2 });
  await source.query("DELETE FROM orders WHERE id IN (1, 2)", undefined, DATABASE);
  await expect.poll(there, { timeout: 60_000 }).toBe("24: 1200");
  expect((await program.destroy()).changes).toMatchObject({ delete: 2 });
  const left = await Promise.all([listLeftovers(source), listLeftovers(target), listLocalLeftovers(program.godwitHome)]);
  expect(left.flat()).toEqual([]);
  expect(await there()).toBe("24: 1200");
}, 300_000);
