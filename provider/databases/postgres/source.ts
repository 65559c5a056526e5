import type { Client } from "pg";
import type { CaptureStatus, Snapshot, SourceDatabase } from "../../engine/database.js";
import type { PlannedTable } from "../../engine/models/plan.js";
import { type TaskDefinition, usersPublication } from "../../engine/taskDefinition.js";
import { readTableShape } from "./catalog/shapes.js";
import type { Connections } from "./connections.js";
import { tableChunks } from "./copy/chunks.js";
import { openRowReader } from "./copy/rowReader.js";
import { captureTask } from "./ddl/capture/captureTask.js";
import { installCapture, keptTables, releaseCapture as releaseDdlCapture } from "./ddl/capture/installCapture.js";
import { formatLsn, parseLsn } from "./lsn.js";
import { createPublication, dropPublication } from "./replication/publication.js";
import { createSlot, dropSlot } from "./replication/slot.js";
import { slotStatus } from "./replication/slotStatus.js";
import { statementQueue } from "./statementQueue.js";

const PLUGIN = "pgoutput";

/** PostgreSQL as the source of a task. `connections` are its attempt's. */
export async function openPostgresSource(connections: Connections, definition: TaskDefinition): Promise<SourceDatabase> {
  const { slotName } = definition;
  const client = await connections.connect("main");
  // The worker's poll asks for positions while the phases work.
  const queue = statementQueue();

  const exportSlot = async (name: string, temporary: boolean): Promise<Snapshot> => {
    const walsender = await connections.connect("snapshot", { replication: true });
    const { consistentPoint, snapshotName } = await createSlot(walsender, name, PLUGIN, { temporary });
    return { id: snapshotName, position: consistentPoint, close: () => walsender.end() };
  };

  return {
    async prepareCapture(tables) {
      if (!usersPublication(definition)) await queue(() => publish(client, definition, tables));
    },
    async startCapture() {
      await queue(() => dropSlot(client, slotName));
      return exportSlot(slotName, false);
    },
    captureStatus: () => queue(() => captureStatus(client, slotName)),
    // A temporary slot is the only way to get a snapshot together with its exact place in the log.
    laterSnapshot: () => exportSlot(laterSlot(slotName), true),
    plainSnapshot: () => exportSnapshot(connections),
    chunks: (table, atMost) => queue(() => tableChunks(client, table, atMost)),
    openReader: async (snapshot) =>
      openRowReader(await connections.connect("copy"), connections.endpoint, snapshot, (id) =>
        queue(() => readTableShape(client, id)),
      ),
    async currentPosition() {
      const { rows } = await queue(() => client.query<{ lsn: string }>("SELECT pg_catalog.pg_current_wal_lsn() AS lsn"));
      return parseLsn(rows[0]?.lsn ?? "");
    },
    formatPosition: formatLsn,
    release: () => queue(() => releaseCapture(client, definition)),
    close: async () => connections.close(),
  };
}

/** The publication, and where changes of structure are followed what writes them into it. */
async function publish(client: Client, definition: TaskDefinition, tables: readonly PlannedTable[]): Promise<void> {
  const { publicationName } = definition;
  await createPublication(client, publicationName, tables, () => keptTables(client, publicationName));
  const capture = captureTask(definition, tables);
  if (capture) await installCapture(client, capture);
}

/** Drops what capture made and ends the task's walsenders. A slot of the user's own stays, but nobody streams from it any more. */
export async function releaseCapture(client: Client, definition: TaskDefinition): Promise<void> {
  const { taskId, slotName, slotIsForeign, publicationName } = definition;
  await client.query(
    `SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity
     WHERE application_name LIKE $1 AND usename = current_user AND pid <> pg_catalog.pg_backend_pid() AND backend_type = 'walsender'`,
    [`godwit/${taskId}/%`],
  );
  await dropSlot(client, laterSlot(slotName));
  if (!slotIsForeign) await dropSlot(client, slotName);
  if (usersPublication(definition)) return;
  await dropPublication(client, publicationName);
  await releaseDdlCapture(client, publicationName);
}

/** The temporary slot of a later snapshot: it goes with its connection, unless that still lingers. */
function laterSlot(slotName: string): string {
  return `${slotName.slice(0, 50)}_snapshot`;
}

/** What the server says of the slot, in the engine's terms. */
export async function captureStatus(client: Client, slotName: string): Promise<CaptureStatus> {
  const status = await slotStatus(client, slotName);
  if (status.state === "missing") return { kind: "missing" };
  if (status.state === "lost") return { kind: "lost", reason: status.reason };
  return { kind: "ready", position: status.confirmedFlushLsn, retainedBytes: BigInt(status.retainedBytes) };
}

async function exportSnapshot(connections: Connections): Promise<Snapshot> {
  const client = await connections.connect("snapshot");
  await client.query("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
  const { rows } = await client.query<{ id: string; lsn: string }>(
    "SELECT pg_catalog.pg_export_snapshot() AS id, pg_catalog.pg_current_wal_lsn() AS lsn",
  );
  return { id: rows[0]?.id ?? "", position: parseLsn(rows[0]?.lsn ?? ""), close: () => client.end() };
}
