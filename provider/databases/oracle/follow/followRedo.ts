import type { Client } from "pg";
import type { FlowCounts, FlowOptions, LogNeeded } from "../../../engine/database.js";
import { ErrorCode, GodwitError } from "../../../engine/errors.js";
import { summedCounts } from "../../../engine/flowCounts.js";
import type { Position } from "../../../engine/models/change.js";
import type { PlannedTable } from "../../../engine/models/plan.js";
import type { TaskSelection } from "../../../engine/taskDefinition.js";
import { createThrottle } from "../../../engine/throttle.js";
import { Applier, CarefulNeeded } from "../../postgres/apply/applier.js";
import { postgresApply } from "../../postgres/apply/applyDialect.js";
import { NotBatchable } from "../../postgres/apply/keyedBatch.js";
import { openTargetConnection } from "../../postgres/apply/targetConnection.js";
import { destroy } from "../../postgres/clients.js";
import type { Connections } from "../../postgres/connections.js";
import { readCatalog } from "../catalog/readCatalog.js";
import type { OracleConnections } from "../connections.js";
import type { OracleConnection } from "../driver.js";
import { positionAt } from "../logMiner/position.js";
import { openRedoStream, type RedoStream, type RedoStreamLimits } from "../logMiner/redoStream.js";
import { RedoTables } from "../logMiner/redoTables.js";
import { decodeResumePoint, encodeResumePoint, type ResumePoint } from "../logMiner/resumePoint.js";
import { DdlFollower } from "./ddlFollower.js";
import { startIdleCheckpoint } from "./idleCheckpoint.js";
import { readSourceTables, redoInputs } from "./redoInputs.js";
import { withStored } from "./storedColumns.js";

export interface FollowRedoOptions extends FlowOptions {
  readonly source: OracleConnections;
  readonly target: Connections;
  /** The target's role may set session_replication_role. */
  readonly quiet: boolean;
  readonly onWarning: (message: string) => void;
  readonly selection: TaskSelection | undefined;
  readonly limits?: Partial<RedoStreamLimits>;
}

/**
 * Streams redo into the target until the signal aborts. Like followChanges of PostgreSQL: a batch that the target rejects is read again from the
 * checkpoint, change by change. Rejects with GW1501 to GW1503, GW155x, GW1602, GW172x, GW2101 or a connection's failure; the checkpoint is where a next
 * call goes on.
 */
export async function followRedo(options: FollowRedoOptions): Promise<void> {
  let carefulUntil: Position | undefined;
  let counted: FlowCounts | undefined;
  while (!options.signal.aborted) {
    const before = counted;
    const until = await followOnce(options, carefulUntil, (counts) => {
      counted = before ? summedCounts(before, counts) : counts;
      options.onProgress(counted);
    });
    if (until === undefined) return;
    carefulUntil = until;
  }
}

