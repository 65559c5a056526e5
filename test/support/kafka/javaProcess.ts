import { type ChildProcess, spawn } from "node:child_process";
import { open, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { delay, signal } from "../serverProcess.js";
import { startWatchdog, type Watchdog } from "../watchdog.js";

export interface JavaCommand {
  /** Names the log and the pid file in the folder. */
  readonly name: string;
  readonly folder: string;
  /** What comes after `java`: options, class or jar, arguments. One of them must name the folder: the watchdog asks for it. */
  readonly args: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

/** A Java server of the tests. Its log is `<folder>/<name>.log`. */
export class JavaProcess {
  #process: ChildProcess | undefined;
  #ended: Promise<void> = Promise.resolve();

  constructor(private readonly command: JavaCommand) {}

  /** Throws while the server is down. */
  pid(): number {
    const pid = this.#process?.pid;
    if (pid === undefined) throw new Error(`${this.command.name} is down`);
    return pid;
  }

  get running(): boolean {
    return this.#process !== undefined;
  }

  async start(): Promise<void> {
    if (this.#process) return;
    const { name, folder, args, environment } = this.command;
    const log = await open(join(folder, `${name}.log`), "a");
    const child = spawn("java", args, {
      // Its own session: Ctrl-C reaches the tests, whose end the watchdog sees.
      detached: true,
      stdio: ["ignore", log.fd, log.fd],
      cwd: folder,
      env: { PATH: process.env.PATH, LC_ALL: "C.UTF-8", TZ: "UTC", ...environment },
    });
    child.unref();
    this.#process = child;
    this.#ended = new Promise<void>((settle) => {
      child.once("error", () => settle()).once("exit", () => settle());
    }).then(() => {
      if (this.#process === child) this.#process = undefined;
    });
    await log.close();
    if (child.pid !== undefined) await writeFile(join(folder, `${name}.pid`), `${child.pid}\n`);
  }

  /** SIGTERM and the wait for an orderly end. */
  async stop(): Promise<void> {
    await this.#end("SIGTERM");
  }

  async kill9(): Promise<void> {
    await this.#end("SIGKILL");
  }

  /** Asks until the answer is true; a process that died meanwhile is an error with the end of its log. */
  async until(answers: () => Promise<boolean>, seconds = 90): Promise<void> {
    const deadline = Date.now() + seconds * 1000;
    while (!(await answers().catch(() => false))) {
      if (!this.#process || Date.now() > deadline) {
        const log = await readFile(join(this.command.folder, `${this.command.name}.log`), "utf8");
        throw new Error(`${this.command.name} did not start:\n${log.split("\n").slice(-30).join("\n")}`);
      }
      await delay(50);
    }
  }

  async #end(name: NodeJS.Signals): Promise<void> {
    if (!this.#process) return;
    signal(this.pid(), name);
    this.#process.ref();
    await this.#ended;
  }
}

/**
 * Kills every server whose pid file lies in the folder, and removes the folder, when this process is gone. A process is only killed if
 * its command line names the folder: the pid in a stale file may be anyone's.
 */
export function watchFolder(folder: string): Watchdog {
  const script = `
    for file in "$1"/*.pid; do
      pid=$(head -n 1 "$file" 2>/dev/null)
      [ -n "$pid" ] || continue
      { { tr '\\0' ' ' < "/proc/$pid/cmdline" || ps -o args= -p "$pid"; } 2>/dev/null | grep -qF "$1"; } && kill -KILL "$pid"
    done
    sleep 0.2
    rm -rf "$1"`;
  return startWatchdog(script, [folder]);
}
