import type { TaskEndpoint } from "../../../engine/models/endpoint.js";
import type { KafkaSettings } from "../../../engine/taskDefinition.js";
import { formatByName } from "../formats/formatByName.js";
import type { RecordFormat } from "../formats/recordFormat.js";
import { registeredSchemas } from "./registeredSchemas.js";

/** Gives the format of a topic's records. */
export type TopicFormats = (topic: string) => RecordFormat;

export interface TopicFormatOptions {
  readonly settings: KafkaSettings;
  /** The source's, such as "17.5". */
  readonly serverVersion: string;
  /** Ids of the schemas that a registry gave, by topic; empty without a registry. */
  readonly schemaIds: ReadonlyMap<string, number>;
}

/** What encoding takes beyond the settings; asked once for each attempt. */
export interface RecordFormats {
  /** Each call makes encoders of its own. */
  encoders(): TopicFormats;
  /** Registers the schema of topics that joined. */
  learn(topics: readonly string[]): Promise<void>;
}

export async function openRecordFormats(
  endpoint: TaskEndpoint,
  settings: KafkaSettings,
  serverVersion: string,
  topics: readonly string[],
): Promise<RecordFormats> {
  const schemaIds = new Map(await registeredSchemas(endpoint, settings, topics));
  return {
    encoders: () => topicFormats({ settings, serverVersion, schemaIds }),
    async learn(joined) {
      for (const [topic, id] of await registeredSchemas(endpoint, settings, joined)) schemaIds.set(topic, id);
    },
  };
}

/** Each call makes encoders of its own: they keep what they wrote last, so two streams of records must not share them. */
export function topicFormats({ settings, serverVersion, schemaIds }: TopicFormatOptions): TopicFormats {
  const formats = new Map<number | undefined, RecordFormat>();
  return (topic) => {
    const schemaId = schemaIds.get(topic);
    const options = schemaId === undefined ? { serverVersion } : { serverVersion, schemaId };
    const format = formats.get(schemaId) ?? formatByName(settings.format, options);
    formats.set(schemaId, format);
    return format;
  };
}
