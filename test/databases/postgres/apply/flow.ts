import type { Client } from "pg";
import { connect } from "../../../../provider/databases/postgres/connection.js";
import { isConnectionError } from "../../../../provider/databases/postgres/connectionErrors.js";
import { type FollowOptions, followChanges } from "../../../../provider/databases/postgres/followChanges.js";
import { parseLsn } from "../../../../provider/databases/postgres/lsn.js";
import { createPublication } from "../../../../provider/databases/postgres/replication/publication.js";
import { createSlot } from "../../../../provider/databases/postgres/replication/slot.js";
import type { FlowCounts } from "../../../../provider/engine/database.js";
import type { PlannedTable } from "../../../../provider/engine/models/plan.js";
import type { PostgresServer } from "../../../support/postgres.js";
import { plannedTables } from "./plannedTables.js";

/** Two databases of the same name, tables made on both, and a slot from before the first change. */
export class Flow {
  readonly name: string;
  tables: PlannedTable[] = [];
  counts: FlowCounts | undefined;

  constructor(
    readonly source: PostgresServer,
    readonly target: PostgresServer,
    name: string,
  ) {
    this.name = name;
  }

  /** `rows` are on both sides before the slot is made. */
  async prepare(tables: string, rows = "SELECT 1", tablesOnTarget = tables): Promise<void> {
    for (const server of [this.source, this.target]) await server.createDatabase(this.name);
    await this.source.query(tables, [], this.name);
    await this.target.query(tablesOnTarget, [], this.name);
    for (const server of [this.source, this.target]) await server.query(rows, [], this.name);
    await this.target.query(
      `CREATE SCHEMA godwit; CREATE TABLE godwit.checkpoint (position bigint, epoch int, applied int DEFAULT 0);
       INSERT INTO godwit.checkpoint VALUES (0, 1)`,
      [],
      this.name,
    );
    const client = await this.connect("source", "plan");
    this.tables = await plannedTables(client, this.source.major);
    await client.end();
    await this.capture();
  }

  async capture(): Promise<void> {
    const client = await this.connect("source", "setup");
    await createPublication(client, this.name, this.tables);
    await client.end();
    const walsender = await this.connect("source", "snapshot", { replication: true });
    await createSlot(walsender, this.name, "pgoutput");
    await walsender.end();
  }

  connect(side: "source" | "target", part: string, options: { replication?: boolean } = {}): Promise<Client> {
    return connect(this[side].endpoint(this.name), { applicationName: `godwit/${this.name}/${side}/${part}`, ...options });
  }

  async end(): Promise<bigint> {
    const { rows } = await this.source.query<{ lsn: string }>("SELECT pg_current_wal_lsn() AS lsn", [], this.name);
    return parseLsn(rows[0]?.lsn ?? "");
  }

  async checkpoint(): Promise<bigint> {
    const { rows } = await this.target.query<{ position: string }>("SELECT position FROM godwit.checkpoint", [], this.name);
    return BigInt(rows[0]?.position ?? 0);
  }

  /** Follows until everything that the source has written by now is durable. Broken connections are made anew. */
  async follow(options: Partial<FollowOptions> = {}, end?: bigint | Promise<bigint>): Promise<FlowCounts | undefined> {
    const abort = new AbortController();
    let goal: bigint | undefined;
    const reached = () => {
      if (goal !== undefined && this.counts && this.counts.durable >= goal) abort.abort();
    };
    Promise.resolve(end ?? this.end()).then((position) => {
      goal = position;
      reached();
    }, abort.abort.bind(abort));
    this.counts = undefined;
    while (!abort.signal.aborted) {
      try {
        await followChanges({
          source: { connect: (part, how) => this.connect("source", part, how) },
          target: { connect: (part, how) => this.connect("target", part, how) },
          slotName: this.name,
          publications: [this.name],
          tables: this.tables.map((table) => ({ table, loadPosition: undefined })),
          overwrite: false,
          quiet: true,
          start: () => this.checkpoint(),
          checkpoint: (position) => `UPDATE godwit.checkpoint SET position = ${position}, applied = applied + 1`,
          rates: () => ({}),
          signal: options.signal ? AbortSignal.any([abort.signal, options.signal]) : abort.signal,
          ...options,
          onProgress: (counts) => {
            this.counts = counts;
            reached();
          },
        });
        break;
      } catch (cause) {
        if (!isConnectionError(cause)) throw cause;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
    return this.counts;
  }

  /** Rows and content of every table, to be compared between the sides. */
  async contents(side: "source" | "target"): Promise<Record<string, string>> {
    const found: Record<string, string> = {};
    for (const { source, columns } of this.tables) {
      const name = `"${source.name.replaceAll('"', '""')}"`;
      const row = `ROW(${columns.map((column) => `t."${column.source.replaceAll('"', '""')}"`).join(", ")})::text`;
      const { rows } = await this[side].query<{ content: string }>(
        `SELECT count(*) || ' ' || coalesce(md5(string_agg(${row}, E'\\n' ORDER BY ${row} COLLATE "C")), '') AS content FROM ${name} t`,
        [],
        this.name,
      );
      found[source.name] = rows[0]?.content ?? "";
    }
    return found;
  }
}
