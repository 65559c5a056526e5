import type { Client } from "pg";
import type { RowFormat, StepRunner, TargetDatabase } from "../../engine/database.js";
import { ErrorCode, GodwitError } from "../../engine/errors.js";
import type { DdlStep, PlannedTable } from "../../engine/models/plan.js";
import { isConnectionError } from "./connectionErrors.js";
import type { Connections } from "./connections.js";
import { createRowLoader } from "./copy/rowLoader.js";
import { qualified } from "./sql.js";
import { fencedError } from "./store/taskLease.js";

/** Whether a step's statements are sent one by one: for those whose end another grammar finds only at the end of a message. */
export type SentAlone = (step: DdlStep) => boolean;

/** PostgreSQL as the target of a task. `connections` are its attempt's. */
export async function openPostgresTarget(
  connections: Connections,
  taskId: string,
  alone: SentAlone = () => false,
): Promise<TargetDatabase> {
  const client = await connections.connect("main");
  const quietsTriggers = await maySetReplicaRole(client);

  const session = async (part: string): Promise<Client> => {
    const opened = await connections.connect(part);
    // A crash loses an unflushed commit together with the record that it was made, so nothing needs to wait for the disk.
    await opened.query(`SET synchronous_commit = off${quietsTriggers ? "; SET session_replication_role = replica" : ""}`);
    // Ends the backend of a worker that was killed while an index was being built.
    await opened.query("SET client_connection_check_interval = '5s'").catch(() => undefined);
    return opened;
  };

  return {
    quietsTriggers,
    openLoader: async () => createRowLoader(await session("load"), connections.endpoint, taskId),
    openStepRunner: async () => stepRunner(await session("schema"), taskId, alone),
    analyze: (tables) => analyze(tables, () => session("analyze")),
    rowFormats: (tables) => rowFormats(client, tables),
    close: async () => connections.close(),
  };
}

const ANALYZE_SESSIONS = 4;

export async function analyze(tables: readonly PlannedTable[], session: () => Promise<Client>): Promise<void> {
  const waiting = [...tables].sort((a, b) => a.bytes - b.bytes);
  const lane = async () => {
    const client = await session();
    for (let table = waiting.pop(); table; table = waiting.pop()) await client.query(`ANALYZE ${qualified(table.target)}`);
    await client.end();
  };
  await Promise.all(Array.from({ length: Math.min(ANALYZE_SESSIONS, waiting.length) }, lane));
}

/** A superuser may, and since PostgreSQL 15 whoever was granted SET on the parameter. */
export async function maySetReplicaRole(client: Client): Promise<boolean> {
  try {
    await client.query("SET session_replication_role = replica");
    await client.query("RESET session_replication_role");
    return true;
  } catch (cause) {
    if (isConnectionError(cause)) throw cause;
    return false;
  }
}

export async function stepRunner(client: Client, taskId: string, alone: SentAlone = () => false): Promise<StepRunner> {
  // The default of 64 MB sorts a large index on disk; never less than the server's own choice.
  await client.query(
    `SELECT pg_catalog.set_config('maintenance_work_mem', '512MB', false)
     FROM pg_catalog.pg_settings WHERE name = 'maintenance_work_mem' AND setting::bigint < 524288`,
  );
  await client.query("SET check_function_bodies = off");
  return {
    async run(step, record) {
      const statements = ["BEGIN", ...step.sql, record, "COMMIT"];
      // One simple query is one round trip and one transaction.
      const messages = alone(step) ? statements : [statements.join(";\n")];
      for (let attempt = 1; ; attempt++) {
        try {
          for (const message of messages) await client.query(message);
          return;
        } catch (cause) {
          await client.query("ROLLBACK").catch(() => undefined);
          // Steps at once may lock two tables in different orders; the server ended one so that the other goes on.
          const deadlock = (cause as { code?: string }).code === "40P01";
          if (!deadlock || attempt === DEADLOCK_ATTEMPTS) throw rejected(cause, step, taskId);
        }
      }
    },
    close: () => client.end(),
  };
}

const DEADLOCK_ATTEMPTS = 10;

function rejected(cause: unknown, step: DdlStep, taskId: string): unknown {
  const known = fencedError(cause, taskId);
  const { message, detail, hint, code = "" } = cause as { message: string; detail?: string; hint?: string; code?: string };
  // Class 53 is about the server's disk and memory, not about the statement.
  if (known instanceof GodwitError || isConnectionError(cause) || /^53/.test(code)) return known;
  return new GodwitError(ErrorCode.SchemaStatementFailed, [message, detail].filter(Boolean).join(": "), {
    object: `${step.kind} ${step.name}`,
    remedy:
      hint ?? `mend what the target objects to, or leave the object out; the statement was: ${step.sql.join("; ").slice(0, 500)}`,
    cause,
  });
}

/** The target's own types decide: a table made by hand may differ from the source's. */
async function rowFormats(client: Client, tables: readonly PlannedTable[]): Promise<ReadonlyMap<number, RowFormat>> {
  const { rows } = await client.query<{ id: string; types: Record<string, string> | null }>(
    `SELECT t.id, (SELECT pg_catalog.jsonb_object_agg(a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod))
                   FROM pg_catalog.pg_attribute a
                   WHERE a.attrelid = pg_catalog.to_regclass(t.name) AND a.attnum > 0 AND NOT a.attisdropped) AS types
     FROM unnest($1::bigint[], $2::text[]) AS t (id, name)`,
    [tables.map((table) => table.id), tables.map((table) => qualified(table.target))],
  );
  const types = new Map(rows.map((row) => [Number(row.id), row.types ?? {}]));
  return new Map(
    tables.map((table) => {
      const target = types.get(table.id) ?? {};
      const same = table.columns.every((column) => column.binaryPortable && sameType(column.type, target[column.target]));
      return [table.id, same ? "binary" : "text"];
    }),
  );
}

/** Lengths and precisions may differ (the target checks them); the binary forms are the same. */
export function sameType(source: string, target: string | undefined): boolean {
  const bare = (type: string) => type.replace(/\([\d,]+\)/, "");
  return target !== undefined && bare(source) === bare(target);
}
