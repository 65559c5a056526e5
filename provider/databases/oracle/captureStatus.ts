import type { CaptureStatus } from "../../engine/database.js";
import { ErrorCode, GodwitError } from "../../engine/errors.js";
import type { OracleConnection } from "./driver.js";
import { readIncarnations } from "./logMiner/incarnations.js";
import { positionAt } from "./logMiner/position.js";
import { coverage, listRedoLogs } from "./logMiner/redoLogs.js";
import { currentScn } from "./logMiner/settledScn.js";

/** Whether the redo from `restartScn` on is still there, of every thread and without a hole. Undefined: from now on. */
export async function captureStatus(root: OracleConnection, restartScn: bigint | undefined): Promise<CaptureStatus> {
  const from = restartScn ?? (await currentScn(root));
  try {
    coverage(await listRedoLogs(root, from, await readIncarnations(root)), from);
    return { kind: "ready", position: positionAt(from), retainedBytes: 0n };
  } catch (cause) {
    if (cause instanceof GodwitError && cause.code === ErrorCode.RedoLogMissing) return { kind: "lost", reason: cause.message };
    throw cause;
  }
}
