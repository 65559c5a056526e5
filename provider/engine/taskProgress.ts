import { hostname } from "node:os";
import type { FlowCounts, LogNeeded, SourceDatabase } from "./database.js";
import { LoadProgress } from "./loadProgress.js";
import type { Position } from "./models/change.js";
import { SourceTimes } from "./sourceTimes.js";
import { migrates, type TaskDefinition } from "./taskDefinition.js";
import type { IncrementalStatus, TableState, TaskError, TaskPhase, TaskState, TaskStatus } from "./taskStatus.js";
import type { TableRecord } from "./taskStore.js";
import { ValidationProgress } from "./validation/validationProgress.js";

/** Seconds over which the rate of changes is averaged. */
const RATE_SECONDS = 5;

interface Flow {
  readonly source: SourceDatabase;
  /** Where the source was when streaming began: `caughtUp` is being level with it. */
  readonly goal: Position;
  counts: FlowCounts;
  caughtUp: boolean;
  samples: { at: number; changes: number }[];
  readonly reached: SourceTimes;
  sourcePosition: Position;
  retainedBytes: number | undefined;
}

/** What a worker knows of its task beyond what the store records: all that `godwit status` shows. */
export class TaskProgress {
  loading = new LoadProgress([]);
  steps = { done: 0, total: 0 };
  state: TaskState = "running";
  phase: TaskPhase = "schema";
  /** Why it does not go on. */
  errors: readonly TaskError[] = [];
  readonly validation = new ValidationProgress();
  private flow: Flow | undefined;

  constructor(private readonly definition: TaskDefinition) {}

  load(records: readonly TableRecord[]): void {
    this.loading = new LoadProgress(records);
  }

  stepDone(): void {
    this.steps.done++;
  }

  /** Anything that moved since the last call, for closing a retry window: a number that only grows. */
  get moved(): number {
    const rows = this.loading.tables().reduce((sum, table) => sum + table.rows, 0);
    return rows + this.steps.done + (this.flow ? changesOf(this.flow.counts) : 0);
  }

  async streaming(source: SourceDatabase, start: Position): Promise<void> {
    const goal = await source.currentPosition();
    const counts: FlowCounts = {
      inserts: 0,
      updates: 0,
      deletes: 0,
      truncates: 0,
      bytes: 0,
      durable: start,
      lastCommitMs: undefined,
    };
    const reached = new SourceTimes(goal, Date.now());
    this.flow = {
      source,
      goal,
      counts,
      caughtUp: start >= goal,
      samples: [],
      reached,
      sourcePosition: goal,
      retainedBytes: undefined,
    };
  }

  stopped(): void {
    this.flow = undefined;
    this.validation.stopped();
  }

  /** Level with the source, once since streaming began. */
  get caughtUp(): boolean {
    return this.flow?.caughtUp === true;
  }

  /** Whether the target has everything that the source had at the position. */
  passed(position: Position): boolean {
    return this.flow !== undefined && this.flow.counts.durable >= position;
  }

  /** Whether a table in that state has rows of this task that can be compared. */
  comparable(state: TableState): boolean {
    return state === "loaded" || !migrates(this.definition, "full");
  }

  /** All that a user must hear of: why it does not go on, and what was found while it did. */
  allErrors(): readonly TaskError[] {
    const found = this.validation.errors();
    return [...this.errors, ...found.filter(({ code }) => !this.errors.some((error) => error.code === code))];
  }

  flowed(counts: FlowCounts): void {
    if (!this.flow) return;
    this.flow.counts = counts;
    this.flow.caughtUp ||= counts.durable >= this.flow.goal;
  }

  /** Asks the source how far it is. Failures belong to the stream, which meets them itself. */
  async measure(): Promise<void> {
    const { flow } = this;
    if (!flow) return;
    const status = await flow.source.captureStatus();
    flow.sourcePosition = await flow.source.currentPosition();
    const counted = status.kind === "ready" && flow.source.positionUnit !== "scn";
    flow.retainedBytes = counted ? Number(status.retainedBytes) : undefined;
    const now = Date.now();
    flow.reached.add(flow.sourcePosition, now);
    flow.samples = [
      ...flow.samples.filter(({ at }) => now - at < RATE_SECONDS * 1000),
      { at: now, changes: changesOf(flow.counts) },
    ];
  }

  status(): TaskStatus {
    return {
      taskId: this.definition.taskId,
      environmentTag: this.definition.environmentTag,
      state: this.state,
      phase: this.phase,
      updatedAt: new Date().toISOString(),
      worker: { host: hostname(), pid: process.pid, peakMemoryMegabytes: Math.round(process.resourceUsage().maxRSS / 1024) },
      stepsDone: this.steps.done,
      stepsTotal: this.steps.total,
      tables: this.loading.tables(),
      incremental: this.flow && incrementalStatus(this.flow),
      validation: this.validation.status(),
      errors: this.allErrors(),
    };
  }
}

function incrementalStatus(flow: Flow): IncrementalStatus {
  const { counts, source, samples } = flow;
  const now = Date.now();
  const behind = flow.sourcePosition > counts.durable;
  const inBytes = source.positionUnit !== "scn";
  const age = counts.lastCommitMs === undefined ? undefined : Math.max(0, now - counts.lastCommitMs);
  // An SCN grows on an idle database as well: the newest commit's age says nothing there.
  const latencyMs = behind ? flow.reached.since(counts.durable, now, age) : 0;
  const lagMs = !behind ? 0 : inBytes ? (age ?? 0) : latencyMs;
  const [first] = samples;
  const last = samples.at(-1);
  const seconds = first && last ? (last.at - first.at) / 1000 : 0;
  return {
    caughtUp: flow.caughtUp,
    sourcePosition: source.formatPosition(flow.sourcePosition),
    appliedPosition: source.formatPosition(counts.durable),
    lagBytes: inBytes ? Number(behind ? flow.sourcePosition - counts.durable : 0n) : undefined,
    lagSeconds: Math.round(lagMs / 100) / 10,
    latencySeconds: Math.round(latencyMs / 100) / 10,
    inserts: counts.inserts,
    updates: counts.updates,
    deletes: counts.deletes,
    truncates: counts.truncates,
    changesPerSecond: first && last && seconds > 0 ? Math.round((last.changes - first.changes) / seconds) : 0,
    retainedBytes: flow.retainedBytes,
    ...(counts.logNeeded ? { logNeeded: neededStatus(counts.logNeeded, source, now) } : {}),
  };
}

function neededStatus({ from, openTransactions, oldestOpenMs }: LogNeeded, source: SourceDatabase, now: number) {
  return {
    from: source.formatPosition(from),
    openTransactions,
    oldestOpenSeconds: oldestOpenMs === undefined ? undefined : Math.max(0, Math.round((now - oldestOpenMs) / 1000)),
  };
}

function changesOf(counts: FlowCounts): number {
  return counts.inserts + counts.updates + counts.deletes + counts.truncates;
}
