/** AclOperation of the protocol, by its bit in "authorized operations". Source: org.apache.kafka.common.acl.AclOperation. */
const OPERATIONS = {
  3: "read",
  4: "write",
  5: "create",
  6: "delete",
  7: "alter",
  8: "describe",
  9: "clusterAction",
  10: "describeConfigs",
  11: "alterConfigs",
  12: "idempotentWrite",
} as const;

export type KafkaOperation = (typeof OPERATIONS)[keyof typeof OPERATIONS];

/** What the bits allow; undefined stays undefined. */
export function operationsOf(bits: number | undefined): readonly KafkaOperation[] | undefined {
  if (bits === undefined) return undefined;
  return Object.entries(OPERATIONS).flatMap(([bit, name]) => (bits & (1 << Number(bit)) ? [name] : []));
}
