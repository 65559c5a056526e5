import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { BUSY } from "../support/oracle/busyShop.js";
import type { EmulatedTable } from "../support/oracle/emulator.js";
import { createOracleTask, discardOracleTask, type OracleTask } from "../support/oracle/oracleTask.js";
import { type PostgresServer, startPostgres } from "../support/postgres.js";

const live = { migrationTypes: ["schema", "full", "incremental"] as const };
const NO_DIFFERENCE = { onlyInSource: [], onlyInTarget: [] };

let server: PostgresServer;
let task: OracleTask;
let orders: EmulatedTable;
let papers: EmulatedTable;

beforeAll(async () => {
  server = await startPostgres({ major: 17, name: "oracle", settings: { fsync: "off" } });
});
afterAll(() => server.remove());
beforeEach(async () => {
  task = await createOracleTask(server, server);
  const tables = await task.dictionary.declare(BUSY);
  const [first, second] = [tables.get("ORDERS"), tables.get("PAPERS")];
  if (!first || !second) throw new Error("no tables");
  [orders, papers] = [first, second];
});
afterEach(() => discardOracleTask(task));

async function equal(table: EmulatedTable): Promise<number> {
  const { rows, ...differences } = await task.settle(table);
  expect(differences, table.name).toEqual(NO_DIFFERENCE);
  return rows;
}

