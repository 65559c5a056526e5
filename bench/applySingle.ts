import { type Benchmark, inTurn } from "./benchmark.js";
import { alone } from "./support/alone.js";
import { WaitingChanges } from "./support/waitingChanges.js";

/** 100,000 transactions of one change each: by turns an insert, an update of a random row, an update of a new one, a delete. */
const WORK = [
  `CREATE PROCEDURE work(transactions int) LANGUAGE plpgsql AS $$
   DECLARE key bigint;
   BEGIN
     PERFORM setseed(0.5);
     FOR n IN 1..transactions LOOP
       key := 100000 + (random() * 99999)::bigint;
       CASE n % 4
         WHEN 0 THEN INSERT INTO account VALUES (200000 + n, 'owner ' || n, 12.5, 1, 'new', now());
         WHEN 1 THEN UPDATE account SET balance = balance + 1.25, updated = now() WHERE id = key;
         WHEN 2 THEN UPDATE account SET visits = visits + 1 WHERE id = 200000 + n - 2;
         ELSE DELETE FROM account WHERE id = n;
       END CASE;
       COMMIT;
     END LOOP;
   END $$`,
  // The source's commits are not what is measured.
  "ALTER DATABASE bank SET synchronous_commit = off",
  "CALL work(100000)",
];

/** 100,000 transactions of a single change that wait in a slot, against a subscription. */
export function applySingle(): Benchmark {
  const changes = new WaitingChanges(WORK);
  return {
    name: "apply-single",
    peerName: "CREATE SUBSCRIPTION",
    unit: "s",
    run: (pairIndex) => inTurn(pairIndex, { ours: () => changes.timeGodwit(), peer: () => changes.timeSubscription() }),
    close: () => changes.close(),
  };
}

if (require.main === module) void alone(applySingle());
