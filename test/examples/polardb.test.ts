import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Leftover, listLeftovers, listLocalLeftovers } from "../support/leftovers.js";
import { type PolardbStandIn, startPolardbStandIn } from "../support/polardbO/standIn.js";
import { type PostgresServer, startPostgres } from "../support/postgres.js";
import { createProgram, type PulumiProgram } from "../support/pulumi.js";
import { REPOSITORY } from "../support/pulumiProject.js";

const DATABASE = "shop";

interface Login {
  readonly username: string;
  readonly password: string;
}

/** The program of an example in a folder of its own, with the packed godwit. */
async function exampleProgram(name: string): Promise<PulumiProgram> {
  const files: Record<string, string> = {};
  for (const file of ["index.ts", "Pulumi.yaml", "package.json", "tsconfig.json"]) {
    files[file] = await readFile(join(REPOSITORY, "examples", name, file), "utf8");
  }
  return createProgram({ files });
}

async function login(program: PulumiProgram, side: "source" | "target", { username, password }: Login): Promise<void> {
  await program.config.set(`${side}Username`, username);
  await program.config.set(`${side}Password`, password, { secret: true });
  await program.config.set(`${side}Database`, DATABASE);
}

async function leftovers(program: PulumiProgram, servers: readonly PostgresServer[]): Promise<Leftover[]> {
  const found = await Promise.all([...servers.map(listLeftovers), listLocalLeftovers(program.godwitHome)]);
  return found.flat().filter(({ name }) => !name.startsWith("stand_in"));
}

describe("examples/postgresql-to-polardb, on a stand-in for PolarDB O 2.0", () => {
  let source: PostgresServer;
  let target: PolardbStandIn;
  let program: PulumiProgram;
  beforeAll(async () => {
    [source, target] = await Promise.all([startPostgres({ major: 17 }), startPolardbStandIn({ release: "2.0" })]);
    await Promise.all([source.createDatabase(DATABASE), target.server.createDatabase(DATABASE)]);
    await source.query(
      `CREATE SCHEMA orders;
       CREATE TABLE orders.item (id serial PRIMARY KEY, label text NOT NULL DEFAULT '', level integer CHECK (level >= 0), ordered date);
       INSERT INTO orders.item (label, level, ordered) SELECT 'i' || g, g % 7, '2024-01-01'::date + g FROM generate_series(1, 1000) g`,
      undefined,
      DATABASE,
    );
    program = await exampleProgram("postgresql-to-polardb");
    await program.config.set("sourceHost", `127.0.0.1:${source.port}`);
    await program.config.set("targetHost", `127.0.0.1:${target.proxy.port}`);
    await login(program, "source", source);
    await login(program, "target", target.server);
    // Packs godwit and installs it, where no test before has.
  }, 400_000);
  afterAll(() => Promise.all([program?.remove(), source?.remove(), target?.remove()]));

  it("moves a schema, follows its changes, changes nothing the second time, and leaves nothing behind", async () => {
    const read = async () =>
      (
        await target.server.query<{ sum: string }>(
          "SELECT count(*) || ' ' || sum(level) || ' ' || max(ordered) AS sum FROM orders.item",
          undefined,
          DATABASE,
        )
      ).rows[0]?.sum;
    expect((await program.up()).changes).toEqual({ create: 4 });
    expect(await program.outputs()).toMatchObject({
      state: "running",
      converted: [expect.stringMatching(/^orders\.item\.label: .*DEFAULT ''/)],
    });
    expect(await read()).toBe("1000 3003 2026-09-27");
    await source.query(
      "DELETE FROM orders.item WHERE id <= 7; UPDATE orders.item SET ordered = '2030-05-05' WHERE id = 8",
      undefined,
      DATABASE,
    );
    await expect.poll(read, { timeout: 60_000, interval: 500 }).toBe("993 2982 2030-05-05");
    expect((await program.up()).changes).toEqual({ same: 4 });
    expect((await program.refresh()).changes).toEqual({ same: 4 });
    expect((await program.destroy()).changes).toEqual({ delete: 4 });
    expect(await leftovers(program, [source, target.server])).toEqual([]);
  }, 400_000);
});

