import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { TaskStatus } from "../../provider/engine/taskStatus.js";
import type { EmulatedTable } from "../support/oracle/emulator.js";
import { createOracleTask, discardOracleTask, type OracleTask } from "../support/oracle/oracleTask.js";
import { SHOP } from "../support/oracle/shopSchema.js";
import { type PostgresServer, startPostgres } from "../support/postgres.js";

const counts = (at: string) => ({ dataValidation: { mode: "counts", triggers: { at } } as const });

let server: PostgresServer;
let task: OracleTask;
let tables: ReadonlyMap<string, EmulatedTable>;

beforeAll(async () => {
  server = await startPostgres({ major: 17, name: "oracle", settings: { fsync: "off" } });
});
afterAll(() => server.remove());
beforeEach(async () => {
  task = await createOracleTask(server, server);
  tables = await task.dictionary.declare(SHOP);
  await add(1, 30);
});
afterEach(() => discardOracleTask(task));

async function add(from: number, to: number): Promise<void> {
  const [customers, events] = [tables.get("CUSTOMERS"), tables.get("EVENTS")];
  if (!customers || !events) throw new Error("no tables");
  const transaction = task.emulator.begin();
  for (let id = from; id <= to; id++) {
    transaction.insert(customers, { ID: `${id}`, NAME: `n${id}`, CODE: "NEW   ", SINCE: "2024-05-01 10:00:00", CREDIT: "1.5" });
    transaction.insert(events, { AT: "2024-12-31 23:59:59", WHAT: "started", "HOW MUCH": "0.1" });
  }
  transaction.commit();
  await task.emulator.flush();
}

async function found(name: string) {
  const [row] = await task.target<{ status: TaskStatus }>("SELECT status FROM godwit.status");
  return row?.status.validation?.tables.find(({ source }) => source.name === name);
}

describe("a task from Oracle (the emulator) that counts", () => {
  it("finds the same numbers of rows after the load and in the stream, partitions included, and a row that is missing", async () => {
    const live = { migrationTypes: ["schema", "full", "incremental"] as const };
    expect((await task.up({ ...live, ...counts("1") })).errors).toEqual([]);
    expect(await found("EVENTS")).toMatchObject({ state: "equal", sourceRows: 30, targetRows: 30, against: "stream" });
    await add(31, 40);
    expect((await task.up({ ...live, ...counts("2") })).errors).toEqual([]);
    expect(await found("CUSTOMERS")).toMatchObject({ state: "equal", sourceRows: 40 });
    await task.target("DELETE FROM shop.events WHERE ctid = (SELECT min(ctid) FROM shop.events)");
    expect((await task.up({ ...live, ...counts("3") })).errors).toMatchObject([{ code: "GW2201" }]);
    expect(await found("EVENTS")).toMatchObject({ state: "different", sourceRows: 40, targetRows: 39 });
  });

  it("counts as of the snapshot where there is no stream", async () => {
    const outputs = await task.up({ migrationTypes: ["schema", "full"], ...counts("1") });
    expect(outputs).toMatchObject({ state: "completed", errors: [] });
    expect(await found("CUSTOMERS")).toMatchObject({ state: "equal", sourceRows: 30, against: "snapshot" });
  });
});
