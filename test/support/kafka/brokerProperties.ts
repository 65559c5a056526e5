import type { Certified } from "../certificates.js";

export interface KafkaTls {
  readonly server: Certified;
  /** PEM text of the authority that client certificates are checked against. */
  readonly ca: string;
  /** Lets nobody in without a certificate signed by `ca`. */
  readonly requireClientCertificate?: boolean;
}

export interface BrokerAddress {
  readonly id: number;
  /** Where clients connect. */
  readonly clientPort: number;
  /** Plain and without passwords: brokers among themselves, and the tests' own admin. */
  readonly internalPort: number;
  readonly controllerPort: number;
}

export interface BrokerConfiguration {
  readonly address: BrokerAddress;
  readonly all: readonly BrokerAddress[];
  readonly folder: string;
  /** User name to password; given, clients log in by SASL (PLAIN and both SCRAMs). */
  readonly users?: Readonly<Record<string, string>>;
  readonly tls?: KafkaTls;
  /** Nothing is allowed to clients but what ACLs allow. */
  readonly authorizer?: boolean;
  readonly settings?: Readonly<Record<string, string>>;
}

/** Text of one broker's server.properties: a KRaft node that is broker and controller at once. */
export function brokerProperties(configuration: BrokerConfiguration): string {
  const { address, all, folder, users, tls, authorizer, settings } = configuration;
  const replicas = String(Math.min(all.length, 3));
  const protocol = `${users ? "SASL_" : ""}${tls ? "SSL" : "PLAINTEXT"}`;
  const listeners = `CLIENT://127.0.0.1:${address.clientPort},INTERNAL://127.0.0.1:${address.internalPort}`;
  return render({
    "process.roles": "broker,controller",
    "node.id": String(address.id),
    "controller.quorum.voters": all.map(({ id, controllerPort }) => `${id}@127.0.0.1:${controllerPort}`).join(","),
    listeners: `${listeners},CONTROLLER://127.0.0.1:${address.controllerPort}`,
    "advertised.listeners": listeners,
    "listener.security.protocol.map": `CLIENT:${protocol},INTERNAL:PLAINTEXT,CONTROLLER:PLAINTEXT`,
    "inter.broker.listener.name": "INTERNAL",
    "controller.listener.names": "CONTROLLER",
    "log.dirs": `${folder}/data-${address.id}`,
    "offsets.topic.replication.factor": replicas,
    "offsets.topic.num.partitions": "3",
    "transaction.state.log.replication.factor": replicas,
    "transaction.state.log.min.isr": all.length >= 3 ? "2" : "1",
    "transaction.state.log.num.partitions": "3",
    "default.replication.factor": replicas,
    "min.insync.replicas": all.length >= 3 ? "2" : "1",
    "auto.create.topics.enable": "false",
    "group.initial.rebalance.delay.ms": "0",
    // A killed broker is given up after 3 s instead of 9: the tests wait for that again and again.
    "broker.session.timeout.ms": "3000",
    "broker.heartbeat.interval.ms": "500",
    "num.network.threads": "2",
    "num.io.threads": "3",
    // 128 MB by default: more than half of the heap that a test's broker has.
    "log.cleaner.dedupe.buffer.size": "4194304",
    ...(users ? saslSettings(users) : {}),
    ...(tls ? tlsSettings(folder, tls) : {}),
    ...(authorizer ? AUTHORIZER : {}),
    ...settings,
  });
}

/** The PEM files that the settings of `brokerProperties` name, by their names in the folder. */
export function tlsFiles({ server, ca }: KafkaTls): Readonly<Record<string, string>> {
  return { "keystore.pem": `${server.key}\n${server.certificate}`, "truststore.pem": ca };
}

function saslSettings(users: Readonly<Record<string, string>>): Record<string, string> {
  const known = Object.entries(users).map(([name, password]) => `user_${name}="${password}"`);
  const scram = "org.apache.kafka.common.security.scram.ScramLoginModule required;";
  return {
    "listener.name.client.sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512",
    "listener.name.client.plain.sasl.jaas.config": `org.apache.kafka.common.security.plain.PlainLoginModule required ${known.join(" ")};`,
    "listener.name.client.scram-sha-256.sasl.jaas.config": scram,
    "listener.name.client.scram-sha-512.sasl.jaas.config": scram,
  };
}

function tlsSettings(folder: string, tls: KafkaTls): Record<string, string> {
  return {
    "ssl.keystore.type": "PEM",
    "ssl.keystore.location": `${folder}/keystore.pem`,
    "ssl.truststore.type": "PEM",
    "ssl.truststore.location": `${folder}/truststore.pem`,
    "ssl.client.auth": tls.requireClientCertificate ? "required" : "none",
  };
}

/** ANONYMOUS is whoever comes over the plain internal listener: the brokers and the tests' admin. */
const AUTHORIZER = {
  "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
  "super.users": "User:ANONYMOUS",
};

function render(settings: Readonly<Record<string, string>>): string {
  return `${Object.entries(settings)
    .map(([name, value]) => `${name}=${value.replaceAll("\\", "\\\\")}`)
    .join("\n")}\n`;
}