describe("where a task from Oracle begins", () => {
  it("an incremental-only task begins at startPosition, with transactions whole that were open there", async () => {
    const { emulator } = task;
    const old = emulator.begin();
    old.insert(orders, { ID: "1", NOTE: "behind the position already" });
    old.commit();
    const open = emulator.begin();
    open.insert(orders, { ID: "2", NOTE: "before the position" });
    const position = emulator.scn + 1n;
    emulator.tick(3);
    open.insert(orders, { ID: "3", NOTE: "after the position" });
    open.commit();
    await emulator.flush();
    await task.target(
      `CREATE SCHEMA busy; CREATE TABLE busy.orders (id bigint PRIMARY KEY, note text, amount numeric, created timestamp(0), changed timestamp, token bytea);
       INSERT INTO busy.orders (id, note) VALUES (1, 'behind the position already')`,
    );
    const objects = [{ schema: "BUSY", tables: [{ name: "ORDERS" }] }];
    await task.up({ migrationTypes: ["incremental"], objects, startPosition: String(position) });
    expect(await equal(orders)).toBe(3);
  });

  it("mines inside the pluggable database for a user who may not go to the root", async () => {
    const { emulator, dictionary } = task;
    await dictionary.change("UPDATE oracle_emulator.instance_setting SET container = 'LOCKED'");
    const one = emulator.begin();
    one.insert(orders, { ID: "1", NOTE: "loaded" });
    one.commit();
    await emulator.flush();
    const outputs = await task.up(live);
    expect(outputs.prechecks.find(({ item }) => item === "sourceContainer")?.message).toMatch(/from inside/);
    const two = emulator.begin();
    two.insert(orders, { ID: "2", NOTE: "in redo" });
    two.commit();
    for (let logs = 0; logs < 3; logs++) emulator.switchLog();
    const three = emulator.begin();
    three.insert(orders, { ID: "3", NOTE: "in another log" });
    three.commit();
    await emulator.flush();
    expect(await equal(orders)).toBe(3);
    expect((await task.refresh())?.errors).toEqual([]);
  });

  it("says in status from where redo is needed, and nothing of bytes", async () => {
    const { emulator } = task;
    await task.up(live);
    const open = emulator.begin();
    open.insert(orders, { ID: "1", NOTE: "open" });
    const first = emulator.scn;
    const other = emulator.begin();
    other.insert(papers, { ID: "1", TITLE: "done" });
    other.commit();
    await emulator.flush();
    expect(await equal(papers)).toBe(1);
    const status = async () => {
      const [row] = await task.target<{ status: { incremental?: Record<string, unknown> } }>("SELECT status FROM godwit.status");
      return row?.status.incremental;
    };
    await expect
      .poll(async () => (await status())?.logNeeded, { timeout: 60_000 })
      .toMatchObject({ from: `SCN ${first}`, openTransactions: 1, oldestOpenSeconds: expect.any(Number) });
    const now = await status();
    expect(now).not.toHaveProperty("lagBytes");
    expect(now).not.toHaveProperty("retainedBytes");
    expect(now?.lagSeconds).toEqual(expect.any(Number));
    open.commit();
    expect(await equal(orders)).toBe(1);
  });

  it("loads only rows that meet `where`, and refuses it where changes are to follow", async () => {
    const { emulator } = task;
    const one = emulator.begin();
    for (let id = 1; id <= 5; id++) one.insert(orders, { ID: `${id}`, NOTE: id % 2 === 0 ? "even" : "odd" });
    one.commit();
    await emulator.flush();
    const chosen = (where: string) => [{ schema: "BUSY", tables: [{ name: "ORDERS", where }] }];
    // The emulator's PostgreSQL would read names without quotes in its own way.
    const objects = chosen(`"NOTE" = 'odd' AND "ID" <> 1 -- but the first`);
    await expect(task.up({ migrationTypes: ["schema", "full"], objects: chosen('"NO_SUCH" = 1') })).rejects.toThrow(
      /GW1201.*sourceRowFilters.*NO_SUCH/s,
    );
    await expect(task.up({ ...live, objects })).rejects.toThrow(/GW1201.*sourceRowFilters.*take incremental out/s);
    await task.up({ migrationTypes: ["schema", "full"], objects });
    expect(await task.target("SELECT id::integer FROM busy.orders ORDER BY id")).toEqual([{ id: 3 }, { id: 5 }]);
  });

  it("loads rows as expressions in Oracle's SQL make them, and refuses them by name where changes are to follow", async () => {
    const { emulator } = task;
    const one = emulator.begin();
    for (let id = 1; id <= 6; id++)
      one.insert(orders, { ID: `${id}`, NOTE: id === 2 ? null : `note ${id}`, AMOUNT: `${id}.5`, TOKEN: "AB" });
    one.commit();
    await emulator.flush();
    const etl = (expression: string) => [
      {
        schema: "BUSY",
        table: "ORDERS",
        drop: '"ID" = 6',
        derive: [
          { column: "AMOUNT", expression: '"AMOUNT" * 2' },
          { column: "SHORT", expression, type: "varchar2(10)" },
          { column: "FIXED", expression: "'2001-02-03'", type: "date" },
        ],
        mask: [
          { column: "NOTE", method: "keep" as const, keepFirst: 2, keepLast: 1, replaceWith: "#" },
          { column: "TOKEN", method: "null" as const },
        ],
      },
    ];
    const objects = [{ schema: "BUSY", tables: [{ name: "ORDERS" }] }];
    await expect(task.up({ migrationTypes: ["schema", "full"], objects, etl: etl('"NO_SUCH"') })).rejects.toThrow(
      /GW1201.*sourceRowExpressions.*BUSY\.ORDERS\.SHORT.*NO_SUCH/s,
    );
    await expect(task.up({ ...live, objects, etl: etl(`'x'`) })).rejects.toThrow(
      /must be left out of a task with \\"incremental\\"/,
    );
    await task.up({ migrationTypes: ["schema", "full"], objects, etl: etl(`'n' || "ID"`), dataValidation: { mode: "counts" } });
    const found = "SELECT id::integer, note, amount::text, token, short, fixed::text FROM busy.orders ORDER BY id";
    expect(await task.target(found)).toEqual(
      [1, 2, 3, 4, 5].map((id) => ({
        id,
        note: id === 2 ? null : `no###${id}`,
        amount: `${id * 2 + 1}.0`,
        token: null,
        short: `n${id}`,
        fixed: expect.stringMatching(/^2001-02-03/),
      })),
    );
    const columns = await task.target<{ type: string }>(
      "SELECT format_type(atttypid, atttypmod) AS type FROM pg_attribute WHERE attrelid = 'busy.orders'::regclass AND attnum > 6 ORDER BY attnum",
    );
    expect(columns.map(({ type }) => type)).toEqual(["character varying(10)", "timestamp(0) without time zone"]);
  });

  it("refuses a startPosition that the redo does not reach", async () => {
    const objects = [{ schema: "BUSY", tables: [{ name: "ORDERS" }] }];
    await task.target(
      "CREATE SCHEMA busy; CREATE TABLE busy.orders (id bigint PRIMARY KEY, note text, amount numeric, created timestamp(0), changed timestamp, token bytea)",
    );
    await expect(task.up({ migrationTypes: ["incremental"], objects, startPosition: "12" })).rejects.toThrow(/GW1606/);
  });

  it("a table that is added later is loaded and joins the stream, with what was open meanwhile", async () => {
    const { emulator } = task;
    const one = emulator.begin();
    one.insert(orders, { ID: "1", NOTE: "a" });
    one.insert(papers, { ID: "1", TITLE: "loaded later" });
    one.commit();
    await emulator.flush();
    const only = (names: readonly string[]) => [{ schema: "BUSY", tables: names.map((name) => ({ name })) }];
    await task.up({ ...live, objects: only(["ORDERS"]) });
    const open = emulator.begin();
    open.insert(orders, { ID: "2", NOTE: "b" });
    open.insert(papers, { ID: "2", TITLE: "open while it is loaded" });
    await emulator.flush();
    await task.up({ ...live, objects: only(["ORDERS", "PAPERS"]) });
    open.insert(papers, { ID: "3", TITLE: "after" });
    open.commit();
    await emulator.flush();
    expect(await equal(orders)).toBe(2);
    expect(await equal(papers)).toBe(3);
  });

  it("resolves what only the order inside a batch breaks, and names a row that the target refuses", async () => {
    const { emulator } = task;
    const one = emulator.begin();
    const first = one.insert(orders, { ID: "1", NOTE: "x" });
    const second = one.insert(orders, { ID: "2", NOTE: "y" });
    one.commit();
    await emulator.flush();
    await task.up(live);
    await task.target("ALTER TABLE busy.orders ADD UNIQUE (note)");
    const swap = emulator.begin();
    swap.update(first, { NOTE: "z" });
    swap.update(second, { NOTE: "x" });
    swap.update(first, { NOTE: "y" });
    swap.commit();
    expect(await equal(orders)).toBe(2);
    await task.target("ALTER TABLE busy.orders ADD CHECK (note <> 'refused')");
    const wrong = emulator.begin();
    wrong.update(first, { NOTE: "refused" });
    wrong.commit();
    await emulator.flush();
    await expect
      .poll(async () => (await task.refresh())?.errors.map(({ code, message }) => `${code} ${message}`), { timeout: 60_000 })
      .toEqual([expect.stringMatching(/^GW1501 .*busy\.orders/)]);
  });
});
