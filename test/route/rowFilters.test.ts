import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import type { SelectedTable } from "../../provider/contract/types.js";
import { killProcess } from "../support/kill.js";
import { digest, failed, onceLevel, until, upUnderKills } from "../support/rowRules.js";
import { taskOfEachTest } from "../support/suiteTask.js";
import type { Database, TestTask } from "../support/task.js";

const TABLES = `
  CREATE TABLE orders (
    gone integer, id bigint PRIMARY KEY, "Units" integer, state text, body text, seen timestamptz, code character(4), flags bit(3));
  ALTER TABLE orders DROP gone;
  ALTER TABLE orders ALTER body SET STORAGE EXTERNAL;
  CREATE TABLE line (id integer PRIMARY KEY, "order" bigint REFERENCES orders);
  CREATE TABLE bag (kind text, value integer);
  CREATE TABLE plain (id integer PRIMARY KEY, value integer);
  CREATE TABLE event (id integer, region text, what text, PRIMARY KEY (id, region)) PARTITION BY LIST (region);
  CREATE TABLE event_eu PARTITION OF event FOR VALUES IN ('eu');
  CREATE TABLE event_us PARTITION OF event FOR VALUES IN ('us');
  INSERT INTO orders (id, "Units", state, body, seen, code, flags)
    SELECT g, g % 7, 's' || g % 3, repeat(md5(g::text), 80), '2024-01-01'::timestamptz + g * interval '1 hour', 'a', '101' FROM generate_series(1, 8000) g;
  INSERT INTO bag SELECT 'k' || g % 10, g % 100 FROM generate_series(1, 2000) g;
  INSERT INTO event SELECT g, (ARRAY['eu', 'us'])[1 + g % 2], 'w' || g FROM generate_series(1, 400) g;
  ANALYZE`;
/** Given to the task, and what it means, for comparing. A comment at the end takes the bracket behind it with it, unless that is on a line of its own. */
const FILTERS = {
  orders: `"Units" % 2 = 0 AND id % 5 <> 0 OR seen < '2024-02-01 00:00+00' AND code = 'a' AND flags = B'101' -- small ones`,
  bag: "value > 20",
  event: "id % 3 = 0",
};
const WRITTEN = [
  { name: "orders", key: "id", columns: ["id", "Units", "state", "body"] },
  { name: "bag", operations: { insert: 2, update: 2, delete: 1, keyChange: 0 } },
  { name: "plain", key: "id" },
];
const live = { migrationTypes: ["schema", "full", "incremental"] as const };
const selected = (tables: readonly SelectedTable[]) => ({ ...live, objects: [{ schema: "public", tables: [...tables] }] });
const chosen = selected([
  { name: "orders", where: FILTERS.orders, rename: "small_orders", columns: [{ name: "Units", rename: "units" }] },
  { name: "bag", where: FILTERS.bag },
  { name: "plain" },
  { name: "event", where: FILTERS.event },
]);

/** How many rows there are of which the condition is true, and a checksum of them. */
const rowsOf = (database: Database, columns: string, table: string, condition = "true") =>
  digest(database, `SELECT ${columns} FROM ${table} WHERE ${condition}`);

async function sides({ source, target }: TestTask) {
  const orders = (units: string) => `id, ${units}, state, body, seen, code, flags`;
  return {
    source: [
      await rowsOf(source, orders('"Units"'), "orders", FILTERS.orders),
      await rowsOf(source, "kind, value", "bag", FILTERS.bag),
      await rowsOf(source, "id, value", "plain"),
      await rowsOf(source, "id, region, what", "event", FILTERS.event),
    ],
    target: [
      await rowsOf(target, orders("units"), "small_orders"),
      await rowsOf(target, "kind, value", "bag"),
      await rowsOf(target, "id, value", "plain"),
      await rowsOf(target, "id, region, what", "event"),
    ],
  };
}

