import { readCatalog } from "../provider/databases/postgres/catalog/readCatalog.js";
import { openComparison } from "../provider/databases/postgres/compare/openComparison.js";
import { connect } from "../provider/databases/postgres/connection.js";
import type { PlannedTable } from "../provider/engine/models/plan.js";
import { resolvePlan } from "../provider/engine/plan.js";
import { compareTable, emptyTally } from "../provider/engine/validation/compareTable.js";
import type { ComparedMode } from "../provider/engine/validation/validationStatus.js";
import { type PostgresServer, startPostgres } from "../test/support/postgres.js";
import { median } from "./benchmark.js";

const ROWS = Number(process.env.GODWIT_BENCH_ROWS ?? 4_000_000);
const RUNS = Number(process.argv[2] ?? 3);

const TABLE = `
  CREATE TABLE orders (
    id bigint PRIMARY KEY, customer_id integer NOT NULL, placed_at timestamptz NOT NULL, status text NOT NULL, total numeric(12,2) NOT NULL,
    reference uuid NOT NULL, weight double precision, note text);
  INSERT INTO orders
    SELECT n, abs(hashint8(n) % 200000), timestamptz '2024-01-01 00:00+00' + n * interval '9.3 s', (ARRAY['new', 'paid', 'sent'])[1 + n % 3],
      abs(hashint8(n + 3) % 10000000) / 100.0, md5(n::text)::uuid, hashint8(n) / 1e6, CASE WHEN n % 3 > 0 THEN 'left with the neighbour at no. ' || n % 240 END
    FROM generate_series(1, ${ROWS}) AS n;
  ANALYZE orders`;

/**
 * What a comparison costs, in rows a second of one table on two servers of this machine: each mode, beside a plain count on either server, and
 * beside what one would type by hand, a digest over all rows in order. `npx tsx bench/validate.ts [runs]`.
 */
async function main(): Promise<void> {
  const servers = await Promise.all(
    ([15, 17] as const).map((major) =>
      startPostgres({ major, settings: { shared_buffers: "1GB", fsync: "off", max_wal_size: "8GB" } }),
    ),
  );
  const [source, target] = servers as [PostgresServer, PostgresServer];
  try {
    await Promise.all(servers.map((server) => server.query(TABLE)));
    await Promise.all(servers.map((server) => server.query("VACUUM orders")));
    const table = await planned(source);
    const each = (sql: string) => async () => {
      await Promise.all(servers.map((server) => server.query(`SET max_parallel_workers_per_gather = 0; ${sql}`)));
    };
    const measured: Readonly<Record<string, () => Promise<void>>> = {
      "SELECT count(*) on both": each("SELECT count(*) FROM orders"),
      "SELECT md5(string_agg(...)) on both": each("SELECT md5(string_agg(md5(o::text), '' ORDER BY id)) FROM orders o"),
      counts: () => compare(source, target, table, "counts"),
      checksums: () => compare(source, target, table, "checksums"),
      full: () => compare(source, target, table, "full"),
    };
    const times = new Map<string, number[]>();
    for (let run = 0; run < RUNS; run++) {
      for (const [name, work] of Object.entries(measured)) {
        const began = performance.now();
        await work();
        times.set(name, [...(times.get(name) ?? []), (performance.now() - began) / 1000]);
      }
    }
    for (const [name, seconds] of times) {
      const middle = median(seconds);
      console.log(
        `${name.padEnd(38)} ${middle.toFixed(2).padStart(7)} s  ${Math.round(ROWS / middle)
          .toLocaleString("en-US")
          .padStart(12)} rows/s`,
      );
    }
  } finally {
    await Promise.all(servers.map((server) => server.remove()));
  }
}

async function planned(source: PostgresServer): Promise<PlannedTable> {
  const client = await connect(source.endpoint(), { applicationName: "bench" });
  try {
    const [table] = resolvePlan(await readCatalog(client)).tables;
    if (!table) throw new Error("there is no table to compare");
    return table;
  } finally {
    await client.end();
  }
}

async function compare(source: PostgresServer, target: PostgresServer, table: PlannedTable, mode: ComparedMode): Promise<void> {
  const comparison = openComparison({
    source: source.endpoint(),
    target: target.endpoint(),
    taskId: "bench",
    dialect: undefined,
  });
  try {
    const lane = await comparison.openLane();
    const opened = await lane.open(table, mode !== "counts");
    if ("notCompared" in opened) throw new Error(opened.notCompared);
    const tally = emptyTally();
    const reading = { comparison: opened, mode, still: true, arrived: async () => undefined, admit: async () => undefined };
    await compareTable({ ...reading, wanted: () => true, signal: new AbortController().signal }, tally);
    if (tally.sourceRows !== ROWS || tally.rangesDifferent > 0) throw new Error(`not equal: ${JSON.stringify(tally)}`);
  } finally {
    await comparison.close();
  }
}

const alive = setInterval(() => undefined, 60_000);
main()
  .catch((cause: unknown) => {
    console.error(`bench: ${cause instanceof Error ? cause.message : cause}`);
    process.exitCode = 1;
  })
  .finally(() => clearInterval(alive));
