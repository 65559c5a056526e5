import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "vitest";
import type { Database, TestTask } from "./task.js";

/** How many rows a query gives, and a checksum of them. */
export async function digest({ rows }: Database, query: string): Promise<{ n: number; sum: string | null }> {
  const [found] = await rows<{ n: number; sum: string | null }>(
    `SELECT count(*)::integer AS n, md5(string_agg(r::text, '|' ORDER BY r::text COLLATE "C")) AS sum FROM (${query}\n) r`,
  );
  return found ?? { n: -1, sum: null };
}

/** Waits until the task shows a failure of this code. */
export async function failed(task: TestTask, code: string): Promise<void> {
  for (const end = Date.now() + 60_000; Date.now() < end; await sleep(300)) {
    if ((await task.refresh())?.errors?.some((error) => error.code === code)) return;
  }
  throw new Error(`the task did not fail with ${code}: ${JSON.stringify(task.outputs?.errors)}`);
}

/** Waits until both sides are equal. */
export async function until(read: () => Promise<unknown[]>): Promise<void> {
  for (const end = Date.now() + 30_000; ; await sleep(300)) {
    const [one, other] = await read();
    if (JSON.stringify(one) !== JSON.stringify(other) && Date.now() < end) continue;
    expect(other).toEqual(one);
    return;
  }
}
