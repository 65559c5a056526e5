import { Client } from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type AnalyticdbStandIn, startAnalyticdb } from "./standIn.js";

describe.each([7, 6] as const)("the stand-in for AnalyticDB %i", (version) => {
  let standIn: AnalyticdbStandIn;
  let client: Client;
  const connected = async (options = "") => {
    const opened = new Client({
      host: "127.0.0.1",
      port: standIn.port,
      user: standIn.username,
      password: standIn.password,
      database: "d",
      options,
    });
    opened.on("error", () => undefined);
    await opened.connect();
    return opened;
  };
  beforeAll(async () => {
    standIn = await startAnalyticdb({ version });
    await standIn.server.createDatabase("d");
    client = await connected();
  });
  afterAll(async () => {
    await client.end();
    await standIn.remove();
  });
  beforeEach(() => standIn.forget());

  const storage = version === 7 ? "USING heap" : "WITH (appendonly=false)";

  it("takes a table's clauses, remembers them, and holds unique keys to the distribution key", async () => {
    await client.query(`CREATE TABLE public.a (id integer PRIMARY KEY, b text) ${storage} DISTRIBUTED BY (id)`);
    expect(standIn.created()).toMatchObject([
      { name: "public.a", storage: version === 7 ? "heap" : "appendonly=false", distributed: ["id"] },
    ]);
    const { rows } = await client.query(
      "SELECT policytype, distkey::text FROM gp_distribution_policy WHERE localoid = 'public.a'::regclass",
    );
    expect(rows).toEqual([{ policytype: "p", distkey: "1" }]);
    await expect(client.query("ALTER TABLE public.a ADD UNIQUE (b)")).rejects.toThrow(
      /must contain all columns in the table's distribution key/,
    );
    await expect(
      client.query(`CREATE TABLE public.b (id integer PRIMARY KEY, b text) ${storage} DISTRIBUTED BY (b)`),
    ).rejects.toThrow(/must contain all columns/);
    await expect(client.query(`CREATE TABLE public.b (id integer) ${storage} DISTRIBUTED BY (c)`)).rejects.toThrow(
      /does not exist/,
    );
    expect(standIn.refused()).toEqual([]);
  });

  it.each([
    ["CREATE TABLE public.c (id integer)", "without DISTRIBUTED"],
    ["DELETE FROM public.a WHERE ctid = '(0,1)'", "a ctid without its segment"],
    ["WITH x AS (DELETE FROM public.a RETURNING 1) INSERT INTO public.a SELECT * FROM x", "cannot be themselves writable"],
    ["CREATE TRIGGER t BEFORE INSERT ON public.a EXECUTE PROCEDURE f()", "triggers are not supported"],
    ["SELECT 1 FROM godwit.task, pg_locks", "pg_locks beside a distributed table"],
    ["UPDATE godwit.task SET state = 'x' WHERE (SELECT godwit.fence('a', 1))", "cannot execute on a QE slice"],
  ])("refuses %s", async (sql, reason) => {
    await expect(client.query(sql)).rejects.toThrow(/syntax error at or near "refused"/);
    expect(standIn.refused()).toEqual([expect.stringContaining(reason)]);
  });

  it.each([
    "INSERT INTO public.a VALUES (1) ON CONFLICT DO NOTHING",
    "SELECT jsonb_agg(1)",
    "SELECT pg_catalog.to_regclass('a' || 'b')",
    "SELECT attidentity FROM pg_attribute LIMIT 1",
  ])("knows whether it is too old for: %s", async (sql) => {
    const outcome = await client.query(sql).then(
      () => "taken",
      (cause: Error) => (cause.message.includes("refused") ? "refused" : "taken"),
    );
    expect(outcome).toBe(version === 7 ? "taken" : "refused");
  });

  it("ends connections that bring settings it does not know", async () => {
    const opened = connected("-c idle_in_transaction_session_timeout=0").then((other) => other.end());
    if (version === 7) await opened;
    else await expect(opened).rejects.toThrow(/unrecognized configuration parameter/);
  });

  it("locks the whole table for an update, as with the deadlock detector off, in functions too", async () => {
    await client.query(`CREATE TABLE public.locked (id integer) ${storage} DISTRIBUTED BY (id)`);
    await client.query(
      "CREATE FUNCTION public.touch() RETURNS void LANGUAGE plpgsql AS $$ BEGIN UPDATE public.locked SET id = id; END $$",
    );
    const other = await connected();
    for (const statement of ["DELETE FROM public.locked", "SELECT public.touch()"]) {
      await client.query(`BEGIN; ${statement}`);
      await other.query("SET statement_timeout = '300ms'");
      await expect(other.query("INSERT INTO public.locked VALUES (1)")).rejects.toThrow(/statement timeout/);
      await client.query("ROLLBACK");
    }
    await other.end();
  });

  it("keeps foreign keys and enforces none", async () => {
    await client.query(`CREATE TABLE public.p (id integer PRIMARY KEY) ${storage} DISTRIBUTED BY (id)`);
    await client.query(`CREATE TABLE public.q (id integer REFERENCES public.p) ${storage} DISTRIBUTED BY (id)`);
    await client.query("INSERT INTO public.q VALUES (42)");
    expect((await client.query("SELECT count(*)::int AS n FROM pg_constraint WHERE contype = 'f'")).rows).toEqual([{ n: 1 }]);
  });
});
