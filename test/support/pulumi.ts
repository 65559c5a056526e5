import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { installDependencies, lockedVersion, packGodwit } from "./pulumiProject.js";
import { startWatchdog } from "./watchdog.js";

export interface ProgramOptions {
  /** Path in the program's folder to text; `index.ts` is the program. Pulumi.yaml, package.json and tsconfig.json are made. */
  readonly files: Readonly<Record<string, string>>;
  /** Beside godwit, @pulumi/pulumi, typescript and @types/node: package name to version, which also overrides those. */
  readonly dependencies?: Readonly<Record<string, string>>;
  /** Installs the packed godwit. Default true. */
  readonly godwit?: boolean;
  /** Puts the commands of the program's packages on the PATH, as a global installation does. */
  readonly commandsOnPath?: boolean;
  /** Variables for the CLI and the program, over a clean set: PULUMI_*, GODWIT_*, PG* and NODE_OPTIONS are not inherited. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Gets every line the CLI prints, as it comes. */
  readonly onOutput?: (text: string) => void;
}

export interface PulumiStep {
  /** create, update, replace, delete, same, refresh, ... */
  readonly op: string;
  readonly urn: string;
  readonly type: string;
  /** Properties that differ; empty when Pulumi gives none. */
  readonly diffs: readonly string[];
  /** Path to kind of difference (`update`, `add-replace`, ...), where the provider gives them. */
  readonly detailedDiff: Readonly<Record<string, string>>;
}

export interface PulumiResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Resources by operation, the stack itself included: `{ create: 2, same: 1 }`. Empty when the operation did not get that far. */
  readonly changes: Readonly<Record<string, number>>;
  readonly steps: readonly PulumiStep[];
  /** Warnings and errors, without the text the terminal repeats. */
  readonly diagnostics: readonly { readonly severity: string; readonly message: string; readonly urn?: string }[];
}

export interface PulumiRunOptions {
  /** More arguments, as on the command line. */
  readonly args?: readonly string[];
  /** Do not throw when the CLI ends with another code than 0. */
  readonly mayFail?: boolean;
  /** Sends ^C to the CLI once its output holds this. */
  readonly interruptAt?: RegExp;
}

/** A program in a folder of its own, with its own PULUMI_HOME, GODWIT_HOME, passphrase and file backend; its stack is `dev`. */
export interface PulumiProgram {
  readonly folder: string;
  readonly godwitHome: string;
  readonly stateFolder: string;
  readonly environment: Readonly<Record<string, string>>;
  up(options?: PulumiRunOptions): Promise<PulumiResult>;
  preview(options?: PulumiRunOptions): Promise<PulumiResult>;
  refresh(options?: PulumiRunOptions): Promise<PulumiResult>;
  destroy(options?: PulumiRunOptions): Promise<PulumiResult>;
  /** The whole state as the CLI exports it; secrets stay encrypted unless asked for. */
  stackExport(options?: { readonly showSecrets?: boolean }): Promise<unknown>;
  /** The stack's outputs, secrets in clear. */
  outputs(): Promise<Readonly<Record<string, unknown>>>;
  config: { set(key: string, value: string, options?: { readonly secret?: boolean }): Promise<void> };
  /** Adds or replaces files of the program. */
  write(files: Readonly<Record<string, string>>): Promise<void>;
  /** Any other command; `--stack dev` is the caller's to add. */
  run(args: readonly string[], options?: { readonly mayFail?: boolean; readonly input?: string }): Promise<PulumiResult>;
  /** Kills what still runs with this GODWIT_HOME and deletes the folder. */
  remove(): Promise<void>;
}

/** Any process that has the folder in its environment is the program's: the CLI, its plugins, a detached worker. */
const KILL_AND_REMOVE = `
  for process in /proc/[0-9]*; do
    pid="\${process#/proc/}"
    [ "$pid" = "$$" ] && continue
    tr '\\0' '\\n' 2>/dev/null < "$process/environ" | grep -qF "$1/" && kill -KILL "$pid"
  done
  rm -rf "$1"`;

