import { setTimeout as sleep } from "node:timers/promises";
import type { Route, Snapshot, SourceDatabase } from "./database.js";
import { ErrorCode, GodwitError } from "./errors.js";
import { runFullLoad } from "./fullLoad.js";
import { NOT_LOADED, type Position } from "./models/change.js";
import type { DdlStep } from "./models/plan.js";
import { runSteps } from "./runSteps.js";
import { migrates, type TaskDefinition, type TaskSettings } from "./taskDefinition.js";
import type { TaskLog } from "./taskLog.js";
import type { TaskProgress } from "./taskProgress.js";
import type { TaskPhase } from "./taskStatus.js";
import type { StepRecord, TableRecord, TaskLease } from "./taskStore.js";
import { createThrottle } from "./throttle.js";
import { keepValidated, validateLoaded, validateRest } from "./validation/validateTask.js";

export interface PhaseRun {
  readonly route: Route;
  readonly lease: TaskLease;
  readonly definition: TaskDefinition;
  readonly settings: () => TaskSettings;
  readonly progress: TaskProgress;
  readonly log: TaskLog;
  readonly enter: (phase: TaskPhase) => Promise<void>;
  readonly signal: AbortSignal;
}

/**
 * Takes a task from wherever the store says it is to the end of its migration types. Returns when a task without incremental is
 * complete, or when the signal aborts an incremental one. Called again after any failure, it goes on from what is recorded.
 */
export async function runPhases(run: PhaseRun): Promise<void> {
  const { definition, lease, route } = run;
  await countSteps(run);
  if (migrates(definition, "schema")) await run.enter("schema");
  // A route that looks for changes of the source since the plan begins with capture: none must fall between the look and the log.
  let snapshot = route.newerPlan && migrates(definition, "incremental") ? await ensureCapture(run) : undefined;
  let loaded: readonly TableRecord[] = [];
  try {
    if (route.newerPlan && (await adoptNewerPlan(run, route.newerPlan))) {
      // It is older than the publication of the tables that came with the plan.
      await snapshot?.close();
      snapshot = undefined;
    }
    if (migrates(definition, "schema")) await build(run, (step) => step.stage === "beforeRows");
    if (!route.newerPlan && migrates(definition, "incremental")) snapshot = await ensureCapture(run);
    if (migrates(definition, "full")) loaded = await loadRows(run, snapshot);
  } finally {
    await snapshot?.close();
  }
  await build(run, (step) => step.stage === "afterRows" && !fires(run, step));
  await route.target.analyze(loaded.map(({ table }) => table));
  if (!migrates(definition, "incremental")) {
    await build(run, () => true);
    if (migrates(definition, "full")) await validateRest(run);
    return;
  }
  if (!(await loadChanged(run))) return;
  const tables = await lease.readTables();
  const newest = newestLoadPosition(tables);
  const level = tables.every(({ loadPosition }) => loadPosition === newest);
  if (level && route.target.quietsTriggers) await build(run, () => true);
  await follow(run, newest, level);
}

async function countSteps({ lease, progress }: PhaseRun): Promise<void> {
  const steps = await lease.readSteps();
  progress.steps = { total: steps.length, done: steps.filter(({ done }) => done).length };
}

