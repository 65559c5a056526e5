import type { Client } from "pg";
import type { RowReader, Snapshot } from "../../../engine/database.js";
import { ErrorCode, GodwitError } from "../../../engine/errors.js";
import type { PlannedTable } from "../../../engine/models/plan.js";
import { readTableShape, type TableShape } from "../catalog/shapes.js";
import type { PostgresEndpoint } from "../connection.js";
import { isConnectionError } from "../connectionErrors.js";
import { columnSql, hasValues } from "../etl/valueSql.js";
import { quotesValues, withheldMessage } from "../etl/withheldMessage.js";
import { literal, qualified } from "../sql.js";
import { copyOut } from "./copyOut.js";

/**
 * A reader over one connection that has taken the snapshot; `close` ends the connection. A table is locked only while it is read: the lock goes with
 * the savepoint that it was taken in, so that whoever waits to change it waits for one table and not for the whole load.
 * `shapeNow`: a table as it is when it is asked.
 */
export async function openRowReader(
  client: Client,
  endpoint: PostgresEndpoint,
  snapshot: Snapshot,
  shapeNow: (id: number) => Promise<TableShape | undefined>,
): Promise<RowReader> {
  await client.query(
    `BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
     SET TRANSACTION SNAPSHOT ${literal(snapshot.id)};
     -- A policy must never hide rows from a migration: with this, reading such a table is an error.
     SET LOCAL row_security = off`,
  );
  let holds = false;
  return {
    async hold(table, followed) {
      holds = true;
      try {
        await client.query(`SAVEPOINT godwit; LOCK TABLE ONLY ${qualified(table.source)} IN ACCESS SHARE MODE`);
      } catch (cause) {
        // It has gone, or has another name.
        if (UNDEFINED.has((cause as { code?: string }).code ?? "")) return false;
        throw unreadable(cause, table);
      }
      const [then, now] = await Promise.all([readTableShape(client, table.id), shapeNow(table.id)]);
      return readable(table, then, now, followed);
    },
    async letGo() {
      if (!holds) return;
      holds = false;
      await client.query("ROLLBACK TO SAVEPOINT godwit; RELEASE SAVEPOINT godwit");
    },
    async read(table, chunk, format, sink) {
      try {
        return await copyOut(client, endpoint, copyStatement(table, chunk.condition, format), sink);
      } catch (cause) {
        throw unreadable(cause, table);
      }
    },
    close: () => client.end(),
  };
}

/** COPY of a table reads it directly; a condition, an expression, or a table without columns takes a query. Never rows of child tables. */
function copyStatement(table: PlannedTable, chunk: string | undefined, format: "binary" | "text"): string {
  const condition = bothConditions(chunk, table.filter?.condition);
  const columns = table.columns.map(columnSql).join(", ");
  const rows =
    condition === undefined && columns !== "" && !hasValues(table)
      ? `${qualified(table.source)} (${columns})`
      : `(SELECT ${columns} FROM ONLY ${qualified(table.source)}${condition === undefined ? "" : ` WHERE ${condition}`})`;
  return `COPY ${rows} TO STDOUT (FORMAT ${format})`;
}

function bothConditions(chunk: string | undefined, filter: string | undefined): string | undefined {
  return chunk !== undefined && filter !== undefined ? `(${chunk}) AND ${filter}` : (chunk ?? filter);
}

/** invalid_schema_name, undefined_table */
const UNDEFINED = new Set(["3F000", "42P01"]);

/**
 * Whether the snapshot still sees the table's rows, and as the plan says. A snapshot sees rows, not structures: those are always the present ones, and of a table that was
 * rewritten or truncated since an older snapshot sees nothing at all, without an error.
 */
function readable(table: PlannedTable, then: TableShape | undefined, now: TableShape | undefined, followed: boolean): boolean {
  if (!then || !now || then.shape !== now.shape || then.storage !== now.storage) return false;
  const planned = new Map(table.columns.map((column) => [column.number, column]));
  const leftOut = new Set(table.leftOut);
  const known = now.columns.every(({ number, name, type, notNull }) => {
    const column = planned.get(number);
    if (!column) return leftOut.has(name);
    return column.source === name && column.type === type && (notNull || column.nullable);
  });
  const there = new Set(now.columns.map(({ number }) => number));
  const isPlanned =
    known &&
    now.schema === table.source.schema &&
    now.name === table.source.name &&
    table.columns.every(({ number, derived }) => derived || there.has(number));
  if (!followed) return isPlanned && table.shape === now.shape;
  if (isPlanned) return true;
  throw new GodwitError(ErrorCode.StructureChanged, "the table is another at the source than in the task's plan", {
    object: `${table.source.schema}.${table.source.name}`,
    remedy:
      "run pulumi up, after the same change on a target that is a database: the task takes the new structure over and loads the table",
  });
}

function unreadable(cause: unknown, table: PlannedTable): unknown {
  if (cause instanceof GodwitError || isConnectionError(cause) || !("severity" in (cause as object))) return cause;
  if (hasValues(table) && quotesValues(cause)) {
    return new GodwitError(ErrorCode.RowsUnreadable, `an expression of \`etl\` fails for a row: ${withheldMessage(cause)}`, {
      object: `${table.source.schema}.${table.source.name}`,
      remedy: "mend the row at the source, or write an expression that every row has a value for",
    });
  }
  return new GodwitError(ErrorCode.RowsUnreadable, (cause as Error).message, {
    object: `${table.source.schema}.${table.source.name}`,
    remedy: `GRANT SELECT ON ${qualified(table.source)} TO the source's user (and BYPASSRLS where it has policies)`,
    cause,
  });
}
