import { hostname } from "node:os";
import type { FlowCounts, SourceDatabase } from "./database.js";
import { LoadProgress } from "./loadProgress.js";
import type { Position } from "./models/change.js";
import type { TaskDefinition } from "./taskDefinition.js";
import type { IncrementalStatus, TaskError, TaskPhase, TaskState, TaskStatus } from "./taskStatus.js";
import type { TableRecord } from "./taskStore.js";

/** Seconds over which the rate of changes is averaged. */
const RATE_SECONDS = 5;

interface Flow {
  readonly source: SourceDatabase;
  /** Where the source was when streaming began: `caughtUp` is being level with it. */
  readonly goal: Position;
  counts: FlowCounts;
  caughtUp: boolean;
  samples: { at: number; changes: number }[];
  sourcePosition: Position;
  retainedBytes: number | undefined;
}

/** What a worker knows of its task beyond what the store records: all that `godwit status` shows. */
export class TaskProgress {
  loading = new LoadProgress([]);
  steps = { done: 0, total: 0 };
  state: TaskState = "running";
  phase: TaskPhase = "schema";
  errors: readonly TaskError[] = [];
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
    this.flow = { source, goal, counts, caughtUp: start >= goal, samples: [], sourcePosition: goal, retainedBytes: undefined };
  }

  stopped(): void {
    this.flow = undefined;
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
    flow.retainedBytes = status.kind === "ready" ? Number(status.retainedBytes) : undefined;
    const now = Date.now();
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
      errors: this.errors,
    };
  }
}

function incrementalStatus(flow: Flow): IncrementalStatus {
  const { counts, source, samples } = flow;
  const lagBytes = Number(flow.sourcePosition > counts.durable ? flow.sourcePosition - counts.durable : 0n);
  const [first] = samples;
  const last = samples.at(-1);
  const seconds = first && last ? (last.at - first.at) / 1000 : 0;
  return {
    caughtUp: flow.caughtUp,
    sourcePosition: source.formatPosition(flow.sourcePosition),
    appliedPosition: source.formatPosition(counts.durable),
    lagBytes,
    lagSeconds:
      lagBytes > 0 && counts.lastCommitMs !== undefined
        ? Math.max(0, Math.round((Date.now() - counts.lastCommitMs) / 100) / 10)
        : 0,
    inserts: counts.inserts,
    updates: counts.updates,
    deletes: counts.deletes,
    truncates: counts.truncates,
    changesPerSecond: first && last && seconds > 0 ? Math.round((last.changes - first.changes) / seconds) : 0,
    retainedBytes: flow.retainedBytes,
  };
}

function changesOf(counts: FlowCounts): number {
  return counts.inserts + counts.updates + counts.deletes + counts.truncates;
}
