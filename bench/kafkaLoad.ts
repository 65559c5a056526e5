import { type Benchmark, inTurn } from "./benchmark.js";
import { alone } from "./support/alone.js";
import { ACCOUNT, ACCOUNT_ROWS, DATABASE, KafkaBench, report, rowsOr } from "./support/kafkaBench.js";

const ROWS = 4_000_000;

/**
 * Four million rows into a topic of four partitions: Godwit's full load, each table in one transaction (canal-json, lz4, acks all), against Debezium's initial
 * snapshot (lz4, acks all, no transactions).
 */
export function kafkaLoad(): Benchmark {
  const rows = rowsOr(ROWS);
  const bench = new KafkaBench("kafka-load", async (source) => {
    await source.query(`${ACCOUNT}; ${ACCOUNT_ROWS} FROM generate_series(1, ${rows}) AS g`, undefined, DATABASE);
    await source.query("VACUUM ANALYZE account", undefined, DATABASE);
    await source.query("CREATE PUBLICATION peer FOR TABLE account", undefined, DATABASE);
  });
  return {
    name: "kafka-load",
    peerName: "Debezium",
    unit: "s",
    run: (pairIndex) =>
      inTurn(pairIndex, {
        async ours() {
          const used = await bench.godwit({ migrationTypes: ["schema", "full"] }, rows, async ({ state, errors }) => {
            if (state !== "completed") throw new Error(`the task ended ${state}: ${JSON.stringify(errors)}`);
          });
          report("kafka-load", "godwit", rows, used);
          return used.seconds;
        },
        async peer() {
          const { source } = await bench.open();
          const used = await bench.debezium({ work: "snapshot", slotName: "peer", publication: "peer" }, rows);
          await source.query("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots", undefined, DATABASE);
          report("kafka-load", "debezium", rows, used);
          return used.seconds;
        },
      }),
    close: () => bench.close(),
  };
}

if (require.main === module) void alone(kafkaLoad());
