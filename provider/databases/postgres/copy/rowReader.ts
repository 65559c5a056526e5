import type { Client } from "pg";
import type { RowReader, Snapshot } from "../../../engine/database.js";
import { ErrorCode, GodwitError } from "../../../engine/errors.js";
import type { PlannedTable } from "../../../engine/models/plan.js";
import type { PostgresEndpoint } from "../connection.js";
import { isConnectionError } from "../connectionErrors.js";
import { ident, literal, qualified } from "../sql.js";
import { copyOut } from "./copyOut.js";

/** A reader over one connection that has taken the snapshot; `close` ends the connection. */
export async function openRowReader(client: Client, endpoint: PostgresEndpoint, snapshot: Snapshot): Promise<RowReader> {
  await client.query(
    `BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
     SET TRANSACTION SNAPSHOT ${literal(snapshot.id)};
     -- A policy must never hide rows from a migration: with this, reading such a table is an error.
     SET LOCAL row_security = off`,
  );
  return {
    async read(table, chunk, format, sink) {
      try {
        return await copyOut(client, endpoint, copyStatement(table, chunk.condition, format), sink);
      } catch (cause) {
        if (cause instanceof GodwitError || isConnectionError(cause) || !("severity" in (cause as object))) throw cause;
        throw new GodwitError(ErrorCode.RowsUnreadable, (cause as Error).message, {
          object: `${table.source.schema}.${table.source.name}`,
          remedy: `GRANT SELECT ON ${qualified(table.source)} TO the source's user (and BYPASSRLS where it has policies)`,
          cause,
        });
      }
    },
    close: () => client.end(),
  };
}

/** COPY of a table reads it directly; a condition, or a table without columns, takes a query. Never rows of child tables. */
function copyStatement(table: PlannedTable, chunk: string | undefined, format: "binary" | "text"): string {
  const condition = bothConditions(chunk, table.filter?.condition);
  const columns = table.columns.map((column) => ident(column.source)).join(", ");
  const rows =
    condition === undefined && columns !== ""
      ? `${qualified(table.source)} (${columns})`
      : `(SELECT ${columns} FROM ONLY ${qualified(table.source)}${condition === undefined ? "" : ` WHERE ${condition}`})`;
  return `COPY ${rows} TO STDOUT (FORMAT ${format})`;
}

function bothConditions(chunk: string | undefined, filter: string | undefined): string | undefined {
  return chunk !== undefined && filter !== undefined ? `(${chunk}) AND ${filter}` : (chunk ?? filter);
}
