import type { Route, Snapshot, SourceDatabase } from "./database.js";
import { ErrorCode, GodwitError } from "./errors.js";
import { runFullLoad } from "./fullLoad.js";
import type { Position } from "./models/change.js";
import type { DdlStep } from "./models/plan.js";
import { runSteps } from "./runSteps.js";
import { migrates, type TaskDefinition, type TaskSettings } from "./taskDefinition.js";
import type { TaskProgress } from "./taskProgress.js";
import type { TaskPhase } from "./taskStatus.js";
import type { StepRecord, TableRecord, TaskLease } from "./taskStore.js";
import { createThrottle } from "./throttle.js";

export interface PhaseRun {
  readonly route: Route;
  readonly lease: TaskLease;
  readonly definition: TaskDefinition;
  readonly settings: () => TaskSettings;
  readonly progress: TaskProgress;
  readonly enter: (phase: TaskPhase) => Promise<void>;
  readonly signal: AbortSignal;
}

/**
 * Takes a task from wherever the store says it is to the end of its migration types. Returns when a task without incremental is
 * complete, or when the signal aborts an incremental one. Called again after any failure, it goes on from what is recorded.
 */
export async function runPhases(run: PhaseRun): Promise<void> {
  const { definition, lease } = run;
  const steps = await lease.readSteps();
  run.progress.steps = { total: steps.length, done: steps.filter(({ done }) => done).length };
  if (migrates(definition, "schema")) {
    await run.enter("schema");
    await build(run, (step) => step.stage === "beforeRows");
  }
  const snapshot = migrates(definition, "incremental") ? await ensureCapture(run) : undefined;
  let loaded: readonly TableRecord[] = [];
  try {
    if (migrates(definition, "full")) loaded = await loadRows(run, snapshot);
  } finally {
    await snapshot?.close();
  }
  await build(run, (step) => step.stage === "afterRows" && !fires(run, step));
  await run.route.target.analyze(loaded.map(({ table }) => table));
  const tables = await lease.readTables();
  const newest = newestLoadPosition(tables);
  if (!migrates(definition, "incremental")) {
    await build(run, () => true);
    return;
  }
  const level = tables.every(({ loadPosition }) => loadPosition === newest);
  if (level && run.route.target.quietsTriggers) await build(run, () => true);
  await follow(run, tables, newest);
}

/** What waited for the end of the stream: keys and triggers that would have fired under the applier. */
export async function finishSchema(run: PhaseRun): Promise<void> {
  await build(run, () => true);
}

/** Without a way to quiet them, triggers and foreign keys would run a second time what the source ran already. */
function fires(run: PhaseRun, step: DdlStep): boolean {
  return migrates(run.definition, "incremental") && !run.route.target.quietsTriggers && step.kind === "trigger";
}

async function build(run: PhaseRun, include: (step: DdlStep) => boolean): Promise<void> {
  const steps: readonly StepRecord[] = await run.lease.readSteps();
  await runSteps({
    target: run.route.target,
    lease: run.lease,
    steps,
    include,
    parallelism: run.settings().parallelism.indexes,
    onDone: () => run.progress.stepDone(),
    signal: run.signal,
  });
}

/** Makes sure that changes are being kept; returns the snapshot that fits when this call began it. */
async function ensureCapture({ route, lease, definition }: PhaseRun): Promise<Snapshot | undefined> {
  const { source } = route;
  const task = await lease.readTask();
  const tables = await lease.readTables();
  const fresh = task.capturePosition === undefined;
  // Also when capture runs already: tables may have been added or removed since.
  await source.prepareCapture(tables.filter(({ table }) => table.streamed).map(({ table }) => table));
  if (fresh && (!definition.slotIsForeign || migrates(definition, "full"))) {
    // A slot of the user's own is older than the publication. The stream starts at the snapshot, past everything pgoutput could not publish.
    const snapshot = await (definition.slotIsForeign ? source.laterSnapshot() : source.startCapture());
    refuseGap(definition, snapshot.position, source);
    await lease.setCapturePosition(snapshot.position, snapshot.resume);
    return snapshot;
  }
  const status = await source.captureStatus();
  if (status.kind === "ready") {
    if (fresh) await lease.setCapturePosition(status.position);
    return undefined;
  }
  const lost = status.kind === "lost";
  throw new GodwitError(
    lost ? ErrorCode.SlotLost : ErrorCode.SlotMissing,
    lost
      ? `the source no longer has the log the task needs: ${status.reason}`
      : "the task's replication slot is gone from the source",
    {
      object: definition.slotName,
      remedy:
        "changes since are lost to the task: empty the target's tables and replace the task (pulumi up --replace <urn>), which copies again",
    },
  );
}

