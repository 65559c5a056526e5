import { execFile, spawn } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { promisify } from "node:util";
import { startWatchdog, type Watchdog } from "./watchdog.js";

const run = promisify(execFile);

/** The user a server runs as; empty when that is the one we are. */
export interface ServerUser {
  readonly uid?: number;
  readonly gid?: number;
}

/** PostgreSQL refuses to run as root and looks its user up by name, so the uid must be one of the system's own. */
export async function serverUser(): Promise<ServerUser> {
  if (process.getuid?.() !== 0) return {};
  const users = (await readFile("/etc/passwd", "utf8")).split("\n").map((line) => line.split(":"));
  for (const wanted of ["postgres", "nobody"]) {
    const found = users.find(([name]) => name === wanted);
    if (found) return { uid: Number(found[2]), gid: Number(found[3]) };
  }
  throw new Error(
    "PostgreSQL does not run as root, and neither a user postgres nor nobody exists: run the tests as an ordinary user",
  );
}

/** Only what a server needs: PG* variables of the caller would change what it does. */
export function serverEnvironment(): NodeJS.ProcessEnv {
  return { PATH: process.env.PATH, LC_ALL: "C", TZ: "UTC" };
}

/** Runs a program to its end, as the server's user; its output is the error's text. */
export async function runAs(user: ServerUser, program: string, args: readonly string[], input = ""): Promise<string> {
  const child = spawn(program, args, { ...user, cwd: "/", env: serverEnvironment() });
  let output = "";
  child.stdout.on("data", (data: Buffer) => (output += data.toString()));
  child.stderr.on("data", (data: Buffer) => (output += data.toString()));
  child.stdin.on("error", () => undefined);
  child.stdin.end(input);
  const code = await new Promise<number | null>((settle, fail) => child.once("error", fail).once("close", settle));
  if (code !== 0) throw new Error(`${program} ended with ${code}: ${output.trim()}`);
  return output;
}

/**
 * Ends the server and removes its folder when this process is gone.
 * A process is only killed if its command line names the folder: the pid in a stale pid file may be anyone's.
 */
export function watchServer(folder: string, dataDirectory: string): Watchdog {
  const script = `
    pid=$(head -n 1 "$2/postmaster.pid" 2>/dev/null)
    named() { { tr '\\0' ' ' < "/proc/$pid/cmdline" || ps -o args= -p "$pid"; } 2>/dev/null | grep -qF "$2"; }
    if [ -n "$pid" ] && named "$@"; then
      kill -QUIT "$pid"
      for i in 1 2 3 4 5 6 7 8 9 10; do named "$@" || break; sleep 0.5; done
      named "$@" && kill -KILL "$pid"
    fi
    rm -rf "$1"`;
  return startWatchdog(script, [folder, dataDirectory]);
}

/**
 * SIGKILLs a postmaster and then every backend. Backends left alone notice within seconds, commit what they were at, and hold
 * the shared memory that keeps a new postmaster from starting.
 */
export async function killTree(pid: number): Promise<void> {
  const children = await childrenOf(pid);
  signal(pid, "SIGKILL");
  for (const child of new Set([...children, ...(await childrenOf(pid))])) signal(child, "SIGKILL");
  const deadline = Date.now() + 10_000;
  while ((await Promise.all(children.map(isRunning))).includes(true)) {
    if (Date.now() > deadline) throw new Error(`backends of the killed postmaster ${pid} are still running`);
    await delay(10);
  }
}

/** Sends a signal; a process already gone is fine. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "ESRCH") throw cause;
  }
}

/** A zombie has ended, but may wait seconds for an init that reaps it. */
export async function isRunning(pid: number): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ESRCH") return false;
  }
  return !/\) Z /.test(await readFile(`/proc/${pid}/stat`, "utf8").catch(() => ""));
}

export async function childrenOf(parent: number): Promise<number[]> {
  const pids = await readdir("/proc").catch(() => undefined);
  if (!pids) {
    const { stdout } = await run("ps", ["-A", "-o", "pid=,ppid="]);
    const rows = stdout.split("\n").map((line) => line.trim().split(/\s+/).map(Number));
    return rows.flatMap(([pid, ppid]) => (ppid === parent && pid !== undefined ? [pid] : []));
  }
  const found: number[] = [];
  for (const pid of pids.filter((name) => /^\d+$/.test(name))) {
    const text = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
    // The name in parentheses may hold spaces; the parent is the second field after it.
    if (Number(text.slice(text.lastIndexOf(")") + 2).split(" ")[1]) === parent) found.push(Number(pid));
  }
  return found;
}

/**
 * A port nobody listens on, below the range the kernel gives to outgoing connections: a server that restarts
 * must find its port free.
 */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const port = LOWEST_PORT + (nextPort++ % PORTS);
    if (await canListen(port)) return port;
  }
  throw new Error(`no free port between ${LOWEST_PORT} and ${LOWEST_PORT + PORTS}`);
}

const LOWEST_PORT = 15_000;
const PORTS = 17_000;
/**
 * One behind the other, so that no port is given out twice before its server listens: of the nine random ones of a cluster two were the same in one start of
 * 500. Test files that run beside this one, in processes of neighbouring numbers, begin elsewhere.
 */
let nextPort = process.pid * 1009;

/** Whether something accepts TCP connections there. */
export function answers(port: number): Promise<boolean> {
  return new Promise((settle) => {
    const socket = connect({ host: "127.0.0.1", port });
    socket.once("connect", () => settle(true)).once("error", () => settle(false));
    socket.once("connect", () => socket.destroy());
  });
}

export function delay(milliseconds: number): Promise<void> {
  return new Promise((settle) => setTimeout(settle, milliseconds));
}

function canListen(port: number): Promise<boolean> {
  return new Promise((settle) => {
    const server = createServer();
    server.once("error", () => settle(false));
    server.listen({ host: "127.0.0.1", port, exclusive: true }, () => server.close(() => settle(true)));
  });
}
