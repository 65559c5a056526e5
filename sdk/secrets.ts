import { type Input, Output, type OutputInstance, secret } from "@pulumi/pulumi";
import type { ConnectionArgs, SslArgs } from "./args.js";

/** Marks what schema.json calls secret among a connection's fields. */
export function withSecrets<T extends ConnectionArgs>(args: T): T {
  const { password, ssl } = args;
  return {
    ...args,
    ...(password === undefined ? {} : { password: secret(password) }),
    ...(ssl === undefined ? {} : { ssl: isLater(ssl) ? secret(ssl) : secretSsl(ssl) }),
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
