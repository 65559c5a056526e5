import { type ChildProcess, spawn } from "node:child_process";
import { chmod, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { listProcesses } from "../support/leftovers.js";
import { REPOSITORY } from "../support/pulumiProject.js";
import { delay } from "../support/serverProcess.js";

describe("npm run quickstart", () => {
  /** Servers, programs, GODWIT_HOME: all that the quickstart makes is made in here. */
  let temporary: string;

  beforeAll(async () => {
    temporary = await mkdtemp(join(tmpdir(), "godwit-quickstart-test-"));
    // As root the servers run as another user, who must get in.
    await chmod(temporary, 0o755);
  });

  afterAll(() => rm(temporary, { recursive: true, force: true }));

  it("moves a database that is being written to, finds both sides equal, and leaves nothing behind", async () => {
    const { status, lines } = await runToTheEnd(startQuickstart(temporary));
    expect(status, lines.join("\n")).toBe(0);
    expect(lines.slice(-4)).toEqual([
      expect.stringMatching(/compare +7 tables, \d{3},\d{3} rows: every checksum is equal$/),
      expect.stringMatching(/destroy +pulumi destroy: 5 deleted$/),
      expect.stringMatching(/left +no slot, publication, .* process or file; the data stays at the target$/),
      expect.stringMatching(/done +everything held$/),
    ]);
    expect(lines.find((line) => line.includes("again "))).toMatch(/pulumi up: 5 unchanged$/);
    expect(lines.length).toBeLessThan(50);
    await expectEmpty(temporary);
  }, 300_000);

  it("ends everything on Ctrl-C and does not pass for a success", async () => {
    const child = startQuickstart(temporary);
    const ended = runToTheEnd(child, (line) => {
      // From here on there is a worker to be ended, not only servers.
      if (line.includes("MigrationTask travel created")) child.kill("SIGINT");
    });
    const { status, lines } = await ended;
    expect(lines.at(-1), lines.join("\n")).toMatch(/FAILED +interrupted by SIGINT$/);
    expect(status).toBe(1);
    await expectEmpty(temporary);
  });
});

function startQuickstart(temporary: string): ChildProcess {
  return spawn(
    process.execPath,
    ["--import", join(REPOSITORY, "node_modules/tsx/dist/loader.mjs"), "examples/quickstart/run.ts"],
    {
      cwd: REPOSITORY,
      env: { ...process.env, TMPDIR: temporary, TSX_DISABLE_CACHE: "1" },
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
}

/** Its exit status and what it printed, errors included. */
async function runToTheEnd(child: ChildProcess, onLine: (line: string) => void = () => undefined) {
  const lines: string[] = [];
  let rest = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (text: string) => {
      const complete = (rest + text).split("\n");
      rest = complete.pop() ?? "";
      for (const line of complete) {
        lines.push(line);
        onLine(line);
      }
    });
  }
  const status = await new Promise<number | null>((settle, fail) => child.once("error", fail).once("close", settle));
  return { status, lines };
}

/** Watchdogs tidy up in the seconds after their process is gone. */
async function expectEmpty(folder: string): Promise<void> {
  // Compiled programs, kept by the ts-node that Pulumi runs programs with.
  const left = async () => (await readdir(folder)).filter((name) => !name.startsWith("ts-node-"));
  for (let waited = 0; waited < 40 && (await left()).length > 0; waited++) await delay(250);
  expect(await left()).toEqual([]);
  expect(await listProcesses(folder)).toEqual([]);
}
