import type { TaskEndpoint } from "../../../engine/models/endpoint.js";
import type { KafkaSettings } from "../../../engine/taskDefinition.js";
import { DTS_RECORD_SCHEMA } from "../formats/dtsAvroSchema.js";
import { registerValueSchema } from "../schemaRegistry.js";

/**
 * Ids that the endpoint's Schema Registry gave for the records of these topics, for subjects `<topic>-value`; empty where the format or the endpoint
 * has no use for one. Registering a schema again gives its id again. Errors: GW1931, GW1932.
 */
export async function registeredSchemas(
  { kafka }: TaskEndpoint,
  { format }: KafkaSettings,
  topics: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const registry = kafka?.schemaRegistry;
  const ids = new Map<string, number>();
  if (format !== "dts-avro" || !registry) return ids;
  for (const topic of topics) ids.set(topic, await registerValueSchema(registry, topic, DTS_RECORD_SCHEMA));
  return ids;
}
