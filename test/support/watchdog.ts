import { spawn } from "node:child_process";

export interface Watchdog {
  /** Ends it with nothing done: what it watched over has been tidied up. */
  release(): void;
  /** Has it do its work now. */
  trigger(): void;
  /** Settles once it is gone. */
  readonly ended: Promise<void>;
}

/**
 * Runs a shell script when this process is gone, however it went, SIGKILL included: the shell waits on a pipe that the
 * kernel closes with us. A line on the pipe means that there is nothing left to do.
 */
export function startWatchdog(script: string, args: readonly string[]): Watchdog {
  const shell = spawn("sh", ["-c", `read -r line && exit 0\n${script}`, "godwit-watchdog", ...args], {
    // Its own session: Ctrl-C must not take the watchdog along with the tests.
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
    cwd: "/",
  });
  const ended = new Promise<void>((settle) => {
    shell.once("error", () => settle()).once("exit", () => settle());
  });
  shell.stdin.on("error", () => undefined);
  shell.unref();
  // A pipe to a child is a socket that would keep the event loop alive.
  if ("unref" in shell.stdin && typeof shell.stdin.unref === "function") shell.stdin.unref();
  return {
    release: () => shell.stdin.end("done\n"),
    trigger: () => {
      // Whoever waits for the end has nothing else that keeps the event loop alive.
      shell.ref();
      shell.stdin.end();
    },
    ended,
  };
}
