import type { Client } from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ident, qualified } from "../../../../provider/databases/postgres/sql.js";
import type { PlannedTable, SkippedObject } from "../../../../provider/engine/models/plan.js";
import type { PlanOptions } from "../../../../provider/engine/plan.js";
import { type PostgresServer, startPostgres } from "../../../support/postgres.js";
import { applySteps } from "./applySteps.js";
import { describeDatabase } from "./describeDatabase.js";
import { fixture } from "./fixture.js";
import { freshDatabase, planOf } from "./roundTrip.js";

/** Names that only look like references (an alias called as a schema, a column called as a table) next to ones that are. */
const SHOP = [
  "CREATE SCHEMA shop",
  "CREATE SCHEMA orders",
  "CREATE TYPE shop.state AS ENUM ('new', 'paid')",
  "CREATE TABLE shop.orders (id int PRIMARY KEY, state shop.state DEFAULT 'new', total numeric CHECK (total >= 0), customer int, note text DEFAULT 'orders.id', twice numeric GENERATED ALWAYS AS (total * 2) STORED)",
  "CREATE TABLE shop.items (order_id int REFERENCES shop.orders (id) ON DELETE CASCADE, no int, price numeric, PRIMARY KEY (order_id, no))",
  "CREATE TABLE orders.id (total int)",
  "CREATE INDEX orders_state ON shop.orders (state, lower(note)) INCLUDE (customer) WHERE total > 5",
  "CREATE TABLE shop.log (total int, at timestamptz DEFAULT now(), order_id int) PARTITION BY RANGE (total)",
  "CREATE TABLE shop.log_1 PARTITION OF shop.log FOR VALUES FROM (0) TO (100)",
  "CREATE VIEW shop.paid AS SELECT orders.id, orders.total, i.price FROM shop.orders JOIN shop.items i ON i.order_id = orders.id WHERE orders.state = 'paid'",
  "CREATE VIEW shop.nested AS SELECT o.* FROM (shop.orders o LEFT JOIN (shop.items JOIN shop.log USING (order_id)) ON items.order_id = o.id) WHERE EXTRACT(year FROM log.at) IS DISTINCT FROM 1999 AND o.id IN (SELECT items.order_id FROM ONLY shop.items, shop.paid WHERE paid.id = items.order_id)",
  "CREATE VIEW shop.whole AS SELECT row_to_json(orders.*) ->> 'note' AS j, orders AS r FROM shop.orders",
  "CREATE VIEW shop.renamed_list (a, b) AS SELECT x.p, x.q FROM shop.items x(p, q) UNION SELECT id, total::int FROM shop.orders",
  "CREATE FUNCTION shop.total_of(wanted int) RETURNS numeric LANGUAGE sql STABLE BEGIN ATOMIC SELECT sum(orders.total) FROM shop.orders WHERE orders.id = total_of.wanted; END",
  "CREATE FUNCTION shop.text_total(wanted int) RETURNS numeric LANGUAGE plpgsql SET search_path = shop AS $$ DECLARE r shop.state; t shop.items.price%TYPE; BEGIN -- shop.orders\n SELECT sum(i.price) INTO t FROM shop.items i WHERE i.order_id = wanted; RETURN t; END $$",
  "CREATE FUNCTION shop.touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$",
  "CREATE TRIGGER touch BEFORE INSERT ON shop.items FOR EACH ROW WHEN (NEW.price > 0) EXECUTE FUNCTION shop.touch()",
  "CREATE SEQUENCE shop.numbers",
  "ALTER TABLE shop.items ALTER COLUMN no SET DEFAULT nextval('shop.numbers')",
  "CREATE RULE keep AS ON DELETE TO shop.items WHERE OLD.no = 0 DO INSTEAD NOTHING",
  "CREATE MATERIALIZED VIEW shop.sums AS SELECT orders.state, sum(orders.total) AS total FROM shop.orders GROUP BY orders.state",
  "INSERT INTO shop.orders SELECT i, (ARRAY['new', 'paid'])[1 + i % 2]::shop.state, i * 1.5, i FROM generate_series(1, 20) i",
  "INSERT INTO shop.items (order_id, price) SELECT 1 + i % 20, i FROM generate_series(1, 50) i",
  "INSERT INTO shop.log SELECT i, '2020-01-01', 1 + i % 20 FROM generate_series(1, 50) i",
  "REFRESH MATERIALIZED VIEW shop.sums",
];

