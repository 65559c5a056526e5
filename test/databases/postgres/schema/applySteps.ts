import type { Client } from "pg";
import type { DdlStep } from "../../../../provider/engine/models/plan.js";

const STAGES = ["beforeRows", "afterRows", "foreignKeys"] as const;

/**
 * Runs steps as the schema phase does, each in a transaction, in a random order that `dependsOn` and the stages allow: a dependency that
 * is missing shows as a failing statement sooner or later. `between` runs once the tables are there and before what comes after rows.
 */
export async function applySteps(
  client: Client,
  steps: readonly DdlStep[],
  options: { readonly seed?: number; readonly between?: () => Promise<void> } = {},
): Promise<void> {
  const next = random(options.seed ?? 1);
  const done = new Set<string>();
  for (const stage of STAGES) {
    if (stage === "afterRows") await options.between?.();
    let waiting = steps.filter((step) => step.stage === stage);
    while (waiting.length > 0) {
      const ready = waiting.filter((step) => step.dependsOn.every((id) => done.has(id)));
      if (ready.length === 0)
        throw new Error(
          `stuck in ${stage}: ${waiting.map((step) => `${step.id} <- ${step.dependsOn.filter((id) => !done.has(id)).join(", ")}`).join("; ")}`,
        );
      shuffle(ready, next);
      for (const step of ready) await run(client, step);
      for (const step of ready) done.add(step.id);
      waiting = waiting.filter((step) => !done.has(step.id));
    }
  }
}

async function run(client: Client, step: DdlStep): Promise<void> {
  await client.query("BEGIN");
  for (const sql of step.sql) {
    try {
      await client.query(sql);
    } catch (cause) {
      await client.query("ROLLBACK");
      throw new Error(`${step.id}: ${cause instanceof Error ? cause.message : String(cause)}\n${sql.slice(0, 2000)}`);
    }
  }
  await client.query("COMMIT");
}

/** mulberry32. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

function shuffle<T>(items: T[], next: () => number): void {
  for (let last = items.length - 1; last > 0; last -= 1) {
    const other = Math.floor(next() * (last + 1));
    const [a, b] = [items[last], items[other]];
    if (a !== undefined && b !== undefined) [items[last], items[other]] = [b, a];
  }
}
