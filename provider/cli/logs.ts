import { open } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { ErrorCode, GodwitError } from "../engine/errors.js";
import { taskFiles } from "../runner/taskFiles.js";

export interface LogRequest {
  readonly home: string;
  readonly taskId: string;
  readonly follow: boolean;
  /** The lines as they are: JSON objects. */
  readonly json: boolean;
}

export async function showLogs({ home, taskId, follow, json }: LogRequest): Promise<number> {
  const path = taskFiles(home, taskId).log;
  const file = await open(path).catch((cause: unknown) => {
    throw new GodwitError(ErrorCode.InvalidInput, "no task of this id has a log on this machine", {
      object: taskId,
      remedy: "godwit status lists them",
      cause,
    });
  });
  try {
    let rest = "";
    const buffer = Buffer.alloc(65_536);
    for (;;) {
      const { bytesRead } = await file.read(buffer, 0, buffer.length);
      if (bytesRead === 0) {
        if (!follow) return 0;
        await sleep(300);
        continue;
      }
      const lines = (rest + buffer.toString("utf8", 0, bytesRead)).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) console.log(json ? line : readable(line));
    }
  } finally {
    await file.close();
  }
}

const LEVELS: Readonly<Record<number, string>> = { 30: "info", 40: "warn", 50: "error" };

function readable(line: string): string {
  try {
    const {
      level,
      time,
      msg,
      taskId: _taskId,
      pid: _pid,
      stack: _stack,
      ...details
    } = JSON.parse(line) as Record<string, unknown>;
    const rest = Object.entries(details).map(([name, value]) => ` ${name}=${String(value)}`);
    return `${new Date(Number(time)).toISOString()} ${LEVELS[Number(level)] ?? level} ${String(msg)}${rest.join("")}`;
  } catch {
    return line;
  }
}
