import type { PostgresServer } from "../test/support/postgres.js";
import { type Benchmark, inTurn } from "./benchmark.js";
import { alone } from "./support/alone.js";
import { ACCOUNT, ACCOUNT_ROWS, DATABASE, KafkaBench, report, rowsOr } from "./support/kafkaBench.js";

const WAITING = "waiting";
const CHANGES = 2_000_000;
/** Inserts, updates and deletes in a transaction of the work. */
const PER_TRANSACTION = 100;

const WORK = `
  CREATE PROCEDURE work(transactions int) LANGUAGE plpgsql AS $$
  DECLARE top bigint := 200000; low bigint := 0; key bigint;
  BEGIN
    PERFORM setseed(0.5);
    FOR n IN 1..transactions LOOP
      FOR i IN 1..20 LOOP
        INSERT INTO account VALUES (top + 1, 'owner ' || top + 1, 12.5, 1, 'new', now()), (top + 2, 'owner ' || top + 2, 99.75, 2, NULL, now());
        top := top + 2;
        key := low + 1 + (random() * (top - low - 2))::bigint;
        UPDATE account SET balance = balance + 1.25, visits = visits + 1, updated = now() WHERE id = key;
        key := low + 1 + (random() * (top - low - 2))::bigint;
        UPDATE account SET note = 'touched ' || n, updated = now() WHERE id = key;
        low := low + 1;
        DELETE FROM account WHERE id = low;
      END LOOP;
      COMMIT;
    END LOOP;
  END $$`;

/**
 * Two million changes that wait in a slot, into a topic of four partitions: Godwit exactly once (transactions, canal-json, lz4, acks all) against Debezium in
 * Kafka Connect, which comes without transactions (lz4, acks all).
 */
export function kafkaStream(): Benchmark {
  const changes = rowsOr(CHANGES);
  let end = "";
  const bench = new KafkaBench("kafka-stream", async (source) => {
    const run = (sql: string) => source.query(sql, undefined, DATABASE);
    await run(`${ACCOUNT}; ${ACCOUNT_ROWS} FROM generate_series(1, 200000) AS g`);
    // A slot reads what was published before it; a task that only streams takes the publication named like its slot.
    await run("CREATE PUBLICATION ours FOR TABLE account; CREATE PUBLICATION peer FOR TABLE account");
    await run(`SELECT pg_create_logical_replication_slot('${WAITING}', 'pgoutput')`);
    await run(WORK);
    await run(`CALL work(${Math.ceil(changes / PER_TRANSACTION)})`);
    const { rows } = await source.query<{ lsn: string }>("SELECT pg_current_wal_lsn()::text AS lsn");
    end = rows[0]?.lsn ?? "";
    // The stream's end is where a last transaction ends: positions in between are no commit of anybody's.
    await run("INSERT INTO account VALUES (0, 'the last', 0, 0, NULL, now())");
  });
  return {
    name: "kafka-stream",
    peerName: "Debezium",
    unit: "s",
    run: (pairIndex) =>
      inTurn(pairIndex, {
        async ours() {
          const { source } = await bench.open();
          await copySlot(source, "ours");
          const used = await bench.godwit(
            { migrationTypes: ["incremental"], slotName: "ours", waitFor: "started" },
            changes,
            (task) => bench.untilCommitted(task, end),
          );
          await dropSlot(source, "ours");
          report("kafka-stream", "godwit", changes, used);
          return used.seconds;
        },
        async peer() {
          const { source } = await bench.open();
          await copySlot(source, "peer");
          const used = await bench.debezium({ work: "stream", slotName: "peer", publication: "peer" }, changes);
          await dropSlot(source, "peer");
          report("kafka-stream", "debezium", changes, used);
          return used.seconds;
        },
      }),
    close: () => bench.close(),
  };
}

async function copySlot(source: PostgresServer, name: string): Promise<void> {
  await source.query(`SELECT pg_copy_logical_replication_slot('${WAITING}', '${name}')`, undefined, DATABASE);
}

/** Whoever streamed from it may still be on its way out. */
async function dropSlot(source: PostgresServer, name: string): Promise<void> {
  await source.query(
    `SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = '${name}' AND active_pid IS NOT NULL`,
  );
  for (let attempt = 0; ; attempt++) {
    try {
      await source.query(`SELECT pg_drop_replication_slot('${name}')`, undefined, DATABASE);
      return;
    } catch (cause) {
      if (attempt === 50) throw cause;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

if (require.main === module) void alone(kafkaStream());
