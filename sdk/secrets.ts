import { type Input, Output, type OutputInstance, secret } from "@pulumi/pulumi";
import type { ConnectionArgs, KafkaConnectionArgs, OracleConnectionArgs, SslArgs } from "./args.js";

/** Marks what schema.json calls secret among a connection's fields. */
export function withSecrets<T extends ConnectionArgs>(args: T): T {
  const { password, ssl, oracle, kafka } = args;
  return {
    ...args,
    ...(password === undefined ? {} : { password: secret(password) }),
    ...(ssl === undefined ? {} : { ssl: isLater(ssl) ? secret(ssl) : secretSsl(ssl) }),
    ...(oracle === undefined ? {} : { oracle: isLater(oracle) ? secret(oracle) : secretOracle(oracle) }),
    ...(kafka === undefined ? {} : { kafka: isLater(kafka) ? secret(kafka) : secretKafka(kafka) }),
  };
}

/** A value that is not there yet: no one can say which of its fields are secret. */
export function isLater<T>(value: Input<T>): value is OutputInstance<T> | Promise<T> {
  return Output.isInstance(value) || value instanceof Promise;
}

function secretSsl(ssl: SslArgs): SslArgs {
  const { clientKey, clientKeyPassphrase } = ssl;
  return {
    ...ssl,
    ...(clientKey === undefined ? {} : { clientKey: secret(clientKey) }),
    ...(clientKeyPassphrase === undefined ? {} : { clientKeyPassphrase: secret(clientKeyPassphrase) }),
  };
}

function secretOracle(oracle: OracleConnectionArgs): OracleConnectionArgs {
  const { walletPassword } = oracle;
  return { ...oracle, ...(walletPassword === undefined ? {} : { walletPassword: secret(walletPassword) }) };
}

function secretKafka(kafka: KafkaConnectionArgs): KafkaConnectionArgs {
  const { schemaRegistry: registry } = kafka;
  if (registry === undefined) return kafka;
  if (isLater(registry)) return { ...kafka, schemaRegistry: secret(registry) };
  const { password } = registry;
  return { ...kafka, schemaRegistry: { ...registry, ...(password === undefined ? {} : { password: secret(password) }) } };
}
