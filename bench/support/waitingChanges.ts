import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "pg";
import { connect } from "../../provider/databases/postgres/connection.js";
import type { DdlFollowing } from "../../provider/databases/postgres/ddl/follow/ddlFollowing.js";
import { followChanges } from "../../provider/databases/postgres/followChanges.js";
import type { PlannedTable } from "../../provider/engine/models/plan.js";
import { type PostgresServer, startPostgres } from "../../test/support/postgres.js";

/** The same on both servers. fsync and full_page_writes stay on, as PostgreSQL has them. */
const SETTINGS = {
  shared_buffers: "512MB",
  max_wal_size: "8GB",
  checkpoint_timeout: "1h",
  autovacuum: "off",
  // A server starts one apply worker per interval, 5 s by default: the peer would wait for its turn, not work.
  wal_retrieve_retry_interval: "100ms",
};

const TABLES = `
  CREATE TABLE account (
    id bigint PRIMARY KEY, owner text NOT NULL, balance numeric(12,2) NOT NULL, visits integer NOT NULL, note text, updated timestamptz NOT NULL);
  CREATE TABLE marker (id integer PRIMARY KEY, reached boolean NOT NULL);
  INSERT INTO account
  SELECT g, 'owner ' || g, (g % 100000) / 7.0, g % 13, repeat('n', (g % 60)::int), timestamptz '2024-01-01 00:00+00' + g * interval '1 s'
    FROM generate_series(1, 200000) AS g;
  INSERT INTO marker VALUES (1, false)`;

/** Changes of structure are looked for, as in every task; none come. */
const FOLLOWING: DdlFollowing = {
  publication: "waiting",
  options: {},
  readAt: 0n,
  readCatalog: () => Promise.reject(new Error("no name changes")),
  store: {
    tablePlanned: () => "",
    tableGone: () => "",
    stepPlanned: () => "",
    stepsNeeding: () => "",
    stepsGone: () => "",
  },
};

const SOURCE = "bank";
const BEFORE = "bank_before";
const TARGET = "bank_copy";
const SLOT = "waiting";

/**
 * A source whose slot has changes waiting, and a target as it was before them. Each run gets its own copy of the slot and of the target, so that every
 * run has the same work; a run ends when a query sees the last change on the target.
 */
export class WaitingChanges {
  private servers: Promise<Servers> | undefined;

  /** `work`: SQL that makes the changes, in transactions of its own. */
  constructor(private readonly work: readonly string[]) {}

  async close(): Promise<void> {
    const servers = await this.servers?.catch(() => undefined);
    await Promise.all([servers?.source.remove(), servers?.target.remove()]);
  }

  /** Seconds that Godwit takes: its stream and its applier, in this process, each target commit on disk before it counts. */
  async timeGodwit(): Promise<number> {
    const { source, target } = await this.fresh();
    const tables = await plannedTables(source);
    await target.query(
      "CREATE SCHEMA godwit; CREATE TABLE godwit.checkpoint (position bigint); INSERT INTO godwit.checkpoint VALUES (0)",
      [],
      TARGET,
    );
    const slotName = await this.copySlot("ours");
    const abort = new AbortController();
    return this.timed(target, async (seen) => {
      const followed = followChanges({
        source: {
          connect: (part, how) => connect(source.endpoint(SOURCE), { applicationName: `godwit/bench/source/${part}`, ...how }),
        },
        target: {
          connect: (part, how) => connect(target.endpoint(TARGET), { applicationName: `godwit/bench/target/${part}`, ...how }),
        },
        slotName,
        publications: [SLOT],
        tables: tables.map((table) => ({ table, loadPosition: undefined })),
        overwrite: false,
        quiet: true,
        start: async () => 0n,
        checkpoint: (position) => `UPDATE godwit.checkpoint SET position = ${position}`,
        rates: () => ({}),
        onProgress: () => undefined,
        ddl: FOLLOWING,
        signal: abort.signal,
      });
      await Promise.race([seen, followed]);
      return async () => {
        abort.abort();
        await followed;
        await dropSlot(source, slotName);
      };
    });
  }

  /**
   * Seconds that a subscription takes. It keeps its default synchronous_commit = off, without which it would wait for the disk at every
   * transaction: its last commits may not be on disk when the time ends, those of Godwit are.
   */
  async timeSubscription(): Promise<number> {
    const { source, target } = await this.fresh();
    const slotName = await this.copySlot("peer");
    const { hosts, username, password } = source.endpoint();
    const [host, port] = (hosts[0] ?? "").split(":");
    return this.timed(target, async (seen) => {
      await target.query(
        `CREATE SUBSCRIPTION bench CONNECTION 'host=${host} port=${port} user=${username} password=${password} dbname=${SOURCE}' PUBLICATION ${SLOT}
         WITH (create_slot = false, slot_name = '${slotName}', copy_data = false, binary = true)`,
        [],
        TARGET,
      );
      await seen;
      return async () => {
        await target.query("ALTER SUBSCRIPTION bench DISABLE", [], TARGET);
        await target.query("ALTER SUBSCRIPTION bench SET (slot_name = NONE)", [], TARGET);
        await target.query("DROP SUBSCRIPTION bench", [], TARGET);
        await dropSlot(source, slotName);
      };
    });
  }

