import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type PostgresServer, startPostgres } from "../support/postgres.js";
import { createTestTask, discard, type TestTask } from "../support/task.js";
import { ALIKE, settled } from "./ddlComparison.js";

const live = { migrationTypes: ["schema", "full", "incremental"] as const };

let server: PostgresServer;
let target: PostgresServer;
let task: TestTask;
beforeAll(async () => {
  [server, target] = await Promise.all([startPostgres({ major: 17 }), startPostgres({ major: 17 })]);
});
afterAll(() => Promise.all([server.remove(), target.remove()]));
beforeEach(async () => {
  task = await createTestTask(server, target);
  await task.source.run(`
    CREATE SCHEMA app; CREATE SCHEMA beside;
    CREATE TABLE app.item (id int PRIMARY KEY, name text, secret text, price numeric);
    CREATE TABLE app.other (id int PRIMARY KEY, item int REFERENCES app.item);
    CREATE TABLE beside.apart (id int PRIMARY KEY);
    INSERT INTO app.item SELECT g, 'n' || g, 's', g FROM generate_series(1, 100) g`);
});
afterEach(() => discard(task));

const rowsOf = (sql: string) =>
  expect.poll(async () => task.target.rows(sql).catch(() => "not yet"), { timeout: 60_000, interval: 100 });
const state = async () => (await task.refresh())?.errors.map(({ code }) => code);

describe("names that the program gives", () => {
  it("hold for new tables and columns, and stay when the source's change", async () => {
    await task.up({
      ...live,
      capitalization: "source",
      objects: [
        {
          schema: "app",
          rename: "shop",
          tables: [
            { name: "item", rename: "article", columns: [{ name: "name", rename: "title" }], excludeColumns: ["secret"] },
            { name: "other" },
          ],
        },
      ],
    });
    await task.source.run(`
      ALTER TABLE app.item ADD COLUMN extra int DEFAULT 4;
      ALTER TABLE app.item ADD CONSTRAINT named CHECK (length(name) > 0 AND price >= 0);
      CREATE INDEX item_name ON app.item (lower(name), price);
      ALTER TABLE app.item RENAME COLUMN name TO label;
      ALTER TABLE app.item RENAME COLUMN price TO cost;
      ALTER TABLE app.item RENAME COLUMN secret TO hidden;
      ALTER TABLE app.item RENAME TO thing;
      INSERT INTO app.thing VALUES (1000, 'new', 'hush', 1, 2);
      CREATE TABLE app.outside (id int PRIMARY KEY)`);
    await rowsOf("SELECT title, cost, extra FROM shop.article WHERE id = 1000").toEqual([{ title: "new", cost: "1", extra: 2 }]);
    expect(await task.target.rows("SELECT pg_get_indexdef('shop.item_name'::regclass) AS text")).toEqual([
      { text: "CREATE INDEX item_name ON shop.article USING btree (lower(title), cost)" },
    ]);
    expect(await task.target.rows("SELECT pg_get_constraintdef(oid) AS text FROM pg_constraint WHERE conname = 'named'")).toEqual(
      [{ text: "CHECK (((length(title) > 0) AND (cost >= (0)::numeric)))" }],
    );
    expect(
      await task.target.rows(
        "SELECT attname FROM pg_attribute WHERE attrelid = 'shop.article'::regclass AND attnum > 0 AND attname IN ('secret', 'hidden')",
      ),
    ).toEqual([]);
    expect(await task.target.rows("SELECT to_regclass('shop.outside') AS there")).toEqual([{ there: null }]);
    expect(await state()).toEqual([]);
  });

  it("follow a schema with its new tables, in capitals", async () => {
    await task.up({ ...live, capitalization: "upper", objects: [{ schema: "app", rename: "Shop" }] });
    await task.source.run(`
      CREATE TABLE app.made (id serial PRIMARY KEY, item int REFERENCES app.item, word text DEFAULT 'w');
      INSERT INTO app.made (item) VALUES (1), (2);
      ALTER TABLE app.made RENAME COLUMN word TO phrase;
      CREATE VIEW app.seen AS SELECT m.phrase, i.name FROM app.made m JOIN app.item i ON i.id = m.item;
      CREATE TABLE beside.made (id int PRIMARY KEY)`);
    await rowsOf(`SELECT "ID", "PHRASE" FROM "Shop"."MADE" ORDER BY 1`).toEqual([
      { ID: 1, PHRASE: "w" },
      { ID: 2, PHRASE: "w" },
    ]);
    await rowsOf(`SELECT count(*)::int AS n FROM "Shop".seen`).toEqual([{ n: 2 }]);
    expect(await task.target.rows("SELECT nspname FROM pg_namespace WHERE nspname = 'beside'")).toEqual([]);
    expect(await state()).toEqual([]);
  });
});

