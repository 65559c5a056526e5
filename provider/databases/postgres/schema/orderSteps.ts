import type { DdlStage, DdlStep, SkippedObject } from "../../../engine/models/plan.js";
import type { Draft, SchemaContext } from "./draft.js";
import type { SelectedDraft } from "./selectDrafts.js";

interface Step {
  readonly id: string;
  readonly draft: Draft;
  readonly sql: readonly string[];
  dependsOn: string[];
}

const STAGES: readonly DdlStage[] = ["beforeRows", "afterRows", "foreignKeys"];

export interface OrderedSteps {
  readonly steps: readonly DdlStep[];
  readonly skipped: readonly SkippedObject[];
}

/**
 * Breaks cycles, orders the steps so that each comes after what it depends on, and moves to a later stage what depends on a later stage.
 * A cycle with nothing in it that can be made in two parts is left out, with the reason.
 */
export function orderSteps(context: SchemaContext, selected: readonly SelectedDraft[]): OrderedSteps {
  let steps: Step[] = selected.map(({ draft, dependsOn }) => ({
    id: draft.id,
    draft,
    sql: draft.sql,
    dependsOn: dependsOn.filter((id) => id !== draft.id || draft.kind === "function" || draft.kind === "procedure"),
  }));
  const skipped: SkippedObject[] = [];
  for (let cycles = findCycles(steps); cycles.length > 0; cycles = findCycles(steps)) {
    for (const cycle of cycles) {
      const broken = cycle.find(
        (step) => step.draft.shell && !step.id.endsWith("#shell") && !steps.some(({ id }) => id === `${step.id}#shell`),
      );
      if (broken) {
        steps = withShell(context, steps, cycle, broken);
        continue;
      }
      const gone = new Set(cycle.map(({ id }) => id));
      for (let grew = true; grew; ) {
        const more = steps.filter((step) => !gone.has(step.id) && step.dependsOn.some((id) => gone.has(id)));
        for (const { id } of more) gone.add(id);
        grew = more.length > 0;
      }
      for (const { id, draft } of steps.filter((step) => gone.has(step.id))) {
        skipped.push({
          kind: draft.kind,
          name: draft.name,
          reason: `${id} and what it needs need each other: ${cycle.map(({ draft: part }) => part.name).join(", ")}`,
        });
      }
      steps = steps.filter((step) => !gone.has(step.id));
    }
  }
  return { steps: staged(topological(steps)), skipped };
}

/** Members of the cycle meet the shell; everyone else waits for the whole object. */
function withShell(context: SchemaContext, steps: readonly Step[], cycle: readonly Step[], broken: Step): Step[] {
  const shell = broken.draft.shell;
  if (!shell) return [...steps];
  const id = `${broken.id}#shell`;
  const members = new Set(cycle.map((step) => step.id));
  const keys = new Set(
    shell.uses.flatMap((use) => (context.catalog.dependencies.get(use) ?? []).map(({ on }) => on)).filter(shell.needs),
  );
  const inShell = (step: Step): boolean => step.draft.provides.some((key) => keys.has(key)) || step.draft.kind === "schema";
  const byId = new Map(steps.map((step) => [step.id, step]));
  const shellNeeds = broken.dependsOn.filter((need) => {
    const step = byId.get(need);
    return step !== undefined && need !== broken.id && inShell(step);
  });
  return [
    { id, draft: broken.draft, sql: shell.sql, dependsOn: shellNeeds },
    ...steps.map((step) => {
      if (step === broken) return { ...step, dependsOn: [...step.dependsOn.filter((need) => need !== broken.id), id] };
      return members.has(step.id) ? { ...step, dependsOn: step.dependsOn.map((need) => (need === broken.id ? id : need)) } : step;
    }),
  ];
}

/** Strongly connected components of more than one step, or of one that needs itself (Tarjan's algorithm, without recursion). */
function findCycles(steps: readonly Step[]): Step[][] {
  const byId = new Map(steps.map((step) => [step.id, step]));
  const index = new Map<string, number>();
  const low = new Map<string, number>();
  const open: string[] = [];
  const isOpen = new Set<string>();
  const cycles: Step[][] = [];
  const lower = (id: string, to: number): unknown => low.set(id, Math.min(low.get(id) ?? to, to));
  for (const { id: root } of steps) {
    if (index.has(root)) continue;
    const stack: { id: string; at: number }[] = [{ id: root, at: 0 }];
    for (let top = stack.at(-1); top; top = stack.at(-1)) {
      const { id } = top;
      if (top.at === 0) {
        lower(id, index.size);
        index.set(id, index.size);
        open.push(id);
        isOpen.add(id);
      }
      const need = byId.get(id)?.dependsOn[top.at];
      top.at += 1;
      if (need !== undefined) {
        if (!byId.has(need)) continue;
        const seen = index.get(need);
        if (seen === undefined) stack.push({ id: need, at: 0 });
        else if (isOpen.has(need)) lower(id, seen);
        continue;
      }
      stack.pop();
      const parent = stack.at(-1);
      if (parent) lower(parent.id, low.get(id) ?? 0);
      if (low.get(id) !== index.get(id)) continue;
      const component = open.splice(open.lastIndexOf(id));
      for (const member of component) isOpen.delete(member);
      const members = component.flatMap((member) => byId.get(member) ?? []);
      if (members.length > 1 || members.some((step) => step.dependsOn.includes(step.id))) cycles.push(members);
    }
  }
  return cycles;
}

/** Each step after those it depends on; otherwise in the order in which they came. */
function topological(steps: readonly Step[]): Step[] {
  const byId = new Map(steps.map((step) => [step.id, step]));
  const done = new Set<string>();
  const ordered: Step[] = [];
  for (const first of steps) {
    const stack: { step: Step; at: number }[] = done.has(first.id) ? [] : [{ step: first, at: 0 }];
    for (let top = stack.at(-1); top; top = stack.at(-1)) {
      const need = top.step.dependsOn[top.at];
      top.at += 1;
      if (need === undefined) {
        stack.pop();
        if (!done.has(top.step.id)) ordered.push(top.step);
        done.add(top.step.id);
      } else {
        const step = byId.get(need);
        if (step && !done.has(need)) stack.push({ step, at: 0 });
      }
    }
  }
  return ordered;
}

function staged(steps: readonly Step[]): DdlStep[] {
  const stages = new Map<string, number>();
  const ids = new Set(steps.map(({ id }) => id));
  return steps
    .map((step) => {
      const dependsOn = step.dependsOn.filter((id) => ids.has(id));
      const stage = Math.max(STAGES.indexOf(step.draft.stage), ...dependsOn.map((id) => stages.get(id) ?? 0));
      stages.set(step.id, stage);
      const { kind, name, weight = 0 } = step.draft;
      return { id: step.id, stage: STAGES[stage] ?? "afterRows", kind, name, sql: step.sql, dependsOn, weight };
    })
    .sort((a, b) => STAGES.indexOf(a.stage) - STAGES.indexOf(b.stage));
}
