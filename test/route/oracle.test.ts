import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { BUSY } from "../support/oracle/busyShop.js";
import type { EmulatedTable } from "../support/oracle/emulator.js";
import { createOracleTask, discardOracleTask, type OracleTask } from "../support/oracle/oracleTask.js";
import { SHOP } from "../support/oracle/shopSchema.js";
import { type PostgresServer, startPostgres } from "../support/postgres.js";

const live = { migrationTypes: ["schema", "full", "incremental"] as const };
const NO_DIFFERENCE = { onlyInSource: [], onlyInTarget: [] };

let server: PostgresServer;
let task: OracleTask;
let tables: ReadonlyMap<string, EmulatedTable>;

beforeAll(async () => {
  server = await startPostgres({ major: 17, name: "oracle", settings: { fsync: "off" } });
});
afterAll(() => server.remove());
beforeEach(async () => {
  task = await createOracleTask(server, server);
});
afterEach(() => discardOracleTask(task));

function table(name: string): EmulatedTable {
  const found = tables.get(name);
  if (!found) throw new Error(`no table ${name}`);
  return found;
}

async function equal(of: EmulatedTable): Promise<number> {
  const { rows, ...differences } = await task.settle(of);
  expect(differences, of.name).toEqual(NO_DIFFERENCE);
  return rows;
}