/** Up to where the redo is to be read again, change by change; undefined when the signal aborted. */
async function followOnce(
  options: FollowRedoOptions,
  carefulUntil: Position | undefined,
  onProgress: (counts: FlowCounts) => void,
): Promise<Position | undefined> {
  const target = await options.target.connect("apply");
  let idle: Client | undefined;
  let applier: Applier | undefined;
  let stream: RedoStream | undefined;
  try {
    const { describeTargets } = await postgresApply.prepare(target, options.quiet);
    const now = await withSession(options.source, "dictionary", readSourceTables);
    // Plans of older versions do not say in which order a row's columns lie: as they are now, then.
    const entries = ((await options.readTables?.()) ?? options.tables).map((entry) => {
      const { table } = entry;
      const columns = now.columns.get(nameOf(table));
      return table.stored || !columns ? entry : { ...entry, table: withStored(table, columns, 0n) };
    });
    const planned = entries.map(({ table }) => table);
    const targets = await describeTargets(target, planned);
    const { rows: extensions } = await target.query("SELECT 1 FROM pg_catalog.pg_extension WHERE extname = 'postgis'");
    const postgis = extensions.length > 0;
    const start = await startPoint(options);
    const tables = new RedoTables(
      planned.map((table) => redoInputs(table, { indexOrganized: now.indexOrganized.has(nameOf(table)) })),
    );
    const checkpoint = (position: Position, commitTimeMs: number) => {
      if (!stream) throw new Error("a checkpoint before the stream");
      return options.checkpoint(position, commitTimeMs, encodeResumePoint(stream.resumePoint(position)));
    };
    idle = await options.target.connect("checkpoint");
    const idling = startIdleCheckpoint(idle, start.position, checkpoint);
    try {
      const made = new Applier({
        connection: openTargetConnection(target),
        tables: entries,
        targets,
        binary: false,
        overwrite: options.conflictMode === "ignoreAndProceed",
        quiet: options.quiet,
        start: start.position,
        carefulUntil,
        checkpoint,
        throttle: createThrottle(() => options.settings().throttle.incremental ?? {}),
        onProgress(counts) {
          idling.reached(counts);
          onProgress(stream ? { ...counts, logNeeded: logNeeded(stream, counts.durable) } : counts);
        },
      });
      applier = made;
      const follower = new DdlFollower({
        selection: options.selection,
        entries,
        tables,
        applier: made,
        store: options.structure,
        readCatalog: () => withSession(options.source, "catalog", readCatalog),
        withSource: (use) => withSession(options.source, "structure", use),
        postgis,
        onWarning: options.onWarning,
      });
      const mining = await options.source.connectMining("mine");
      stream = openRedoStream({
        connection: mining.connection,
        local: mining.local,
        connectTables: () => options.source.connect("tables"),
        tables,
        start,
        sink: made,
        durable: () => made.position,
        onDdl: (change) => follower.take(change),
        onWarning: options.onWarning,
        ...(mining.container === undefined ? {} : { container: mining.container }),
        ...(options.limits ? { limits: options.limits } : {}),
      });
      return await run(stream, made, idling.failed, options.signal);
    } finally {
      idling.stop();
    }
  } finally {
    await stream?.stop();
    applier?.close();
    destroy(target);
    if (idle) destroy(idle);
  }
}

function nameOf({ source }: PlannedTable): string {
  return `${source.schema}.${source.name}`;
}

function logNeeded(stream: RedoStream, durable: Position): LogNeeded {
  const { transactions, oldestMs } = stream.open;
  return { from: positionAt(stream.resumePoint(durable).restartScn), openTransactions: transactions, oldestOpenMs: oldestMs };
}

async function run(
  stream: RedoStream,
  applier: Applier,
  idleFailed: Promise<never>,
  signal: AbortSignal,
): Promise<Position | undefined> {
  let onAbort: () => void = () => undefined;
  const aborted = new Promise<void>((resolve) => {
    onAbort = resolve;
    signal.addEventListener("abort", onAbort, { once: true });
    if (signal.aborted) onAbort();
  });
  try {
    await Promise.race([stream.done, applier.failed, idleFailed, aborted]);
    await stream.stop();
    await applier.drain();
    return undefined;
  } catch (cause) {
    if (cause instanceof CarefulNeeded) return cause.until;
    // Thrown by the sink, through the stream that called it.
    if (cause instanceof NotBatchable) return applier.arriving;
    throw cause;
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

async function startPoint({ start, resume }: FollowRedoOptions): Promise<ResumePoint> {
  const position = await start();
  const text = await resume?.();
  if (text !== undefined) return decodeResumePoint(position, text);
  throw new GodwitError(ErrorCode.StoreUnusable, "the task's checkpoint does not say from where on redo is needed", {
    remedy: "replace the task (pulumi up --replace <urn>), which copies again",
  });
}

async function withSession<T>(
  source: OracleConnections,
  part: string,
  use: (connection: OracleConnection) => Promise<T>,
): Promise<T> {
  const connection = await source.connect(part);
  try {
    return await use(connection);
  } finally {
    await connection.close();
  }
}
