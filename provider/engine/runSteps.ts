import type { StepRunner, TargetDatabase } from "./database.js";
import type { DdlStep } from "./models/plan.js";
import type { StepRecord, TaskLease } from "./taskStore.js";

export interface StepRun {
  readonly target: TargetDatabase;
  readonly lease: TaskLease;
  /** Every step of the plan with what is done; only those that `include` says are run now. */
  readonly steps: readonly StepRecord[];
  readonly include: (step: DdlStep) => boolean;
  /** Statements at once. */
  readonly parallelism: number;
  readonly onDone: (step: DdlStep) => void;
  readonly signal: AbortSignal;
}

/**
 * Runs the steps that are not done, each after what it depends on, heaviest first among those that are ready. A
 * step and the record that it is done share a transaction, so a crash runs no step twice.
 */
export async function runSteps(run: StepRun): Promise<void> {
  const waiting = new Map<string, DdlStep>();
  for (const { step, done } of run.steps) if (!done && run.include(step)) waiting.set(step.id, step);
  if (waiting.size === 0) return;
  const blockedBy = new Map<string, number>();
  const dependents = new Map<string, string[]>();
  for (const step of waiting.values()) {
    const blockers = step.dependsOn.filter((id) => waiting.has(id));
    blockedBy.set(step.id, blockers.length);
    for (const id of blockers) dependents.set(id, [...(dependents.get(id) ?? []), step.id]);
  }
  const ready = [...waiting.values()].filter(({ id }) => blockedBy.get(id) === 0);
  ready.sort((a, b) => b.weight - a.weight);
  let running = 0;
  let failure: { cause: unknown } | undefined;
  let wake: (() => void)[] = [];
  const wakeAll = () => {
    for (const resolve of wake) resolve();
    wake = [];
  };

  const complete = (step: DdlStep) => {
    waiting.delete(step.id);
    run.onDone(step);
    let added = false;
    for (const id of dependents.get(step.id) ?? []) {
      const left = (blockedBy.get(id) ?? 1) - 1;
      blockedBy.set(id, left);
      const next = waiting.get(id);
      if (left > 0 || !next) continue;
      ready.push(next);
      added ||= next.weight > 0;
    }
    if (added) ready.sort((a, b) => b.weight - a.weight);
  };

  const lane = async () => {
    let runner: StepRunner | undefined;
    try {
      while (!failure && !run.signal.aborted && waiting.size > 0) {
        const step = ready.shift();
        if (!step) {
          if (running === 0) throw new Error(`steps wait for each other: ${[...waiting.keys()].slice(0, 5).join(", ")}`);
          await new Promise<void>((resolve) => wake.push(resolve));
          continue;
        }
        running++;
        try {
          runner ??= await run.target.openStepRunner();
          await runner.run(step, run.lease.statements.stepDone(step.id));
          complete(step);
        } finally {
          running--;
          wakeAll();
        }
      }
    } catch (cause) {
      failure ??= { cause };
    } finally {
      wakeAll();
      await runner?.close().catch(() => undefined);
    }
  };
  await Promise.all(Array.from({ length: Math.max(1, Math.min(run.parallelism, waiting.size)) }, lane));
  if (failure) throw failure.cause;
  run.signal.throwIfAborted();
}
