import type { TopicDescription } from "../client/clusterAdmin.js";

/** What a broker takes in one batch unless its topic says otherwise (message.max.bytes). */
export const DEFAULT_MAX_MESSAGE_BYTES = 1_048_588;

/** Bytes of a record that a topic takes however badly they compress. */
export function sureBytes(topics: readonly TopicDescription[]): (topic: string) => number {
  const limits = new Map(topics.map(({ name, maxMessageBytes }) => [name, maxMessageBytes ?? DEFAULT_MAX_MESSAGE_BYTES]));
  // A batch's header and a record's own take less than 200 bytes, what can't be compressed grows by a sixth at the most (snappy).
  return (topic) => (limits.get(topic) ?? DEFAULT_MAX_MESSAGE_BYTES) * 0.8 - 200;
}
