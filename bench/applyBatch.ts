import { type Benchmark, inTurn } from "./benchmark.js";
import { alone } from "./support/alone.js";
import { WaitingChanges } from "./support/waitingChanges.js";

/** 6,000 transactions of 100 changes: 40 inserts, 40 updates of random rows and 20 deletes, mixed. */
const WORK = [
  `CREATE PROCEDURE work(transactions int) LANGUAGE plpgsql AS $$
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
   END $$`,
  "CALL work(6000)",
];

/** 600,000 changes in 6,000 transactions that wait in a slot, against a subscription. */
export function applyBatch(): Benchmark {
  const changes = new WaitingChanges(WORK);
  return {
    name: "apply-batch",
    peerName: "CREATE SUBSCRIPTION",
    unit: "s",
    run: (pairIndex) => inTurn(pairIndex, { ours: () => changes.timeGodwit(), peer: () => changes.timeSubscription() }),
    close: () => changes.close(),
  };
}

if (require.main === module) void alone(applyBatch());
