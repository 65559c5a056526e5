import { isDeepStrictEqual } from "node:util";
import type { MigrationTaskInputs, MigrationTaskOutputs } from "../contract/types.js";
import { withDefaults } from "../contract/validate.js";
import { routeKind } from "../databases/index.js";
import type { TaskRecord } from "../engine/taskStore.js";
import type { Importable } from "./resource.js";
import { outputsOf } from "./taskOutputs.js";
import { endsOf, settingsOf, taskIdOf } from "./taskSpec.js";

/**
 * A task that is recorded beside its data, by the name that it was given. Its contacts (`alerts`) are recorded nowhere, and whom it was to wait for
 * matters to nobody any more: these two the program has to say again.
 */
export const taskImport: Importable<MigrationTaskOutputs> = {
  connections: ["source", "target"],
  thing: "taskName",
  async find([source, target], taskName) {
    if (!source || !target) return undefined;
    const taskId = taskIdOf({ taskName, source, target });
    const ends = endsOf({ source, target });
    const store = await routeKind(ends).openStore(ends);
    try {
      const task = await store.readTask(taskId);
      return task && { id: taskId, outputs: outputsOf(inputsOf({ source, target, taskName }, task), task) };
    } finally {
      await store.close();
    }
  },
};

function inputsOf(named: Pick<MigrationTaskInputs, "source" | "target" | "taskName">, task: TaskRecord): MigrationTaskInputs {
  const { definition, settings, desiredState } = task;
  const { migrationTypes, conflictMode, selection, kafka, analyticdb, slotIsForeign, slotName } = definition;
  const { objects, operations, capitalization } = selection?.options ?? {};
  const base = { ...named, migrationTypes, conflictMode, desiredState, ...(capitalization ? { capitalization } : {}) };
  // Of what the machine and the contract fill in, only what differs was asked for.
  const filled = settingsOf(withDefaults("MigrationTask", base) as MigrationTaskInputs);
  const asked = Object.entries(settings).filter(
    ([name, value]) => !isDeepStrictEqual(value, filled[name as keyof typeof filled]),
  );
  return withDefaults("MigrationTask", {
    ...base,
    ...Object.fromEntries(asked),
    ...(objects ? { objects } : {}),
    ...(operations ? { operations } : {}),
    ...(kafka ? { kafka } : {}),
    ...(analyticdb ? { analyticdb } : {}),
    ...(slotIsForeign ? { slotName } : {}),
  }) as MigrationTaskInputs;
}
