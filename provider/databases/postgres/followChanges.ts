import type { Client } from "pg";
import type { FlowCounts } from "../../engine/database.js";
import { summedCounts } from "../../engine/flowCounts.js";
import type { ChangeSink, Position } from "../../engine/models/change.js";
import type { PlannedTable } from "../../engine/models/plan.js";
import { createThrottle, type ThrottleRates } from "../../engine/throttle.js";
import { Applier, CarefulNeeded } from "./apply/applier.js";
import { type ApplyDialect, postgresApply } from "./apply/applyDialect.js";
import type { BatchLimits } from "./apply/batchPath.js";
import { NotBatchable } from "./apply/keyedBatch.js";
import { openTargetConnection } from "./apply/targetConnection.js";
import { destroy, serverVersion } from "./clients.js";
import { type DdlFollowing, TextNeeded } from "./ddl/follow/ddlFollowing.js";
import { ddlSink } from "./ddl/follow/ddlSink.js";
import type { HeldSink } from "./ddl/follow/heldSink.js";
import { openDdlFollower } from "./ddl/follow/openDdlFollower.js";
import { isRuled, rowFilterSink } from "./filter/rowFilterSink.js";
import { RowJudge } from "./filter/rowJudge.js";
import { BoundedSink } from "./replication/boundedSink.js";
import { openChangeStream } from "./replication/changeStream.js";
import { releaseSlot } from "./replication/slot.js";

/** Opens connections whose application_name ends in `/part`; `Connections` is one. */
export interface Connector {
  connect(part: string, options?: { replication?: boolean }): Promise<Client>;
}

export interface FollowOptions {
  readonly source: Connector;
  readonly target: Connector;
  readonly slotName: string;
  readonly publications: readonly string[];
  /** `loadPosition`: of the snapshot the table was loaded from; changes of transactions that committed before it are in its rows. */
  readonly tables: readonly { readonly table: PlannedTable; readonly loadPosition: Position | undefined }[];
  /** conflictMode ignoreAndProceed: the source's row wins, missing rows are no error. */
  readonly overwrite: boolean;
  /** The target's role may set session_replication_role. */
  readonly quiet: boolean;
  /** The checkpoint, read anew: called after whatever an applier before this one left on the target has ended. */
  readonly start: () => Promise<Position>;
  readonly checkpoint: (position: Position, commitTimeMs: number) => string;
  readonly rates: () => ThrottleRates;
  readonly onProgress: (counts: FlowCounts) => void;
  readonly signal: AbortSignal;
  readonly limits?: BatchLimits;
  /** Transactions from this position on are left for the next call. */
  readonly until?: Position | undefined;
  /** `tables` as they are each time the stream begins again. */
  readonly readTables?: () => Promise<FollowOptions["tables"]>;
  /** Changes of structure are carried over as well. */
  readonly ddl?: DdlFollowing | undefined;
  /** Where the target is not PostgreSQL itself. */
  readonly dialect?: ApplyDialect | undefined;
}

/**
 * Streams the slot's changes into the target until the signal aborts. A batch that the target rejects is read again from the checkpoint and
 * applied change by change, which resolves what only the set-based order broke and names what is really wrong.
 * Rejects with GW1501 to GW1504, GW155x, GW1602, GW17xx, or a connection's failure; in each case the checkpoint is where a next call goes on.
 */
export async function followChanges(options: FollowOptions): Promise<void> {
  let again: Again = {};
  let counted: FlowCounts | undefined;
  while (!options.signal.aborted) {
    const before = counted;
    const outcome = await followOnce(options, again, (counts) => {
      counted = before ? summedCounts(before, counts) : counts;
      options.onProgress(counted);
    });
    if (!outcome) return;
    again = outcome;
  }
}

/** How the stream is read next. */
interface Again {
  /** Change by change up to here. */
  readonly carefulUntil?: Position;
  /** In text: a change of structure brings a type without a portable binary form. */
  readonly text?: boolean;
}

