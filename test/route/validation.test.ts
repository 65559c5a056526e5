import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { TableValidation, ValidationStatus } from "../../provider/engine/validation/validationStatus.js";
import { type PostgresServer, startPostgres } from "../support/postgres.js";
import { createTestTask, discard, type TestTask } from "../support/task.js";
import { readValidation } from "../support/validation.js";
import { startWriters } from "../support/writers.js";

const SHOP = `
  CREATE SCHEMA shop;
  CREATE TABLE shop.customer (id bigint PRIMARY KEY, name text, score double precision, at timestamptz DEFAULT now());
  CREATE TABLE shop.line (region text DEFAULT 'eu', id integer, amount numeric(10,2), PRIMARY KEY (region, id));
  CREATE TABLE shop.bag (kind text, n integer);
  INSERT INTO shop.customer SELECT g, 'customer ' || g, g / 3.0 FROM generate_series(1, 120000) g;
  INSERT INTO shop.line SELECT (ARRAY['eu', 'us', 'Äö'])[1 + g % 3], g, g / 7.0 FROM generate_series(1, 5000) g;
  INSERT INTO shop.bag SELECT CASE WHEN g % 5 > 0 THEN 'k' || g % 4 END, g % 9 FROM generate_series(1, 3000) g;
  ANALYZE`;

let source: PostgresServer;
let target: PostgresServer;
let task: TestTask;

beforeAll(async () => {
  [source, target] = await Promise.all([
    startPostgres({ major: 15, settings: { fsync: "off" } }),
    startPostgres({ major: 17, settings: { fsync: "off" } }),
  ]);
});
afterAll(() => Promise.all([source.remove(), target.remove()]));
beforeEach(async () => {
  task = await createTestTask(source, target);
  await task.source.run(SHOP);
});
afterEach(() => discard(task));

const once = { migrationTypes: ["schema", "full"] as const };
const live = { migrationTypes: ["schema", "full", "incremental"] as const };
const asks = (mode: "counts" | "checksums" | "full", at = "1") => ({ dataValidation: { mode, triggers: { at } } });

const validation = (): Promise<ValidationStatus | undefined> => readValidation(task);
async function verdicts(): Promise<Record<string, string>> {
  const tables = (await validation())?.tables ?? [];
  return Object.fromEntries(tables.map(({ source: { name }, state }) => [name, state]));
}
async function result(name: string): Promise<TableValidation | undefined> {
  return (await validation())?.tables.find((table) => table.source.name === name);
}
const allEqual = { customer: "equal", line: "equal", bag: "equal" };

