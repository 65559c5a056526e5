import { type Input, secret } from "@pulumi/pulumi";
import type { ConnectionArgs } from "./args.js";
import { Endpoint } from "./endpoint.js";
import { isLater, withSecrets } from "./secrets.js";

/**
 * An endpoint as a resource passes it on: an Endpoint becomes its fields, with its secrets secret and itself as a dependency; the same
 * fields written inline get their secrets marked.
 */
export function connection(endpoint: Input<ConnectionArgs> | Endpoint): Input<ConnectionArgs> {
  if (endpoint instanceof Endpoint) return endpoint.asConnection();
  return isLater(endpoint) ? secret(endpoint) : withSecrets(endpoint as ConnectionArgs);
}
