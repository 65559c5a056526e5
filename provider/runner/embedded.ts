import { spawn } from "node:child_process";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ErrorCode, GodwitError } from "../engine/errors.js";
import type { WorkerPayload } from "./payload.js";
import { endSupervisor, isAlive, type SupervisorRecord } from "./processes.js";
import { ensureTaskDirectory, readJson, removeTaskFiles, taskFiles } from "./taskFiles.js";

/** Where tasks' processes live: this machine, for now. A fleet is another implementation. */
export interface Runner {
  /** Starts a worker that outlives this process. Errors: GW1603. */
  start(payload: WorkerPayload): Promise<void>;
  /** Whether a worker of this runner has the task. */
  isRunning(home: string, taskId: string): Promise<boolean>;
  /** Ends the worker and waits for it. Fine when there is none. */
  stop(home: string, taskId: string): Promise<void>;
  /** Removes its logs and status. */
  forget(home: string, taskId: string): Promise<void>;
}

/** The environment a worker gets: what it takes to run, and none of the secrets that a Pulumi program has there. */
const PASSED_ON = [
  "PATH",
  "HOME",
  "USER",
  "LANG",
  "TZ",
  "TMPDIR",
  "GODWIT_HOME",
  "NODE_EXTRA_CA_CERTS",
  "SSL_CERT_FILE",
  "SystemRoot",
  // Where Oracle's client libraries look for their configuration, and theirs to be loaded.
  "TNS_ADMIN",
  "LD_LIBRARY_PATH",
  "GODWIT_ORACLE_CLIENT",
  // Set by tests alone.
  "GODWIT_ORACLE_DRIVER",
];

export const embeddedRunner: Runner = {
  async start(payload) {
    const files = taskFiles(payload.home, payload.taskId);
    await ensureTaskDirectory(files);
    await this.stop(payload.home, payload.taskId);
    const output = await open(join(files.directory, "supervisor.log"), "a", 0o600);
    try {
      const child = spawn(process.execPath, [join(__dirname, "supervisor.js")], {
        detached: true,
        cwd: files.directory,
        env: Object.fromEntries(
          PASSED_ON.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
        ),
        stdio: ["pipe", output.fd, output.fd],
      });
      await new Promise<void>((resolve, reject) => {
        child.once("error", reject);
        child.stdin?.once("error", reject);
        child.stdin?.end(JSON.stringify(payload), resolve);
      });
      child.unref();
      for (let waited = 0; waited < 100; waited++) {
        const record = await readJson<SupervisorRecord>(files.supervisor);
        if (record?.pid === child.pid) return;
        if (child.exitCode !== null) break;
        await sleep(100);
      }
      throw new Error(`see ${join(files.directory, "supervisor.log")}`);
    } catch (cause) {
      throw new GodwitError(
        ErrorCode.WorkerFailed,
        `the worker could not be started: ${cause instanceof Error ? cause.message : cause}`,
        {
          object: payload.taskId,
          remedy: `check that ${files.directory} can be written and that the machine has room for another process`,
          cause,
        },
      );
    } finally {
      await output.close();
    }
  },
  async isRunning(home, taskId) {
    return isAlive(await readJson<SupervisorRecord>(taskFiles(home, taskId).supervisor));
  },
  async stop(home, taskId) {
    const record = await readJson<SupervisorRecord>(taskFiles(home, taskId).supervisor);
    if (record && (await isAlive(record))) await endSupervisor(record);
  },
  forget: (home, taskId) => removeTaskFiles(taskFiles(home, taskId)),
};
