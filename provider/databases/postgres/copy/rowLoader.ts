import type { Client } from "pg";
import type { LoadOptions, RowLoader } from "../../../engine/database.js";
import { ErrorCode, GodwitError } from "../../../engine/errors.js";
import type { PlannedTable } from "../../../engine/models/plan.js";
import type { PostgresEndpoint } from "../connection.js";
import { ServerError } from "../serverMessage.js";
import { ident, literal, qualified } from "../sql.js";
import { fencedError } from "../store/taskLease.js";
import { inTransaction } from "../transaction.js";
import { copyIn } from "./copyIn.js";

/** Raised inside the load's own transaction when a table that must be empty is not. */
const NOT_EMPTY_SQLSTATE = "GW002";

/** A loader over one connection to the target; `close` ends the connection. */
export function createRowLoader(client: Client, endpoint: PostgresEndpoint, taskId: string): RowLoader {
  return {
    async load(table, options, feed, record) {
      try {
        await inTransaction(client, async () => {
          const statement = await openingStatement(client, table, options);
          const rows = await copyIn(client, endpoint, statement, feed);
          if (options.conflictMode === "ignoreAndProceed") await client.query(fromStage(table));
          await client.query(record(rows));
        });
      } catch (cause) {
        throw rejected(fencedError(cause, taskId), table);
      }
    },
    async prepare(table, attempted) {
      try {
        await inTransaction(client, async () => {
          await client.query(lockAndCheck(table, !attempted));
          if (attempted)
            await client.query(
              (await isReferenced(client, table)) ? `DELETE FROM ONLY ${qualified(table.target)}` : truncate(table),
            );
        });
      } catch (cause) {
        throw rejected(cause, table);
      }
    },
    close: () => client.end(),
  };
}

async function openingStatement(client: Client, table: PlannedTable, options: LoadOptions): Promise<string> {
  const list = columnList(table);
  if (options.conflictMode === "ignoreAndProceed") {
    await client.query(
      `CREATE TEMP TABLE godwit_load ON COMMIT DROP AS SELECT ${list} FROM ${qualified(table.target)} WITH NO DATA`,
    );
    return `COPY pg_temp.godwit_load${list && ` (${list})`} FROM STDIN (FORMAT ${options.format})`;
  }
  const copy = `COPY ${qualified(table.target)}${list && ` (${list})`} FROM STDIN`;
  if (!options.whole) return `${copy} (FORMAT ${options.format})`;
  await client.query(lockAndCheck(table, true));
  // FREEZE writes rows as visible to all, which saves the hint bits' second write (and, with checksums, its WAL); the server allows it only on a
  // table emptied in the same transaction.
  if (await isReferenced(client, table)) return `${copy} (FORMAT ${options.format})`;
  await client.query(truncate(table));
  return `${copy} (FORMAT ${options.format}, FREEZE)`;
}

/** What is there stays; rows of the source that collide with it on any key are left out. */
function fromStage(table: PlannedTable): string {
  const list = columnList(table);
  if (list === "") return `INSERT INTO ${qualified(table.target)} SELECT FROM pg_temp.godwit_load`;
  return `INSERT INTO ${qualified(table.target)} (${list}) OVERRIDING SYSTEM VALUE
          SELECT ${list} FROM pg_temp.godwit_load ON CONFLICT DO NOTHING`;
}

function lockAndCheck(table: PlannedTable, mustBeEmpty: boolean): string {
  const name = qualified(table.target);
  const check = `DO $$ BEGIN
    IF EXISTS (SELECT FROM ONLY ${name}) THEN
      RAISE EXCEPTION USING ERRCODE = '${NOT_EMPTY_SQLSTATE}', MESSAGE = ${literal(`${table.target.schema}.${table.target.name} holds rows that this task did not load`)};
    END IF;
  END $$`.replaceAll("$$", "$godwit$");
  return `LOCK TABLE ONLY ${name} IN ACCESS EXCLUSIVE MODE${mustBeEmpty ? `; ${check}` : ""}`;
}

/** TRUNCATE refuses a table that a foreign key points at, even from an empty one. */
async function isReferenced(client: Client, table: PlannedTable): Promise<boolean> {
  const { rows } = await client.query<{ referenced: boolean }>(
    `SELECT EXISTS (SELECT 1 FROM pg_catalog.pg_constraint
                    WHERE contype = 'f' AND confrelid = $1::pg_catalog.regclass AND conrelid <> confrelid) AS referenced`,
    [qualified(table.target)],
  );
  return rows[0]?.referenced === true;
}

function truncate(table: PlannedTable): string {
  return `TRUNCATE ONLY ${qualified(table.target)}`;
}

function columnList(table: PlannedTable): string {
  return table.columns.map((column) => ident(column.target)).join(", ");
}

/** Names the table, and for COPY the line and column the server stopped at. */
function rejected(cause: unknown, table: PlannedTable): unknown {
  const code = (cause as { code?: string } | undefined)?.code ?? "";
  if (cause instanceof GodwitError || !/^(0A|2[0-9]|42|54|GW|XX)/.test(code)) return cause;
  const object = `${table.target.schema}.${table.target.name}`;
  if (code === NOT_EMPTY_SQLSTATE) {
    return new GodwitError(ErrorCode.RowsRejected, (cause as Error).message, {
      object,
      remedy: `TRUNCATE ${qualified(table.target)}, or set conflictMode to ignoreAndProceed to keep its rows`,
      cause,
    });
  }
  const where = cause instanceof ServerError && cause.where ? ` (${cause.where})` : "";
  return new GodwitError(ErrorCode.RowsRejected, `${(cause as Error).message}${where}`, {
    object,
    remedy: "mend the row at the source or the table at the target; the load is tried again",
    cause,
  });
}
