import type { QualifiedName } from "../../../engine/models/catalog.js";

/** Kafka's own rules (org.apache.kafka.common.internals.Topic). */
const LONGEST_NAME = 249;
const LEGAL_NAME = /^[a-zA-Z0-9._-]+$/;

/** Fills `{database}`, `{schema}` and `{table}` in; what is about no table or schema leaves them empty. */
export function topicName(template: string, database: string, relation: Partial<QualifiedName>): string {
  return template
    .replaceAll("{database}", () => database)
    .replaceAll("{schema}", () => relation.schema ?? "")
    .replaceAll("{table}", () => relation.name ?? "");
}

/** Why a broker would refuse the name; undefined when it would not. */
export function topicNameProblem(name: string): string | undefined {
  if (name === "") return "a topic's name can't be empty";
  if (name === "." || name === "..") return `"${name}" can't be a topic's name`;
  if (name.length > LONGEST_NAME) return `the name has ${name.length} characters, ${LONGEST_NAME} are allowed`;
  if (!LEGAL_NAME.test(name)) return "a topic's name takes only letters and digits of ASCII, dot, underscore and hyphen";
  return undefined;
}

/**
 * Names that differ only in dots and underscores: Kafka's metrics can't tell them apart, and a broker refuses to create the second.
 * Each pair holds the name that comes first in `names` first.
 */
export function collidingNames(names: readonly string[]): readonly (readonly [string, string])[] {
  const byMetric = new Map<string, string>();
  const pairs: (readonly [string, string])[] = [];
  for (const name of new Set(names)) {
    const metric = name.replaceAll(".", "_");
    const first = byMetric.get(metric);
    if (first === undefined) byMetric.set(metric, name);
    else pairs.push([first, name]);
  }
  return pairs;
}