const VIEWS = ["paid", "nested", "renamed_list", "sums"];

describe("renamed schemas, tables and columns", () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres({ major: 17, settings: { fsync: "off" } });
  });
  afterAll(() => server.remove());

  /** Applies the plan and copies the rows between its stages; gives back the target. */
  async function migrate(
    source: Client,
    options: PlanOptions,
  ): Promise<{ target: Client; skipped: readonly SkippedObject[]; texts: SkippedObject | undefined }> {
    const target = await freshDatabase(server);
    const plan = await planOf(source, server, options);
    await applySteps(target, plan.steps, { seed: 7, between: () => copyRows(source, target, plan.resolved.tables) });
    return {
      target,
      skipped: plan.skipped.filter(({ kind }) => kind !== "routineText"),
      texts: plan.skipped.find(({ kind }) => kind === "routineText"),
    };
  }

  it("are what the server's own RENAME makes of them", async () => {
    const source = await freshDatabase(server, fixture(14));
    const reference = await freshDatabase(server, [
      ...fixture(14),
      'ALTER SCHEMA app RENAME TO "New App"',
      'ALTER TABLE "New App".points RENAME TO "Points 2"',
      'ALTER TABLE "New App".bucket RENAME TO pails',
      'ALTER TABLE "New App".event RENAME COLUMN region TO "Wo?"',
      'ALTER TABLE "New App".bucket_0 RENAME TO pail_0',
      'ALTER TABLE "New App".ranges RENAME COLUMN c TO "C c"',
      'ALTER TABLE "New App".base RENAME COLUMN kind TO sort',
    ]);
    const { target, skipped } = await migrate(source, {
      objects: [
        {
          schema: "app",
          rename: "New App",
          tables: [
            "customer",
            "invoice",
            "nothing",
            "scratch",
            "typed",
            "wide",
            "numbered",
            "clock",
            "mixin",
            "child",
            "grandchild",
            "points_child",
          ]
            .map((name) => ({ name }))
            .concat(
              { name: "points", rename: "Points 2" } as { name: string },
              { name: "bucket", rename: "pails" } as { name: string },
              { name: "bucket_0", rename: "pail_0" } as { name: string },
              { name: "event", columns: [{ name: "region", rename: "Wo?" }] } as { name: string },
              { name: "ranges", columns: [{ name: "c", rename: "C c" }] } as { name: string },
              { name: "base", columns: [{ name: "kind", rename: "sort" }] } as { name: string },
            ),
          kinds: [
            "type",
            "domain",
            "sequence",
            "function",
            "procedure",
            "aggregate",
            "operator",
            "view",
            "materializedView",
            "trigger",
            "rule",
            "collation",
            "operatorClass",
            "operatorFamily",
          ],
        },
        { schema: "Odd Schema" },
        { schema: "empty_one" },
      ],
    });
    expect(skipped).toEqual([]);
    const lines = async (client: Client): Promise<string[]> =>
      // A routine's text does not follow the server's RENAME; it is checked below.
      (await describeDatabase(client)).filter((line) => !line.startsWith("routine "));
    expect(await lines(target)).toEqual(await lines(reference));
    for (const client of [source, target, reference]) await client.end();
  });

  it("leave what views and functions answer as it was", async () => {
    const source = await freshDatabase(server, SHOP);
    const { target, skipped } = await migrate(source, {
      objects: [
        {
          schema: "shop",
          rename: 'Sh"op',
        },
        { schema: "orders", rename: "elsewhere" },
      ],
      capitalization: "upper",
    });
    expect(skipped.map(({ kind, name }) => `${kind} ${name}`)).toEqual([
      'trigger "Sh""op".ITEMS.touch',
      'rule "Sh""op".ITEMS.keep',
    ]);
    for (const view of VIEWS) {
      const query = (schema: string): string => `SELECT v::text AS v FROM ${qualified({ schema, name: view })} v ORDER BY 1`;
      const expected = (await source.query(query("shop"))).rows;
      expect(expected.length).toBeGreaterThan(0);
      expect((await target.query(query('Sh"op'))).rows).toEqual(expected);
    }
    const { rows } = await target.query('SELECT "Sh""op".total_of(4) AS a, (SELECT count(*)::int FROM "Sh""op".whole) AS w');
    expect(rows).toEqual([{ a: "6.0", w: 20 }]);
    await source.end();
    await target.end();
  });

  it("rewrite a routine's text where names are qualified, and tables keep their own triggers", async () => {
    const source = await freshDatabase(server, SHOP);
    const { target, skipped, texts } = await migrate(source, {
      objects: [{ schema: "shop", rename: "market", kinds: ["table", "function", "trigger", "rule", "view"], exclude: ["sums"] }],
    });
    expect(skipped).toEqual([]);
    expect(texts?.name).toBe("market.text_total(wanted integer), market.touch()");
    const { rows } = await target.query("SELECT prosrc, proconfig FROM pg_proc WHERE oid = 'market.text_total'::regproc");
    expect(rows[0].proconfig).toEqual(["search_path=market"]);
    expect(rows[0].prosrc).toBe(
      ' DECLARE r "market"."state"; t "market"."items"."price"%TYPE; BEGIN -- shop.orders\n SELECT sum(i.price) INTO t FROM "market"."items" i WHERE i.order_id = wanted; RETURN t; END ',
    );
    expect((await target.query("SELECT market.text_total(3) AS t")).rows).toEqual(
      (await source.query("SELECT shop.text_total(3) AS t")).rows,
    );
    expect((await target.query("SELECT count(*)::int AS n FROM pg_trigger WHERE NOT tgisinternal")).rows).toEqual([{ n: 1 }]);
    await source.end();
    await target.end();
  });

  it("leaves excluded columns out with what needs them", async () => {
    const source = await freshDatabase(server, SHOP);
    const { target, skipped } = await migrate(source, {
      objects: [
        {
          schema: "shop",
          kinds: ["table", "view"],
          exclude: ["log", "log_1", "nested"],
          tables: [{ name: "orders", excludeColumns: ["note", "customer"] }, { name: "items" }],
        },
      ],
    });
    expect(skipped.map(({ kind, name, reason }) => `${kind} ${name}: ${reason}`)).toEqual([
      "index shop.orders_state: it needs column shop.orders.customer, which is excluded",
    ]);
    const { rows } = await target.query(
      "SELECT array_agg(attname::text ORDER BY attnum) AS names FROM pg_attribute WHERE attrelid = 'shop.orders'::regclass AND attnum > 0",
    );
    expect(rows[0].names).toEqual(["id", "state", "total", "twice"]);
    await source.end();
    await target.end();
  });
});

async function copyRows(source: Client, target: Client, tables: readonly PlannedTable[]): Promise<void> {
  for (const table of tables) {
    if (table.columns.length === 0 || table.columns.length > 100) continue;
    const columns = table.columns.map((column) => `${ident(column.source)}::text`).join(", ");
    const { rows } = await source.query<unknown[]>({
      text: `SELECT ${columns} FROM ONLY ${qualified(table.source)}`,
      rowMode: "array",
    });
    const names = table.columns.map((column) => ident(column.target)).join(", ");
    for (const row of rows) {
      const values = table.columns
        .map((column, index) => `$${index + 1}::text::${column.type.replace(/^shop\./, `${ident(table.target.schema)}.`)}`)
        .join(", ");
      await target.query(`INSERT INTO ${qualified(table.target)} (${names}) OVERRIDING SYSTEM VALUE VALUES (${values})`, row);
    }
  }
}