export async function createProgram(options: ProgramOptions): Promise<PulumiProgram> {
  const home = await mkdtemp(join(tmpdir(), "godwit-program-"));
  const watchdog = startWatchdog(KILL_AND_REMOVE, [home]);
  const folder = join(home, "program");
  const stateFolder = join(home, "state");
  const godwitHome = join(home, "godwit");
  // Pulumi's own temporary files (pipes of an interrupted run, compiled programs) go with the program.
  const temporary = join(home, "tmp");
  for (const made of [folder, stateFolder, temporary]) await mkdir(made);
  const passphrase = join(home, "passphrase");
  await writeFile(passphrase, randomBytes(18).toString("base64url"), { mode: 0o600 });
  const bin = join(cliFolder(), "bin");
  const environment: Record<string, string> = {
    ...inherited(),
    PATH: [
      ...(options.commandsOnPath ? [join(folder, "node_modules/.bin")] : []),
      bin,
      dirname(process.execPath),
      process.env.PATH ?? "",
    ].join(delimiter),
    TMPDIR: temporary,
    PULUMI_HOME: join(home, "pulumi"),
    PULUMI_BACKEND_URL: `file://${stateFolder}`,
    PULUMI_CONFIG_PASSPHRASE_FILE: passphrase,
    // Makes the flag --event-log known, as the Automation API does.
    PULUMI_DEBUG_COMMANDS: "true",
    PULUMI_SKIP_UPDATE_CHECK: "true",
    PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
    GODWIT_HOME: godwitHome,
    ...options.environment,
  };

  const run = (args: readonly string[], { mayFail = false, input = "", interruptAt = undefined as RegExp | undefined } = {}) =>
    runCli(join(bin, "pulumi"), args, { folder, environment, mayFail, input, interruptAt, onOutput: options.onOutput });

  const operate = async (
    command: string,
    flags: readonly string[],
    { args = [], mayFail = false, interruptAt }: PulumiRunOptions = {},
  ) => {
    const log = join(home, `events-${randomBytes(4).toString("hex")}.json`);
    const always = ["--stack", "dev", "--non-interactive", "--color", "never", "--event-log", log];
    const result = await run([command, ...flags, ...always, ...args], { mayFail, ...(interruptAt ? { interruptAt } : {}) });
    return { ...result, ...(await readEvents(log)) };
  };

  const write = async (files: Readonly<Record<string, string>>) => {
    for (const [path, text] of Object.entries(files)) {
      await mkdir(dirname(join(folder, path)), { recursive: true });
      await writeFile(join(folder, path), text);
    }
  };

  await installDependencies(folder, {
    "@pulumi/pulumi": lockedVersion("@pulumi/pulumi"),
    "@types/node": lockedVersion("@types/node"),
    typescript: lockedVersion("typescript"),
    ...(options.godwit === false ? {} : { godwit: `file:${await packGodwit()}` }),
    ...options.dependencies,
  });
  await write({ "Pulumi.yaml": "name: program\nruntime: nodejs\n", "tsconfig.json": TSCONFIG, ...options.files });
  await run(["stack", "init", "dev", "--non-interactive"]);

  return {
    folder,
    godwitHome,
    stateFolder,
    environment,
    up: (given) => operate("up", ["--yes", "--skip-preview"], given),
    preview: (given) => operate("preview", [], given),
    refresh: (given) => operate("refresh", ["--yes", "--skip-preview"], given),
    destroy: (given) => operate("destroy", ["--yes", "--skip-preview"], given),
    stackExport: async ({ showSecrets = false } = {}) => {
      const { stdout } = await run(["stack", "export", "--stack", "dev", ...(showSecrets ? ["--show-secrets"] : [])]);
      return JSON.parse(stdout) as unknown;
    },
    outputs: async () => {
      const { stdout } = await run(["stack", "output", "--stack", "dev", "--json", "--show-secrets"]);
      return JSON.parse(stdout) as Record<string, unknown>;
    },
    config: {
      set: async (key, value, { secret = false } = {}) => {
        // On standard input: a secret is no argument that `ps` shows.
        await run(["config", "set", key, "--stack", "dev", secret ? "--secret" : "--plaintext"], { input: value });
      },
    },
    write,
    run,
    remove: async () => {
      watchdog.trigger();
      await watchdog.ended;
      await rm(home, { recursive: true, force: true });
    },
  };
}

