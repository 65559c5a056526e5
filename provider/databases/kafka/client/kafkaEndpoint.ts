import type { ConnectionOptions } from "node:tls";
import { parseHost } from "../../postgres/connection.js";
import { type SslInputs, sslMode, tlsOptions } from "../../postgres/tls.js";

export type SaslMechanism = "plain" | "scram-sha-256" | "scram-sha-512";

/** The part of the contract's Endpoint that reaching a Kafka cluster needs. */
export interface KafkaEndpoint {
  /** `host:port` of any of the brokers, the port by default 9092; the cluster itself names the others. */
  readonly hosts: readonly string[];
  readonly username?: string;
  readonly password?: string;
  readonly ssl?: SslInputs;
  readonly kafka?: { readonly saslMechanism?: SaslMechanism };
}

export interface Credentials {
  readonly mechanism: SaslMechanism;
  readonly username: string;
  readonly password: string;
}

export interface BrokerAddress {
  readonly host: string;
  readonly port: number;
}

/** Where to begin, in the order the user wrote. */
export function bootstrapAddresses({ hosts }: KafkaEndpoint): readonly BrokerAddress[] {
  return hosts.map((host) => parseHost(host, 9092));
}

/** Undefined without a username: such a listener asks for no password, or for a client certificate. */
export function credentials({ username, password, kafka }: KafkaEndpoint): Credentials | undefined {
  if (username === undefined) return undefined;
  return { mechanism: kafka?.saslMechanism ?? "scram-sha-256", username, password: password ?? "" };
}

/**
 * TLS for one broker; false for a plain connection. Whether TLS is spoken is decided by the first host of the endpoint: a listener
 * speaks it on all brokers or on none, but the names that brokers advertise may be loopback ones where the endpoint's is not, and the reverse.
 */
export function brokerTls(endpoint: KafkaEndpoint, host: string): false | ConnectionOptions {
  const [first] = bootstrapAddresses(endpoint);
  return tlsOptions({ ...endpoint.ssl, mode: sslMode(endpoint.ssl, first?.host ?? host) }, host);
}
