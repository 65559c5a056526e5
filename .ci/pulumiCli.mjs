// The Pulumi CLI of the version package.json names, where npm's wrapper `pulumi` looks for it: $PULUMI_HOME/versions/<version>/bin.
// The wrapper downloads it. Where that is blocked the same version is built from the Go module proxy, once.

import { spawnSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { homedir, tmpdir } from "node:os";
import { dirname, join } from "node:path";

const CLI = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi";
const VERSION_VARIABLE = "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version";
/** The newest Node language host that the module proxy has; it serves newer CLIs and SDKs as well. */
const LANGUAGE_HOST = "github.com/pulumi/pulumi/sdk/v3/nodejs/cmd/pulumi-language-nodejs";
const LANGUAGE_HOST_VERSION = "v3.68.0";
/** Runs programs in YAML, which stand in the tests for every language that is not TypeScript. */
const YAML_HOST = "github.com/pulumi/pulumi-yaml/cmd/pulumi-language-yaml";
const YAML_HOST_VERSION = "v1.25.0";
/** Runs dynamic resources. */
const DYNAMIC_PROVIDER = "pulumi-resource-pulumi-nodejs";

const DOWNLOAD = "https://get.pulumi.com/install.sh";

export async function installPulumi(root, say) {
  const version = JSON.parse(readFileSync(join(root, "node_modules/pulumi/package.json"), "utf8")).version;
  const home = process.env.PULUMI_HOME ?? join(homedir(), ".pulumi");
  const place = join(home, "versions", version);
  if (isComplete(place)) return;
  mkdirSync(dirname(place), { recursive: true });
  await withLock(join(dirname(place), ".godwit-set-up"), say, async () => {
    if (isComplete(place)) return;
    if (!(await canDownload()) || !download(root, place, version, say)) build(root, place, version, say);
    check(place, version);
  });
}

function isComplete(place) {
  return isUsable(place) && existsSync(join(place, "bin/pulumi-language-yaml"));
}

/** For everything but the tests of YAML programs. */
function isUsable(place) {
  return ["pulumi", "pulumi-language-nodejs", DYNAMIC_PROVIDER].every((name) => existsSync(join(place, "bin", name)));
}

/** Asked first: the wrapper itself would wait minutes where a firewall drops packets. */
async function canDownload() {
  try {
    return (await fetch(DOWNLOAD, { method: "HEAD", signal: AbortSignal.timeout(5000) })).ok;
  } catch {
    return false;
  }
}

function download(root, place, version, say) {
  say(`downloading the Pulumi CLI ${version}`);
  rmSync(place, { recursive: true, force: true });
  const wrapper = join(root, "node_modules/pulumi/run.js");
  const { status } = spawnSync(process.execPath, [wrapper, "version"], {
    stdio: ["ignore", "ignore", "inherit"],
    timeout: 300_000,
  });
  if (status === 0 && isComplete(place)) return true;
  say("the download of the Pulumi CLI did not succeed");
  return false;
}

function build(root, place, version, say) {
  const go = spawnSync("go", ["version"], { encoding: "utf8" });
  if (go.error || go.status !== 0) {
    if (isUsable(place)) return withoutYaml("Go, which could build it, is missing", say);
    throw new Error(
      `the Pulumi CLI cannot be downloaded from here, and Go, which could build it, is missing. Install Go 1.25 or newer, or put ` +
        `the CLI ${version} (pulumi, pulumi-language-nodejs, ${DYNAMIC_PROVIDER}) into ${join(place, "bin")}`,
    );
  }
  say(
    `the download of the Pulumi CLI is blocked: building what is missing of ${version} from the Go module proxy, once, about 7 minutes on two cores`,
  );
  const work = mkdtempSync(join(tmpdir(), "godwit-pulumi-"));
  const bin = join(place, "bin");
  const partial = `.building-${process.pid}`;
  try {
    mkdirSync(bin, { recursive: true });
    const parts = [
      [`${CLI}@v${version}`, `-X ${VERSION_VARIABLE}=${version}`],
      [`${LANGUAGE_HOST}@${LANGUAGE_HOST_VERSION}`, `-X ${VERSION_VARIABLE}=${LANGUAGE_HOST_VERSION.slice(1)}`],
    ];
    const add = (module, flags) => {
      const name = module.split("@")[0].split("/").at(-1);
      const output = join(bin, name);
      // A set-up of before a part joined has the others, and programs may be running on them.
      if (existsSync(output)) return;
      goBuild({ folder: join(work, name), module, flags: `-s -w ${flags}`, output: `${output}${partial}`, say });
      renameSync(`${output}${partial}`, output);
    };
    for (const [module, flags] of parts) add(module, flags);
    try {
      add(`${YAML_HOST}@${YAML_HOST_VERSION}`, "");
    } catch (error) {
      withoutYaml(error.message, say);
    }
    copyFileSync(join(root, "node_modules/@pulumi/pulumi", DYNAMIC_PROVIDER), join(bin, DYNAMIC_PROVIDER));
  } finally {
    rmSync(work, { recursive: true, force: true });
    for (const name of readdirSync(bin)) if (name.endsWith(partial)) rmSync(join(bin, name));
  }
}

function withoutYaml(why, say) {
  say(`there is no pulumi-language-yaml (${why}): tests of YAML programs are left out, and fail in CI`);
}

/** A module of its own per program: `go install` refuses both, because their go.mod has replace directives. */
function goBuild({ folder, module, flags, output, say }) {
  const began = Date.now();
  const [program] = module.split("@");
  mkdirSync(folder);
  const go = (args) => {
    const { status, stderr } = spawnSync("go", args, { cwd: folder, encoding: "utf8", stdio: ["ignore", "ignore", "pipe"] });
    if (status !== 0) throw new Error(`go ${args.join(" ")} failed:\n${stderr.split("\n").slice(-15).join("\n")}`);
  };
  go(["mod", "init", "godwit.example/setup"]);
  go(["get", module]);
  const fetched = Date.now();
  go(["build", "-ldflags", flags, "-o", output, program]);
  say(`built ${module} (fetched in ${seconds(fetched - began)}, compiled in ${seconds(Date.now() - fetched)})`);
}

function check(place, version) {
  const { stdout, error } = spawnSync(join(place, "bin/pulumi"), ["version"], { encoding: "utf8" });
  if (stdout?.trim().replace(/^v/, "") === version) return;
  throw new Error(`${join(place, "bin/pulumi")} does not run as ${version}: ${error?.message ?? stdout}`);
}

/** Two set-ups at once (tests and quickstart) would build twice; a lock whose owner is gone is taken over. */
async function withLock(path, say, work) {
  for (let told = false; ; told = true) {
    try {
      writeFileSync(path, String(process.pid), { flag: "wx" });
      break;
    } catch (error) {
      if (error.code !== "EEXIST") throw error;
    }
    if (!isHeld(path)) {
      rmSync(path, { force: true });
      continue;
    }
    if (!told) say(`waiting for another set-up that installs the Pulumi CLI (${path})`);
    await new Promise((settle) => setTimeout(settle, 1000));
  }
  try {
    await work();
  } finally {
    rmSync(path, { force: true });
  }
}

function isHeld(path) {
  try {
    const owner = Number(readFileSync(path, "utf8"));
    // Written by an open and a write: empty for an instant.
    if (owner === 0) return Date.now() - statSync(path).mtimeMs < 5000;
    process.kill(owner, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}

function seconds(milliseconds) {
  return `${Math.round(milliseconds / 1000)} s`;
}