/** While nothing is built, what changed at the source since the plan was read costs nothing but another plan. True: there is one. */
async function adoptNewerPlan(run: PhaseRun, newerPlan: NonNullable<Route["newerPlan"]>): Promise<boolean> {
  const { lease, progress, route, definition } = run;
  if ((await lease.readSteps()).some(({ done }) => done)) return false;
  // A stream that has begun follows what changes.
  if ((await lease.readCheckpoint()) !== undefined) return false;
  const former = await lease.readTables();
  if (former.some(({ state }) => state !== "pending")) return false;
  const newer = await newerPlan();
  if (!newer) return false;
  // What the identities were is known from before this task changed them.
  const identities = new Map(former.map(({ table }) => [table.id, table.replicaIdentity]));
  const plan = {
    ...newer,
    tables: newer.tables.map((table) => ({ ...table, replicaIdentity: identities.get(table.id) ?? table.replicaIdentity })),
  };
  await lease.replacePlan(plan);
  progress.load(await lease.readTables());
  await countSteps(run);
  if (migrates(definition, "incremental")) await route.source.prepareCapture(plan.tables.filter(({ streamed }) => streamed));
  return true;
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

/**
 * Loads what is not loaded, and returns those tables. Tables that were changed under the snapshot are left: with incremental they are loaded once the stream has brought their
 * changes of structure (`loadChanged`), without it from a newer snapshot, as long as they still are what the plan says.
 */
async function loadRows(run: PhaseRun, first: Snapshot | undefined): Promise<readonly TableRecord[]> {
  const { route, lease, definition, progress } = run;
  const records = await recordLoads(run, await lease.readTables());
  progress.load(records);
  let pending = records.filter(({ state }) => state !== "loaded");
  if (pending.length === 0) return [];
  await run.enter("full");
  const streams = migrates(definition, "incremental");
  const loaded: TableRecord[] = [];
  for (let round = 0; pending.length > 0; round++) {
    const given = round === 0 ? first : undefined;
    const snapshot = given ?? (await (streams ? route.source.laterSnapshot() : route.source.plainSnapshot()));
    try {
      const waiting = await loadFrom(run, snapshot, pending, !streams);
      const done = pending.filter((record) => !waiting.includes(record));
      loaded.push(...done);
      if (!streams) await validateLoaded(run, snapshot, done);
      pending = await stillPending(lease, waiting);
    } finally {
      if (snapshot !== given) await snapshot.close();
    }
    if (streams) break;
    if (pending.length > 0 && round + 1 >= PLAIN_ROUNDS) throw changedUnderLoad(pending);
  }
  return loaded;
}

/** Snapshots that a table without incremental is tried from, while it is rewritten under each. */
const PLAIN_ROUNDS = 3;
/** As often as its changes came between the snapshot and the load: a table may be truncated every minute. */
const FOLLOWED_ROUNDS = 30;

/** Copies tables from one snapshot; what is not as it saw them comes back. */
async function loadFrom(
  { route, lease, definition, settings, progress, signal }: PhaseRun,
  snapshot: Snapshot,
  tables: readonly TableRecord[],
  followed: boolean,
): Promise<readonly TableRecord[]> {
  const rows = createThrottle(() => settings().throttle.full ?? {}, signal);
  const queries = createThrottle(() => ({ rowsPerSecond: settings().throttle.full?.queriesPerSecond }), signal);
  return runFullLoad({
    source: route.source,
    target: route.target,
    lease,
    snapshot,
    tables,
    followed,
    conflictMode: definition.conflictMode,
    parallelism: settings().parallelism,
    progress: progress.loading,
    throttle: (count, bytes) => rows.admit(count, bytes),
    admitQuery: () => queries.admit(1, 0),
    signal,
  });
}

/** The same tables with what the store says of them now. */
async function stillPending(lease: TaskLease, former: readonly TableRecord[]): Promise<TableRecord[]> {
  const ids = new Set(former.map(({ table }) => table.id));
  return (await lease.readTables()).filter(({ table, state }) => ids.has(table.id) && state !== "loaded");
}

function changedUnderLoad(tables: readonly TableRecord[]): GodwitError {
  const names = tables.map(({ table }) => `${table.source.schema}.${table.source.name}`);
  return new GodwitError(
    ErrorCode.StructureChanged,
    `${names.length === 1 ? "a table was" : `${names.length} tables were`} rewritten or changed at the source each time a load began`,
    {
      object: names.slice(0, 5).join(", "),
      remedy:
        "leave the structure alone (no ALTER TABLE, TRUNCATE, VACUUM FULL) until it is loaded, then run pulumi up: the load goes on",
    },
  );
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

/**
 * Loads tables that were changed between the snapshot and their load. The stream's changes of structure are made first, on tables of the target that
 * are empty and stand as the plan says, keys and all; then their rows come from the snapshot up to which it was followed. A change after
 * that begins another round. False when the task was interrupted on the way.
 */
async function loadChanged(run: PhaseRun): Promise<boolean> {
  if (!migrates(run.definition, "full")) return true;
  for (let round = 0; ; round++) {
    const pending = (await run.lease.readTables()).filter(({ state }) => state !== "loaded");
    if (pending.length === 0) return true;
    if (round >= FOLLOWED_ROUNDS) throw changedUnderLoad(pending);
    await run.enter("full");
    const snapshot = await run.route.source.laterSnapshot();
    try {
      // Their structure as the snapshot has it: the stream's changes of it are made on the target, where they are empty.
      await pass(run, snapshot.position);
      if (run.signal.aborted) return false;
      const waiting = await stillPending(run.lease, pending);
      run.progress.load(await run.lease.readTables());
      const left = await loadFrom(run, snapshot, waiting, true);
      await run.route.target.analyze(waiting.filter((record) => !left.includes(record)).map(({ table }) => table));
      if (left.length > 0 && left.length === waiting.length && round > 0) await pause(run.signal, round);
    } finally {
      await snapshot.close();
    }
    if (run.signal.aborted) return false;
  }
}

/** A table that was changed twice in a row may be about to be changed again. */
async function pause(signal: AbortSignal, round: number): Promise<void> {
  await sleep(Math.min(5000, 100 * 2 ** round), undefined, { signal }).catch(() => undefined);
}

/** Streams until the position is durable on the target; undefined: until the signal aborts. */
async function pass(run: PhaseRun, until: Position | undefined): Promise<void> {
  const { route, lease, definition, settings, progress } = run;
  const checkpoint = await lease.readCheckpoint();
  const start = checkpoint ?? startOf(definition) ?? (await lease.readTask()).capturePosition;
  if (start === undefined)
    throw new GodwitError(ErrorCode.StoreUnusable, "the task has no position to start from", { object: definition.taskId });
  if (until !== undefined && start >= until) return;
  const readTables = async () => {
    const records = await lease.readTables();
    if (!migrates(definition, "full")) return records;
    return records.map((record) => (record.state === "loaded" ? record : { ...record, loadPosition: NOT_LOADED }));
  };
  const reached = new AbortController();
  await route.follow({
    start: async () => (await lease.readCheckpoint()) ?? start,
    resume: () => lease.readResume(),
    tables: await readTables(),
    conflictMode: definition.conflictMode,
    settings,
    checkpoint: lease.statements.checkpoint,
    readTables,
    structure: lease.statements,
    // Not one transaction more: of a table that is loaded from a snapshot at `until` they would be passed over, and the checkpoint past them.
    until,
    onProgress(counts) {
      progress.flowed(counts);
      if (until !== undefined && counts.durable >= until) reached.abort();
    },
    signal: AbortSignal.any([run.signal, reached.signal]),
  });
}

async function follow(run: PhaseRun, newest: Position | undefined, level: boolean): Promise<void> {
  const { route, lease, definition, progress } = run;
  await run.enter("incremental");
  const start = (await lease.readCheckpoint()) ?? startOf(definition) ?? (await lease.readTask()).capturePosition;
  if (start !== undefined) await progress.streaming(route.source, start);
  if (!level && route.target.quietsTriggers && newest !== undefined) {
    // Tables came from snapshots of different positions: only past the newest do they fit together, and foreign keys hold.
    await pass(run, newest);
    if (run.signal.aborted) return;
    await build(run, () => true);
  }
  const ended = new AbortController();
  const validating = keepValidated(run, AbortSignal.any([run.signal, ended.signal]));
  try {
    await pass(run, undefined);
  } finally {
    ended.abort();
    await validating;
  }
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