describe("a task from Oracle", () => {
  it("moves a whole schema with its rows, follows changes, and leaves nothing behind", async () => {
    tables = await task.dictionary.declare(SHOP);
    const { emulator } = task;
    const [customers, orders, events] = [table("CUSTOMERS"), table("ORDERS"), table("EVENTS")];
    const first = emulator.begin();
    for (let id = 1; id <= 50; id++) {
      first.insert(customers, { ID: `${id}`, NAME: `n${id}`, CODE: "NEW   ", SINCE: "2024-05-01 10:00:00", CREDIT: "1.5" });
      first.insert(orders, { ID: `${id}`, CUSTOMER_ID: `${id}`, STATUS: "open", TOTAL: "10.25", PAID: "0" });
      first.insert(events, { AT: "2024-12-31 23:59:59", WHAT: "started", "HOW MUCH": "0.1" });
    }
    first.commit();
    await emulator.flush();
    const outputs = await task.up(live);
    expect(outputs.state).toBe("running");
    expect(outputs.startPosition).toMatch(/^SCN \d+$/);
    expect(outputs.skippedObjects.map(({ name }) => name).sort()).toEqual(["SHOP.ELSEWHERE", "SHOP.FAR.AWAY", "shop.scratch"]);
    const second = emulator.begin();
    const [rowId = ""] = second.free(orders);
    second.update(rowId, { STATUS: "paid", PAID: "1", NOTE: "x".repeat(9000) });
    second.delete(second.free(events)[3] ?? "");
    second.insert(events, { AT: "2025-01-01 00:00:00", WHAT: "in the next partition" });
    second.commit();
    for (const each of [customers, orders, events]) expect(await equal(each)).toBe(50);
    const parts = () =>
      task.target("SELECT tableoid::regclass::text AS part, count(*)::int AS n FROM shop.events GROUP BY 1 ORDER BY 1");
    expect(await parts()).toEqual([
      { part: "shop.events_p2024", n: 49 },
      { part: "shop.events_prest", n: 1 },
    ]);
    emulator.ddl(events, "alter table events merge partitions p2024, prest into partition pall");
    const third = emulator.begin();
    third.insert(events, { AT: "2026-01-01 00:00:00", WHAT: "after partitions became one" });
    third.commit();
    await emulator.flush();
    expect(await equal(events)).toBe(51);
    expect(await parts()).toEqual([{ part: "shop.events_pall", n: 51 }]);
    // The second up finds nothing to do, a refresh nothing to mend.
    expect({ ...(await task.up(live)) }).toEqual({ ...outputs });
    expect(await task.refresh()).toEqual(outputs);
    await task.destroy();
    // Converted objects call its functions.
    expect((await task.leftovers()).filter(({ name }) => name !== "godwit_oracle")).toEqual([]);
    const [left] = await task.target<{ godwit: string | null; desk: string | null }>(
      "SELECT to_regnamespace('godwit')::text AS godwit, to_regnamespace('desk')::text AS desk",
    );
    expect(left).toEqual({ godwit: null, desk: "desk" });
  });

  it("carries DDL over in its place between the changes", async () => {
    tables = await task.dictionary.declare(BUSY);
    const { emulator, dictionary } = task;
    const papers = table("PAPERS");
    const one = emulator.begin();
    one.insert(papers, { ID: "1", TITLE: "before" });
    one.commit();
    await emulator.flush();
    await task.up(live);

    const two = emulator.begin();
    two.insert(papers, { ID: "2", TITLE: "still before" });
    two.commit();
    await dictionary.change(
      `INSERT INTO oracle_emulator.dba_tab_cols VALUES ('BUSY', 'PAPERS', 'PAGES', 4, 'NUMBER', NULL, 22, NULL, NULL, 5, 0, 'Y', 'NO', 'NO', NULL)`,
    );
    const wider = emulator.createTable({
      ...papers,
      columns: [...papers.columns, { name: "PAGES", kind: "number", partOfKey: false }],
    });
    emulator.ddl(wider, "alter table papers add (pages number(5,0))");
    const three = emulator.begin();
    three.insert(wider, { ID: "3", TITLE: "behind", PAGES: "300" });
    three.commit();
    await emulator.flush();
    expect(await equal(wider)).toBe(3);

    await dictionary.change(
      "UPDATE oracle_emulator.dba_tab_cols SET column_name = 'LEAVES' WHERE owner = 'BUSY' AND column_name = 'PAGES'",
    );
    const renamed = emulator.createTable({
      ...papers,
      columns: [...papers.columns, { name: "LEAVES", kind: "number", partOfKey: false }],
    });
    emulator.ddl(renamed, "alter table busy.papers rename column pages to leaves");
    emulator.ddl(renamed, 'create index "PAPERS_TITLE" on papers (upper(title))');
    const four = emulator.begin();
    four.insert(renamed, { ID: "4", TITLE: "renamed", LEAVES: "4" });
    four.commit();
    await emulator.flush();
    await expect
      .poll(() => task.target("SELECT title, leaves::int FROM busy.papers WHERE id = 4"), { timeout: 60_000 })
      .toEqual([{ title: "renamed", leaves: 4 }]);
    const columns = await task.target<{ name: string }>(
      "SELECT indexrelid::regclass::text AS name FROM pg_index WHERE indrelid = 'busy.papers'::regclass ORDER BY 1",
    );
    expect(columns.map(({ name }) => name)).toContain("busy.papers_title");

    const [made] = (
      await dictionary.declare({
        tables: [
          { owner: "BUSY", name: "SHELVES", columns: [{ name: "ID", type: "NUMBER(9,0)", notNull: true }], primaryKey: ["ID"] },
        ],
      })
    ).values();
    if (!made) throw new Error("no table");
    emulator.ddl(made, "create table shelves (id number(9,0) primary key)");
    const five = emulator.begin();
    five.insert(made, { ID: "7" });
    five.commit();
    await emulator.flush();
    expect(await equal(made)).toBe(1);

    emulator.truncate(made);
    const six = emulator.begin();
    six.insert(made, { ID: "8" });
    six.commit();
    expect(await equal(made)).toBe(1);
    expect((await task.refresh())?.state).toBe("running");
  });

  it("stops at a change of structure that PostgreSQL has no like of, and goes on once the next up has planned it in", async () => {
    tables = await task.dictionary.declare(BUSY);
    const { emulator, dictionary } = task;
    const events = table("EVENTS");
    await task.up(live);
    const wider = emulator.createTable({
      ...events,
      columns: [...events.columns, { name: "SPOT", kind: "other", partOfKey: false }],
    });
    emulator.ddl(wider, "alter table events exchange partition p1 with table loose");
    const one = emulator.begin();
    one.insert(events, { WHAT: "behind", "HOW MUCH": "1.00" });
    one.commit();
    await emulator.flush();
    await expect
      .poll(async () => (await task.refresh())?.errors.map(({ code }) => code), { timeout: 60_000 })
      .toEqual(["GW1502"]);
    expect((await task.refresh())?.state).toBe("failed");
    await dictionary.change("SELECT 1");
    emulator.createTable(events);
    emulator.tick(5);
    await emulator.flush();
    await task.up(live);
    expect(await equal(events)).toBe(1);
  });

  it("says when the redo that it needs is gone", async () => {
    tables = await task.dictionary.declare(BUSY);
    const { emulator } = task;
    await task.up(live);
    await task.up({ ...live, desiredState: "paused" });
    const lost = emulator.currentSequence();
    for (let logs = 0; logs < 5; logs++) {
      const one = emulator.begin();
      one.insert(table("ORDERS"), { ID: `${logs}` });
      one.commit();
      emulator.switchLog();
    }
    emulator.deleteArchivedLog(1, lost);
    await emulator.flush();
    await sleep(100);
    const refreshed = await task.refresh();
    expect(refreshed?.errors).toEqual([
      expect.objectContaining({ code: "GW1703", message: expect.stringMatching(/log 1 of thread 1/) }),
    ]);
  });
});