describe.each([
  { from: 11, to: 14 },
  { from: 17, to: 17 },
] as const)("rows filtered by `where`, $from to $to", ({ from, to }) => {
  let task: TestTask;
  taskOfEachTest({ from, to, sql: TABLES }, (made) => {
    task = made;
  });

  it("are at the target while their condition is true, under four writers, key changes and kill -9 of the worker", async () => {
    await upUnderKills(task, chosen, WRITTEN, 40_000);
    const found = await onceLevel(() => sides(task));
    expect(found.target).toEqual(found.source);
    const [orders, , , event] = found.target;
    expect(orders?.n).toBeGreaterThan(0);
    expect(orders?.n).not.toBe((await rowsOf(task.source, "id", "orders")).n);
    expect(event?.n).toBe(133);
    await task.destroy();
    expect(await task.leftovers()).toEqual([]);
  });

  it("come with all their values when they join, large ones that the change left out among them, and go when they leave", async () => {
    await task.up(chosen);
    await task.source.run(`
      UPDATE orders SET "Units" = "Units" + 1;
      UPDATE orders SET id = id + 100001 WHERE id % 4 = 0;
      UPDATE bag SET value = value + 30 WHERE kind < 'k3'; UPDATE bag SET value = NULL WHERE kind = 'k9';
      UPDATE event SET id = id + 1001; DELETE FROM orders WHERE id % 11 = 0 OR id IN (1, 3); DELETE FROM bag WHERE value = 33;
      BEGIN; INSERT INTO orders (id, "Units") VALUES (1, 2), (3, 3); UPDATE orders SET "Units" = 5 WHERE id = 1; UPDATE orders SET "Units" = 4 WHERE id = 3; COMMIT`);
    const found = await onceLevel(() => sides(task));
    expect(found.target).toEqual(found.source);
    await task.source.run("TRUNCATE bag; INSERT INTO bag VALUES ('x', 21), ('y', 20)");
    const after = await onceLevel(() => sides(task));
    expect(after.target).toEqual(after.source);
    expect((await task.refresh())?.errors).toEqual([]);
  });

  it("are refused, with nothing changed, where the condition can't be judged the same at any time", async () => {
    const refused = async (where: string) =>
      task.up(selected([{ name: "orders", where }])).then(
        () => "accepted",
        (cause: Error) => cause.message,
      );
    expect(await refused("seen > now() - interval '1 day'")).toMatch(/GW1201.*sourceRowFilters.*IMMUTABLE/s);
    expect(await refused("amount > 5")).toMatch(/column "amount" does not exist/);
    expect(await refused("id IN (SELECT id FROM plain)")).toMatch(/subquery/);
    expect(await refused("id = 1); DROP TABLE plain; SELECT (1")).toMatch(/GW1201.*cannot insert multiple commands/s);
    expect(await refused("1 = 1")).toMatch(/names no column/);
    expect((await rowsOf(task.source, "id, value", "plain")).n).toBe(0);
    expect(await task.leftovers()).toEqual([]);
  });

  it("may be chosen by the moment in a task that only loads", async () => {
    await task.up({
      migrationTypes: ["schema", "full"],
      objects: [
        {
          schema: "public",
          tables: [{ name: "orders", where: "seen > now() - interval '100 years' AND id = ANY ('{1,2,3}')" }, { name: "line" }],
        },
      ],
    });
    expect(task.outputs?.skippedObjects).toContainEqual({
      kind: "foreignKey",
      name: "public.line.line_order_fkey",
      reason: "it references public.orders, of which only some rows move",
    });
    expect((await rowsOf(task.target, "id", "orders")).n).toBe(3);
  });

  it("keep their condition while the table is migrated; a row that it fails for stops the task and names it", async () => {
    await task.up(selected([{ name: "orders", where: 'id > 0 AND 10 / ("Units" + 1) > 2' }, { name: "plain" }]));
    await expect(task.up(selected([{ name: "orders", where: "id > 5" }, { name: "plain" }]))).rejects.toThrow(/GW1304.*where/s);
    await task.source.run('UPDATE orders SET "Units" = -1 WHERE id = 7');
    let log = "";
    for (let waited = 0; waited < 100 && !/GW1507/.test(log); waited++) {
      await sleep(200);
      log = await task.workerLog();
    }
    expect(log).toMatch(/GW1507: division by zero.*public\.orders/);
    await task.destroy();
    expect(await task.leftovers()).toEqual([]);
  });

  it("go on under a renamed column, also when the program calls it by its new name", async () => {
    await task.up(chosen);
    await task.source.run(`
      BEGIN; INSERT INTO bag VALUES ('old', 98); ALTER TABLE bag RENAME value TO amount; INSERT INTO bag VALUES ('new', 99), ('new', 1); COMMIT;
      UPDATE bag SET amount = amount + 1; UPDATE bag SET amount = 5 WHERE amount = 30`);
    const bag = async () => [
      await rowsOf(task.source, "kind, amount", "bag", "amount > 20"),
      await rowsOf(task.target, "kind, amount", "bag").catch(() => undefined),
    ];
    await until(bag);
    await killProcess(task.home, "worker");
    await task.source.run("UPDATE bag SET amount = amount - 3");
    await until(bag);
    const [orders, , plain, event] = chosen.objects[0]?.tables ?? [];
    const tables = [orders, { name: "bag", where: "amount > 20" }, plain, event].flatMap((table) => table ?? []);
    await task.up(selected(tables));
    await task.source.run("UPDATE bag SET amount = amount + 2");
    await until(bag);
    // A partition that joins has no whole old rows in its changes: never unfiltered rows instead.
    await task.source.run(`
      CREATE TABLE event_asia PARTITION OF event FOR VALUES IN ('asia');
      INSERT INTO event SELECT g, 'asia', 'w' FROM generate_series(5001, 5030) g`);
    await failed(task, "GW1502");
    await task.up({ ...live, objects: [{ schema: "public", tables, exclude: ["event_asia"] }] });
    await task.source.run("INSERT INTO event SELECT g, 'eu', 'w' FROM generate_series(6001, 6030) g");
    await until(async () => [
      await rowsOf(task.source, "id, region, what", "event", `${FILTERS.event} AND region <> 'asia'`),
      await rowsOf(task.target, "id, region, what", "event"),
    ]);
    await task.destroy();
    expect(await task.leftovers()).toEqual([]);
  });
});
