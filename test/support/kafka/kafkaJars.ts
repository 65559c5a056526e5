import { mavenJars } from "./mavenJars.js";

export const KAFKA_VERSION = "3.9.1";
/** Its brokers have lost the oldest versions of the requests (KIP-896), and end transactions in a new way (KIP-890). */
export const KAFKA_4_VERSION = "4.1.1";
/** The first whose brokers run without ZooKeeper in production. */
export const KAFKA_3_VERSION = "3.3.2";
export const KAFKA_VERSIONS = [KAFKA_VERSION, KAFKA_4_VERSION, KAFKA_3_VERSION] as const;
export type KafkaVersion = (typeof KAFKA_VERSIONS)[number];

/** Brokers, and the tools with the console consumer. Everything from the same release. */
export function kafkaJars(version: KafkaVersion = KAFKA_VERSION): Promise<string> {
  return mavenJars(`kafka-${version}`, [`org.apache.kafka:kafka_2.13:${version}`, `org.apache.kafka:kafka-tools:${version}`]);
}

const REGISTRY_VERSION = "2.5.11.Final";

export interface RegistryProgram {
  readonly folder: string;
  /** The jar that is run; what it needs lies beside it. */
  readonly jar: string;
}

/** Apicurio Registry, the one with Confluent's API that Maven Central has as a whole program. */
export async function registryProgram(): Promise<RegistryProgram> {
  const artifact = `io.apicurio:apicurio-registry-app:${REGISTRY_VERSION}:tar.gz:all`;
  return {
    folder: await mavenJars(`apicurio-registry-app-${REGISTRY_VERSION}`, [artifact]),
    jar: `apicurio-registry-app-${REGISTRY_VERSION}-runner.jar`,
  };
}
