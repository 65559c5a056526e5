import { mkdtemp, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { MigrationTaskInputs, MigrationTaskOutputs } from "../../provider/contract/types.js";
import { REPOSITORY } from "./pulumiProject.js";

// From dist, which npm test builds first: a worker is a process of its own and runs what users run.
const { migrationTask } = require(
  join(REPOSITORY, "dist/provider/resources/migrationTask.js"),
) as typeof import("../../provider/resources/migrationTask.js");
const { validate, withDefaults } = require(
  join(REPOSITORY, "dist/provider/contract/validate.js"),
) as typeof import("../../provider/contract/validate.js");

/** One MigrationTask in a GODWIT_HOME of its own, as the provider runs it, without Pulumi around it. */
export interface TaskDriver {
  readonly home: string;
  /** What was printed for the user. */
  readonly lines: readonly string[];
  readonly id: string;
  readonly outputs: MigrationTaskOutputs | undefined;
  /** Create, or update once there is something; `raw` is what a program would write. */
  up(raw: object): Promise<MigrationTaskOutputs>;
  refresh(): Promise<MigrationTaskOutputs | undefined>;
  destroy(): Promise<void>;
  workerLog(): Promise<string>;
}

export async function createTaskDriver(): Promise<TaskDriver> {
  const home = await mkdtemp(join(tmpdir(), "godwit-home-"));
  const lines: string[] = [];
  const keep = (line: string) => void lines.push(line);
  const log = { info: keep, status: keep, warn: (line: string) => keep(`warning: ${line}`) };
  let id = "";
  let outputs: MigrationTaskOutputs | undefined;
  const inHome = async <T>(work: () => Promise<T>): Promise<T> => {
    process.env.GODWIT_HOME = home;
    return work();
  };
  return {
    home,
    lines,
    get id() {
      return id;
    },
    get outputs() {
      return outputs;
    },
    up: (raw) =>
      inHome(async () => {
        const failures = validate("MigrationTask", raw);
        if (failures.length > 0) throw new Error(JSON.stringify(failures));
        const inputs = withDefaults("MigrationTask", raw) as unknown as MigrationTaskInputs;
        try {
          if (outputs) outputs = await migrationTask.update(id, outputs, inputs, { log });
          else ({ id, outputs } = await migrationTask.create(inputs, { log }));
        } catch (cause) {
          const partial = cause as { id?: string; properties?: MigrationTaskOutputs };
          if (partial.id !== undefined && partial.properties) {
            id = partial.id;
            outputs = partial.properties;
          }
          throw cause;
        }
        return outputs;
      }),
    refresh: () =>
      inHome(async () => {
        if (!outputs) throw new Error("nothing to refresh");
        outputs = await migrationTask.read(id, outputs, { log });
        return outputs;
      }),
    destroy: () =>
      inHome(async () => {
        if (outputs) await migrationTask.delete(id, outputs, { log });
        outputs = undefined;
      }),
    workerLog: () => readFile(join(home, "tasks", id, "worker.log"), "utf8"),
  };
}