/** Undefined when the signal aborted. */
async function followOnce(
  options: FollowOptions,
  { carefulUntil, text }: Again,
  onProgress: (counts: FlowCounts) => void,
): Promise<Again | undefined> {
  const target = await options.target.connect("apply");
  let applier: Applier | undefined;
  let source: Client | undefined;
  let asked: Client | undefined;
  try {
    const sql = await (options.dialect ?? postgresApply).prepare(target, options.quiet);
    const { describeTargets, binaryFits, rules } = sql;
    const { ddl } = options;
    const entries = (await options.readTables?.()) ?? options.tables;
    const tables = entries.map(({ table }) => table).filter(({ streamed }) => streamed);
    const targets = await describeTargets(target, tables);
    const start = await options.start();
    await freeSlot(options);
    source = await options.source.connect("stream", { replication: true });
    const filtered = tables.some(isRuled);
    // The source is asked about rows by their text.
    const binary = !text && !filtered && (await serverVersion(source)) >= 140000 && binaryFits(tables, targets);
    // Asked before the connection's socket is taken.
    const version = ddl && (await serverVersion(target));
    applier = new Applier({
      connection: openTargetConnection(target),
      tables: entries,
      targets,
      binary,
      overwrite: options.overwrite,
      quiet: options.quiet,
      start,
      carefulUntil,
      checkpoint: options.checkpoint,
      throttle: createThrottle(options.rates),
      onProgress,
      ...(options.limits ? { limits: options.limits } : {}),
      ...(rules ? { sql: rules } : {}),
    });
    const follower =
      ddl && version !== undefined
        ? await openDdlFollower({
            following: ddl,
            tables: entries,
            applier,
            version,
            apply: { describeTargets, binaryFits },
            binary,
            overwrite: options.overwrite,
          })
        : undefined;
    const structural = follower && ddlSink(applier, follower);
    asked = filtered ? await options.source.connect("filter") : undefined;
    const filter = asked && rowFilterSink({ inner: structural ?? applier, tables, judge: new RowJudge(asked) });
    return await run(
      source,
      applier,
      { sink: filter ?? structural ?? applier, held: [filter, structural].filter((one) => one !== undefined) },
      options,
      start,
      binary,
    );
  } finally {
    applier?.close();
    destroy(target);
    if (source) destroy(source);
    if (asked) destroy(asked);
  }
}

/** What the stream comes to first, and all on its way that may hold it back or fail by itself, in the stream's order. */
interface FirstSink {
  readonly sink: ChangeSink;
  readonly held: readonly Pick<HeldSink, "failed" | "idled">[];
}

async function run(
  source: Client,
  applier: Applier,
  { sink, held }: FirstSink,
  options: FollowOptions,
  start: Position,
  binary: boolean,
): Promise<Again | undefined> {
  const bounded = options.until === undefined ? undefined : new BoundedSink(sink, options.until);
  const stream = openChangeStream(source, {
    slotName: options.slotName,
    publications: options.publications,
    start,
    binary,
    sink: bounded ?? sink,
    durable: () => applier.position,
  });
  const { signal } = options;
  let onAbort: () => void = () => undefined;
  const aborted = new Promise<"aborted">((resolve) => {
    onAbort = () => resolve("aborted");
    signal.addEventListener("abort", onAbort, { once: true });
    if (signal.aborted) onAbort();
  });
  try {
    await Promise.race([
      stream.done,
      applier.failed,
      aborted,
      ...held.map(({ failed }) => failed),
      ...(bounded ? [bounded.reached] : []),
    ]);
    stream.pause();
    // A question about rows or a change of structure may still be at work, with rows behind it.
    for (const one of held) await Promise.race([one.idled(), one.failed, applier.failed, stream.done]);
    await Promise.race([applier.drain(), stream.done]);
    return undefined;
  } catch (cause) {
    if (cause instanceof CarefulNeeded) return { carefulUntil: cause.until };
    if (cause instanceof TextNeeded) return { text: true };
    // Thrown by the sink, through the stream that called it.
    if (cause instanceof NotBatchable) return { carefulUntil: applier.arriving };
    throw cause;
  } finally {
    signal.removeEventListener("abort", onAbort);
    await stream.stop();
  }
}

/** A walsender of ours may still hold the slot: of a worker that died, or of the stream that was just given up. */
async function freeSlot({ source, slotName }: FollowOptions): Promise<void> {
  const client = await source.connect("slot");
  try {
    const { rows } = await client.query<{ name: string }>("SELECT pg_catalog.current_setting('application_name') AS name");
    const ours = (rows[0]?.name ?? "").replace(/\/[^/]*$/, "/");
    await releaseSlot(client, slotName, ours);
  } finally {
    await client.end().catch(() => undefined);
  }
}
