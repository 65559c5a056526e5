import type { Client } from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readCatalog } from "../../../../provider/databases/oracle/catalog/readCatalog.js";
import { planOracleSchema } from "../../../../provider/databases/oracle/schema/planSchema.js";
import { connect } from "../../../../provider/databases/postgres/connection.js";
import type { SchemaPlan } from "../../../../provider/databases/postgres/schema/planSchema.js";
import { rehearse } from "../../../../provider/databases/postgres/schema/rehearse.js";
import { type PlanOptions, resolvePlan } from "../../../../provider/engine/plan.js";
import type { Declarations } from "../../../support/oracle/declarations.js";
import { EmulatedDictionary } from "../../../support/oracle/dictionary.js";
import { OracleEmulator } from "../../../support/oracle/emulator.js";
import { oracleDriver } from "../../../support/oracle/emulatorDriver.js";
import { PARCELS, SHOP } from "../../../support/oracle/shopSchema.js";
import { type PostgresServer, startPostgres } from "../../../support/postgres.js";

let server: PostgresServer;
let count = 0;
beforeAll(async () => {
  server = await startPostgres({ major: 17, name: "oracle", settings: { fsync: "off" } });
});
afterAll(() => server.remove());

async function planned(declarations: readonly Declarations[], options: PlanOptions = {}): Promise<SchemaPlan> {
  const database = `source_${++count}`;
  const emulator = await OracleEmulator.create(server, database);
  try {
    const dictionary = await EmulatedDictionary.create(emulator);
    for (const each of declarations) await dictionary.declare(each);
    const connection = await oracleDriver.connect(OracleEmulator.endpoint(server, database), { applicationName: "test" });
    const catalog = await readCatalog(connection);
    await connection.close();
    return planOracleSchema(catalog, resolvePlan(catalog, options), { postgis: false });
  } finally {
    await emulator.close();
  }
}

/** Runs the steps as the schema phase does, each in a transaction of its own, with function bodies checked. */
async function created(plan: SchemaPlan): Promise<Client> {
  const database = `target_${count}`;
  await server.createDatabase(database);
  const client = await connect(server.endpoint(database), { applicationName: "test" });
  await client.query("SET check_function_bodies = on");
  for (const { sql } of plan.steps) await client.query(["BEGIN", ...sql, "COMMIT"].join(";\n"));
  return client;
}

async function refused(client: Client, sql: string): Promise<string> {
  const message = await client.query(sql).then(
    () => "nothing",
    (cause: Error) => cause.message,
  );
  await client.query("ROLLBACK");
  return message;
}

