import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rename, rmdir, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { exists } from "./postgresBinaries.js";
import { delay } from "./serverProcess.js";
import { startWatchdog } from "./watchdog.js";

const run = promisify(execFile);

export const REPOSITORY = resolve(__dirname, "../..");

/**
 * The tarball a user would install, packed once per run from a fresh dist.
 * Tests start from it and never from the working tree: Pulumi captures modules under node_modules by name, linked ones by value.
 */
export async function packGodwit(): Promise<string> {
  const folder = await once("packed", async (work) => {
    await run(process.execPath, [join(REPOSITORY, ".ci/setup.mjs"), "build"], { cwd: REPOSITORY });
    await run("npm", ["pack", "--ignore-scripts", "--silent", "--pack-destination", work], { cwd: REPOSITORY });
  });
  const tarball = (await readdir(folder)).find((name) => name.endsWith(".tgz"));
  if (!tarball) throw new Error(`npm pack left no tarball in ${folder}`);
  return join(folder, tarball);
}

/** Fills a program's folder: package.json and node_modules with these dependencies (name to version or tarball). */
export async function installDependencies(folder: string, dependencies: Readonly<Record<string, string>>): Promise<void> {
  const manifest = JSON.stringify({ name: "program", private: true, version: "0.0.0", dependencies }, undefined, 2);
  const name = `modules-${createHash("sha256").update(manifest).digest("hex").slice(0, 16)}`;
  const prepared = await once(name, async (work) => {
    await writeFile(join(work, "package.json"), manifest);
    const quiet = ["--no-audit", "--no-fund", "--loglevel=error"];
    await run("npm", ["install", "--prefer-offline", "--ignore-scripts", ...quiet], { cwd: work });
  });
  // Hard links: real files under the program's own node_modules, a hundred times faster than installing again.
  const modules = join(prepared, "node_modules");
  // -P: the links in .bin stay links, as npm makes them.
  await run("cp", ["-R", "-P", "-l", modules, folder]).catch(() => run("cp", ["-R", "-P", modules, folder]));
  // No link: an example writes its own over it, and two at once would leave a mixture of both to every program of the run.
  await writeFile(join(folder, "package.json"), manifest);
}

/** The version the repository itself is tested with. */
export function lockedVersion(packageName: string): string {
  const manifest = readFileSync(join(REPOSITORY, "node_modules", packageName, "package.json"), "utf8");
  return (JSON.parse(manifest) as { version: string }).version;
}

/** Makes a folder once per run, though several test processes ask for it at the same time. */
async function once(name: string, make: (work: string) => Promise<void>): Promise<string> {
  const place = join(await runFolder(), name);
  const lock = `${place}.lock`;
  while (!(await exists(place))) {
    const mine = await mkdir(lock).then(
      () => true,
      () => false,
    );
    if (!mine) {
      await delay(100);
      continue;
    }
    try {
      if (await exists(place)) break;
      const work = await mkdtemp(`${place}-`);
      await make(work);
      await rename(work, place);
    } finally {
      await rmdir(lock);
    }
  }
  return place;
}

let ownRunFolder: Promise<string> | undefined;

/** The test run's shared folder, or one that ends with this process when no test run is around it (the quickstart). */
async function runFolder(): Promise<string> {
  const shared = process.env.GODWIT_TEST_RUN;
  if (shared) return shared;
  ownRunFolder ??= mkdtemp(join(tmpdir(), "godwit-run-")).then((folder) => {
    startWatchdog('rm -rf "$1"', [folder]);
    return folder;
  });
  return ownRunFolder;
}
