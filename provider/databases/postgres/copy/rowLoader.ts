import type { Client } from "pg";
import type { LoadOptions, RowLoader, RowSink } from "../../../engine/database.js";
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

/** What a member of the family says in its own way when it loads rows. */
export interface LoadDialect {
  /** COPY ... FREEZE is worth its TRUNCATE: rows are written as visible to all. */
  readonly freezes: boolean;
  /** Where this target reads some texts otherwise: what the rows of a load in text go through. */
  textSink?(client: Client, table: PlannedTable): Promise<((sink: RowSink) => RowSink) | undefined>;
  /** A temporary table with the columns of the list, for rows that may collide with what is there. */
  createStage(table: PlannedTable, columns: string): string;
  /** Copies the staged rows that collide with none on any key. */
  fromStage(client: Client, table: PlannedTable, columns: string): Promise<string>;
}

/** The stage of a load, in the session's own schema. */
export const LOAD_STAGE = "pg_temp.godwit_load";

const POSTGRES_LOAD: LoadDialect = {
  freezes: true,
  createStage: (table, columns) =>
    `CREATE TEMP TABLE godwit_load ON COMMIT DROP AS SELECT ${columns} FROM ${qualified(table.target)} WITH NO DATA`,
  async fromStage(_client, table, columns) {
    if (columns === "") return `INSERT INTO ${qualified(table.target)} SELECT FROM ${LOAD_STAGE}`;
    return `INSERT INTO ${qualified(table.target)} (${columns}) OVERRIDING SYSTEM VALUE
            SELECT ${columns} FROM ${LOAD_STAGE} ON CONFLICT DO NOTHING`;
  },
};

/** A loader over one connection to the target; `close` ends the connection. */
export function createRowLoader(
  client: Client,
  endpoint: PostgresEndpoint,
  taskId: string,
  dialect: LoadDialect = POSTGRES_LOAD,
): RowLoader {
  return {
    async load(table, options, feed, record) {
      try {
        await inTransaction(client, async () => {
          const statement = await openingStatement(client, table, options, dialect);
          const through = options.format === "text" ? await dialect.textSink?.(client, table) : undefined;
          const rows = await copyIn(client, endpoint, statement, through ? (sink) => feed(through(sink)) : feed);
          // What is there stays; rows of the source that collide with it on any key are left out.
          if (options.conflictMode === "ignoreAndProceed")
            await client.query(await dialect.fromStage(client, table, columnList(table)));
          await client.query(record(rows));
        });
      } catch (cause) {
        throw rejected(fencedError(cause, taskId), table);
      }
    },
    async prepare(table, attempted) {
      try {
        await inTransaction(client, async () => {
          const only = await onlyItself(client, table);
          await client.query(lockAndCheck(table, !attempted, only));
          if (attempted)
            await client.query(
              (await isReferenced(client, table)) ? `DELETE FROM ${only}${qualified(table.target)}` : truncate(table, only),
            );
        });
      } catch (cause) {
        throw rejected(cause, table);
      }
    },
    close: () => client.end(),
  };
}

async function openingStatement(
  client: Client,
  table: PlannedTable,
  options: LoadOptions,
  dialect: LoadDialect,
): Promise<string> {
  const list = columnList(table);
  if (options.conflictMode === "ignoreAndProceed") {
    await client.query(dialect.createStage(table, list));
    return `COPY ${LOAD_STAGE}${list && ` (${list})`} FROM STDIN (FORMAT ${options.format})`;
  }
  const copy = `COPY ${qualified(table.target)}${list && ` (${list})`} FROM STDIN`;
  if (!options.whole) return `${copy} (FORMAT ${options.format})`;
  const only = await onlyItself(client, table);
  await client.query(lockAndCheck(table, true, only));
  // FREEZE writes rows as visible to all, which saves the hint bits' second write (and, with checksums, its WAL); the server allows it only on a
  // table emptied in the same transaction.
  // A partitioned table takes no FREEZE.
  if (!dialect.freezes || only === "" || (await isReferenced(client, table))) return `${copy} (FORMAT ${options.format})`;
  await client.query(truncate(table, only));
  return `${copy} (FORMAT ${options.format}, FREEZE)`;
}

/** `ONLY `, or nothing for a partitioned table, whose rows are its partitions': those are loaded through it where the source has no such leaves. */
async function onlyItself(client: Client, table: PlannedTable): Promise<"ONLY " | ""> {
  const { rows } = await client.query<{ kind: string }>(
    "SELECT relkind AS kind FROM pg_catalog.pg_class WHERE oid = $1::pg_catalog.regclass",
    [qualified(table.target)],
  );
  return rows[0]?.kind === "p" ? "" : "ONLY ";
}

function lockAndCheck(table: PlannedTable, mustBeEmpty: boolean, only: string): string {
  const name = qualified(table.target);
  const check = `DO $$ BEGIN
    IF EXISTS (SELECT 1 FROM ${only}${name}) THEN
      RAISE EXCEPTION USING ERRCODE = '${NOT_EMPTY_SQLSTATE}', MESSAGE = ${literal(`${table.target.schema}.${table.target.name} holds rows that this task did not load`)};
    END IF;
  END $$`.replaceAll("$$", "$godwit$");
  return `LOCK TABLE ${only}${name} IN ACCESS EXCLUSIVE MODE${mustBeEmpty ? `; ${check}` : ""}`;
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

function truncate(table: PlannedTable, only: string): string {
  return `TRUNCATE ${only}${qualified(table.target)}`;
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