describe("a schema of Oracle on PostgreSQL", () => {
  it("has every kind of object, and its code does what it did", async () => {
    const plan = await planned([SHOP]);
    expect(plan.skipped.map(({ kind, name }) => `${kind} ${name}`).sort()).toEqual([
      "synonym SHOP.ELSEWHERE",
      "table shop.scratch",
    ]);
    const client = await created(plan);
    try {
      await client.query("SET search_path = pg_catalog");
      await client.query("INSERT INTO shop.customers (name, email) VALUES ('Ada', 'ada@example.org')");
      const { rows: ada } = await client.query("SELECT id, code, credit, full_name FROM shop.customers");
      expect(ada).toEqual([{ id: 1, code: "NEW   ", credit: "0", full_name: "ADA" }]);
      await client.query("CALL desk.place(1, 99.5)");
      await client.query("CALL shop.pay(1041)");
      const { rows: orders } = await client.query("SELECT id, status, total, paid FROM shop.orders");
      expect(orders).toEqual([{ id: "1041", status: "paid", total: "99.50", paid: 1 }]);
      expect(
        (await client.query("SELECT shop.order_count(1) AS n, desk.name_of(1) AS name, desk.name_of(2) AS nobody")).rows,
      ).toEqual([{ n: "1", name: "Ada", nobody: null }]);
      expect(await refused(client, "CALL desk.place(1, 501)")).toMatch(/ORA-20002: too much for Ada/);
      expect(await refused(client, "CALL shop.pay(7)")).toMatch(/ORA-20001: no order 7/);
      expect(await refused(client, "INSERT INTO shop.orders (customer_id, total) VALUES (1, -1)")).toMatch(
        /ORA-20003: total of 1042/,
      );
      expect(await refused(client, "UPDATE shop.orders SET status = 'lost'")).toMatch(/order_status/);
      expect(await refused(client, "INSERT INTO shop.orders (customer_id) VALUES (77)")).toMatch(/order_customer/);
      await client.query("INSERT INTO shop.events VALUES ('2024-06-01', 'a', 1), ('2026-06-01', 'b', 2)");
      expect((await client.query("SELECT tableoid::regclass::text AS part FROM shop.events ORDER BY at")).rows).toEqual([
        { part: "shop.events_p2024" },
        { part: "shop.events_prest" },
      ]);
      expect((await client.query("SELECT count(*) AS n FROM shop.open_orders")).rows).toEqual([{ n: "0" }]);
      expect((await client.query("SELECT name FROM shop.clients")).rows).toEqual([{ name: "Ada" }]);
      expect((await client.query("SELECT nextval('shop.countdown') AS n")).rows).toEqual([{ n: "-7" }]);
      expect((await client.query("SELECT obj_description('shop.customers'::regclass) AS text")).rows).toEqual([
        { text: "Who buys; it's about people" },
      ]);
      expect((await client.query("SELECT tgenabled FROM pg_trigger WHERE tgname = 'orders_off'")).rows).toEqual([
        { tgenabled: "D" },
      ]);
      const { rows: indexes } = await client.query<{ name: string }>(
        "SELECT indexrelid::regclass::text AS name FROM pg_index WHERE indrelid = 'shop.customers'::regclass ORDER BY 1",
      );
      // An index called like the table beside it has another name here.
      expect(indexes.map(({ name }) => name)).toEqual([
        "shop.customer_name_ix",
        "shop.customer_since_ix",
        "shop.customers_pk",
        "shop.customers_uk1",
        "shop.orders_idx",
      ]);
    } finally {
      await client.end();
    }
  });

  it("takes the names that the program gives, in checks and indexes as well", async () => {
    const plan = await planned([SHOP], {
      objects: [
        {
          schema: "SHOP",
          rename: "store",
          tables: [
            {
              name: "CUSTOMERS",
              rename: "people",
              columns: [{ name: "CREDIT", rename: "limit_left" }],
              excludeColumns: ["SEEN"],
            },
          ],
        },
      ],
    });
    const client = await created(plan);
    try {
      await client.query("INSERT INTO store.people (name) VALUES ('Bob')");
      expect(await refused(client, "UPDATE store.people SET limit_left = -1")).toMatch(/customer_credit/);
      const { rows } = await client.query<{ name: string }>(
        "SELECT attname AS name FROM pg_attribute WHERE attrelid = 'store.people'::regclass AND attnum > 0 ORDER BY attnum",
      );
      expect(rows.map(({ name }) => name)).toEqual(["id", "name", "email", "code", "since", "limit_left", "full_name"]);
    } finally {
      await client.end();
    }
  });

  it("keeps a key of a partitioned table as an index where PostgreSQL can't have it unique", async () => {
    const [events] = SHOP.tables?.filter(({ name }) => name === "EVENTS") ?? [];
    if (!events) throw new Error("no table");
    const keyed = {
      ...events,
      columns: [{ name: "ID", type: "NUMBER(9,0)", notNull: true }, ...events.columns],
      primaryKey: ["ID"],
    };
    const plan = await planned([{ tables: [keyed] }]);
    expect(plan.skipped).toEqual([
      { kind: "constraint", name: "shop.events.events_pk", reason: expect.stringMatching(/has to hold AT on PostgreSQL/) },
    ]);
    const client = await created(plan);
    const { rows } = await client.query("SELECT indisunique FROM pg_index WHERE indrelid = 'shop.events'::regclass");
    await client.end();
    expect(rows).toEqual([{ indisunique: false }]);
  });

  it("says why two packages of one name can't both move, and moves the first", async () => {
    const text = "PACKAGE tools AS FUNCTION one RETURN NUMBER; END;";
    const body = "PACKAGE BODY tools AS FUNCTION one RETURN NUMBER IS BEGIN RETURN 1; END; END;";
    const sources = ["A", "B"].flatMap((owner) => [
      { owner, name: "TOOLS", type: "PACKAGE" as const, text },
      { owner, name: "TOOLS", type: "PACKAGE BODY" as const, text: body },
    ]);
    const plan = await planned([{ sources }]);
    expect(plan.skipped.map(({ name, reason }) => `${name}: ${reason}`)).toContain(
      "b.tools: its schema on PostgreSQL, tools, is one of A already",
    );
    const client = await created(plan);
    expect((await client.query("SELECT tools.one() AS n")).rows).toEqual([{ n: "1" }]);
    await client.end();
  });

  it("moves the structure of a table with a type of its own", async () => {
    const plan = await planned([SHOP, PARCELS]);
    const client = await created(plan);
    await client.query("INSERT INTO shop.parcels VALUES (1, shop.address_t('Main St', 'Ulm'))");
    expect((await client.query("SELECT (address).town FROM shop.parcels")).rows).toEqual([{ town: "Ulm" }]);
    await client.end();
  });
});

describe("a rehearsal", () => {
  it("names what the target refuses, with what depends on it, and leaves nothing", async () => {
    const plan = await planned([SHOP]);
    const database = `target_${count}`;
    await server.createDatabase(database);
    const client = await connect(server.endpoint(database), { applicationName: "test" });
    const steps = plan.steps.map((step) =>
      step.id === "table:shop.orders" ? { ...step, sql: [...step.sql, "SELECT no_such_function()"] } : step,
    );
    const { failures, stopped } = await rehearse(client, steps);
    expect(stopped).toBeUndefined();
    expect(failures.get("table:shop.orders")).toMatch(/no_such_function/);
    expect(failures.get("oracleTrigger:shop.orders_check")).toBe("it needs shop.orders, which cannot be made");
    expect(failures.has("table:shop.customers")).toBe(false);
    expect((await client.query("SELECT to_regnamespace('shop') AS schema")).rows).toEqual([{ schema: null }]);
    await client.end();
  });
});
