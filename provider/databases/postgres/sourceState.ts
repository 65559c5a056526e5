import type { Client } from "pg";
import type { TableEtl } from "../../engine/etl.js";
import type { PostgresCatalog } from "./catalog/model.js";
import { readShapes, type Shapes } from "./catalog/shapes.js";
import type { SourceDialect } from "./dialect.js";
import { withDerivedColumns } from "./etl/derivedColumns.js";
import { parseLsn } from "./lsn.js";

/** A source as a plan is made of it. */
export interface SourceState {
  /** The catalog has every change of structure before it, and may have later ones. */
  readonly readAt: bigint;
  readonly shapes: Shapes;
  /** With the columns that the program adds. */
  readonly catalog: PostgresCatalog;
}

/** Position and shapes before the catalog: what changes meanwhile is seen twice rather than not at all. */
export async function readSourceState(
  client: Client,
  from: SourceDialect,
  etl: readonly TableEtl[] | undefined,
): Promise<SourceState> {
  const readAt = await currentPosition(client);
  const shapes = await readShapes(client);
  return { readAt, shapes, catalog: await withDerivedColumns(client, await from.readCatalog(client), etl) };
}

async function currentPosition(client: Client): Promise<bigint> {
  const { rows } = await client.query<{ lsn: string }>(
    `SELECT CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_last_wal_replay_lsn()
                 ELSE pg_catalog.pg_current_wal_lsn() END AS lsn`,
  );
  return parseLsn(rows[0]?.lsn ?? "");
}
