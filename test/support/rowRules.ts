import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "vitest";
import { killProcess } from "./kill.js";
import type { Database, TestTask } from "./task.js";
import { startWriters, type WrittenTable } from "./writers.js";

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

/** Both sides once they are equal, or as they are after a minute. */
export async function onceLevel<T>(read: () => Promise<{ readonly source: T; readonly target: T }>) {
  for (const end = Date.now() + 60_000; ; await sleep(300)) {
    const found = await read();
    if (JSON.stringify(found.source) === JSON.stringify(found.target) || Date.now() > end) return found;
  }
}

/** Brings a task up while writers write into its source, and kills its worker three times meanwhile; ends when they have. */
export async function upUnderKills(
  task: TestTask,
  inputs: Parameters<TestTask["up"]>[0],
  tables: readonly WrittenTable[],
  maxChanges: number,
) {
  const { server, name } = task.source;
  const writers = await startWriters(server.clientConfig(name), { tables, writers: 4, maxChanges });
  let failure: unknown;
  const up = task.up(inputs).catch((cause: unknown) => {
    failure = cause;
  });
  let kills = 0;
  for (let waited = 0; kills < 3 && waited < 60; waited++) {
    if (failure) throw failure;
    await sleep(700);
    if (await killProcess(task.home, "worker")) kills++;
  }
  expect(kills).toBe(3);
  await up;
  if (failure) throw failure;
  await writers.done;
}