describe("changes that are not chosen", () => {
  it("are passed over while the rows fit", async () => {
    await task.up({ ...live, operations: { ddl: ["create", "index"] } });
    await task.source.run(`
      ALTER TABLE app.item ADD COLUMN extra int;
      INSERT INTO app.item VALUES (200, 'x', 's', 1, 2);
      ALTER TABLE app.item DROP COLUMN secret;
      INSERT INTO app.item VALUES (201, 'y', 2, 3);
      ALTER TABLE app.item RENAME COLUMN name TO label;
      ALTER TABLE app.item RENAME TO thing;
      INSERT INTO app.thing VALUES (202, 'z', 3, 4);
      CREATE INDEX i ON app.thing (price);
      CREATE TABLE app.made (id int PRIMARY KEY);
      INSERT INTO app.made VALUES (1);
      DROP TABLE app.other`);
    await rowsOf("SELECT id, name, secret, price FROM app.item WHERE id >= 200 ORDER BY id").toEqual([
      { id: 200, name: "x", secret: "s", price: "1" },
      { id: 201, name: "y", secret: null, price: "2" },
      { id: 202, name: "z", secret: null, price: "3" },
    ]);
    await rowsOf("SELECT id FROM app.made").toEqual([{ id: 1 }]);
    expect(await task.target.rows("SELECT to_regclass('app.other')::text AS other, to_regclass('app.i')::text AS i")).toEqual([
      { other: "app.other", i: "app.i" },
    ]);
    expect(await state()).toEqual([]);
  });

  it("stop the task where a row would not fit, and it goes on after the remedy", async () => {
    await task.source.run("ALTER TABLE app.item ALTER COLUMN secret SET NOT NULL");
    await task.up({ ...live, operations: { ddl: ["create"] } });
    await task.source.run(
      "INSERT INTO app.item VALUES (300, 'before', 's', 1); ALTER TABLE app.item DROP COLUMN secret; INSERT INTO app.item VALUES (301, 'after', 1)",
    );
    await expect.poll(state, { timeout: 60_000 }).toEqual(["GW1502"]);
    await task.target.run("ALTER TABLE app.item ALTER COLUMN secret DROP NOT NULL");
    await task.up({ ...live, operations: { ddl: ["create"] } });
    await rowsOf("SELECT id FROM app.item WHERE id >= 300 ORDER BY id").toEqual([{ id: 300 }, { id: 301 }]);
  });

  it("make nothing at the source when none is chosen", async () => {
    await task.up({ ...live, operations: { ddl: ["truncate"] } });
    expect(
      await task.source.rows(
        "SELECT evtname FROM pg_event_trigger UNION ALL SELECT nspname FROM pg_namespace WHERE nspname = 'godwit_capture'",
      ),
    ).toEqual([]);
    await task.source.run("ALTER TABLE app.item ADD COLUMN extra int; INSERT INTO app.item VALUES (400, 'x', 's', 1, 2)");
    await expect.poll(state, { timeout: 60_000 }).toEqual(["GW1502"]);
  });
});

describe("what stands in the way on the target", () => {
  it("is named with the statement, and tried again once it is mended", async () => {
    await task.up({ ...live, retry: { connectionMinutes: 10, otherMinutes: 1 } });
    await task.target.run("CREATE VIEW app.mine AS SELECT secret FROM app.item");
    await task.source.run("INSERT INTO app.item VALUES (500, 'before', 's', 1)");
    await task.source.run("ALTER TABLE app.item DROP COLUMN secret; INSERT INTO app.item VALUES (501, 'after', 1)");
    await expect.poll(state, { timeout: 60_000 }).toEqual(["GW1551"]);
    expect((await task.refresh())?.errors[0]?.message).toMatch(/DROP COLUMN IF EXISTS "secret".*depend.*app\.item/s);
    // What came before it is there.
    expect(await task.target.rows("SELECT id FROM app.item WHERE id >= 500")).toEqual([{ id: 500 }]);
    await task.target.run("DROP VIEW app.mine");
    expect(await settled(task)).toEqual(ALIKE);
    expect(await state()).toEqual([]);
  });

  it("may be a table of the same name", async () => {
    await task.up({ ...live, retry: { connectionMinutes: 10, otherMinutes: 1 } });
    await task.target.run("CREATE TABLE app.made (x int)");
    await task.source.run("CREATE TABLE app.made (id int PRIMARY KEY); INSERT INTO app.made VALUES (1)");
    await expect.poll(state, { timeout: 60_000 }).toEqual(["GW1552"]);
    await task.target.run("DROP TABLE app.made");
    expect(await settled(task)).toEqual(ALIKE);
  });

  it("a table that comes with rows of its own is taken in by the next up", async () => {
    await task.source.run("INSERT INTO beside.apart VALUES (1), (2)");
    await task.up({ ...live, objects: [{ schema: "app" }] });
    await task.source.run("ALTER TABLE beside.apart SET SCHEMA app; INSERT INTO app.apart VALUES (3)");
    await expect.poll(state, { timeout: 60_000 }).toEqual(["GW1502"]);
    await task.up({ ...live, objects: [{ schema: "app" }] });
    await task.source.run("INSERT INTO app.apart VALUES (4)");
    await rowsOf("SELECT id FROM app.apart ORDER BY id").toEqual([1, 2, 3, 4].map((id) => ({ id })));
    expect(await state()).toEqual([]);
  });
});
