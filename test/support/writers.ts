import { Client, type ClientConfig } from "pg";
import { RandomSource } from "./randomSource.js";
import { delay } from "./serverProcess.js";
import { Workload } from "./workload.js";

export interface WrittenTable {
  readonly schema?: string;
  readonly name: string;
  /** An int4 or int8 column, unique and not null; absent: the table is written as a bag of rows. */
  readonly key?: string;
  /** Columns to fill; default every one that is not generated and of a type random values are made of. */
  readonly columns?: readonly string[];
  /** Relative frequencies; default 4, 4, 1.5 and 0.5. A key change is an update of the key column. */
  readonly operations?: Partial<OperationWeights>;
}

export interface OperationWeights {
  readonly insert: number;
  readonly update: number;
  readonly delete: number;
  readonly keyChange: number;
}

export interface WriterOptions {
  readonly tables: readonly WrittenTable[];
  /** Connections that write at once. Default 4. */
  readonly writers?: number;
  /** Changes in a transaction, lowest and highest; short ones are more frequent. Default [1, 60]. */
  readonly transactionSize?: readonly [number, number];
  /** All writers together; default as fast as they can. */
  readonly changesPerSecond?: number;
  /** Ends by itself after so many committed changes, all writers together. */
  readonly maxChanges?: number;
  /** Default GODWIT_SEED, else random; printed, so that a failure can be replayed. */
  readonly seed?: number;
}

/** Of committed transactions; after a lost connection a commit whose answer got lost is not counted. */
export interface WriterCounts {
  inserts: number;
  updates: number;
  deletes: number;
  keyChanges: number;
  transactions: number;
  /** Rolled back on purpose, by a deadlock or by a lost connection. */
  rollbacks: number;
}

export interface Writers {
  readonly seed: number;
  readonly counts: Readonly<WriterCounts>;
  /** Settles when maxChanges are done or stop was called; rejects with the first error that is not a lost connection. */
  readonly done: Promise<WriterCounts>;
  /** Ends after the open transactions. */
  stop(): Promise<WriterCounts>;
}

/**
 * Starts writers that change rows until stopped: mixed inserts, updates of some columns (large values are often left alone),
 * deletes and key changes in transactions of random size, some rolled back as a whole or to a savepoint.
 * They contend for some rows, and reconnect when the server goes away.
 */
export async function startWriters(server: ClientConfig, options: WriterOptions): Promise<Writers> {
  const seed = options.seed ?? Number(process.env.GODWIT_SEED ?? Math.floor(Math.random() * 0xffffffff));
  console.log(`writers: seed ${seed} (GODWIT_SEED=${seed} replays it)`);
  const writers = options.writers ?? 4;
  const counts: WriterCounts = { inserts: 0, updates: 0, deletes: 0, keyChanges: 0, transactions: 0, rollbacks: 0 };
  const state = { stopping: false };
  const workloads = await withClient(server, async (client) => {
    const opened: Workload[] = [];
    for (let index = 0; index < writers; index++) opened.push(await Workload.open(client, options.tables, index, writers));
    return opened;
  });
  const began = Date.now();
  const loops = workloads.map(async (workload, index) => {
    const random = new RandomSource(seed + index * 7919);
    while (!state.stopping) {
      try {
        await withClient(server, async (client) => {
          while (!state.stopping) {
            await transact(client, workload, random, options, counts);
            if (options.maxChanges !== undefined && changes(counts) >= options.maxChanges) state.stopping = true;
            if (options.changesPerSecond)
              await delay(Math.max(0, (changes(counts) / options.changesPerSecond) * 1000 - (Date.now() - began)));
          }
        });
      } catch (cause) {
        if (!isLostConnection(cause)) {
          state.stopping = true;
          throw cause;
        }
        counts.rollbacks++;
        await delay(100);
      }
    }
  });
  const done = Promise.all(loops).then(() => counts);
  // The error is the caller's when it asks for done or stop; before that it must not end the process.
  done.catch(() => undefined);
  return {
    seed,
    counts,
    done,
    stop: () => {
      state.stopping = true;
      return done;
    },
  };
}

async function transact(
  client: Client,
  workload: Workload,
  random: RandomSource,
  { transactionSize: [low, high] = [1, 60] }: WriterOptions,
  counts: WriterCounts,
): Promise<void> {
  const size = low + Math.floor((high - low + 1) * random.next() ** 3);
  const pending: WriterCounts = { inserts: 0, updates: 0, deletes: 0, keyChanges: 0, transactions: 0, rollbacks: 0 };
  try {
    await client.query("BEGIN");
    for (let change = 0; change < size; change++) {
      const undone = random.chance(0.01);
      if (undone) await client.query("SAVEPOINT undone");
      const done = await workload.change(client, random);
      if (undone) await client.query("ROLLBACK TO undone");
      else if (done) pending[done.kind] += done.rows;
    }
    if (random.chance(0.03)) {
      await client.query("ROLLBACK");
      counts.rollbacks++;
      return;
    }
    await client.query("COMMIT");
  } catch (cause) {
    // Two writers that contend for the same rows in opposite order.
    if ((cause as { code?: string }).code !== "40P01") throw cause;
    await client.query("ROLLBACK");
    counts.rollbacks++;
    return;
  }
  counts.inserts += pending.inserts;
  counts.updates += pending.updates;
  counts.deletes += pending.deletes;
  counts.keyChanges += pending.keyChanges;
  counts.transactions++;
}

function changes(counts: WriterCounts): number {
  return counts.inserts + counts.updates + counts.deletes + counts.keyChanges;
}

async function withClient<T>(server: ClientConfig, use: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ ...server, application_name: "writer" });
  client.on("error", () => undefined);
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** Codes of classes 08 and 57P, a socket's own errors, and pg's words for a connection that went away. */
function isLostConnection(cause: unknown): boolean {
  const { code = "", message = "" } = cause as { code?: string; message?: string };
  return /^(08|57P|ECONN|EPIPE)/.test(code) || /Connection terminated|not queryable|connection closed/i.test(message);
}
