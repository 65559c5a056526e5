// Makes a bare machine ready for the tests, the quickstart and the bench. Idempotent: says only what it does, and does nothing in
// under a second when all is there. `node .ci/setup.mjs [packages] [pulumi] [postgres] [kafka] [build]`, default all.
//
// What it needs: Node 20 with npm, Go where the download of the Pulumi CLI is blocked, and for Kafka a JDK of Java 17 or newer with Maven.
// What it leaves: node_modules and dist here; $PULUMI_HOME/versions (default ~/.pulumi/versions), the CLI's own place;
// ~/.cache/godwit (or /var/cache/godwit, see test/support/postgresBinaries.ts), the PostgreSQL servers and Kafka's jars.

import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { installPulumi } from "./pulumiCli.mjs";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "..");
/** The majors the tests start; others come on first use. */
const POSTGRES_MAJORS = ["10", "11", "14", "15", "17", "18"];

const steps = { packages, pulumi: () => installPulumi(root, say), postgres, kafka, build };

try {
  const asked = process.argv.slice(2);
  for (const name of asked.length > 0 ? asked : Object.keys(steps)) {
    if (!(name in steps)) throw new Error(`no step ${name}; there are ${Object.keys(steps).join(", ")}`);
    await steps[name]();
  }
} catch (error) {
  console.error(`set-up: ${error.message}`);
  process.exit(1);
}

/** `npm ci` when what is installed is not what package-lock.json says. */
function packages() {
  if (installedAsLocked()) return;
  say("installing the packages of package-lock.json (npm ci)");
  run("npm", ["ci", "--prefer-offline", "--no-audit", "--no-fund", "--loglevel=error"]);
}

function installedAsLocked() {
  const installed = readJson(join(root, "node_modules/.package-lock.json"))?.packages;
  if (!installed) return false;
  const locked = readJson(join(root, "package-lock.json")).packages;
  return Object.entries(locked).every(([path, entry]) => {
    if (path === "") return true;
    // Optional packages are of another platform where they are absent.
    return installed[path] ? installed[path].version === entry.version : entry.optional === true || entry.devOptional === true;
  });
}

function postgres() {
  run(process.execPath, [join(root, "node_modules/tsx/dist/cli.mjs"), "test/support/installPostgres.ts", ...POSTGRES_MAJORS]);
}

/** Brokers, a Schema Registry, and the programs that read records back. */
function kafka() {
  for (const script of ["test/support/kafka/installKafka.ts", "test/support/kafkaReaders/installReaders.ts"]) {
    run(process.execPath, [join(root, "node_modules/tsx/dist/cli.mjs"), script]);
  }
}

/** Compiles dist when a source is newer than the last build that succeeded. */
function build() {
  const stamp = join(root, "node_modules/.cache/godwit/built");
  const built = existsSync(stamp) && existsSync(join(root, "dist")) ? statSync(stamp).mtimeMs : 0;
  const sources = ["provider", "sdk", "schema.json", "package.json", "tsconfig.json", "tsconfig.build.json"];
  if (sources.every((source) => newest(join(root, source)) < built)) return;
  const began = new Date();
  say("compiling dist (npm run build)");
  run("npm", ["run", "--silent", "build"]);
  mkdirSync(dirname(stamp), { recursive: true });
  // The build's beginning: a source saved while it ran must be compiled again.
  writeFileSync(stamp, "");
  utimesSync(stamp, began, began);
}

function newest(path) {
  const found = statSync(path, { throwIfNoEntry: false });
  if (!found) return 0;
  if (!found.isDirectory()) return found.mtimeMs;
  // The folder's own time counts too: it changes when a file is removed.
  return readdirSync(path).reduce((latest, name) => Math.max(latest, newest(join(path, name))), found.mtimeMs);
}

function readJson(path) {
  return existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : undefined;
}

function run(program, args) {
  const { status, error } = spawnSync(program, args, { cwd: root, stdio: ["inherit", process.stderr, process.stderr] });
  if (error) throw error;
  if (status !== 0) throw new Error(`${[program, ...args].join(" ")} ended with ${status}`);
}

/** On standard error, as all that the set-up's commands print: `npm run bench -- --json` owns standard output. */
function say(line) {
  console.error(`set-up: ${line}`);
}
