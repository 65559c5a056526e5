import { GodwitError } from "../../../engine/errors.js";
import type { TaskEndpoint } from "../../../engine/models/endpoint.js";
import type { PrecheckItem } from "../../../engine/models/plan.js";
import type { KafkaSettings } from "../../../engine/taskDefinition.js";
import { precheckItem } from "../../postgres/precheck/precheckItem.js";
import { reachRegistry } from "../schemaRegistry.js";

/** Whether the Schema Registry answers this user. None where the records have no use for it. */
export async function registryChecks({ kafka }: TaskEndpoint, { format }: KafkaSettings): Promise<PrecheckItem[]> {
  const registry = kafka?.schemaRegistry;
  if (format !== "dts-avro" || !registry) return [];
  const failure = await reachRegistry(registry).then(
    () => undefined,
    (cause: unknown) => {
      if (cause instanceof GodwitError) return cause;
      throw cause;
    },
  );
  return [
    precheckItem({
      item: "targetSchemaRegistry",
      passed: failure === undefined,
      message: failure?.message.replace(/\. Remedy: .*$/s, "") ?? "the Schema Registry answers",
      remedy: failure?.remedy ?? "",
    }),
  ];
}
