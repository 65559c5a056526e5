import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type PostgresServer, startPostgres } from "../../../support/postgres.js";
import { Flow } from "./flow.js";
import { troublesomeTables, writeRandomly } from "./randomWorkload.js";

const routes = [
  { from: 17, to: 15, how: "in binary" },
  { from: 11, to: 17, how: "as text, the oldest with TRUNCATE" },
  { from: 10, to: 15, how: "as text, from the oldest" },
] as const;

describe.each(routes)("changes from $from to $to, $how", ({ from, to }) => {
  let source: PostgresServer;
  let target: PostgresServer;
  beforeAll(async () => {
    [source, target] = await Promise.all([startPostgres({ major: from }), startPostgres({ major: to })]);
  });
  afterAll(async () => {
    await Promise.all([source?.remove(), target?.remove()]);
  });

  const modern = from >= 12;
  const tables = troublesomeTables(modern);
  // PostgreSQL 10 has no TRUNCATE in its stream.
  const left = (name: string) => name === "unpublished_work" || (from === 10 && name.startsWith("emptied"));

  it("leaves both sides equal after transactions of four concurrent writers", async () => {
    const flow = new Flow(source, target, "mixed");
    await flow.prepare(tables);
    flow.tables = flow.tables.filter(({ source: { name } }) => !left(name));
    const written = write(flow, 150);
    await flow.follow(
      {},
      written.then(() => flow.end()),
    );
    expect(await flow.contents("target")).toEqual(await flow.contents("source"));
    expect(flow.counts?.inserts).toBeGreaterThan(1000);
  });

  it("loses and doubles nothing when both connections are cut again and again", async () => {
    const flow = new Flow(source, target, "cut");
    await flow.prepare(tables);
    flow.tables = flow.tables.filter(({ source: { name } }) => !left(name));
    let cutting = true;
    let cuts = 0;
    const written = write(flow, 600).finally(() => {
      cutting = false;
    });
    const cutter = (async () => {
      for (; cutting; await new Promise((resolve) => setTimeout(resolve, 100))) {
        const [server, name] = cuts % 2 ? [source, "godwit/cut/source/stream"] : [target, "godwit/cut/target/apply"];
        const { rowCount } = await server.query(
          "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1",
          [name],
        );
        cuts += rowCount ?? 0;
      }
    })();
    await flow.follow(
      { limits: { batchRows: 200, batchBytes: 1 << 20, partBytes: 4 << 20 } },
      written.then(() => flow.end()),
    );
    await cutter;
    expect(cuts).toBeGreaterThan(3);
    expect(await flow.contents("target")).toEqual(await flow.contents("source"));
  });

  async function write(flow: Flow, transactions: number): Promise<void> {
    await Promise.all([1, 2, 3, 4].map((seed) => writeRandomly(source, flow.name, { seed, transactions, modern })));
  }
});
