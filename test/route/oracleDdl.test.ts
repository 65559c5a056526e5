import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { killProcess } from "../support/kill.js";
import { BUSY } from "../support/oracle/busyShop.js";
import type { DeclaredTable } from "../support/oracle/declarations.js";
import type { EmulatedTable } from "../support/oracle/emulator.js";
import { createOracleTask, discardOracleTask, type OracleTask } from "../support/oracle/oracleTask.js";
import type { TextRow } from "../support/oracle/redoText.js";
import { type PostgresServer, startPostgres } from "../support/postgres.js";

const live = { migrationTypes: ["schema", "full", "incremental"] as const };
const NO_DIFFERENCE = { onlyInSource: [], onlyInTarget: [] };

/** Of kinds that redo shows by place once the structure has changed. */
const ITEMS: DeclaredTable = {
  owner: "BUSY",
  name: "ITEMS",
  columns: [
    { name: "ID", type: "NUMBER(9,0)", notNull: true },
    { name: "A", type: "VARCHAR2(20 CHAR)" },
    { name: "B", type: "VARCHAR2(20 CHAR)" },
    { name: "PRICE", type: "NUMBER(9,2)" },
    { name: "MADE", type: "DATE" },
  ],
  primaryKey: ["ID"],
};

let server: PostgresServer;
let task: OracleTask;
let items: EmulatedTable;
let nextId: number;

beforeAll(async () => {
  server = await startPostgres({ major: 17, name: "oracle", settings: { fsync: "off" } });
});
afterAll(() => server.remove());
beforeEach(async () => {
  task = await createOracleTask(server, server);
  const tables = await task.dictionary.declare({ tables: [...(BUSY.tables ?? []), ITEMS] });
  const found = tables.get("ITEMS");
  if (!found) throw new Error("no table");
  items = found;
  nextId = 1;
});
afterEach(() => discardOracleTask(task));

/** A committed row, with the values it needs beside its id. */
function insert(table: EmulatedTable, values: TextRow = {}): string {
  const one = task.emulator.begin();
  const rowId = one.insert(table, { ID: `${nextId++}`, ...values });
  one.commit();
  return rowId;
}

async function equal(of: EmulatedTable): Promise<number> {
  const { rows, ...differences } = await task.settle(of, 40);
  if (differences.onlyInSource.length + differences.onlyInTarget.length > 0) {
    console.log(await task.workerLog(), (await task.refresh())?.errors);
  }
  expect(differences, of.name).toEqual(NO_DIFFERENCE);
  return rows;
}

/** ALTER TABLE in the dictionary and the redo. */
async function added(table: EmulatedTable, name: string, type: string): Promise<EmulatedTable> {
  const wider = await task.dictionary.addColumn(table, { name, type });
  task.emulator.ddl(table, `alter table ${table.name} add (${name} ${type})`);
  return wider;
}

async function renamedColumn(table: EmulatedTable, from: string, to: string): Promise<EmulatedTable> {
  await task.dictionary.renameColumn(table, from, to);
  task.emulator.ddl(table, `alter table ${table.name} rename column ${from} to ${to}`);
  return task.emulator.renameColumn(table, from, to);
}

async function renamedTable(table: EmulatedTable, to: string, sql = `rename ${table.name} to ${to}`): Promise<EmulatedTable> {
  await task.dictionary.renameTable(table, to);
  task.emulator.ddl(table, sql);
  return task.emulator.renameTable(table, to);
}

async function up(inputs: Partial<Parameters<OracleTask["up"]>[0]> = {}): Promise<void> {
  insert(items, { A: "loaded", B: "before", PRICE: "-12.50", MADE: "2024-02-29 23:59:59" });
  await task.emulator.flush();
  await task.up({ ...live, ...inputs });
}

const tablesThere = () =>
  task.target<{ name: string }>(
    "SELECT relname AS name FROM pg_class WHERE relkind = 'r' AND relnamespace = 'busy'::regnamespace ORDER BY 1",
  );

