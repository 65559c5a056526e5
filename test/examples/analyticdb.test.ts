import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type AnalyticdbStandIn, startAnalyticdb } from "../support/analyticdb/standIn.js";
import { listLeftovers, listLocalLeftovers } from "../support/leftovers.js";
import { type PostgresServer, startPostgres } from "../support/postgres.js";
import { createProgram, type PulumiProgram } from "../support/pulumi.js";
import { REPOSITORY } from "../support/pulumiProject.js";

const FOLDER = join(REPOSITORY, "examples/postgresql-to-analyticdb");
const DATABASE = "shop";

describe("examples/postgresql-to-analyticdb, on a stand-in for AnalyticDB 7", () => {
  let source: PostgresServer;
  let target: AnalyticdbStandIn;
  let program: PulumiProgram;

  beforeAll(async () => {
    [source, target] = await Promise.all([startPostgres({ major: 17 }), startAnalyticdb({ version: 7 })]);
    await Promise.all([source.createDatabase(DATABASE), target.server.createDatabase(DATABASE)]);
    await source.query(
      `CREATE SCHEMA shop;
       CREATE TABLE shop.customer (id integer PRIMARY KEY, name text);
       CREATE TABLE shop.sale (id integer PRIMARY KEY, customer integer NOT NULL REFERENCES shop.customer, amount numeric(12,2));
       CREATE TABLE shop.visit (page text, at timestamptz);
       INSERT INTO shop.customer SELECT g, 'c' || g FROM generate_series(1, 200) g;
       INSERT INTO shop.sale SELECT g, 1 + g % 200, g FROM generate_series(1, 2000) g;
       INSERT INTO shop.visit SELECT 'p' || g % 9, '2024-01-01' FROM generate_series(1, 500) g`,
      undefined,
      DATABASE,
    );
    const files: Record<string, string> = {};
    for (const name of ["index.ts", "Pulumi.yaml", "package.json", "tsconfig.json"]) {
      files[name] = await readFile(join(FOLDER, name), "utf8");
    }
    program = await createProgram({ files });
    const ends = {
      source: { host: `127.0.0.1:${source.port}`, username: source.username, password: source.password },
      target: { host: `127.0.0.1:${target.port}`, username: target.username, password: target.password },
    };
    for (const [side, { host, username, password }] of Object.entries(ends)) {
      await program.config.set(`${side}Host`, host);
      await program.config.set(`${side}Username`, username);
      await program.config.set(`${side}Password`, password, { secret: true });
      await program.config.set(`${side}Database`, DATABASE);
    }
  });
  afterAll(() => Promise.all([program?.remove(), source?.remove(), target?.remove()]));

  const sums = async () => {
    const { rows } = await target.server.query<{ sum: string }>(
      `SELECT (SELECT count(*) FROM lake.customer) || ' ' || (SELECT sum(amount) FROM lake.sale) || ' ' || (SELECT count(*) FROM lake.visit) AS sum`,
      undefined,
      DATABASE,
    );
    return rows[0]?.sum;
  };

  it("fills the warehouse, keeps it in step, changes nothing the second time, and leaves nothing behind", async () => {
    const up = await program.up();
    expect(up.changes).toMatchObject({ create: 4 });
    expect(await program.outputs()).toMatchObject({ state: "running" });
    expect(await sums()).toBe("200 2001000.00 500");
    const made = new Map(target.created().map(({ name, storage, distributed }) => [name, [storage, ...distributed]]));
    expect(made.get('"lake"."sale"')).toEqual(["beam", "customer"]);
    expect(made.get('"lake"."visit"')).toEqual(["beam", "page"]);

    await source.query(
      "UPDATE shop.sale SET amount = 0, customer = 3 WHERE id = 2000; DELETE FROM shop.visit WHERE page = 'p1'; INSERT INTO shop.customer VALUES (201, 'new')",
      undefined,
      DATABASE,
    );
    await expect.poll(sums, { timeout: 60_000, interval: 500 }).toBe("201 1999000.00 444");

    expect((await program.up()).changes).toEqual({ same: 4 });
    expect(target.refused()).toEqual([]);
    expect((await program.destroy()).changes).toEqual({ delete: 4 });
    const left = (
      await Promise.all([listLeftovers(source), listLeftovers(target.server), listLocalLeftovers(program.godwitHome)])
    ).flat();
    expect(left.filter(({ name }) => !name.startsWith("gp_standin"))).toEqual([]);
    expect(await sums()).toBe("201 1999000.00 444");
  }, 300_000);
});