describe("examples/polardb-to-polardb, on stand-ins for PolarDB O 1.0 and 2.0", () => {
  let source: PolardbStandIn;
  let target: PolardbStandIn;
  let program: PulumiProgram;
  beforeAll(async () => {
    [source, target] = await Promise.all([startPolardbStandIn({ release: "1.0" }), startPolardbStandIn({ release: "2.0" })]);
    await Promise.all([source.server.createDatabase(DATABASE), target.server.createDatabase(DATABASE)]);
    const client = new Client({ ...source.server.clientConfig(DATABASE), port: source.proxy.port });
    await client.connect();
    for (const statement of [
      `CREATE SCHEMA bank; CREATE SCHEMA web;
       CREATE TABLE bank.account (id number(10) PRIMARY KEY, owner varchar2(30) NOT NULL, opened date, note clob);
       INSERT INTO bank.account SELECT g::numeric, ('o' || g)::varchar, '2024-02-29 12:30:00', NULL FROM generate_series(1, 500) g`,
      'CREATE OR REPLACE PACKAGE "bank"."fees" IS\n  FUNCTION monthly(who account.id%TYPE) RETURN NUMBER;\nEND fees;',
      'CREATE OR REPLACE PACKAGE BODY "bank"."fees" IS\n  FUNCTION monthly(who account.id%TYPE) RETURN NUMBER IS BEGIN RETURN 1; END;\nEND fees;',
      'CREATE OR REPLACE SYNONYM "web"."accounts" FOR "bank"."account"',
    ]) {
      await client.query(statement);
    }
    await client.end();
    program = await exampleProgram("polardb-to-polardb");
    await program.config.set("sourceHosts", JSON.stringify([`127.0.0.1:${source.proxy.port}`]));
    await program.config.set("targetHosts", JSON.stringify([`127.0.0.1:${target.proxy.port}`]));
    await login(program, "source", source.server);
    await login(program, "target", target.server);
    // Packs godwit and installs it, where no test before has.
  }, 400_000);
  afterAll(() => Promise.all([program?.remove(), source?.remove(), target?.remove()]));

  it("moves tables, packages and synonyms, changes nothing the second time, and leaves nothing behind", async () => {
    const rows = async (sql: string) => (await target.server.query(sql, undefined, DATABASE)).rows;
    expect((await program.up()).changes).toEqual({ create: 4 });
    expect(await program.outputs()).toMatchObject({
      state: "running",
      // The stand-in's own: the real server's are not the user's to move.
      left: ["eventTrigger stand_in_redwood_date", expect.stringMatching(/^privileges /)],
      failover: expect.stringContaining("polar_failover_slot_mode = async"),
    });
    expect(await rows("SELECT schema_name, name, type FROM sys.source_text ORDER BY type")).toEqual([
      { schema_name: "bank", name: "fees", type: "PACKAGE" },
      { schema_name: "bank", name: "fees", type: "PACKAGE BODY" },
    ]);
    expect(await rows("SELECT synname, synobjschema, synobjname FROM pg_synonym")).toEqual([
      { synname: "accounts", synobjschema: "bank", synobjname: "account" },
    ]);
    const opened = () =>
      rows("SELECT count(*)::int AS n, min(opened)::text AS first, max(opened)::text AS last FROM bank.account");
    expect(await opened()).toEqual([{ n: 500, first: "2024-02-29 12:30:00", last: "2024-02-29 12:30:00" }]);
    await source.server.query(
      "INSERT INTO bank.account VALUES (501::numeric, 'new', '2024-12-31 23:59:59'); DELETE FROM bank.account WHERE id::numeric <= 10",
      undefined,
      DATABASE,
    );
    await expect
      .poll(opened, { timeout: 60_000, interval: 500 })
      .toEqual([{ n: 491, first: "2024-02-29 12:30:00", last: "2024-12-31 23:59:59" }]);
    expect((await program.up()).changes).toEqual({ same: 4 });
    expect((await program.refresh()).changes).toEqual({ same: 4 });
    expect((await program.destroy()).changes).toEqual({ delete: 4 });
    expect(await leftovers(program, [source.server, target.server])).toEqual([]);
  }, 400_000);
});
