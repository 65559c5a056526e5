import { setTimeout as sleep } from "node:timers/promises";
import { Client, type ClientConfig } from "pg";

export interface Written {
  transactions: number;
  inserts: number;
  updates: number;
  deletes: number;
}

/** Between two transactions. Enough changes to prove the point, and a core left for the migration. */
const PAUSE_MILLISECONDS = 15;

const INSERT_FLIGHTS = `
  INSERT INTO travel.flight (departure, origin, destination, distance, delay)
  SELECT departure + interval '1 year', destination, origin, distance, $2
  FROM travel.flight WHERE id = ANY ($1) RETURNING id`;
const DELAY_FLIGHTS = "UPDATE travel.flight SET delay = delay + $2 WHERE id = ANY ($1)";
const CORRECT_REPORTS = "UPDATE travel.delay_report SET delay = $2, hour_of_day = hour_of_day / 2 WHERE id = ANY ($1)";
const CANCEL_FLIGHTS = "DELETE FROM travel.flight WHERE id = ANY ($1)";
const STRIKE = `
  INSERT INTO travel.bird_strike (airport, state, day, damage, species, cost, notes)
  SELECT airport, state, day + 1, 'Minor', species, cost * 2, notes || '{"again": true}'
  FROM travel.bird_strike WHERE id = ANY ($1)`;
const MOVE_STRIKES = "DELETE FROM travel.bird_strike WHERE id = ANY ($1)";

/** An application that does not know it is being migrated: small transactions of inserts, updates and deletes, one after another. */
export class Writer {
  readonly written: Written = { transactions: 0, inserts: 0, updates: 0, deletes: 0 };
  readonly #client: Client;
  readonly #began = Date.now();
  #newest = 20_000;
  #stopping = false;
  #running: Promise<void>;

  private constructor(client: Client) {
    this.#client = client;
    this.#running = this.#run();
    // stop() reports it.
    this.#running.catch(() => undefined);
  }

  static async start(config: ClientConfig): Promise<Writer> {
    const client = new Client({ ...config, application_name: "writer" });
    client.on("error", () => undefined);
    await client.connect();
    return new Writer(client);
  }

  /** Transactions a second since the start. */
  rate(): number {
    return this.written.transactions / ((Date.now() - this.#began) / 1000);
  }

  /** Ends after the transaction under way. Throws what the writer failed with. */
  async stop(): Promise<void> {
    this.#stopping = true;
    try {
      await this.#running;
    } finally {
      await this.#client.end().catch(() => undefined);
    }
  }

  async #run(): Promise<void> {
    while (!this.#stopping) {
      await this.#transaction();
      await sleep(PAUSE_MILLISECONDS);
    }
  }

  async #transaction(): Promise<void> {
    // Now and then a transaction is taken back: nothing of it may arrive.
    const kept = Math.random() > 0.05;
    const counts = { inserts: 0, updates: 0, deletes: 0 };
    await this.#client.query("BEGIN");
    const added = await this.#client.query<{ id: string }>(INSERT_FLIGHTS, [this.#flights(6), Math.floor(Math.random() * 60)]);
    counts.inserts += added.rows.length;
    counts.updates += await this.#change(DELAY_FLIGHTS, [this.#flights(8), Math.floor(Math.random() * 30)]);
    counts.updates += await this.#change(CORRECT_REPORTS, [numbers(10, 200_000), Math.floor(Math.random() * 90)]);
    counts.deletes += await this.#change(CANCEL_FLIGHTS, [this.#flights(3)]);
    counts.inserts += await this.#change(STRIKE, [numbers(2, 10_000)]);
    counts.deletes += await this.#change(MOVE_STRIKES, [numbers(1, 10_000)]);
    await this.#client.query(kept ? "COMMIT" : "ROLLBACK");
    if (!kept) return;
    this.#newest = Math.max(this.#newest, ...added.rows.map(({ id }) => Number(id)));
    this.written.transactions++;
    for (const name of ["inserts", "updates", "deletes"] as const) this.written[name] += counts[name];
  }

  async #change(sql: string, params: readonly unknown[]): Promise<number> {
    return (await this.#client.query(sql, [...params])).rowCount ?? 0;
  }

  #flights(count: number): number[] {
    return numbers(count, this.#newest);
  }
}

function numbers(count: number, upTo: number): number[] {
  return Array.from({ length: count }, () => 1 + Math.floor(Math.random() * upTo));
}