const TSCONFIG = JSON.stringify({
  compilerOptions: { strict: true, target: "es2022", module: "nodenext", moduleResolution: "nodenext", skipLibCheck: true },
});

/** Where `.ci/setup.mjs` put the CLI; called directly, so that a PULUMI_HOME of the program's own does not hide it. */
export function cliFolder(): string {
  return join(process.env.PULUMI_HOME ?? join(homedir(), ".pulumi"), "versions", lockedVersion("pulumi"));
}

function inherited(): Record<string, string> {
  const foreign = /^(PULUMI_|GODWIT_|PG|VITEST|npm_|NODE_OPTIONS$|NODE_ENV$|TEST$)/;
  return Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value]) => (value === undefined || foreign.test(name) ? [] : [[name, value]])),
  );
}

interface CliOptions {
  readonly folder: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly mayFail: boolean;
  readonly input: string;
  readonly interruptAt: RegExp | undefined;
  readonly onOutput: ((text: string) => void) | undefined;
}

async function runCli(program: string, args: readonly string[], options: CliOptions): Promise<PulumiResult> {
  const child = spawn(program, args, { cwd: options.folder, env: options.environment });
  const texts = { stdout: "", stderr: "" };
  let interrupted = false;
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8");
    child[name].on("data", (text: string) => {
      texts[name] += text;
      options.onOutput?.(text);
      if (interrupted || !options.interruptAt?.test(texts[name])) return;
      interrupted = true;
      child.kill("SIGINT");
    });
  }
  child.stdin.on("error", () => undefined);
  child.stdin.end(options.input);
  const exitCode = await new Promise<number>((settle, fail) => {
    // `exit`, not `close`: a worker that inherited the pipes would hold `close` back for as long as it lives.
    child.once("error", fail).once("exit", (code) => setImmediate(() => settle(code ?? -1)));
  });
  if (exitCode !== 0 && !options.mayFail) {
    throw new Error(`pulumi ${args.join(" ")} ended with ${exitCode}:\n${texts.stdout}\n${texts.stderr}`);
  }
  return { exitCode, ...texts, changes: {}, steps: [], diagnostics: [] };
}

/** The parts used of the engine's events (sdk/go/common/apitype/events.go), one JSON object a line. */
interface EngineEvent {
  readonly summaryEvent?: { readonly resourceChanges?: Readonly<Record<string, number>> };
  readonly resourcePreEvent?: { readonly metadata: StepMetadata };
  readonly diagnosticEvent?: { readonly severity: string; readonly message: string; readonly urn?: string };
}

interface StepMetadata {
  readonly op: string;
  readonly urn: string;
  readonly type: string;
  readonly diffs?: readonly string[] | null;
  readonly detailedDiff?: Readonly<Record<string, { readonly diffKind: string }>> | null;
}

async function readEvents(log: string): Promise<Pick<PulumiResult, "changes" | "steps" | "diagnostics">> {
  const text = await readFile(log, "utf8").catch(() => "");
  const events = text.split("\n").flatMap((line) => (line.trim() ? [JSON.parse(line) as EngineEvent] : []));
  return {
    changes: events.findLast((event) => event.summaryEvent)?.summaryEvent?.resourceChanges ?? {},
    steps: events.flatMap(({ resourcePreEvent }) => {
      if (!resourcePreEvent) return [];
      const { op, urn, type, diffs, detailedDiff } = resourcePreEvent.metadata;
      const kinds = Object.entries(detailedDiff ?? {}).map(([path, { diffKind }]) => [path, diffKind]);
      return [{ op, urn, type, diffs: diffs ?? [], detailedDiff: Object.fromEntries(kinds) as Record<string, string> }];
    }),
    diagnostics: events.flatMap(({ diagnosticEvent }) => {
      if (!diagnosticEvent || !["warning", "error"].includes(diagnosticEvent.severity)) return [];
      const { severity, message, urn } = diagnosticEvent;
      return [{ severity, message, ...(urn ? { urn } : {}) }];
    }),
  };
}
