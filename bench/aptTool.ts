import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { PeerUnavailable } from "./benchmark.js";

const run = promisify(execFile);

/**
 * Makes sure that a command is there, installing Debian's package where this machine can.
 * Throws PeerUnavailable, saying what is missing, where it can't.
 */
export async function needTool(command: string, debianPackage: string): Promise<void> {
  if (await isThere(command)) return;
  if (process.getuid?.() !== 0 || !(await isThere("apt-get"))) {
    throw new PeerUnavailable(`${command} is not installed, and only root can install the package ${debianPackage} with apt-get`);
  }
  console.error(`bench: installing ${debianPackage} (apt-get)`);
  const install = () => aptGet("install", "-y", "--no-install-recommends", debianPackage);
  try {
    // A bare machine has no package lists yet.
    await install().catch(async () => {
      await aptGet("update");
      await install();
    });
  } catch (cause) {
    throw new PeerUnavailable(`apt-get can't install ${debianPackage}: ${cause instanceof Error ? cause.message.trim() : cause}`);
  }
  if (!(await isThere(command))) throw new PeerUnavailable(`the package ${debianPackage} brought no ${command}`);
}

async function aptGet(...args: readonly string[]): Promise<void> {
  await run("apt-get", ["-q", ...args], { env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" } });
}

function isThere(command: string): Promise<boolean> {
  return run("sh", ["-c", 'command -v "$1"', "sh", command]).then(
    () => true,
    () => false,
  );
}
