import { createHash } from "node:crypto";
import { availableParallelism } from "node:os";
import type { MigrationTaskInputs } from "../contract/types.js";
import { routeKind } from "../databases/index.js";
import type { Ends } from "../engine/models/endpoint.js";
import type { PlanOptions } from "../engine/plan.js";
import type { KafkaSettings, TaskDefinition, TaskSettings } from "../engine/taskDefinition.js";

/**
 * The id of a task: readable, legal in a slot's name, and the same each time for one name and target. So an `up` that was killed
 * before it could save the resource finds its task again instead of starting a second one.
 */
export function taskIdOf({
  taskName: given,
  source,
  target,
}: Pick<MigrationTaskInputs, "taskName" | "source" | "target">): string {
  const taskName = given ?? [source, target].map(({ hosts, databaseName }) => `${hosts[0]}/${databaseName}`).join(" to ");
  const readable = taskName
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "_")
    .replaceAll(/^_+|_+$/g, "")
    .slice(-30);
  const hash = createHash("sha256")
    .update(`${taskName}\n${target.databaseName ?? (target.engine === "kafka" ? (source.databaseName ?? "") : "")}`)
    .digest("hex")
    .slice(0, 8);
  return `${readable || "task"}_${hash}`;
}

export function endsOf({ source, target }: Pick<MigrationTaskInputs, "source" | "target">): Ends {
  return { source, target };
}

export function definitionOf(inputs: MigrationTaskInputs): TaskDefinition {
  const taskId = taskIdOf(inputs);
  const own = `godwit_${taskId}`;
  // A task's outputs are inputs as well, and name its own slot.
  const slotIsForeign = inputs.slotName !== undefined && inputs.slotName !== own;
  const slotName = inputs.slotName ?? own;
  return {
    taskId,
    migrationTypes: inputs.migrationTypes,
    conflictMode: inputs.conflictMode,
    slotName,
    slotIsForeign,
    publicationName: slotIsForeign && !inputs.migrationTypes.includes("full") ? slotName : own,
    startPosition:
      inputs.startPosition === undefined ? undefined : routeKind(endsOf(inputs)).parsePosition(inputs.startPosition).toString(),
    environmentTag: inputs.target.environmentTag ?? inputs.source.environmentTag,
    ...(inputs.target.engine === "kafka" ? { kafka: kafkaSettings(inputs.kafka) } : {}),
    ...(inputs.target.engine === "analyticdb-postgresql"
      ? { analyticdb: { storage: inputs.analyticdb?.storage ?? "beam" } }
      : {}),
  };
}

/** Without `kafka` in the program its defaults have not been filled in. */
function kafkaSettings(given: MigrationTaskInputs["kafka"]): KafkaSettings {
  return {
    format: "canal-json",
    compression: "lz4",
    partitioning: "primaryKey",
    acks: "all",
    topic: "{schema}.{table}",
    ...given,
  };
}

export function settingsOf({ retry, throttle, parallelism, dataValidation }: MigrationTaskInputs): TaskSettings {
  // Two lanes keep a small machine's servers busy; beyond eight they wait for each other's locks and disks.
  const lanes = Math.max(2, Math.min(8, availableParallelism()));
  return {
    retry: { connectionMinutes: retry?.connectionMinutes ?? 720, otherMinutes: retry?.otherMinutes ?? 10 },
    throttle: throttle ?? {},
    parallelism: {
      tables: parallelism?.tables ?? lanes,
      chunksPerTable: parallelism?.chunksPerTable ?? 64,
      indexes: parallelism?.indexes ?? lanes,
    },
    ...(dataValidation ? { dataValidation } : {}),
  };
}

export function planOptionsOf({ objects, operations, capitalization, etl }: MigrationTaskInputs): PlanOptions {
  return {
    ...(objects ? { objects } : {}),
    ...(operations ? { operations } : {}),
    capitalization,
    ...(etl ? { etl } : {}),
  };
}
