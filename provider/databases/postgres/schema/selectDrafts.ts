import type { SkippedObject } from "../../../engine/models/plan.js";
import type { ObjectKey } from "../catalog/model.js";
import type { Draft, SchemaContext } from "./draft.js";

/** A draft that is part of the plan, with the ids of the drafts it needs. */
export interface SelectedDraft {
  readonly draft: Draft;
  readonly dependsOn: readonly string[];
}

export interface DraftSelection {
  readonly selected: readonly SelectedDraft[];
  readonly skipped: readonly SkippedObject[];
}

interface Node {
  readonly draft: Draft;
  readonly picked: "selected" | "ifNeeded" | "excluded";
  needs: readonly string[];
}

/**
 * Keeps what the selection names and what that needs. What needs something that is left out is left out as well, with the reason that
 * started it.
 */
export function selectDrafts(context: SchemaContext, drafts: readonly Draft[]): DraftSelection {
  const provider = new Map<string, string>();
  for (const draft of drafts) {
    provider.set(draft.id, draft.id);
    for (const key of draft.provides) provider.set(key, draft.id);
  }
  const nodes = new Map<string, Node>();
  for (const draft of drafts) {
    nodes.set(draft.id, { draft, picked: context.resolved.selection.pick(draft.subject), needs: neededKeys(context, draft) });
  }
  requireCasts(context, nodes);
  const reasons = new Map<string, string | undefined>();
  const reasonFor = (root: string): string | undefined => {
    // Depth first without recursion: a chain of views may be thousands long.
    const stack: { id: string; needs: readonly string[]; at: number }[] = [];
    const enter = (id: string): void => {
      const node = nodes.get(id);
      const own = node && ownReason(context, node);
      reasons.set(id, own);
      if (node && own === undefined) stack.push({ id, needs: node.needs, at: 0 });
    };
    if (!reasons.has(root)) enter(root);
    for (let top = stack.at(-1); top; top = stack.at(-1)) {
      const need = top.needs[top.at];
      if (need === undefined || reasons.get(top.id) !== undefined) {
        stack.pop();
        continue;
      }
      const id = provider.get(need);
      if (id === undefined) {
        const immovable = context.catalog.immovable.get(need);
        if (immovable !== undefined) reasons.set(top.id, `it needs ${immovable}, which is not moved`);
        top.at += 1;
      } else if (!reasons.has(id)) enter(id);
      else {
        const reason = reasons.get(id);
        const needed = nodes.get(id)?.draft;
        if (reason !== undefined && needed)
          reasons.set(top.id, `it needs ${needed.kind} ${needed.name}, which is not moved: ${reason}`);
        top.at += 1;
      }
    }
    return reasons.get(root);
  };

  const kept = new Set<string>();
  const skipped: SkippedObject[] = [];
  const pending: string[] = [];
  for (const { draft, picked } of nodes.values()) {
    if (picked !== "selected") continue;
    const reason = reasonFor(draft.id);
    if (reason === undefined) pending.push(draft.id);
    else if (!isConsequence(draft)) skipped.push({ kind: draft.kind, name: draft.name, reason });
  }
  for (let id = pending.pop(); id !== undefined; id = pending.pop()) {
    if (kept.has(id)) continue;
    kept.add(id);
    for (const need of nodes.get(id)?.needs ?? []) {
      const needed = provider.get(need);
      if (needed !== undefined && !kept.has(needed)) pending.push(needed);
    }
  }
  const selected = drafts
    .filter(({ id }) => kept.has(id))
    .map((draft) => {
      const dependsOn = new Set((nodes.get(draft.id)?.needs ?? []).map((need) => provider.get(need) ?? draft.id));
      return { draft, dependsOn: [...dependsOn] };
    });
  return { selected, skipped };
}

/** Its own dependency on itself is dropped but for recursion, which only a routine's parsed body has. */
function neededKeys(context: SchemaContext, draft: Draft): readonly string[] {
  const keys = new Set<string>(draft.requires);
  for (const use of draft.uses) {
    for (const { on } of context.catalog.dependencies.get(use) ?? []) if (!draft.ignores?.(on)) keys.add(on);
  }
  if (!draft.shell || draft.kind === "view") for (const own of draft.provides) keys.delete(own);
  else if (!draft.uses.some((use) => (context.catalog.dependencies.get(use) ?? []).some(({ on }) => on === use)))
    for (const own of draft.provides) keys.delete(own);
  return [...keys];
}

/** Steps with expressions in them, by the start of their id. */
const HAS_EXPRESSIONS = /^(view|table|default|check|index|constraint|rule|trigger|routine):/;

/**
 * An expression that casts records what the cast calls, or the type it makes, but not the cast: without it the text cannot be parsed again. So
 * what needs a cast's function, or the types of a cast without one, needs the cast.
 */
function requireCasts(context: SchemaContext, nodes: ReadonlyMap<string, Node>): void {
  const casts = new Map<ObjectKey, ObjectKey[]>();
  for (const { key } of context.catalog.casts) {
    const needs = (context.catalog.dependencies.get(key) ?? []).map(({ on }) => on);
    const routines = needs.filter((need) => need.startsWith("pg_proc/"));
    for (const need of routines.length > 0 ? routines : needs) casts.set(need, [...(casts.get(need) ?? []), key]);
  }
  if (casts.size === 0) return;
  const plainBodies = new Set(context.catalog.routines.filter(({ sqlBody }) => sqlBody === undefined).map(({ key }) => key));
  for (const node of nodes.values()) {
    if (!HAS_EXPRESSIONS.test(node.draft.id) || node.draft.provides.some((key) => plainBodies.has(key))) continue;
    const more = node.needs.flatMap((need) => casts.get(need) ?? []);
    if (more.length > 0) node.needs = [...new Set([...node.needs, ...more])];
  }
}

function ownReason(context: SchemaContext, { draft, picked }: Node): string | undefined {
  if (draft.blocked !== undefined) return draft.blocked;
  if (picked === "excluded") return "it is not selected";
  const { names } = context.resolved;
  if (!names.renames) return undefined;
  for (const use of draft.uses) {
    for (const { on, column } of context.catalog.dependencies.get(use) ?? []) {
      if (column === 0 || !on.startsWith("pg_class/")) continue;
      const relation = context.relations.get(Number(on.slice("pg_class/".length)));
      const name = relation?.columns.find(({ number }) => number === column)?.name;
      if (relation && name !== undefined && names.excluded(relation, name))
        return `it needs column ${relation.schema}.${relation.name}.${name}, which is excluded`;
    }
  }
  return undefined;
}

/** Parts that say nothing new when the object they belong to was reported. */
function isConsequence(draft: Draft): boolean {
  return /^(attach|attachIndex|identity|owner|triggerState):/.test(draft.id);
}
