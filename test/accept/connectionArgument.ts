import { createInterface } from "node:readline";
import { Writable } from "node:stream";

export interface GivenConnection {
  readonly username: string;
  readonly host: string;
  readonly name: string;
}

/** Others on this machine see a command's arguments: a password has no place there. */
export function parseConnection(text: string, usage: string): GivenConnection {
  const match = /^([^/@\s]+)@([^/\s]+)\/(\S+)$/.exec(text);
  if (match) return { username: match[1] ?? "", host: match[2] ?? "", name: match[3] ?? "" };
  throw new Error(`give the connection as USER@HOST:PORT/NAME, without a password\n\n${usage}`);
}

/** From the environment, or asked for on the terminal. */
export async function readPassword(variable: string, what: string): Promise<string> {
  const set = process.env[variable];
  if (set !== undefined && set !== "") return set;
  process.stderr.write(`${what}: `);
  // What is typed is not shown.
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const reader = createInterface({ input: process.stdin, output: silent, terminal: true });
  try {
    return await new Promise((resolve, reject) => {
      reader.once("line", resolve);
      reader.once("close", () => reject(new Error(`no password was given (or set ${variable})`)));
    });
  } finally {
    reader.close();
    process.stderr.write("\n");
  }
}

/** Signals end an acceptance in an orderly way; a second one ends it where it is. */
export function interruption(): AbortSignal {
  const interrupted = new AbortController();
  const onSignal = () => {
    if (interrupted.signal.aborted) process.exit(130);
    console.error("stopping: the scratch schema and the task are being taken away (again: leaves them where they are)");
    interrupted.abort(new Error("interrupted"));
  };
  process.on("SIGINT", onSignal).on("SIGTERM", onSignal);
  return interrupted.signal;
}