  private async timed(target: PostgresServer, run: (seen: Promise<void>) => Promise<() => Promise<void>>): Promise<number> {
    const client = new Client({
      host: target.host,
      port: target.port,
      user: target.username,
      password: target.password,
      database: TARGET,
    });
    await client.connect();
    const watch = async () => {
      for (;;) {
        const { rows } = await client.query<{ reached: boolean }>("SELECT reached FROM marker");
        if (rows[0]?.reached) return;
        await sleep(10);
      }
    };
    try {
      const began = performance.now();
      const finish = await run(watch());
      const seconds = (performance.now() - began) / 1000;
      await finish();
      await this.compare();
      return seconds;
    } finally {
      await client.end();
    }
  }

  private async fresh(): Promise<Servers> {
    const servers = await this.opened();
    await servers.target.query(`DROP DATABASE IF EXISTS ${TARGET} WITH (FORCE)`);
    await servers.target.query(`CREATE DATABASE ${TARGET} TEMPLATE ${BEFORE}`);
    await Promise.all([servers.source.query("CHECKPOINT"), servers.target.query("CHECKPOINT")]);
    return servers;
  }

  private async copySlot(name: string): Promise<string> {
    const { source } = await this.opened();
    await source.query("SELECT pg_copy_logical_replication_slot($1, $2, false)", [SLOT, name], SOURCE);
    return name;
  }

  private opened(): Promise<Servers> {
    this.servers ??= prepare(this.work);
    return this.servers;
  }

  /** Throws when the target is not what the source is. */
  private async compare(): Promise<void> {
    const { source, target } = await this.opened();
    const sum = "SELECT count(*) || ' ' || md5(string_agg(a::text, ' ' ORDER BY id)) AS sum FROM account a";
    const [wanted, found] = await Promise.all([
      source.query<{ sum: string }>(sum, [], SOURCE),
      target.query<{ sum: string }>(sum, [], TARGET),
    ]);
    if (wanted.rows[0]?.sum !== found.rows[0]?.sum) throw new Error("the target's rows are not the source's");
  }
}

interface Servers {
  readonly source: PostgresServer;
  readonly target: PostgresServer;
}

async function prepare(work: readonly string[]): Promise<Servers> {
  const [source, target] = await Promise.all([
    startPostgres({ major: 15, settings: SETTINGS, name: "bench-source" }),
    startPostgres({ major: 15, settings: SETTINGS, name: "bench-target" }),
  ]);
  await source.createDatabase(SOURCE);
  await target.createDatabase(BEFORE);
  await Promise.all([source.query(TABLES, [], SOURCE), target.query(TABLES, [], BEFORE)]);
  await Promise.all([source.query("VACUUM ANALYZE", [], SOURCE), target.query("VACUUM ANALYZE", [], BEFORE)]);
  await source.query(`CREATE PUBLICATION ${SLOT} FOR TABLE account, marker`, [], SOURCE);
  await source.query("SELECT pg_create_logical_replication_slot($1, 'pgoutput')", [SLOT], SOURCE);
  for (const statement of work) await source.query(statement, [], SOURCE);
  await source.query("UPDATE marker SET reached = true", [], SOURCE);
  return { source, target };
}

/** A walsender lets go of its slot a moment after its client is gone. */
async function dropSlot(source: PostgresServer, name: string): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    try {
      await source.query("SELECT pg_drop_replication_slot($1)", [name], SOURCE);
      return;
    } catch (cause) {
      if ((cause as { code?: string }).code !== "55006" || attempt === 100) throw cause;
      await sleep(100);
    }
  }
}

async function plannedTables(source: PostgresServer): Promise<PlannedTable[]> {
  const { rows } = await source.query<{ id: number; name: string; columns: PlannedTable["columns"] }>(
    `SELECT c.oid::int AS id, c.relname AS name,
            jsonb_agg(jsonb_build_object('source', a.attname, 'target', a.attname, 'number', a.attnum, 'nullable', NOT a.attnotnull,
              'generated', false, 'type', format_type(a.atttypid, a.atttypmod), 'binaryPortable', true) ORDER BY a.attnum) AS columns
       FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
      WHERE c.relname IN ('account', 'marker')
      GROUP BY c.oid`,
    [],
    SOURCE,
  );
  return rows.map(({ id, name, columns }) => ({
    id,
    source: { schema: "public", name },
    target: { schema: "public", name },
    columns,
    leftOut: [],
    key: { source: "primaryKey", columns: ["id"] },
    replicaIdentity: { was: "default", needs: "keep" },
    streamed: true,
    operations: { insert: true, update: true, delete: true, truncate: true },
    estimatedRows: 0,
    bytes: 0,
  }));
}
