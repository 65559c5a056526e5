import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { MigrationTaskInputs, MigrationTaskOutputs } from "../../provider/contract/types.js";
import type { TaskEndpoint } from "../../provider/engine/models/endpoint.js";
import { REPOSITORY } from "../support/pulumiProject.js";
import type { Compared } from "./compareSides.js";

const { migrationTask } = require(
  join(REPOSITORY, "dist/provider/resources/migrationTask.js"),
) as typeof import("../../provider/resources/migrationTask.js");
const { withDefaults } = require(
  join(REPOSITORY, "dist/provider/contract/validate.js"),
) as typeof import("../../provider/contract/validate.js");

/** A schema made for the test: what it holds, and what is done to it. */
export interface Scratch {
  readonly schema: string;
  readonly tables: readonly string[];
  create(): Promise<void>;
  /** Every kind of change, in transactions of their own. */
  change(): Promise<void>;
  /** A change of structure, with rows behind it. */
  restructure(): Promise<void>;
  remove(): Promise<void>;
}

export interface Acceptance {
  readonly source: TaskEndpoint;
  readonly target: TaskEndpoint;
  readonly scratch: Scratch;
  /** Compares whole tables of the two sides as they are now. */
  readonly compare: () => Promise<readonly Compared[]>;
  readonly say: (step: string, text: string) => void;
  /** How long the target may take to be level. Default 120. */
  readonly seconds?: number;
  /** GODWIT_HOME of the task, emptied at the end. Default a folder of its own. */
  readonly home?: string;
  /** Ends it before the next step; what there is by then is taken away all the same. */
  readonly signal?: AbortSignal;
}

/**
 * Migrates the scratch schema with structures, rows and changes, and compares whole tables after each step. Takes everything away on every way out.
 * Resolves with whether all of it held; what did not is said.
 */
export async function accept(acceptance: Acceptance): Promise<boolean> {
  const { source, target, scratch, say, seconds = 120, signal } = acceptance;
  const home = acceptance.home ?? (await mkdtemp(join(tmpdir(), "godwit-accept-")));
  const former = process.env.GODWIT_HOME;
  process.env.GODWIT_HOME = home;
  const log = {
    info: (line: string) => say("", line),
    status: (line: string) => say("", line),
    warn: (line: string) => say("warning", line),
  };
  const inputs = withDefaults("MigrationTask", {
    source,
    target,
    taskName: scratch.schema.toLowerCase(),
    objects: [{ schema: scratch.schema }],
    migrationTypes: ["schema", "full", "incremental"],
    // Level it is when the tables are: until then it can be broken off.
    waitFor: "started",
  }) as unknown as MigrationTaskInputs;
  let made: { id: string; outputs: MigrationTaskOutputs } | undefined;
  let held = true;
  const level = async (step: string) => {
    const results = await untilLevel(acceptance, seconds);
    signal?.throwIfAborted();
    for (const { table, rows, differences } of results) {
      say(
        step,
        `${table}: ${rows} rows, ${differences.length === 0 ? "equal" : `DIFFERENT: ${differences.slice(0, 3).join(" | ")}`}`,
      );
      if (differences.length > 0) held = false;
    }
  };
  try {
    await scratch.create();
    signal?.throwIfAborted();
    say("source", `schema ${scratch.schema} with ${scratch.tables.length} tables`);
    made = await migrationTask.create(inputs, { log }).catch((cause: unknown) => {
      const partial = cause as { id?: string; properties?: MigrationTaskOutputs };
      if (partial.id !== undefined && partial.properties) made = { id: partial.id, outputs: partial.properties };
      throw cause;
    });
    for (const { item, passed, message } of made.outputs.prechecks)
      say("precheck", `${passed ? "ok " : "-- "} ${item}: ${message}`);
    for (const { kind, name, reason } of made.outputs.skippedObjects) say("left out", `${kind} ${name}: ${reason}`);
    await level("loaded");
    signal?.throwIfAborted();
    await scratch.change();
    await level("changed");
    await scratch.restructure();
    await level("restructured");
    const now = await migrationTask.read(made.id, made.outputs, { log });
    for (const { code, message } of now?.errors ?? []) {
      say("error", `${code} ${message}`);
      held = false;
    }
  } catch (cause) {
    held = false;
    say(signal?.aborted ? "stopped" : "FAILED", cause instanceof Error ? cause.message : String(cause));
  } finally {
    const tidy = async (what: string, work: () => Promise<void>) => {
      await work().then(
        () => say("removed", what),
        (cause: unknown) => {
          held = false;
          say("FAILED", `${what} could not be removed: ${cause instanceof Error ? cause.message : cause}`);
        },
      );
    };
    const task = made;
    if (task) await tidy("the task", () => migrationTask.delete(task.id, task.outputs, { log }));
    await tidy(`schema ${scratch.schema} at the source`, () => scratch.remove());
    await rm(home, { recursive: true, force: true });
    if (former === undefined) delete process.env.GODWIT_HOME;
    else process.env.GODWIT_HOME = former;
  }
  return held;
}

async function untilLevel({ compare, signal }: Acceptance, seconds: number): Promise<readonly Compared[]> {
  for (const end = Date.now() + seconds * 1000; ; ) {
    const results = await compare();
    if (results.every(({ differences }) => differences.length === 0) || Date.now() > end || signal?.aborted) return results;
    await sleep(1000, undefined, { signal }).catch(() => undefined);
  }
}