/** A slot made now has nothing older than now. */
function refuseGap(definition: TaskDefinition, slotPosition: Position, source: SourceDatabase): void {
  const start = startOf(definition);
  if (start === undefined || start >= slotPosition) return;
  throw new GodwitError(
    ErrorCode.PositionUnavailable,
    `a slot made now starts at ${source.formatPosition(slotPosition)}, after startPosition`,
    {
      object: definition.slotName,
      position: source.formatPosition(start),
      remedy: "name a slot that is older than startPosition in slotName",
    },
  );
}

/** Loads what is not loaded, and returns those tables. */
async function loadRows(run: PhaseRun, first: Snapshot | undefined): Promise<readonly TableRecord[]> {
  const { route, lease, definition, settings, progress, signal } = run;
  const records = await recordLoads(run, await lease.readTables());
  progress.load(records);
  const pending = records.filter(({ state }) => state !== "loaded");
  if (pending.length === 0) return [];
  await run.enter("full");
  const snapshot =
    first ?? (await (migrates(definition, "incremental") ? route.source.laterSnapshot() : route.source.plainSnapshot()));
  const rows = createThrottle(() => settings().throttle.full ?? {});
  const queries = createThrottle(() => ({ rowsPerSecond: settings().throttle.full?.queriesPerSecond }));
  try {
    await runFullLoad({
      source: route.source,
      target: route.target,
      lease,
      snapshot,
      tables: pending,
      conflictMode: definition.conflictMode,
      parallelism: settings().parallelism,
      progress: progress.loading,
      throttle: (count, bytes) => rows.admit(count, bytes),
      admitQuery: () => queries.admit(1, 0),
      signal,
    });
  } finally {
    if (snapshot !== first) await snapshot.close();
  }
  return pending;
}

/** Takes over what the target knows and the store does not: a worker died between the two. */
async function recordLoads({ route, lease }: PhaseRun, records: readonly TableRecord[]): Promise<readonly TableRecord[]> {
  if (!route.target.recordedLoads || records.every(({ state }) => state === "loaded")) return records;
  const open = new Set(records.filter(({ state }) => state !== "loaded").map(({ table }) => table.id));
  const checkpoint = await lease.readCheckpoint();
  for (const { tableId, rows, bytes, position } of await route.target.recordedLoads()) {
    // Tables are loaded while nothing streams, so a load that the stream has passed is of a table that left the task and came back.
    if (!open.has(tableId) || (checkpoint !== undefined && position <= checkpoint)) continue;
    const { chunkLoaded, tableLoaded } = lease.statements;
    await lease.run(`${chunkLoaded(tableId, rows, bytes)}; ${tableLoaded(tableId, position)}`);
  }
  return lease.readTables();
}

async function follow(run: PhaseRun, tables: readonly TableRecord[], newest: Position | undefined): Promise<void> {
  const { route, lease, definition, settings, progress } = run;
  await run.enter("incremental");
  const task = await lease.readTask();
  const checkpoint = await lease.readCheckpoint();
  const start = checkpoint ?? startOf(definition) ?? task.capturePosition;
  if (start === undefined)
    throw new GodwitError(ErrorCode.StoreUnusable, "the task has no position to start from", { object: definition.taskId });
  await progress.streaming(route.source, start);

  const pass = async (until: Position | undefined) => {
    const reached = new AbortController();
    await route.follow({
      start: async () => (await lease.readCheckpoint()) ?? start,
      resume: () => lease.readResume(),
      tables,
      conflictMode: definition.conflictMode,
      settings,
      checkpoint: lease.statements.checkpoint,
      readTables: () => lease.readTables(),
      structure: lease.statements,
      onProgress(counts) {
        progress.flowed(counts);
        if (until !== undefined && counts.durable >= until) reached.abort();
      },
      signal: AbortSignal.any([run.signal, reached.signal]),
    });
  };

  const keysWait = (await lease.readSteps()).some(({ done }) => !done);
  if (keysWait && route.target.quietsTriggers && newest !== undefined) {
    // Tables came from snapshots of different positions: only past the newest do they fit together, and foreign keys hold.
    await pass(newest);
    if (run.signal.aborted) return;
    await build(run, () => true);
  }
  await pass(undefined);
}

function startOf(definition: TaskDefinition): Position | undefined {
  return definition.startPosition === undefined ? undefined : BigInt(definition.startPosition);
}

function newestLoadPosition(tables: readonly TableRecord[]): Position | undefined {
  return tables.reduce<Position | undefined>(
    (newest, { loadPosition }) =>
      loadPosition !== undefined && (newest === undefined || loadPosition > newest) ? loadPosition : newest,
    undefined,
  );
}
