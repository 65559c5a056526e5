import { AclOperationTypes, AclPermissionTypes, AclResourceTypes, type Kafka, ResourcePatternTypes } from "kafkajs";

export interface Allowance {
  readonly user: string;
  readonly resource: "topic" | "group" | "transactionalId" | "cluster";
  readonly name: string;
  /** The name is the beginning of those that are meant. */
  readonly prefix?: boolean;
  readonly operations: readonly ("read" | "write" | "describe" | "describeConfigs" | "create" | "delete")[];
}

const RESOURCES = {
  topic: AclResourceTypes.TOPIC,
  group: AclResourceTypes.GROUP,
  transactionalId: AclResourceTypes.TRANSACTIONAL_ID,
  cluster: AclResourceTypes.CLUSTER,
} as const;

const OPERATIONS = {
  read: AclOperationTypes.READ,
  write: AclOperationTypes.WRITE,
  describe: AclOperationTypes.DESCRIBE,
  describeConfigs: AclOperationTypes.DESCRIBE_CONFIGS,
  create: AclOperationTypes.CREATE,
  delete: AclOperationTypes.DELETE,
} as const;

/** Adds ACLs, through a client that may do everything. */
export async function allow(kafka: Kafka, allowances: readonly Allowance[]): Promise<void> {
  const admin = kafka.admin();
  await admin.connect();
  const acl = allowances.flatMap(({ user, resource, name, prefix, operations }) =>
    operations.map((operation) => ({
      resourceType: RESOURCES[resource],
      resourceName: name,
      resourcePatternType: prefix ? ResourcePatternTypes.PREFIXED : ResourcePatternTypes.LITERAL,
      principal: `User:${user}`,
      host: "*",
      operation: OPERATIONS[operation],
      permissionType: AclPermissionTypes.ALLOW,
    })),
  );
  await admin.createAcls({ acl });
  await admin.disconnect();
}
