import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { routeKind } from "../databases/index.js";
import { ErrorCode, GodwitError } from "../engine/errors.js";
import type { TaskStatus } from "../engine/taskStatus.js";
import { isAlive, type SupervisorRecord } from "../runner/processes.js";
import { readJson, taskFiles } from "../runner/taskFiles.js";
import { renderStatus } from "./renderStatus.js";
import { readEndpoint } from "./taskFile.js";

export interface StatusRequest {
  readonly home: string;
  readonly taskId: string | undefined;
  /** File of an endpoint whose godwit schema is read instead of this machine's files. */
  readonly target: string | undefined;
  readonly watch: boolean;
  readonly json: boolean;
}

/** What is shown of a task: its status, and whether a worker has it at this moment. */
export interface ShownStatus extends TaskStatus {
  readonly alive: boolean;
}

export async function showStatus(request: StatusRequest): Promise<number> {
  for (;;) {
    const shown = await readStatuses(request);
    if (request.json) console.log(JSON.stringify(request.taskId === undefined ? shown : shown[0]));
    else {
      const text = shown.length === 0 ? "no tasks" : shown.map(renderStatus).join("\n\n");
      // Home, draw, clear what is left below: a redraw without a flicker.
      process.stdout.write(request.watch ? `\x1b[H${text.replaceAll("\n", "\x1b[K\n")}\x1b[K\n\x1b[J` : `${text}\n`);
    }
    if (!request.watch) return 0;
    await sleep(1000);
  }
}

async function readStatuses({ home, taskId, target }: StatusRequest): Promise<ShownStatus[]> {
  const all = target === undefined ? await localStatuses(home, taskId) : await storedStatuses(target);
  const shown = taskId === undefined ? all : all.filter((status) => status.taskId === taskId);
  if (taskId !== undefined && shown.length === 0) {
    throw new GodwitError(ErrorCode.InvalidInput, "there is no such task here", {
      object: taskId,
      remedy: "godwit status lists the tasks; --target reads another machine's",
    });
  }
  return shown;
}

async function localStatuses(home: string, taskId: string | undefined): Promise<ShownStatus[]> {
  const ids = taskId === undefined ? await readdir(join(home, "tasks")).catch(() => []) : [taskId];
  const shown: ShownStatus[] = [];
  for (const id of ids) {
    const files = taskFiles(home, id);
    const status = await readJson<TaskStatus>(files.status);
    if (status) shown.push({ ...status, alive: await isAlive(await readJson<SupervisorRecord>(files.supervisor)) });
  }
  return shown;
}

async function storedStatuses(path: string): Promise<ShownStatus[]> {
  const target = await readEndpoint(path);
  const store = await routeKind({ source: target, target }).openStore({ source: target, target });
  try {
    const tasks = await store.listTasks();
    return tasks.flatMap(({ status, leased }) => (status ? [{ ...status, alive: leased }] : []));
  } finally {
    await store.close();
  }
}
