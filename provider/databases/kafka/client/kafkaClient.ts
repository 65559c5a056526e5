import { connect as connectTcp } from "node:net";
import { connect as connectTls } from "node:tls";
import { Kafka, logLevel, type SASLOptions } from "kafkajs";
import { bootstrapAddresses, brokerTls, credentials, type KafkaEndpoint } from "./kafkaEndpoint.js";
import { spelled } from "./wire/connection.js";

/** kafkajs for an endpoint: topics, settings, consumers. It tries a failed request a few times, then its errors go through `kafkaError`. */
export function kafkaClient(endpoint: KafkaEndpoint, clientId: string): Kafka {
  const login = credentials(endpoint);
  return new Kafka({
    clientId,
    brokers: bootstrapAddresses(endpoint).map(spelled),
    // What goes wrong is in the errors; kafkajs would print it besides.
    logLevel: logLevel.NOTHING,
    connectionTimeout: 10_000,
    authenticationTimeout: 10_000,
    retry: { retries: 4, initialRetryTime: 200 },
    // Its own would give every broker the same TLS settings, but the server's name differs from broker to broker.
    socketFactory: ({ host, port, onConnect }) => {
      const tls = brokerTls(endpoint, host);
      const socket = tls ? connectTls({ ...tls, host, port }, onConnect) : connectTcp({ host, port }, onConnect);
      return socket.setKeepAlive(true, 30_000);
    },
    ...(login ? { sasl: { mechanism: login.mechanism, username: login.username, password: login.password } as SASLOptions } : {}),
  });
}