async function names(): Promise<string[]> {
  return (await tablesThere()).map(({ name }) => name);
}

describe("DDL that the redo brings", () => {
  it("drops a column in its place: rows from before it arrive whole, although the redo names their columns by place", async () => {
    const { emulator, dictionary } = task;
    await up();
    insert(items, { A: "with", B: "all", PRICE: "7.00", MADE: "1999-12-31 00:00:00" });
    const changed = insert(items, { A: "x", B: "y", PRICE: "1000000.01" });
    const two = emulator.begin();
    two.update(changed, { B: "changed", PRICE: "-0.05" });
    two.commit();
    // The worker reads that only now: Oracle's dictionary has the new structure by then.
    await dictionary.dropColumn(items, "A");
    const narrow = emulator.dropColumn(items, "A");
    emulator.ddl(items, "alter table items drop column a");
    insert(narrow, { B: "behind", PRICE: "3.00" });
    await emulator.flush();
    expect(await equal(narrow)).toBe(4);
    expect(await task.target("SELECT id, b, price::float8 AS price FROM busy.items ORDER BY id")).toEqual([
      { id: 1, b: "before", price: -12.5 },
      { id: 2, b: "all", price: 7 },
      { id: 3, b: "changed", price: -0.05 },
      { id: 4, b: "behind", price: 3 },
    ]);
    expect((await task.refresh())?.errors).toEqual([]);
  });

  it("widens a column, makes it NOT NULL, and takes keys and checks along", async () => {
    const { emulator, dictionary } = task;
    await up();
    await dictionary.change(
      "UPDATE oracle_emulator.dba_tab_cols SET data_length = 60, char_length = 60, nullable = 'N' WHERE table_name = 'ITEMS' AND column_name = 'A'",
    );
    emulator.ddl(items, "alter table items modify (a varchar2(60 char) not null)");
    emulator.ddl(items, "alter table items add constraint items_uk unique (a)");
    emulator.ddl(items, "alter table items add constraint items_price check (price > -100)");
    emulator.ddl(items, "create index items_made on items (made desc)");
    insert(items, { A: "x".repeat(60) });
    await emulator.flush();
    expect(await equal(items)).toBe(2);
    const objects = () =>
      task.target(
        `SELECT conname AS name FROM pg_constraint WHERE conrelid = 'busy.items'::regclass AND contype IN ('u', 'c')
          UNION ALL SELECT indexrelid::regclass::text FROM pg_index WHERE indrelid = 'busy.items'::regclass AND NOT indisunique ORDER BY 1`,
      );
    expect(await objects()).toEqual([{ name: "busy.items_made" }, { name: "items_price" }, { name: "items_uk" }]);
    emulator.ddl(items, "drop index items_made");
    emulator.ddl(items, "alter table items drop constraint items_uk");
    insert(items, { A: "last" });
    await emulator.flush();
    expect(await equal(items)).toBe(3);
    expect(await objects()).toEqual([{ name: "items_price" }]);
  });

  it("renames a table, and follows it under its new name", async () => {
    const { emulator, dictionary } = task;
    await up();
    insert(items, { A: "before" });
    const goods = await renamedTable(items, "GOODS");
    insert(goods, { A: "behind" });
    await emulator.flush();
    expect(await equal(goods)).toBe(3);
    expect(await names()).toEqual(["events", "goods", "orders", "papers"]);
    // Another table takes the old name.
    const made = (await dictionary.declare({ tables: [ITEMS] })).get("ITEMS");
    if (!made) throw new Error("no table");
    emulator.ddl(
      made,
      "create table items (id number(9) primary key, a varchar2(20 char), b varchar2(20 char), price number(9,2), made date)",
    );
    insert(made, { A: "another" });
    insert(goods, { A: "still" });
    await emulator.flush();
    expect(await equal(made)).toBe(1);
    expect(await equal(goods)).toBe(4);
    expect((await task.refresh())?.errors).toEqual([]);
  });

  it("drops a table that goes to the recycle bin, with the view that was made over it", async () => {
    const { emulator, dictionary } = task;
    await up();
    emulator.ddl({ owner: "BUSY", name: "V" }, "create or replace view v as select id, upper(a) as a from items");
    insert(items, { A: "seen" });
    await emulator.flush();
    await expect.poll(() => task.target("SELECT a FROM busy.v ORDER BY id").catch(() => []), { timeout: 60_000 }).toHaveLength(2);
    await dictionary.forget(items);
    emulator.dropTable(items, "drop table items");
    await emulator.flush();
    await expect.poll(names, { timeout: 60_000 }).toEqual(["events", "orders", "papers"]);
    expect((await task.refresh())?.errors).toEqual([]);
    const refreshed = await task.refresh();
    expect(refreshed?.state).toBe("running");
  });

  it("takes a table out of the recycle bin under another name with its rows, and one by the name it had there", async () => {
    const { emulator, dictionary } = task;
    await up();
    const gone = [];
    for (const name of ["FIRST", "SECOND"]) {
      const made = (await dictionary.declare({ tables: [{ ...ITEMS, name }] })).get(name);
      if (!made) throw new Error("no table");
      emulator.unlogged(made, [{ ID: "1", A: `back as ${name}` }]);
      gone.push(made);
    }
    const [first, second] = gone;
    if (!first || !second) throw new Error("no table");
    emulator.ddl(first, "flashback table dropped to before drop rename to first");
    const late = emulator.begin();
    late.insert(first, { ID: "2", A: "behind" });
    late.commit();
    emulator.ddl(second, 'flashback table "BIN$abc==$0" to before drop');
    await emulator.flush();
    expect(await equal(first)).toBe(2);
    expect(await equal(second)).toBe(1);
    const later = emulator.begin();
    later.insert(second, { ID: "2", A: "followed" });
    later.commit();
    await emulator.flush();
    expect(await equal(second)).toBe(2);
  });

  it.each([
    ["alter table ITEMS exchange partition P with table STAGE", ["truncate"], /GW1502.*changed places.*DETACH PARTITION/],
    ["alter table ELSEWHERE exchange partition P with table ITEMS", ["truncate"], /GW1502.*changed places/],
    ["alter table ITEMS drop partition SYS_P42", undefined, /GW1502.*no such partition.*delete the partition's rows/],
    ["alter table ITEMS modify partition P add values ('x')", undefined, /GW1502.*takes other values/],
  ])("stops at %s rather than lose rows, whatever operations.ddl says", async (sql, ddl, expected) => {
    const { emulator } = task;
    await up(ddl ? { operations: { ddl } as never, retry: { connectionMinutes: 10, otherMinutes: 1 } } : {});
    emulator.ddl({ owner: "BUSY", name: /^alter table (\w+)/.exec(sql)?.[1] ?? "" }, sql);
    insert(items, { A: "behind" });
    await emulator.flush();
    await expect
      .poll(async () => JSON.stringify([(await task.refresh())?.errors, await task.workerLog()]), { timeout: 40_000 })
      .toMatch(expected);
    expect(await task.target("SELECT a FROM busy.items")).toEqual([{ a: "loaded" }]);
  });

  it("passes over what moves and shrinks a table, and empties the tables of a cluster and of a cascade", async () => {
    const { emulator, dictionary } = task;
    await up();
    emulator.ddl(items, "alter table items enable row movement");
    await emulator.moveTable(items, "alter table items move online");
    emulator.ddl(items, "alter table items shrink space cascade");
    emulator.ddl(items, "alter table items add overflow tablespace users");
    insert(items, { A: "behind" });
    await emulator.flush();
    expect(await equal(items)).toBe(2);
    emulator.ddl(items, "truncate table items cascade");
    emulator.truncated(items);
    insert(items, { A: "after the cascade" });
    await emulator.flush();
    expect(await equal(items)).toBe(1);
    await dictionary.change("UPDATE oracle_emulator.dba_all_tables SET cluster_name = 'GROUPED' WHERE table_name = 'ITEMS'");
    emulator.ddl({ owner: "BUSY", name: "GROUPED" }, "truncate cluster grouped");
    emulator.truncated(items);
    insert(items, { A: "after the cluster" });
    await emulator.flush();
    expect(await equal(items)).toBe(1);
    expect((await task.refresh())?.errors).toEqual([]);
  });

  it("makes a table from a query with its rows, those that its redo does not hold among them", async () => {
    const { emulator, dictionary } = task;
    await up();
    const copies = (
      await dictionary.declare({ tables: [{ ...ITEMS, name: "COPIES", indexes: [{ name: "COPIES_A", terms: ["A"] }] }] })
    ).get("COPIES");
    if (!copies) throw new Error("no table");
    emulator.ddl(copies, "create table copies as select * from items");
    // A direct load without redo; what comes behind it is in the redo, and in what is read of the table.
    emulator.unlogged(copies, [
      { ID: "1", A: "loaded", PRICE: "1.00" },
      { ID: "2", A: "too", PRICE: "2.00" },
    ]);
    const late = emulator.begin();
    late.insert(copies, { ID: "3", A: "behind" });
    late.commit();
    await emulator.flush();
    expect(await equal(copies)).toBe(3);
    const later = emulator.begin();
    later.update(later.free(copies)[0] ?? "", { A: "changed" });
    later.commit();
    await emulator.flush();
    expect(await equal(copies)).toBe(3);
    expect(
      await task.target(
        "SELECT indexrelid::regclass::text AS name FROM pg_index WHERE indrelid = 'busy.copies'::regclass ORDER BY 1",
      ),
    ).toEqual([{ name: "busy.copies_a" }, { name: "busy.copies_pk" }]);
  });

  it("keeps to the names that the program gave: schema, table and columns, through ALTER, RENAME, TRUNCATE and DROP", async () => {
    const { emulator, dictionary } = task;
    const objects = [
      {
        schema: "BUSY",
        rename: "shop",
        tables: [{ name: "ITEMS", rename: "wares", columns: [{ name: "A", rename: "label" }], excludeColumns: ["B"] }],
      },
    ];
    await up({ objects });
    const row = () => task.target("SELECT * FROM shop.wares ORDER BY id");
    const wider = await added(items, "PAGES", "NUMBER(5,0)");
    emulator.ddl(items, "alter table items modify a varchar2(40 char)");
    emulator.ddl(items, "create index items_a on items (a)");
    insert(wider, { A: "two", B: "not there", PAGES: "2" });
    const renamed = await renamedColumn(wider, "PRICE", "COST");
    insert(renamed, { A: "three", COST: "3.00" });
    const titled = await renamedColumn(renamed, "A", "TITLE");
    insert(titled, { TITLE: "four", COST: "4.00" });
    const goods = await renamedTable(titled, "GOODS", "alter table items rename to goods");
    insert(goods, { TITLE: "five" });
    await emulator.flush();
    await expect.poll(async () => (await row()).length, { timeout: 60_000 }).toBe(5);
    expect(((await row()) as Record<string, unknown>[]).map(({ id, label, cost, pages }) => [id, label, cost, pages])).toEqual([
      [1, "loaded", "-12.50", null],
      [2, "two", null, 2],
      [3, "three", "3.00", null],
      [4, "four", "4.00", null],
      [5, "five", null, null],
    ]);
    expect(await task.target("SELECT to_regclass('shop.items_a')::text AS name")).toEqual([{ name: "shop.items_a" }]);
    await dictionary.dropColumn(goods, "B");
    const narrow = emulator.dropColumn(goods, "B");
    emulator.ddl(goods, "alter table goods drop column b");
    emulator.truncate(narrow);
    insert(narrow, { TITLE: "six" });
    await emulator.flush();
    await expect.poll(row, { timeout: 60_000 }).toMatchObject([{ id: 6, label: "six" }]);
    await dictionary.forget(narrow);
    emulator.dropTable(narrow);
    await emulator.flush();
    await expect
      .poll(() => task.target("SELECT to_regclass('shop.wares')::text AS name"), { timeout: 60_000 })
      .toEqual([{ name: null }]);
    expect((await task.refresh())?.errors).toEqual([]);
  });

  it("carries views, routines, packages, triggers and sequences over, anew where PostgreSQL can't change them in place", async () => {
    const { emulator } = task;
    await up();
    const ddl = (sql: string) => emulator.ddl({ owner: "BUSY", name: "X" }, sql);
    ddl("create sequence numbers start with 100 increment by 5");
    ddl("create or replace function twice(n number) return number is begin return n * 2; end;");
    ddl("create or replace procedure add_item(n varchar2) is begin insert into items (id, a) values (numbers.nextval, n); end;");
    ddl("create or replace package tools as function f return number; end;");
    ddl("create or replace package body tools as function f return number is begin return twice(21); end; end;");
    ddl("create or replace trigger items_up before insert on items for each row begin :new.b := upper(:new.a); end;");
    ddl("create or replace view cheap as select id, a from items where price < 10");
    ddl("create synonym ware for items");
    ddl("comment on table items is 'what is sold'");
    insert(items, { A: "row", B: "as it was", PRICE: "1.00" });
    await emulator.flush();
    expect(await equal(items)).toBe(2);
    const ask = (sql: string) => task.target<{ v: unknown }>(sql).then(([row]) => row?.v);
    expect(await ask("SELECT tools.f()::int AS v")).toBe(42);
    expect(await ask("SELECT string_agg(a, ',' ORDER BY id) AS v FROM busy.cheap")).toBe("loaded,row");
    expect(await ask("SELECT count(*)::int AS v FROM busy.ware")).toBe(2);
    expect(await ask("SELECT obj_description('busy.items'::regclass) AS v")).toBe("what is sold");
    // They run under their owner's names, whoever calls.
    await task.target("CALL busy.add_item('called')");
    expect(await ask("SELECT id || b AS v FROM busy.items WHERE a = 'called'")).toBe("100CALLED");
    await task.target("DELETE FROM busy.items WHERE a = 'called'");

    ddl("create or replace view cheap as select a from items where price < 10");
    ddl("create or replace function twice(n number) return varchar2 is begin return n || n; end;");
    ddl("alter sequence numbers increment by 7");
    ddl("drop trigger items_up");
    ddl("drop procedure add_item");
    ddl("drop synonym ware");
    ddl("drop package tools");
    insert(items, { A: "last", PRICE: "2.00" });
    await emulator.flush();
    expect(await equal(items)).toBe(3);
    expect(await task.target("SELECT * FROM busy.cheap LIMIT 1")).toEqual([{ a: "loaded" }]);
    expect(await ask("SELECT busy.twice(4) AS v")).toBe("44");
    expect(await ask("SELECT seqincrement::int AS v FROM pg_sequence WHERE seqrelid = 'busy.numbers'::regclass")).toBe(7);
    expect(
      await ask(
        "SELECT to_regclass('busy.ware')::text || to_regproc('busy.add_item')::text || to_regnamespace('tools')::text || (SELECT count(*) FROM pg_trigger WHERE tgname = 'items_up') AS v",
      ),
    ).toBe(null);
    ddl("drop view cheap");
    ddl("drop function twice");
    ddl("drop sequence numbers");
    insert(items, { A: "very last" });
    await emulator.flush();
    expect(await equal(items)).toBe(4);
    expect(
      await ask(
        "SELECT coalesce(to_regclass('busy.cheap')::text, to_regproc('busy.twice')::text, to_regclass('busy.numbers')::text) AS v",
      ),
    ).toBe(null);
  });

  it("leaves structure alone where operations.ddl says so, and rows go on arriving", async () => {
    const { emulator, dictionary } = task;
    await up({ operations: { ddl: ["truncate"] } });
    const wider = await added(items, "PAGES", "NUMBER(5,0)");
    insert(wider, { A: "two", PAGES: "2" });
    const renamed = await renamedColumn(wider, "A", "Z");
    insert(renamed, { Z: "three", PAGES: "3" });
    const goods = await renamedTable(renamed, "GOODS");
    insert(goods, { Z: "four" });
    emulator.ddl({ owner: "BUSY", name: "V" }, "create view v as select * from goods");
    await emulator.flush();
    const rows = () => task.target("SELECT id, a FROM busy.items ORDER BY id");
    await expect.poll(rows, { timeout: 60_000 }).toEqual([
      { id: 1, a: "loaded" },
      { id: 2, a: "two" },
      { id: 3, a: "three" },
      { id: 4, a: "four" },
    ]);
    await dictionary.forget(goods);
    emulator.dropTable(goods);
    const orders = emulator.begin();
    const [found] = (await dictionary.declare({ tables: [{ ...ITEMS, name: "LATER" }] })).values();
    if (!found) throw new Error("no table");
    emulator.ddl(found, "create table later (id number(9) primary key)");
    orders.insert(found, { ID: "1" });
    orders.commit();
    await emulator.flush();
    await expect.poll(() => task.outputs && task.refresh().then((now) => now?.errors.length), { timeout: 60_000 }).toBe(0);
    expect(await names()).toEqual(["events", "items", "orders", "papers"]);
    expect(await task.target("SELECT to_regclass('busy.v')::text AS name")).toEqual([{ name: null }]);
  });

  it("does not look at what the program did not select", async () => {
    const { emulator, dictionary } = task;
    await up({ objects: [{ schema: "BUSY", tables: [{ name: "ITEMS" }] }] });
    const [other] = (await dictionary.declare({ tables: [{ ...ITEMS, name: "OTHER" }] })).values();
    if (!other) throw new Error("no table");
    emulator.ddl(other, "create table other (id number(9) primary key, a varchar2(20))");
    emulator.ddl(other, "create or replace view v as select * from items");
    emulator.ddl(other, "create or replace procedure p is begin null; end;");
    emulator.ddl(other, "alter table orders add x number");
    insert(other, { A: "unseen" });
    insert(items, { A: "seen" });
    await emulator.flush();
    expect(await equal(items)).toBe(2);
    expect(await names()).toEqual(["items"]);
    expect(await task.target("SELECT to_regclass('busy.v')::text AS v, to_regproc('busy.p')::text AS p")).toEqual([
      { v: null, p: null },
    ]);
  });

  it("does each change of structure once, however often the worker is killed between it and the rows", async () => {
    const { emulator, dictionary } = task;
    await up();
    let table = items;
    for (let round = 0; round < 5; round++) {
      const name = `C${round}`;
      insert(table, { A: `before ${name}` });
      table = await added(table, name, "VARCHAR2(20 CHAR)");
      insert(table, { A: `behind ${name}`, [name]: "set" });
      await emulator.flush();
      await new Promise((resolve) => setTimeout(resolve, 700 * round));
      await killProcess(task.home, "worker");
    }
    await dictionary.dropColumn(table, "C2");
    const narrow = emulator.dropColumn(table, "C2");
    emulator.ddl(table, "alter table items drop column c2");
    insert(narrow, { A: "last" });
    await emulator.flush();
    await killProcess(task.home, "worker");
    expect(await equal(narrow)).toBe(12);
    expect((await task.refresh())?.errors).toEqual([]);
  });
});
