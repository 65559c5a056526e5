import { isDeepStrictEqual } from "node:util";
import { Client } from "pg";
import { type PostgresServer, startPostgres } from "../test/support/postgres.js";

/** Rows of each of the two tables; with GODWIT_BENCH_ROWS another number, to try the bench itself out. */
const ROWS = Number(process.env.GODWIT_BENCH_ROWS ?? 4_000_000);

/** The same on both servers. fsync, synchronous_commit and full_page_writes stay on, as PostgreSQL has them. */
const SETTINGS = {
  shared_buffers: "1GB",
  max_wal_size: "8GB",
  // A checkpoint that falls into one run and not into the next would be measured instead of the copy.
  checkpoint_timeout: "1h",
  // Away from the foreground, as on any server in use; its work after a run would slow the next one down.
  autovacuum: "off",
};

const SOURCE_DATABASE = "shop";
const TARGET_DATABASE = "shop_copy";

export const TABLES = ["orders", "events"] as const;

const CREATE_TABLES = `
  CREATE TABLE orders (
    id bigint NOT NULL, customer_id integer NOT NULL, placed_at timestamptz NOT NULL, status text NOT NULL,
    total numeric(12,2) NOT NULL, reference uuid NOT NULL, note text);
  CREATE TABLE events (
    id bigint NOT NULL, order_id bigint NOT NULL, happened_at timestamptz NOT NULL, kind smallint NOT NULL,
    weight double precision, origin inet, payload jsonb NOT NULL)`;

/** Plain functions of the row's number: the same data each time. md5 and hashint8 scatter it, as keys of real data are. */
const FILL = [
  `INSERT INTO orders
   SELECT n, abs(hashint8(n) % 200000), timestamptz '2024-01-01 00:00+00' + n * interval '9.3 s' + (hashint8(n) % 500) * interval '1 s',
     (ARRAY['new', 'open', 'paid', 'sent', 'returned'])[1 + abs(hashint8(n + 7) % 5)], abs(hashint8(n + 3) % 10000000) / 100.0,
     md5(n::text)::uuid, CASE WHEN n % 3 > 0 THEN 'left with the neighbour at no. ' || n % 240 || ', ' || left(md5(n::text), 16) END
   FROM generate_series(1, $1::bigint) AS n`,
  `INSERT INTO events
   SELECT n, 1 + abs(hashint8(n + 11)::bigint % $1::bigint), timestamptz '2024-01-01 00:00+00' + n * interval '9.3 s', abs(hashint8(n + 5) % 12),
     CASE WHEN n % 4 > 0 THEN hashint8(n) / 1e6 END, inet '10.0.0.0' + n % 65536,
     jsonb_build_object('step', n % 9, 'by', left(md5(n::text), 10), 'ok', n % 5 > 0)
   FROM generate_series(1, $1::bigint) AS n`,
];

const KEYS_AND_INDEXES = `
  ALTER TABLE orders ADD PRIMARY KEY (id);
  ALTER TABLE events ADD PRIMARY KEY (id);
  CREATE INDEX orders_customer ON orders (customer_id, placed_at DESC);
  CREATE UNIQUE INDEX orders_reference ON orders (reference);
  CREATE INDEX orders_open ON orders (placed_at) WHERE status = 'open';
  CREATE INDEX events_order ON events (order_id);
  CREATE INDEX events_time ON events USING brin (happened_at)`;

/** Two servers, and about 1 GB of rows in two tables with keys and five indexes on one of them. */
export class LargeTables {
  #opened: Promise<Opened> | undefined;

  /** Servers and data are made when they are first asked for. */
  open(): Promise<Opened> {
    this.#opened ??= open();
    return this.#opened;
  }

  async close(): Promise<void> {
    const opened = await this.#opened?.catch(() => undefined);
    await Promise.all([opened?.source.remove(), opened?.target.remove()]);
  }
}

export class Opened {
  readonly sourceDatabase = SOURCE_DATABASE;
  readonly targetDatabase = TARGET_DATABASE;

  constructor(
    readonly source: PostgresServer,
    readonly target: PostgresServer,
    private readonly expected: Fingerprint,
  ) {}

  /** A new target database, with empty tables if wanted, and nothing left to write on either server. */
  async emptyTarget({ withTables }: { readonly withTables: boolean }): Promise<void> {
    await this.target.query(`DROP DATABASE IF EXISTS ${TARGET_DATABASE} WITH (FORCE)`);
    await this.target.createDatabase(TARGET_DATABASE);
    if (withTables) await this.target.query(CREATE_TABLES, [], TARGET_DATABASE);
    await Promise.all([this.source.query("CHECKPOINT"), this.target.query("CHECKPOINT")]);
  }

  /** Throws when the target's tables, or its indexes where it should have them, are not the source's. */
  async compare(side: string, { withIndexes }: { readonly withIndexes: boolean }): Promise<void> {
    const wanted = { ...this.expected, ...(withIndexes ? {} : { indexes: "" }) };
    const found = await fingerprint(this.target, TARGET_DATABASE);
    if (isDeepStrictEqual(found, wanted)) return;
    throw new Error(`${side} made another copy: ${JSON.stringify(found)} instead of ${JSON.stringify(wanted)}`);
  }
}

interface Fingerprint {
  readonly tables: readonly string[];
  readonly indexes: string;
}

async function open(): Promise<Opened> {
  const started = await Promise.allSettled([
    startPostgres({ major: 15, settings: SETTINGS, name: "bench-source" }),
    startPostgres({ major: 15, settings: { ...SETTINGS, wal_level: "replica" }, name: "bench-target" }),
  ]);
  const [source, target] = started.map((result) => (result.status === "fulfilled" ? result.value : undefined));
  try {
    for (const result of started) if (result.status === "rejected") throw result.reason;
    if (!source || !target) throw new Error("a server is missing");
    await fill(source);
    return new Opened(source, target, await fingerprint(source, SOURCE_DATABASE));
  } catch (cause) {
    await Promise.all([source?.remove(), target?.remove()]);
    throw cause;
  }
}

async function fill(source: PostgresServer): Promise<void> {
  await source.createDatabase(SOURCE_DATABASE);
  const client = new Client(source.clientConfig(SOURCE_DATABASE));
  client.on("error", () => undefined);
  await client.connect();
  try {
    await client.query("SET maintenance_work_mem = '512MB'");
    await client.query(CREATE_TABLES);
    for (const insert of FILL) await client.query(insert, [ROWS]);
    await client.query(KEYS_AND_INDEXES);
    // Sets the hint bits: otherwise the first copy would write a gigabyte of them.
    for (const table of TABLES) await client.query(`VACUUM (ANALYZE, FREEZE) ${table}`);
  } finally {
    await client.end();
  }
}

/** In two seconds. An exclusive or of row hashes is checksum enough where no two rows are the same. */
async function fingerprint(server: PostgresServer, database: string): Promise<Fingerprint> {
  const tables: string[] = [];
  for (const table of TABLES) {
    const { rows } = await server.query<{ text: string }>(
      `SELECT '${table}: ' || count(*) || ' rows, hash ' || to_hex(bit_xor(hash_record_extended(t, 0))) AS text FROM ${table} AS t`,
      [],
      database,
    );
    tables.push(rows[0]?.text ?? "");
  }
  const { rows } = await server.query<{ names: string }>(
    "SELECT coalesce(string_agg(indexdef, '; ' ORDER BY indexname), '') AS names FROM pg_indexes WHERE schemaname = 'public'",
    [],
    database,
  );
  return { tables, indexes: rows[0]?.names ?? "" };
}