describe("a task that follows changes", () => {
  it("compares what it migrated when it has caught up, and says that all is equal", async () => {
    const outputs = await task.up({ ...live, ...asks("full") });
    expect(outputs).toMatchObject({ state: "running", errors: [] });
    expect(await verdicts()).toEqual(allEqual);
    expect(await result("customer")).toMatchObject({
      sourceRows: 120_000,
      targetRows: 120_000,
      rangesDone: 3,
      against: "stream",
    });
  });

  it("finds no difference while the source is written to all the time", async () => {
    const config = { ...source.clientConfig(task.source.name) };
    const writers = await startWriters(config, {
      tables: [
        { schema: "shop", name: "customer", key: "id" },
        { schema: "shop", name: "line", key: "id", columns: ["amount"], operations: { insert: 0, keyChange: 0 } },
        { schema: "shop", name: "bag", operations: { keyChange: 0 } },
      ],
      changesPerSecond: 400,
    });
    try {
      await task.up({ ...live, ...asks("full") });
      expect(await verdicts()).toMatchObject({ customer: "equal", line: "equal" });
      await task.up({ ...live, ...asks("checksums", "2") });
      expect(await verdicts()).toMatchObject({ customer: "equal", line: "equal" });
      const outputs = await task.up({ ...live, ...asks("counts", "3") });
      expect(await verdicts()).toMatchObject({ customer: "equal", line: "equal" });
      expect(outputs.errors).toEqual([]);
      expect((await verdicts()).bag).not.toBe("different");
    } finally {
      await writers.stop();
    }
  });

  it("names rows that someone changed, deleted and added at the target, and goes on", async () => {
    await task.up(live);
    await task.target.run(`
      UPDATE shop.customer SET name = 'other' WHERE id = 77; DELETE FROM shop.customer WHERE id = 119999; INSERT INTO shop.customer VALUES (900001);
      UPDATE shop.line SET amount = amount + 0.01 WHERE region = 'Äö' AND id = 2;
      DELETE FROM shop.bag WHERE ctid IN (SELECT ctid FROM shop.bag WHERE kind IS NULL AND n = 5 LIMIT 2)`);
    const outputs = await task.up({ ...live, ...asks("full") });
    expect(await verdicts()).toEqual({ customer: "different", line: "different", bag: "different" });
    const customer = await result("customer");
    expect(customer).toMatchObject({ rangesDifferent: 2, rowsDifferent: 3 });
    expect(customer?.differences).toEqual([
      { row: "id = 77", kind: "changed" },
      expect.objectContaining({ row: "id = 119999", kind: "missing" }),
      expect.objectContaining({ row: "id = 900001", kind: "extra" }),
    ]);
    expect((await result("line"))?.differences).toEqual([{ row: "region = Äö, id = 2", kind: "changed" }]);
    expect(await result("bag")).toMatchObject({ rowsDifferent: 2, differences: [{ row: "(,5)", kind: "missing" }] });
    expect(outputs).toMatchObject({ state: "running", errors: [{ code: "GW2201" }] });
    expect(outputs.errors?.[0]?.message).toMatch(/3 tables differ.*shop\.customer: changed id = 77 and 2 more/);
    expect(task.lines.filter((line) => /^warning: GW2201/.test(line))).toHaveLength(1);
    // It still follows the source.
    await task.source.run("INSERT INTO shop.line VALUES ('eu', 100000, 1)");
    await expect.poll(() => task.target.rows("SELECT 1 FROM shop.line WHERE id = 100000"), { timeout: 20_000 }).toHaveLength(1);
    const again = await task.refresh();
    expect(again?.errors).toEqual(outputs.errors);
  });

  it("has a repaired row compared again when it is asked to, and forgets the error", async () => {
    await task.up(live);
    await task.target.run("UPDATE shop.customer SET name = 'other' WHERE id = 77");
    expect((await task.up({ ...live, ...asks("checksums") })).errors).toMatchObject([{ code: "GW2201" }]);
    await task.target.run("UPDATE shop.customer SET name = 'customer 77' WHERE id = 77");
    expect((await task.up({ ...live, ...asks("checksums", "2") })).errors).toEqual([]);
    expect(await verdicts()).toEqual(allEqual);
    await task.up({ ...live, dataValidation: { mode: "none" } });
    await expect.poll(validation, { timeout: 10_000 }).toBeUndefined();
  });

  it("finds with counts what is missing or too much, and not a changed value; checksums find it", async () => {
    await task.up(live);
    await task.target.run("UPDATE shop.customer SET score = score + 1 WHERE id = 5; DELETE FROM shop.line WHERE id = 9");
    await task.up({ ...live, ...asks("counts") });
    expect(await verdicts()).toEqual({ customer: "equal", line: "different", bag: "equal" });
    expect(await result("line")).toMatchObject({ sourceRows: 5000, targetRows: 4999, differences: [] });
    await task.up({ ...live, ...asks("checksums") });
    expect(await verdicts()).toEqual({ customer: "different", line: "different", bag: "equal" });
  });

  it("tells NULL from an empty text, and values apart that differ in a float's last digit", async () => {
    await task.up(live);
    await task.target.run(
      "UPDATE shop.bag SET kind = '' WHERE kind IS NULL AND n = 5; UPDATE shop.customer SET score = score + 1e-12 WHERE id = 3000",
    );
    await task.up({ ...live, ...asks("full") });
    expect(await verdicts()).toEqual({ customer: "different", line: "equal", bag: "different" });
    expect((await result("customer"))?.differences).toEqual([{ row: "id = 3000", kind: "changed" }]);
  });
});

describe("a task without incremental", () => {
  it("compares with the snapshot it loaded from, whatever the source is by then", async () => {
    const config = { ...source.clientConfig(task.source.name) };
    const writers = await startWriters(config, {
      tables: [{ schema: "shop", name: "customer", key: "id" }],
      changesPerSecond: 300,
    });
    try {
      const outputs = await task.up({ ...once, ...asks("full") });
      expect(outputs).toMatchObject({ state: "completed", errors: [] });
      expect(await verdicts()).toEqual(allEqual);
      expect(await result("customer")).toMatchObject({ against: "snapshot" });
    } finally {
      await writers.stop();
    }
  });

  it("ends failed when rows differ, names them, and is content once they are mended", async () => {
    await task.target.run(`
      CREATE SCHEMA shop; CREATE TABLE shop.line (region text, id integer, amount numeric(10,2), PRIMARY KEY (region, id));
      CREATE FUNCTION shop.less() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.id = 7 THEN NEW.amount := 0; END IF; RETURN NEW; END $$;
      CREATE TRIGGER less BEFORE INSERT ON shop.line FOR EACH ROW EXECUTE FUNCTION shop.less();
      ALTER TABLE shop.line ENABLE ALWAYS TRIGGER less`);
    const inputs = {
      migrationTypes: ["full"] as const,
      objects: [{ schema: "shop", tables: [{ name: "line" }] }],
      ignorePrechecks: ["targetTriggers"],
      ...asks("full"),
    };
    await expect(task.up(inputs)).rejects.toThrow(/GW2201[\s\S]*changed region = us, id = 7/);
    expect(task.outputs).toMatchObject({ state: "failed" });
    await expect(task.up(inputs)).rejects.toThrow(/GW2201/);
    await task.target.run("UPDATE shop.line SET amount = 1 WHERE id = 7");
    expect(await task.up(inputs)).toMatchObject({ state: "completed", errors: [] });
  });

  it("is compared later as well, when the mode is changed after it completed", async () => {
    await task.up(once);
    expect(await task.up({ ...once, ...asks("checksums") })).toMatchObject({ state: "completed", errors: [] });
    expect(await verdicts()).toEqual(allEqual);
    expect(await result("bag")).toMatchObject({ against: "now" });
  });
});
