import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { listProcesses } from "./leftovers.js";

let home: string;
const started: ChildProcess[] = [];

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "godwit-leftovers-"));
});
afterEach(async () => {
  for (const child of started.splice(0)) child.kill("SIGKILL");
  await rm(home, { recursive: true, force: true });
});

/** A process that does nothing for a while, with these arguments behind its script. */
async function idle(args: readonly string[], environment: NodeJS.ProcessEnv = {}): Promise<number> {
  const script = "process.stdout.write('up'); setTimeout(() => undefined, 60_000)";
  const child = spawn(process.execPath, ["-e", script, "--", ...args], {
    env: { PATH: process.env.PATH, ...environment },
    stdio: ["ignore", "pipe", "ignore"],
  });
  started.push(child);
  await new Promise((resolve, reject) => {
    child.stdout.once("data", resolve);
    child.once("error", reject);
  });
  return child.pid ?? -1;
}

async function found(folder: string): Promise<number[]> {
  return (await listProcesses(folder)).map(({ pid }) => pid);
}

it("finds a process that was started with the home, or has it or a file below it as an argument", async () => {
  const expected = [
    await idle([], { GODWIT_HOME: home }),
    await idle([home]),
    await idle([join(home, "tasks", "a")]),
    await idle([`--folder=${home}/tasks`]),
  ];
  expect((await found(home)).sort()).toEqual(expected.sort());
});

it("leaves out a process whose text only mentions the home, and one with a home that begins alike", async () => {
  await idle([`a script that looks into ${home} and goes away`]);
  await idle([`${home}-of-another`], { GODWIT_HOME: `${home}2` });
  expect(await found(home)).toEqual([]);
});

it("refuses a home that is none", async () => {
  for (const wrong of ["", "/", "relative/home"]) await expect(listProcesses(wrong)).rejects.toThrow(/no folder of a task/);
});
